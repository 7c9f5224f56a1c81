/* A trial with everything that is known about it: one row of the view `result`,
 * one line of an exported file. Plain data that refers to nothing outside. */
#ifndef SQA_TUNER_STORED_TRIAL_H
#define SQA_TUNER_STORED_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "device/device.h"
#include "operations/attention/pattern_text.h"
#include "operations/problem_class.h"
#include "operations/shape.h"
#include "trial/trial.h"

#define SQA_TIME_TEXT 21 /* UTC, "2026-01-31T12:00:00Z" */

typedef struct sqa_stored_class {
    sqa_operation operation;
    sqa_dtype dtype;
    uint32_t head_dim, value_dim, mask, group;
    int32_t q_bucket, kv_bucket, rows_bucket;
} sqa_stored_class;

sqa_stored_class sqa_stored_class_of(const sqa_problem *problem);
bool sqa_stored_class_equal(const sqa_stored_class *a, const sqa_stored_class *b);

typedef struct sqa_stored_trial {
    int64_t id, environment, class_id; /* in the database it was read from; 0: none */

    sqa_device device; /* without OpenCL handles */
    char library_version[32];

    sqa_stored_class problem_class; /* derived from the shape below */
    uint32_t batch, q_heads, kv_heads, q_length, kv_length;
    sqa_causal causal;
    char pattern[SQA_PATTERN_TEXT]; /* beside causal, as in a shape: "window=128:0" */
    uint32_t write_lse;
    char layout[8]; /* "bhsd", "bshd", "strided" */

    char family[32];
    uint32_t space_version;
    char config[SQA_CONFIG_TEXT];
    char source_hash[65]; /* "": unknown */

    sqa_trial_result result;
    double gflops;         /* NaN unless it was timed */
    double ceiling_gflops; /* NaN: unknown */
    double fraction_of_ceiling;
    int64_t seed;
    bool final;
    bool winner;
    char recorded_at[SQA_TIME_TEXT];
} sqa_stored_trial;

/* The problem it ran on, as a descriptor; "strided" becomes packed.
 * Errors: SQA_INVALID_ARGUMENT for a pattern that cannot be read, which is left out. */
sqa_status sqa_stored_trial_desc(const sqa_stored_trial *trial, sqa_attention_desc *out);

/* The same as text; without a pattern that cannot be read. */
void sqa_stored_trial_shape(const sqa_stored_trial *trial, char text[SQA_SHAPE_TEXT]);

/* The same, checked.
 * Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_stored_trial_problem(const sqa_stored_trial *trial, sqa_problem *out);

/* Whether the trial may be taken in from outside: family and parameters known
 * here and valid for its problem on its device, figures that can be true.
 * Recomputes what is derived (problem class, rate).
 * Errors: SQA_INVALID_ARGUMENT, whose detail is the reason. */
sqa_status sqa_stored_trial_validate(sqa_stored_trial *trial);

/* The time of now, as records have it. */
void sqa_time_now(char out[SQA_TIME_TEXT]);

/* Rounds to the nine significant digits that are kept, so that a figure is the
 * same in the database and as text. */
double sqa_kept_figure(double value);

/* "bhsd", "bshd" or "strided", from the problem's strides. */
const char *sqa_problem_layout(const sqa_problem *problem);

#endif
