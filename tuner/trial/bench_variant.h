/* The variants that `sqa bench` knows by name: every kind of heads, on all keys or
 * within a sliding window, without and with global tokens; and latent attention. */
#ifndef SQA_TUNER_BENCH_VARIANT_H
#define SQA_TUNER_BENCH_VARIANT_H

#include <stdbool.h>

#include "sqa_cl/attention.h"

typedef enum sqa_bench_reach {
    SQA_BENCH_REACH_ALL = 0, /* what the benchmark's own pattern leaves */
    SQA_BENCH_REACH_WINDOW,  /* a window besides */
    SQA_BENCH_REACH_GLOBALS  /* a window and leading global tokens */
} sqa_bench_reach;

typedef struct sqa_bench_variant {
    const char *name;  /* as typed and listed */
    const char *label; /* in pictures */
    sqa_variant heads;
    sqa_bench_reach reach;
    bool is_latent; /* its heads and dimensions are its own: see SQA_BENCH_LATENT_HEADS */
} sqa_bench_variant;

/* Latent attention as a cache of DeepSeek-V2-Lite is attended to (include/sqa_cl/mla.h, absorbed):
 * all heads read one key, of which the value is a part, whatever model the others are of. */
enum { SQA_BENCH_LATENT_HEADS = 16, SQA_BENCH_LATENT_DIM = 576, SQA_BENCH_LATENT_VALUE = 512 };

#define SQA_BENCH_VARIANT_COUNT 29u

/* The first is MHA on all keys, which the others are held against. */
extern const sqa_bench_variant sqa_bench_variants[SQA_BENCH_VARIANT_COUNT];

/* By name, upper or lower case. Errors: SQA_INVALID_ARGUMENT, with the names. */
sqa_status sqa_bench_variant_find(const char *name, const sqa_bench_variant **out);

#endif
