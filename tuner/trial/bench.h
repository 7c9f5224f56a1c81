/* Attention variants side by side: what `sqa bench` measures. All rows and the
 * device's ceilings are sampled in turn, round after round, so that a slow moment
 * of the machine meets them all alike. Prints nothing. */
#ifndef SQA_TUNER_BENCH_H
#define SQA_TUNER_BENCH_H

#include <stdbool.h>

#include "kernels/config.h"
#include "sqa_cl.h"
#include "trial/ceiling.h"

typedef struct sqa_bench_options {
    sqa_variant variants[SQA_VARIANT_COUNT];
    size_t variant_count;
    uint32_t heads; /* of the multi-head model */
    uint32_t lengths[16];
    size_t length_count;
    uint32_t dim, batch;
    sqa_causal causal;
    uint32_t rounds;
    const char *family;   /* NULL: the best known */
    bool against_default; /* also what runs without any database */
} sqa_bench_options;

/* One row of the result. */
typedef struct sqa_bench_row {
    sqa_variant variant;
    sqa_attention_desc desc;
    bool shown; /* false: measured as a reference only */
    double median_ms, spread_ms, gflops, gbs;
    double speedup_vs_mha;
    double max_error;  /* against the oracle, over max |V| */
    double default_ms; /* NaN unless asked for */
    char family[32], config[SQA_CONFIG_TEXT], rung[32], source[32];
} sqa_bench_row;

typedef struct sqa_bench_report {
    sqa_ceiling ceiling;
    sqa_bench_row *rows;
    size_t count;
} sqa_bench_report;

/* Called after each step (a row prepared, a round finished); may be NULL. */
typedef void (*sqa_bench_progress)(void *user, double done, const char *what);

/* Errors: those of planning and running; SQA_WRONG_RESULT when a row's output is
 * wrong, since a fast wrong answer is no result. */
sqa_status sqa_bench_run(sqa_context *context, const sqa_bench_options *options,
                         sqa_bench_progress progress, void *user, sqa_bench_report *report);
void sqa_bench_report_free(sqa_bench_report *report);

#endif
