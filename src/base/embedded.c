#include "base/embedded.h"

#include <stddef.h>
#include <string.h>

const char *sqa_embedded_text(const sqa_embedded_file *table, const char *name)
{
    for (const sqa_embedded_file *file = table; file->name; file++)
        if (!strcmp(file->name, name))
            return file->text;
    return NULL;
}
