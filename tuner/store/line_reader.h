/* Lines of a text file, however long: what does not fit is counted, not kept. */
#ifndef SQA_TUNER_LINE_READER_H
#define SQA_TUNER_LINE_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

#define SQA_LONGEST_LINE 65536u

typedef struct sqa_line {
    char *text;      /* without the newline, zero-terminated; zeros inside are kept */
    size_t kept;     /* bytes of it, SQA_LONGEST_LINE at most */
    uint64_t bytes;  /* of the whole line */
    uint64_t number; /* from 1 */
} sqa_line;

#define SQA_LINE_INIT                                                                              \
    {                                                                                              \
        0, 0, 0, 0                                                                                 \
    }

/* Reads the next line; *more false at the end of the file.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_line_read(sqa_line *line, FILE *file, bool *more);
void sqa_line_free(sqa_line *line);

#endif
