/* The options of `sqa bench` as typed, and what they ask for. */
#ifndef SQA_TUNER_BENCH_WORDS_H
#define SQA_TUNER_BENCH_WORDS_H

#include "cli/options.h"
#include "trial/bench.h"

typedef struct sqa_bench_words {
    const char *passes;
    const char *preset, *variants, *dtype, *families, *pattern, *peer, *kv_formats;
    const char *attention, *feature, *decay; /* of layers and blocks, and of linear attention */
    bool delta, normalise, project_decay, project_beta;
    sqa_option_list shapes;
    sqa_option_counts lengths, dims; /* none: the default, or the preset's */
    sqa_option_counts kv_lengths;    /* lengths, under another name */
    sqa_option_counts batches;       /* none: one */
    uint32_t heads, globals;         /* 0: likewise */
    uint32_t page, shortest;         /* 0: none */
    uint32_t queries;                /* 0: as many as keys, or as the pass says */
    uint32_t rounds;
    sqa_window window; /* where the options' window points */
    bool has_window, causal, against_default;
    bool full; /* of the paper's lengths, those that take long too */
} sqa_bench_words;

#define SQA_BENCH_WORDS_INIT                                                                       \
    {                                                                                              \
        .rounds = 7                                                                                \
    }

/* *out points into *words; it is to be freed, whatever is returned.
 * Errors: SQA_INVALID_ARGUMENT, naming the option and what it takes. */
sqa_status sqa_bench_words_read(const sqa_bench_words *words, sqa_bench_options *out);
void sqa_bench_options_free(sqa_bench_options *options);

#endif
