/* Operations side by side: what `sqa bench` measures. What is compared with one another is a
 * group, whose rows are sampled in turn, round after round, with the device's ceilings in
 * between, so that a slow moment of the machine meets them all alike; groups follow one
 * another. Prints nothing. */
#ifndef SQA_TUNER_BENCH_H
#define SQA_TUNER_BENCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "kernels/config.h"
#include "operations/shape.h"
#include "operations/tuner_operations.h"
#include "sqa_cl.h"
#include "trial/bench_variant.h"
#include "trial/ceiling.h"

#define SQA_BENCH_MOST 16u /* lengths, dimensions, passes, families */

/* A row whose middle half of samples spans more than this part of the median is
 * marked: its figures are a guess. */
#define SQA_BENCH_NOISY 0.10

/* A problem that is asked for by itself, not as a variant of a model. */
typedef struct sqa_bench_shape {
    char keys[SQA_SHAPE_TEXT]; /* without "op=" */
    size_t first, count;       /* of the passes, those that it is measured with */
} sqa_bench_shape;

typedef struct sqa_bench_options {
    sqa_timed_pass passes[SQA_BENCH_MOST];
    size_t pass_count;
    const char *families[SQA_BENCH_MOST]; /* a row each; none: the best known */
    size_t family_count;
    bool any_family; /* those that cannot compute a problem are left out; else it is an error */

    /* Variants of one model, of every pass whose shapes have heads, lengths and a head dimension;
     * none: shapes alone. */
    const sqa_bench_variant *variants[SQA_BENCH_VARIANT_COUNT];
    size_t variant_count;
    uint32_t heads;                   /* of the multi-head model */
    uint32_t lengths[SQA_BENCH_MOST]; /* of keys */
    size_t length_count;
    uint32_t queries; /* of every length; 0: as many as the pass says */
    uint32_t dims[SQA_BENCH_MOST];
    size_t dim_count;
    uint32_t batches[SQA_BENCH_MOST];
    size_t batch_count;
    sqa_dtype dtype;
    sqa_dtype kv_formats[SQA_BENCH_MOST]; /* of K and V; none: dtype */
    size_t kv_format_count;
    char pattern[SQA_SHAPE_TEXT]; /* of every row, in the keys of a shape; "" for none */
    const sqa_window *window;     /* of variants with one; NULL: 128 keys, behind the query or to
                                     both sides of it as there is a causal mask or not */
    uint32_t globals;             /* leading tokens of variants with some */
    uint32_t page;                /* keys of a page of caches, in a random order; 0: in a row */
    uint32_t shortest; /* of a batch of caches in pages, whose lengths go up from this one evenly;
                          0: all have the same */

    sqa_bench_shape *shapes; /* a group each */
    size_t shape_count;

    const char *peer; /* another library beside each row, see peer.h; NULL: none */
    uint32_t rounds;
    bool against_default;    /* also what runs without any database */
    bool paper;              /* the model is the paper's, whose table it is held against */
    double budget_s;         /* lengths that would last beyond it are left out; 0: none are */
    const atomic_bool *stop; /* true: end with what was measured; may be NULL */
} sqa_bench_options;

/* One row of the result. Times are medians over the rounds. */
typedef struct sqa_bench_row {
    const sqa_timed_pass *pass;
    const sqa_bench_variant *variant; /* NULL: of a shape, and all up to `pattern` is unset */
    uint32_t batch, q_heads, kv_heads, queries, length, shortest, dim;
    sqa_dtype dtype, kv_dtype;
    bool causal;
    char pattern[SQA_SHAPE_TEXT]; /* the other keys of the problem's shape */
    char shape[SQA_SHAPE_TEXT];   /* all of them, of the pass's last part */
    sqa_problem parts[SQA_PASS_PARTS];
    double flop, bytes;       /* of all parts, and of all sequences' own lengths */
    double token_bytes;       /* of K and V, of a key and all heads; NaN of a shape */
    const char *asked_family; /* NULL: the best known */
    const char *peer;         /* that is timed in its place; NULL: the library itself */
    bool shown;               /* false: measured as a reference only */
    bool reads;               /* reading its tensors takes longer than computing, at the ceilings */
    double median_ms, best_ms;
    double spread_ms; /* interquartile range */
    bool noisy;       /* by SQA_BENCH_NOISY */
    double gflops, gbs;
    /* Medians of the rates measured between these rounds, and the parts of them. */
    double ceiling_gflops, ceiling_read_gbs;
    double fraction_of_ceiling, fraction_of_read, fraction_of_roofline; /* the larger bound's */
    double saving_vs_mha;    /* MHA's FLOPs over its own; NaN of a shape, like the next */
    double speedup_vs_mha;   /* of the same pass and family */
    double speedup_vs_first; /* of the families asked for, or the library */
    double max_error;  /* against the reference, as sqa_judgement has it; the parts' largest */
    double default_ms; /* NaN unless asked for */
    /* Of all parts, joined by "+"; configurations by ";"; rung and source once where they are the
     * same. */
    char family[64], config[4 * SQA_CONFIG_TEXT], rung[64], source[64];
} sqa_bench_row;

/* A length that the budget had no room for. */
typedef struct sqa_bench_left_out {
    uint32_t length;
    double seconds; /* that it would take, by the lengths before */
} sqa_bench_left_out;

typedef struct sqa_bench_report {
    double rate[SQA_CEILING_KINDS]; /* medians over all rounds; NaN: none was complete */
    sqa_ceiling ceiling;            /* the best of all samples */
    sqa_bench_row *rows;
    size_t count;
    sqa_bench_left_out left_out[SQA_BENCH_MOST];
    size_t left_out_count;
    bool interrupted;
} sqa_bench_report;

/* Called before each step; `done` from 0 to 1, `seconds_left` NaN while unknown. */
typedef void (*sqa_bench_progress)(void *user, double done, double seconds_left, const char *what);

/* *report is set, and to be freed, whatever is returned: after an error or a stop
 * it holds the groups measured before. Its rows point into *options.
 * Errors: those of planning and running; SQA_WRONG_RESULT when a row's output is
 * wrong, since a fast wrong answer is no result. */
sqa_status sqa_bench_run(sqa_context *context, const sqa_bench_options *options,
                         sqa_bench_progress progress, void *user, sqa_bench_report *report);
void sqa_bench_report_free(sqa_bench_report *report);

#endif
