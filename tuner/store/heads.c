#include "store/heads.h"

#include <string.h>

#include "text/named_values.h"

static const char q_key[] = "hq", kv_key[] = "hkv";

static bool read_count(const char *shape, const char *key, uint32_t *out)
{
    sqa_named_value item;
    int64_t value = 0;
    if (!sqa_named_value_find(shape, key, &item) || !sqa_named_value_integer(&item, &value) ||
        value < 0 || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

bool sqa_shape_heads(const char *shape, uint32_t *q_heads, uint32_t *kv_heads)
{
    return read_count(shape, q_key, q_heads) && read_count(shape, kv_key, kv_heads);
}

static bool is_heads(const char *item, size_t length)
{
    const size_t name = strcspn(item, "=,");
    return name < length && ((name == strlen(q_key) && !strncmp(item, q_key, name)) ||
                             (name == strlen(kv_key) && !strncmp(item, kv_key, name)));
}

/* The next item that says no heads, and how long it is; 0 at the end. */
static size_t next_other(const char **at)
{
    for (;;) {
        *at += strspn(*at, ",");
        const size_t length = strcspn(*at, ",");
        if (!length || !is_heads(*at, length))
            return length;
        *at += length;
    }
}

void sqa_shape_drop_heads(const char *shape, char *out)
{
    char *at = out;
    for (size_t length; (length = next_other(&shape)) > 0; shape += length) {
        if (at != out)
            *at++ = ',';
        memcpy(at, shape, length);
        at += length;
    }
    *at = '\0';
}

bool sqa_shape_same_but_heads(const char *a, const char *b)
{
    for (;;) {
        const size_t length = next_other(&a);
        if (next_other(&b) != length || strncmp(a, b, length) != 0)
            return false;
        if (!length)
            return true;
        a += length;
        b += length;
    }
}

bool sqa_heads_are_of(sqa_variant variant, uint32_t heads, uint32_t q_heads, uint32_t kv_heads)
{
    uint32_t q = 0, kv = 0;
    return sqa_variant_heads(variant, heads, &q, &kv) == SQA_OK && q == q_heads && kv == kv_heads;
}
