/* A file in the making: it lies beside its place and is moved there once it is whole, so
 * that nobody sees half of one, and an older one stays until then. Knows nothing of what
 * is in it, nor of what its place means. */
#ifndef SQA_BASE_DRAFT_H
#define SQA_BASE_DRAFT_H

#include <sys/types.h>

/* What the names of drafts start with: one that a killed process left can be told. */
#define SQA_DRAFT_PREFIX ".sqa-draft-"

typedef struct sqa_draft {
    int file;        /* to write to; -1: not open */
    char path[4160]; /* "": there is none */
} sqa_draft;

#define SQA_DRAFT_INIT                                                                             \
    {                                                                                              \
        -1, ""                                                                                     \
    }

/* Each gives 0 or an errno; after a failure the draft is still to be discarded. */

/* Begins one in `folder`, with what the process's umask leaves of `mode`. */
int sqa_draft_begin(sqa_draft *draft, const char *folder, mode_t mode);

/* Closes it, once all of it has reached the disk. */
int sqa_draft_complete(sqa_draft *draft);

/* Moves a complete one to its place, in the same folder. */
int sqa_draft_keep(sqa_draft *draft, const char *place);

/* Removes it, if there still is one. */
void sqa_draft_discard(sqa_draft *draft);

#endif
