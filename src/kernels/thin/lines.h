/* The lines of a text that the conditions it decides leave: directives and code. */
#ifndef SQA_KERNELS_THIN_LINES_H
#define SQA_KERNELS_THIN_LINES_H

#include "kernels/thin/names.h"

typedef enum sqa_line_kind {
    SQA_LINE_BLANK,
    SQA_LINE_CODE,
    SQA_LINE_DEFINE,
    SQA_LINE_UNDEF,
    SQA_LINE_DIRECTIVE /* any other */
} sqa_line_kind;

/* As long as its continuations make it, without the newline. */
typedef struct sqa_line {
    sqa_line_kind kind;
    const char *lead; /* comes first: a directive in place of another */
    const char *text;
    size_t length;
    uint32_t macro; /* DEFINE and UNDEF: whose */
    bool is_read;   /* DEFINE: the macro is used, and with it what its body has */
    bool is_head;   /* stands before the text, as it is */
} sqa_line;

typedef struct sqa_lines {
    sqa_line *items;
    size_t count, capacity;
} sqa_lines;

typedef enum sqa_lines_result {
    SQA_LINES_OK,
    SQA_LINES_MALFORMED, /* conditions that do not end, or nest too deep */
    SQA_LINES_NO_MEMORY
} sqa_lines_result;

/* Appends what remains of a text without comments, which has to outlive them. `names`
 * knows the macros that are defined before it, and then also its own. */
sqa_lines_result sqa_lines_read(sqa_lines *out, sqa_names *names, const char *text, size_t length);

/* Takes the definitions out that no other line uses, nor the head, whose own definitions stay.
 * false: no memory. */
bool sqa_lines_drop_unused(sqa_lines *lines, sqa_names *names, const char *head,
                           size_t head_length);

#endif
