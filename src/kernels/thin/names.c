#include "kernels/thin/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_SLOTS = 1024 }; /* a power of two; a quarter of it are names */

bool sqa_names_create(sqa_names *out)
{
    *out = (sqa_names){.slot_count = FIRST_SLOTS};
    out->slots = calloc(FIRST_SLOTS, sizeof *out->slots);
    out->names = calloc(FIRST_SLOTS / 4 + 1, sizeof *out->names);
    return out->slots && out->names;
}

void sqa_names_free(sqa_names *names)
{
    free(names->slots);
    free(names->names);
    *names = (sqa_names){0};
}

/* Where the name is, or would be. */
static uint32_t *slot_of(const sqa_names *names, const char *text, size_t length)
{
    const uint32_t mask = names->slot_count - 1;
    uint32_t at = (uint32_t)sqa_hash_short(text, length) & mask;
    while (names->slots[at]) {
        const sqa_name *name = &names->names[names->slots[at]];
        if (name->length == length && !memcmp(name->text, text, length))
            break;
        at = (at + 1) & mask;
    }
    return &names->slots[at];
}

uint32_t sqa_names_find(const sqa_names *names, const char *text, size_t length)
{
    return *slot_of(names, text, length);
}

static bool grow(sqa_names *names)
{
    const uint32_t slot_count = names->slot_count * 4;
    sqa_name *larger = realloc(names->names, (slot_count / 4 + 1) * sizeof *larger);
    if (!larger)
        return false;
    names->names = larger;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (!slots)
        return false;
    free(names->slots);
    names->slots = slots;
    names->slot_count = slot_count;
    for (uint32_t i = 1; i <= names->count; i++)
        *slot_of(names, larger[i].text, larger[i].length) = i;
    return true;
}

uint32_t sqa_names_add(sqa_names *names, const sqa_token *token)
{
    uint32_t *slot = slot_of(names, token->text, token->length);
    if (*slot)
        return *slot;
    if (names->count == names->slot_count / 4) {
        if (!grow(names))
            return 0;
        slot = slot_of(names, token->text, token->length);
    }
    *slot = ++names->count;
    names->names[*slot] = (sqa_name){.text = token->text, .length = token->length};
    return *slot;
}
