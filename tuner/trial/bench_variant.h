/* The variants that `sqa bench` knows by name: every kind of heads, on all keys or
 * within a sliding window, without and with global tokens. */
#ifndef SQA_TUNER_BENCH_VARIANT_H
#define SQA_TUNER_BENCH_VARIANT_H

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
} sqa_bench_variant;

#define SQA_BENCH_VARIANT_COUNT 28u

/* The first is MHA on all keys, which the others are held against. */
extern const sqa_bench_variant sqa_bench_variants[SQA_BENCH_VARIANT_COUNT];

/* By name, upper or lower case. Errors: SQA_INVALID_ARGUMENT, with the names. */
sqa_status sqa_bench_variant_find(const char *name, const sqa_bench_variant **out);

#endif
