/* `sqa bench --preset paper` and `--op layer`: Table 3 of "Sparse Query Attention" (arXiv
 * 2510.01817) with this device's times, next to what the paper found. */
#ifndef SQA_TUNER_BENCH_PAPER_H
#define SQA_TUNER_BENCH_PAPER_H

#include "cli/bench/view.h"

/* Sets variants (SWA by the default window, the paper's), heads, dimension and, where none were
 * asked for, the paper's lengths (with layers 16384 besides) within a budget that fits a coffee,
 * or with `full` without one. */
sqa_status sqa_bench_paper_options(bool full, sqa_bench_options *out);

/* The paper's own speed-up against MHA; NaN where it gives none. */
double sqa_bench_paper_speedup(const sqa_bench_variant *variant, uint32_t length);

/* The table's shape: a row per length, a column per variant. */
void sqa_bench_paper_print(const sqa_bench_view *view);

#endif
