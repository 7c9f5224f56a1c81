/* See number.h. */
#include "base/number.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool sqa_read_number(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    char *end = NULL;
    assert(low <= high);
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < low || number > high)
        return false;
    *out = number;
    return true;
}

bool sqa_read_count(const char *text, uint32_t low, uint32_t high, uint32_t *out)
{
    uint64_t number = 0;
    if (!sqa_read_number(text, low, high, &number))
        return false;
    *out = (uint32_t)number;
    return true;
}

bool sqa_read_finite(const char *text, float *out)
{
    char *end = NULL;
    float number = strtof(text, &end);
    if (end == text || *end || !isfinite(number))
        return false;
    *out = number;
    return true;
}

/* Copies what is left of the only `between`; gives what is right of it, or NULL. */
static const char *split(const char *text, char between, char left[16])
{
    const char *at = strchr(text, between);
    size_t length = at ? (size_t)(at - text) : 0;
    if (!at || length >= 16)
        return NULL;
    memcpy(left, text, length);
    left[length] = '\0';
    return at + 1;
}

bool sqa_read_pair(const char *text, char between, uint32_t low, uint32_t high, uint32_t *first,
                   uint32_t *second)
{
    char left[16];
    uint32_t one = 0, two = 0;
    const char *right = split(text, between, left);
    if (!right || !sqa_read_count(left, low, high, &one) || !sqa_read_count(right, low, high, &two))
        return false;
    *first = one;
    *second = two;
    return true;
}

static bool read_bound(const char *text, int32_t *out)
{
    uint32_t number = 0;
    bool none = !strcmp(text, "-1");
    if (!none && !sqa_read_count(text, 0, SQA_WINDOW_MOST, &number))
        return false;
    *out = none ? -1 : (int32_t)number;
    return true;
}

bool sqa_read_window(const char *text, char between, sqa_window *out)
{
    char left[16];
    sqa_window window;
    const char *right = split(text, between, left);
    if (!right || !read_bound(left, &window.left) || !read_bound(right, &window.right))
        return false;
    *out = window;
    return true;
}
