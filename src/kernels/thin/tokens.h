/* Preprocessing tokens of C, and comments taken out. Knows no directives. */
#ifndef SQA_KERNELS_THIN_TOKENS_H
#define SQA_KERNELS_THIN_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum sqa_token_kind {
    SQA_TOKEN_END,
    SQA_TOKEN_NAME,
    SQA_TOKEN_NUMBER, /* any preprocessing number, "8" or "1e-3f" */
    SQA_TOKEN_OTHER   /* operators and brackets, string and character literals */
} sqa_token_kind;

typedef struct sqa_token {
    sqa_token_kind kind;
    const char *text; /* not zero-terminated */
    size_t length;
} sqa_token;

/* The token at *at, which moves behind it. Continued lines are one. */
sqa_token sqa_token_next(const char **at, const char *end);

bool sqa_token_is(const sqa_token *token, const char *text);

/* Copies a zero-terminated text to `out`, which has room for all of it: each comment has
 * become a blank, no line ends in blanks, and lines that were but a comment are gone.
 * false: a comment does not end. */
bool sqa_strip_comments(const char *text, char *out, size_t *length);

#endif
