#include "kernels/registry.h"

#include <string.h>

#include "kernels/families.h"

static const sqa_kernel_family *const families[] = {
    &sqa_rows_forward,
    &sqa_tiled_forward,
    &sqa_naive_forward,

    &sqa_select_family,
};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

size_t sqa_family_count(void)
{
    return FAMILY_COUNT;
}

const sqa_kernel_family *sqa_family_at(size_t index)
{
    return index < FAMILY_COUNT ? families[index] : NULL;
}

const sqa_kernel_family *sqa_family_find(sqa_operation operation, const char *name)
{
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (families[i]->operation == operation && !strcmp(families[i]->name, name))
            return families[i];
    return NULL;
}

void sqa_family_names(sqa_operation operation, sqa_text *out)
{
    const char *separator = "";
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (families[i]->operation == operation) {
            sqa_text_format(out, "%s%s", separator, families[i]->name);
            separator = ", ";
        }
}
