/* Whether what `sqa bench` times computes the right numbers. */
#ifndef SQA_TUNER_BENCH_CHECK_H
#define SQA_TUNER_BENCH_CHECK_H

#include "trial/bench.h"

/* Every part of the row by the kernels that `options` choose, in some rows of its outputs; the
 * row's max_error becomes the largest. Of a layer each stage is checked by itself: a single row of
 * a layer's gradients follows from all others, for which plain loops take hours at lengths that
 * are worth timing. How its stages are put together is `sqa verify`'s business.
 * Errors: SQA_WRONG_RESULT, and those of planning and running. */
sqa_status sqa_bench_check(sqa_context *context, cl_command_queue queue, sqa_bench_row *row,
                           const sqa_plan_options *options);

#endif
