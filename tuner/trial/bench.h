/* Attention variants side by side: what `sqa bench` measures. The rows of one
 * length are sampled in turn, round after round, with the device's ceiling in
 * between, so that a slow moment of the machine meets them all alike; lengths
 * follow one another. Prints nothing. */
#ifndef SQA_TUNER_BENCH_H
#define SQA_TUNER_BENCH_H

#include <signal.h>
#include <stdbool.h>

#include "kernels/config.h"
#include "operations/shape.h"
#include "sqa_cl.h"
#include "trial/bench_variant.h"
#include "trial/ceiling.h"

#define SQA_BENCH_MOST 16u /* lengths, and dimensions */

/* A row whose middle half of samples spans more than this part of the median is
 * marked: its figures are a guess. */
#define SQA_BENCH_NOISY 0.10

typedef struct sqa_bench_options {
    sqa_operation operation; /* one whose shapes have heads, lengths and a head dimension */
    const sqa_bench_variant *variants[SQA_BENCH_VARIANT_COUNT];
    size_t variant_count;
    uint32_t heads;                   /* of the multi-head model */
    uint32_t lengths[SQA_BENCH_MOST]; /* of keys */
    size_t length_count;
    uint32_t queries; /* of every length; 0: as many as keys */
    uint32_t dims[SQA_BENCH_MOST];
    size_t dim_count;
    uint32_t batch;
    sqa_dtype dtype;
    char pattern[SQA_SHAPE_TEXT]; /* of every row, in the keys of a shape; "" for none */
    const sqa_window *window;     /* of variants with one; NULL: 128 keys, behind the query or to
                                     both sides of it as there is a causal mask or not */
    uint32_t globals;             /* leading tokens of variants with some */
    uint32_t rounds;
    const char *family;   /* NULL: the best known */
    bool against_default; /* also what runs without any database */
    double budget_s;      /* lengths that would last beyond it are left out; 0: none are */
    const volatile sig_atomic_t *stop; /* not 0: end with what was measured; may be NULL */
} sqa_bench_options;

/* One row of the result. Times are medians over the rounds. */
typedef struct sqa_bench_row {
    const sqa_bench_variant *variant;
    sqa_problem problem;
    uint32_t batch, q_heads, kv_heads, queries, length, dim;
    sqa_dtype dtype;
    bool causal;
    char pattern[SQA_SHAPE_TEXT]; /* the other keys of the problem's shape */
    bool shown;                   /* false: measured as a reference only */
    double median_ms, best_ms;
    double spread_ms; /* interquartile range */
    bool noisy;       /* by SQA_BENCH_NOISY */
    double gflops, gbs;
    double ceiling_gflops; /* median of the multiply-add rates measured between these rounds */
    double fraction_of_ceiling;
    double speedup_vs_mha;
    double max_error;  /* against the oracle, over max |V| */
    double default_ms; /* NaN unless asked for */
    char family[32], config[SQA_CONFIG_TEXT], rung[32], source[32];
} sqa_bench_row;

/* A length that the budget had no room for. */
typedef struct sqa_bench_left_out {
    uint32_t length;
    double seconds; /* that it would take, by the lengths before */
} sqa_bench_left_out;

typedef struct sqa_bench_report {
    double fma_gflops, copy_gbs; /* medians over all rounds */
    sqa_ceiling ceiling;         /* the best of all samples */
    sqa_bench_row *rows;
    size_t count;
    sqa_bench_left_out left_out[SQA_BENCH_MOST];
    size_t left_out_count;
    bool interrupted;
} sqa_bench_report;

/* Called before each step; `done` from 0 to 1, `seconds_left` NaN while unknown. */
typedef void (*sqa_bench_progress)(void *user, double done, double seconds_left, const char *what);

/* Sets what is asked of a row: a variant at a length and dimension.
 * Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_bench_describe(const sqa_bench_options *options, const sqa_bench_variant *variant,
                              uint32_t length, uint32_t dim, sqa_bench_row *out);

/* Whether the keys of a pattern have one of this name. */
bool sqa_bench_has_key(const char *pattern, const char *name);

/* *report is set, and to be freed, whatever is returned: after an error or a stop
 * it holds the lengths measured before.
 * Errors: those of planning and running; SQA_WRONG_RESULT when a row's output is
 * wrong, since a fast wrong answer is no result. */
sqa_status sqa_bench_run(sqa_context *context, const sqa_bench_options *options,
                         sqa_bench_progress progress, void *user, sqa_bench_report *report);
void sqa_bench_report_free(sqa_bench_report *report);

#endif
