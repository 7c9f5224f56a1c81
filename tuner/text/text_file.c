#include "text/text_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

static sqa_status refuse(const char *option, const char *path, const char *why)
{
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s: %s", option, path, why);
}

/* 0, or an errno: that of a folder comes with the first read. */
static int read_all(const char *path, sqa_text *out)
{
    char bytes[4096];
    FILE *file = fopen(path, "r");
    if (!file)
        return errno;
    errno = 0;
    for (size_t got = 1; got > 0;) {
        got = fread(bytes, 1, sizeof bytes, file);
        sqa_text_append_bytes(out, bytes, got);
    }
    const int failure = ferror(file) ? errno : 0;
    fclose(file);
    return failure;
}

/* Moves the text over its mark and the \r before each \n. */
static void tidy(char *text)
{
    const char *from = text + sqa_utf8_mark(text);
    while (*from) {
        from += from[0] == '\r' && from[1] == '\n';
        *text++ = *from++;
    }
    *text = '\0';
}

sqa_status sqa_text_file_read(const char *option, const char *path, char **out)
{
    sqa_text text = SQA_TEXT_INIT;
    const int failure = read_all(path, &text);
    sqa_status status = sqa_text_status(&text);
    if (failure)
        status = refuse(option, path, strerror(failure));
    else if (status == SQA_OK && strlen(sqa_text_get(&text)) != text.length)
        status = refuse(option, path, "not a text; expected UTF-8");
    *out = status == SQA_OK ? strdup(sqa_text_get(&text)) : NULL;
    sqa_text_free(&text);
    if (status != SQA_OK)
        return status;
    if (!*out)
        return sqa_fail_memory("a text");
    tidy(*out);
    return SQA_OK;
}
