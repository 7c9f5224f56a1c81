/* The results of `sqa bench` as text: a table for people, JSON, CSV. */
#ifndef SQA_TUNER_BENCH_REPORT_H
#define SQA_TUNER_BENCH_REPORT_H

#include "cli/bench/view.h"

/* All to standard output. */
void sqa_bench_print_table(const sqa_bench_view *view);
void sqa_bench_print_json(const sqa_bench_view *view);
void sqa_bench_print_csv(const sqa_bench_view *view); /* a header line, a line per row */

/* What the table leaves unsaid (lengths left out, an interruption), in lines that
 * are no part of the result: to standard error. */
void sqa_bench_print_notes(const sqa_bench_view *view);

#endif
