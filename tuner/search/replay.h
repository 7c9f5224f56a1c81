/* Replays: a strategy let loose on a recorded sweep, many times, to see how near
 * the best it gets after how many evaluations. Needs no device. */
#ifndef SQA_TUNER_REPLAY_H
#define SQA_TUNER_REPLAY_H

#include "search/search.h"
#include "search/sweep.h"

/* After so many evaluations: the time of the sweep's best over that of the best
 * found, 1 being all there is to find. Over all runs. */
typedef struct sqa_replay_row {
    size_t evaluations;
    double median, low, worst; /* low: what 95 of 100 runs reach */
} sqa_replay_row;

typedef struct sqa_replay_options {
    const sqa_strategy *strategy;
    uint32_t runs;    /* at least 1 */
    uint64_t seed;    /* the same seed, the same rows */
    uint32_t walkers; /* questions at a time, as in a run of `sqa tune`, with its model to leave
                         some out; 0: one, answered at once, and all of them */
    bool from_worst;  /* begins, as a run does with the family's default, with a configuration:
                         one of the worst tenth of those that work, at random */
} sqa_replay_options;

/* Fills rows[i] from rows[i].evaluations, which ascend. Nothing is known at the
 * start, not even the family's default, unless the options say otherwise.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_replay(const sqa_sweep *sweep, const sqa_replay_options *options,
                      sqa_replay_row *rows, size_t row_count);

#endif
