#include "cli/found.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text += strlen(part);
    }
    return count;
}

double number_after(const char *at, const char *key)
{
    const char *found = strstr(at, key);
    ck_assert_msg(found, "no %s", key);
    return strtod(found + strlen(key), NULL);
}
