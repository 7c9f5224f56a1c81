/* The picture of operations that can take each other's place: time over length. */
#ifndef SQA_TUNER_BENCH_SCRIPT_LENGTHS_H
#define SQA_TUNER_BENCH_SCRIPT_LENGTHS_H

#include "base/text.h"
#include "cli/bench/view.h"

/* A line for each operation, variant, dimension and whatever else rows differ in but their length;
 * both axes are logarithms. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_bench_script_lengths(const sqa_bench_view *view, bool svg, sqa_text *out);

#endif
