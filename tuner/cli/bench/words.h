/* The options of `sqa bench` as typed, and what they ask for. */
#ifndef SQA_TUNER_BENCH_WORDS_H
#define SQA_TUNER_BENCH_WORDS_H

#include "trial/bench.h"

typedef struct sqa_bench_words {
    const char *preset, *variants, *heads, *lengths, *dims, *batch, *dtype, *rounds, *family;
    const char *pattern, *window, *globals;
    bool causal, against_default;
    sqa_window window_read; /* where the options' window points */
} sqa_bench_words;

/* *out points into *words. Errors: SQA_INVALID_ARGUMENT, naming the option and what it
 * takes. */
sqa_status sqa_bench_words_read(sqa_bench_words *words, sqa_bench_options *out);

#endif
