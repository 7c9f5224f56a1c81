/* The picture of `sqa bench --plot` in gnuplot's language. */
#ifndef SQA_TUNER_BENCH_SCRIPT_H
#define SQA_TUNER_BENCH_SCRIPT_H

#include "base/text.h"
#include "cli/bench/view.h"

/* Two panels, speed-up against MHA and part of the ceiling; variants side by side,
 * a bar per length (and dimension) each. Of shapes alone, the parts of both ceilings. Of operations
 * that can take each other's place, time over length instead (script_lengths.h).
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_bench_script(const sqa_bench_view *view, bool svg, sqa_text *out);

#endif
