#include "store/mask_names.h"

#include <string.h>

static const char *const mask_names[] = {
    "none",
    "causal",
    "window",
    "causal+window",
    "blocks",
    "causal+blocks",
    "window+blocks",
    "causal+window+blocks",
    "stored",
    "causal+stored",
    "window+stored",
    "causal+window+stored",
    "blocks+stored",
    "causal+blocks+stored",
    "window+blocks+stored",
    "causal+window+blocks+stored",
};

const char *sqa_mask_name(uint32_t mask)
{
    return mask < sizeof mask_names / sizeof *mask_names ? mask_names[mask] : NULL;
}

bool sqa_mask_from_name(const char *name, uint32_t *out)
{
    for (uint32_t i = 0; i < sizeof mask_names / sizeof *mask_names; i++)
        if (!strcmp(name, mask_names[i])) {
            *out = i;
            return true;
        }
    return false;
}
