/* See shipped_profiles.h. */
#include "cli/shipped_profiles.h"

#include <string.h>

const char *sqa_shipped_profile_name(size_t index, size_t *length)
{
    const char *name = sqa_embedded_profiles[index].name;
    *length = name ? strcspn(name, ".") : 0;
    return name;
}

const char *sqa_shipped_profile(const char *name)
{
    size_t length = 0;
    const char *shipped = NULL;
    for (size_t i = 0; (shipped = sqa_shipped_profile_name(i, &length)); i++)
        if (strlen(name) == length && !memcmp(name, shipped, length))
            return sqa_embedded_profiles[i].text;
    return NULL;
}

void sqa_shipped_profiles_list(sqa_text *out)
{
    size_t length = 0;
    const char *name = NULL;
    for (size_t i = 0; (name = sqa_shipped_profile_name(i, &length)); i++)
        sqa_text_format(out, "%s%.*s", i ? ", " : "", (int)length, name);
}
