/* A measurement among those that it can be compared with: of the same problem but for
 * the heads, on one device and driver. */
#ifndef SQA_TUNER_DB_RANK_H
#define SQA_TUNER_DB_RANK_H

#include "store/trial_list.h"

typedef struct sqa_rank {
    const sqa_stored_trial *trial;
    uint32_t heads;      /* of the model */
    const char *variant; /* NULL: none has these heads */
    double speedup;      /* over MHA of the model; NaN: that was not measured */
    bool comparable;     /* by shares of what the device could do in the rounds of either; false:
                            by the bare times of different minutes */
} sqa_rank;

/* `list` was read with a filter for `ranking`. `heads` 0: the most heads that were
 * measured for the problem. `wanted` NULL: the first variant whose heads these are. */
sqa_rank sqa_rank_of(const sqa_trial_list *list, const sqa_stored_trial *trial, uint32_t heads,
                     const char *wanted);

#endif
