/* Timing a candidate beside a yardstick, in turn: sample of the one, sample of
 * the other. A machine that others use too changes its pace from one second to
 * the next, by half and more; how the two compare hardly notices, where the bare
 * time of either tells more of the moment than of the kernel. Decides how many
 * samples a candidate is worth. */
#ifndef SQA_TUNER_SAMPLING_H
#define SQA_TUNER_SAMPLING_H

#include "trial/measure.h"

/* What a candidate is held against; `enqueue` NULL: nothing, bare times then. Its latest
 * sample serves the next candidate too, while it is fresh. */
typedef struct sqa_yardstick {
    sqa_work work;
    uint32_t launches; /* per sample */
    sqa_sample latest;
    double taken_s; /* when that was, by sqa_clock_seconds(); 0: never */
} sqa_yardstick;

/* The fastest so far, so that no time is lost on the hopeless; NaN: none. */
typedef struct sqa_pace {
    double best_ms;
    double best_relative; /* to the yardstick; decides where there is one */
} sqa_pace;

typedef struct sqa_comparison {
    sqa_timing timing;      /* of the candidate alone */
    double relative;        /* undisturbed time over the yardstick's; NaN without one */
    double relative_spread; /* by how much the two halves of the samples differ in it */
    double uncertainty;     /* the same as a part, with or without a yardstick */
    double yardstick_ms;    /* the yardstick's undisturbed time; NaN without one */
} sqa_comparison;

/* Changes a sample and the yardstick's beside it, for tests; NULL: leaves them. `number` counts
 * from 0. */
typedef void (*sqa_sample_fault)(sqa_sample *sample, sqa_sample *yardstick, uint32_t number);

/* `first`: a single launch that ran just before, which counts where it lasted long enough;
 * `work` must have run in any case. Errors: those of sqa_measure_calibrate. */
sqa_status sqa_sampling_run(const sqa_work *work, const sqa_sample *first, sqa_yardstick *yardstick,
                            const sqa_pace *pace, cl_command_queue queue, sqa_sample_fault fault,
                            sqa_comparison *out);

/* Whether the samples lie too far apart to rank the candidate by. */
bool sqa_comparison_is_noisy(const sqa_comparison *comparison);

#endif
