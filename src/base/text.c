#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(sqa_text *text, size_t extra)
{
    size_t needed = text->length + extra + 1;
    if (text->failed || needed <= text->capacity)
        return !text->failed;
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void sqa_text_append(sqa_text *text, const char *string)
{
    sqa_text_append_bytes(text, string, strlen(string));
}

void sqa_text_append_bytes(sqa_text *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void sqa_text_format(sqa_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

const char *sqa_text_get(const sqa_text *text)
{
    assert(!text->data || !text->data[text->length]);
    return text->data ? text->data : "";
}

sqa_status sqa_text_status(const sqa_text *text)
{
    return text->failed ? sqa_fail_memory("a text") : SQA_OK;
}

void sqa_text_free(sqa_text *text)
{
    free(text->data);
    *text = (sqa_text)SQA_TEXT_INIT;
}
