/* A text that grows: generated kernels, build options, explanations.
 * An allocation failure is remembered (`failed`) and reported once at the end,
 * so that a generator need not check every line it writes. */
#ifndef SQA_BASE_TEXT_H
#define SQA_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct sqa_text {
    char *data; /* zero-terminated once anything was appended; NULL before */
    size_t length;
    size_t capacity;
    bool failed;
} sqa_text;

#define SQA_TEXT_INIT                                                                              \
    {                                                                                              \
        0, 0, 0, false                                                                             \
    }

void sqa_text_append(sqa_text *text, const char *string);
void sqa_text_append_bytes(sqa_text *text, const char *bytes, size_t length);
void sqa_text_format(sqa_text *text, const char *format, ...) SQA_PRINTF(2, 3);

/* The text, "" while empty. Valid until the next append. */
const char *sqa_text_get(const sqa_text *text);

/* SQA_OUT_OF_MEMORY when any append failed. */
sqa_status sqa_text_status(const sqa_text *text);

/* Frees the storage; the text is empty again. */
void sqa_text_free(sqa_text *text);

#endif
