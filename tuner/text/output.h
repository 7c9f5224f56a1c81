/* A file that a command writes. A regular file is replaced whole where its name leads,
 * and keeps its mode; until then the older one stays, also when the disk is full.
 * Devices and pipes are written to. What is written is the caller's business. */
#ifndef SQA_TUNER_TEXT_OUTPUT_H
#define SQA_TUNER_TEXT_OUTPUT_H

#include <stdio.h>

#include "base/draft.h"
#include "base/status.h"
#include "text/place.h"

typedef struct sqa_output {
    FILE *file;                /* to write to; NULL: not open */
    const char *option, *path; /* borrowed; messages name them */
    sqa_place place;
    sqa_draft draft;
} sqa_output;

#define SQA_OUTPUT_INIT                                                                            \
    {                                                                                              \
        .file = NULL, .draft = SQA_DRAFT_INIT                                                      \
    }

/* `option` is what messages call the path, such as "--out". Errors, of all of these:
 * SQA_DATABASE_ERROR, for want of a better word: it cannot be written. */
sqa_status sqa_output_open(sqa_output *out, const char *option, const char *path);

/* Puts it into its place when `status` is SQA_OK and all of it could be written,
 * otherwise discards it; gives the failure to write it, or `status`. */
sqa_status sqa_output_close(sqa_output *out, sqa_status status);

/* In two steps, for files that are to appear together: whether all of it is written, and
 * then its move to its place. Either may be followed by a discard, which is all that is
 * left to do after a failure. */
sqa_status sqa_output_complete(sqa_output *out);
sqa_status sqa_output_keep(sqa_output *out);
void sqa_output_discard(sqa_output *out);

/* Where a command speaks of what it wrote to `path`: standard output, or standard error
 * when it was to standard output that it wrote. */
FILE *sqa_output_words(const char *path);

#endif
