/* Trials in and out of a store: as text, one JSON object per line, and from
 * another database. What comes in is checked row by row; what cannot be true goes
 * into quarantine with the reason, never repaired. */
#ifndef SQA_TUNER_EXCHANGE_H
#define SQA_TUNER_EXCHANGE_H

#include <stdio.h>

#include "store/store.h"

typedef struct sqa_exchange {
    /* Called for each row that is left out, with where it stands ("line 3",
     * "trial 17") and why. NULL: silently. */
    void (*refuse)(void *user, const char *where, const char *reason);
    void *user;
    uint64_t added, known, refused; /* counted from what they were */
} sqa_exchange;

/* Whether a trial is to be written; asked with NULL about one that cannot be read,
 * which is not, whatever the answer. */
typedef bool (*sqa_export_keep)(void *user, const sqa_stored_trial *trial);

/* Writes the trials as text, in the order of sqa_store_each(); `keep` NULL: all of
 * them. *lines: how many.
 * Errors: SQA_DATABASE_ERROR also when `file` cannot be written. */
sqa_status sqa_store_export(sqa_store *store, const sqa_store_filter *filter, sqa_export_keep keep,
                            void *user, FILE *file, uint64_t *lines);

/* Adds the trials of exported text that are not there yet. Of two winners for one
 * environment and problem class the better founded stays: that of a final, then the
 * one nearer to its roofline. Refused lines are no error. `name` is the file's. */
sqa_status sqa_store_import(sqa_store *store, FILE *file, const char *name, sqa_exchange *exchange);

/* The same from another store: as if its export were imported. */
sqa_status sqa_store_merge(sqa_store *store, sqa_store *from, sqa_exchange *exchange);

#endif
