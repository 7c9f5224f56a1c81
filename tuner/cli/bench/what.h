/* What `sqa bench` measures of which operations, from the words of --op, --shape, --preset and
 * --family. */
#ifndef SQA_TUNER_BENCH_WHAT_H
#define SQA_TUNER_BENCH_WHAT_H

#include "cli/options.h"
#include "trial/bench.h"

/* Hands the words between commas to `take`, `most` at most. */
sqa_status sqa_bench_each_word(const char *option, const char *list, size_t most,
                               sqa_status (*take)(const char *word, sqa_bench_options *out),
                               sqa_bench_options *out);

/* Operations, and what is made of several. */
sqa_status sqa_bench_read_passes(const char *list, sqa_bench_options *out);

/* Behind the operations asked for, what each is timed in as one with others. */
sqa_status sqa_bench_add_training(sqa_bench_options *out);

/* A shape is of the operation that it names, else of all that --op named, else of the first
 * there is. */
sqa_status sqa_bench_read_shapes(const sqa_option_list *shapes, sqa_bench_options *out);

/* The problems of a preset, of the operations asked for or else of all. */
sqa_status sqa_bench_read_preset(const char *name, sqa_bench_options *out);

/* The first preset of each operation asked for that has no variants. */
sqa_status sqa_bench_read_default_presets(sqa_bench_options *out);

/* After the passes and shapes: families of theirs, or "all" of one operation. */
sqa_status sqa_bench_read_families(const char *list, sqa_bench_options *out);

#endif
