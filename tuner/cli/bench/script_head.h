/* What pictures of `sqa bench --plot` have in common: where gnuplot draws, and what stands above.
 */
#ifndef SQA_TUNER_BENCH_SCRIPT_HEAD_H
#define SQA_TUNER_BENCH_SCRIPT_HEAD_H

#include "base/text.h"
#include "cli/bench/view.h"

/* `shapes`: there are no rows of variants. */
void sqa_bench_script_head(const sqa_bench_view *view, bool shapes, bool svg, sqa_text *out);

#endif
