#include "text/named_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sqa_named_value_next(const char **text, sqa_named_value *out)
{
    const char *at = *text + strspn(*text, ",");
    if (!*at)
        return false;
    const size_t length = strcspn(at, ","), name = strcspn(at, "=,");
    out->flag = name == length;
    snprintf(out->name, sizeof out->name, "%.*s", (int)name, at);
    snprintf(out->value, sizeof out->value, "%.*s", out->flag ? 0 : (int)(length - name - 1),
             at + name + !out->flag);
    *text = at + length;
    return true;
}

bool sqa_named_value_find(const char *text, const char *name, sqa_named_value *out)
{
    while (sqa_named_value_next(&text, out))
        if (!strcmp(out->name, name))
            return true;
    return false;
}

/* How many digits `text` begins with, none where a zero leads others. */
static size_t digits(const char *text)
{
    const size_t count = strspn(text, "0123456789");
    return count > 1 && *text == '0' ? 0 : count;
}

bool sqa_named_value_integer(const sqa_named_value *item, int64_t *out)
{
    const char *text = item->value + (item->value[0] == '-');
    const size_t count = digits(text);
    if (count == 0 || count > 18 || text[count])
        return false;
    *out = strtoll(item->value, NULL, 10);
    return true;
}

bool sqa_named_value_number(const sqa_named_value *item, double *out)
{
    const char *text = item->value + (item->value[0] == '-');
    size_t count = digits(text);
    if (count == 0)
        return false;
    text += count;
    if (*text == '.') {
        count = strspn(text + 1, "0123456789");
        text += 1 + count;
    }
    if (count && (*text == 'e' || *text == 'E')) {
        text += 1 + (text[1] == '-' || text[1] == '+');
        count = strspn(text, "0123456789");
        text += count;
    }
    *out = strtod(item->value, NULL);
    return count && !*text && isfinite(*out);
}
