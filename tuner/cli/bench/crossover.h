/* From which length on an operation is faster than the one that it can take the place of. */
#ifndef SQA_TUNER_BENCH_CROSSOVER_H
#define SQA_TUNER_BENCH_CROSSOVER_H

#include "cli/bench/view.h"

/* To standard output, a line for every variant, dimension and family that rows have both of;
 * nothing where there are none. */
void sqa_bench_print_crossovers(const sqa_bench_view *view);

/* Whether there are such, of more than one length. */
bool sqa_bench_has_crossovers(const sqa_bench_report *report);

#endif
