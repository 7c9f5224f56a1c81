/* Trials in memory, for those who have to look at several at once. */
#ifndef SQA_TUNER_TRIAL_LIST_H
#define SQA_TUNER_TRIAL_LIST_H

#include "store/store.h"

typedef struct sqa_trial_list {
    sqa_stored_trial *trials;
    size_t count;
    uint64_t unreadable; /* rows that were left out */
} sqa_trial_list;

#define SQA_TRIAL_LIST_INIT                                                                        \
    {                                                                                              \
        0, 0, 0                                                                                    \
    }

/* Appends what passes the filter, in the order of sqa_store_each(). */
sqa_status sqa_trial_list_read(sqa_trial_list *list, sqa_store *store,
                               const sqa_store_filter *filter);
void sqa_trial_list_free(sqa_trial_list *list);

/* A sqa_store_visit whose user is the list. */
sqa_status sqa_trial_list_append(void *list, const sqa_stored_trial *trial);

/* Puts several lists that were read with filter->ranking, one behind the other, into the one
 * order of them all. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_trial_list_rank(sqa_trial_list *list);

/* Rows of one database, and there of one device, driver and library version. */
bool sqa_same_environment(const sqa_stored_trial *a, const sqa_stored_trial *b);

/* The same piece of hardware under the same runtime, by the normalised names. */
bool sqa_same_device(const sqa_stored_trial *a, const sqa_stored_trial *b);

/* The same problem but for its heads. */
bool sqa_same_but_heads(const sqa_stored_trial *a, const sqa_stored_trial *b);

#endif
