/* The options of `sqa bench` as typed, and what they ask for. */
#ifndef SQA_TUNER_BENCH_WORDS_H
#define SQA_TUNER_BENCH_WORDS_H

#include "trial/bench.h"

typedef struct sqa_bench_words {
    const char *preset, *variants, *heads, *lengths, *dims, *batch, *dtype, *rounds, *family;
    bool causal, against_default;
} sqa_bench_words;

/* Errors: SQA_INVALID_ARGUMENT, naming the option and what it takes. */
sqa_status sqa_bench_words_read(const sqa_bench_words *words, sqa_bench_options *out);

#endif
