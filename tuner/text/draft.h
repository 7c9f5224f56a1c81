/* A text file that is complete or not there: it is written beside its place, and an
 * older one stays until the new one is whole. */
#ifndef SQA_TUNER_TEXT_DRAFT_H
#define SQA_TUNER_TEXT_DRAFT_H

#include <stdio.h>

#include "base/status.h"

typedef struct sqa_draft {
    FILE *file;
    const char *path; /* borrowed */
    char part[4096];
} sqa_draft;

/* `option` is what messages call the path, such as "--out".
 * Errors: SQA_DATABASE_ERROR, for want of a better word: it cannot be written. */
sqa_status sqa_draft_open(sqa_draft *draft, const char *option, const char *path);

/* Puts it into its place when `status` is SQA_OK and all of it could be written,
 * otherwise removes it; gives the first failure. */
sqa_status sqa_draft_close(sqa_draft *draft, const char *option, sqa_status status);

#endif
