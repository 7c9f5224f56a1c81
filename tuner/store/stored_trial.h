/* A trial with everything that is known about it: one row of the view `result`,
 * one line of an exported file. Plain data that refers to nothing outside. */
#ifndef SQA_TUNER_STORED_TRIAL_H
#define SQA_TUNER_STORED_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "device/device.h"
#include "operations/problem_class.h"
#include "operations/shape.h"
#include "trial/trial.h"

#define SQA_TIME_TEXT 21 /* UTC, "2026-01-31T12:00:00Z" */

/* What the device could do at most in the same run; NaN: not known. */
typedef struct sqa_trial_ceilings {
    double fma_gflops;    /* f32 multiply-adds */
    double matrix_gflops; /* matrix units, where the kernel uses them */
    double copy_gbs;      /* 10^9 bytes/s, read plus written */
    double read_gbs;
} sqa_trial_ceilings;

typedef struct sqa_stored_trial {
    int64_t id, environment, problem_id, class_id; /* in the database it was read from; 0: none */
    char source[24]; /* which database that is, where several are read: "seed-db"; else "" */

    sqa_device device; /* without OpenCL handles */
    char library_version[32];

    char operation[32];
    char class_key[SQA_CLASS_KEY_TEXT];
    char shape[SQA_SHAPE_TEXT]; /* as sqa_problem_format() says it */

    char family[32];
    uint32_t space_version;
    char candidates[SQA_HASH_TEXT]; /* sqa_candidates_digest() of the family then; "": unknown */
    char config[SQA_CONFIG_TEXT];
    char source_hash[65]; /* "": unknown */

    sqa_trial_result result;
    double modelled;    /* part of the rate of multiply-adds, where no trial was made; else NaN */
    double flop, bytes; /* of the problem; NaN: unknown */
    sqa_trial_ceilings ceilings;
    double gflops, gbs;          /* NaN unless it was timed */
    double fraction_of_ceiling;  /* of the rate of multiply-adds, or of the matrix units */
    double fraction_of_roofline; /* or of the bandwidth, whichever bounds the problem */
    int64_t seed;
    bool final;
    bool winner;
    char recorded_at[SQA_TIME_TEXT];
} sqa_stored_trial;

/* Up to schema 2 of strides that no layout has nothing was kept but that ("layout=strided"):
 * such a problem is read as packed.
 * Errors: SQA_INVALID_ARGUMENT, SQA_UNSUPPORTED. */
sqa_status sqa_stored_shape_read(const char *shape, sqa_problem *out);
bool sqa_stored_shape_is_strided(const char *shape);

/* Reads a shape and puts it into its one form. Errors: as above; the text is then as it was. */
sqa_status sqa_stored_shape_settle(char shape[SQA_SHAPE_TEXT], sqa_problem *out);

/* Whether the trial may be taken in from outside: family and parameters known
 * here and valid for its problem on its device, figures that can be true.
 * Recomputes what is derived (problem class, work, rates).
 * Errors: SQA_INVALID_ARGUMENT, whose detail is the reason. */
sqa_status sqa_stored_trial_validate(sqa_stored_trial *trial);

/* The time of now, as records have it. */
void sqa_time_now(char out[SQA_TIME_TEXT]);

/* Rounds to the nine significant digits that are kept, so that a figure is the
 * same in the database and as text. */
double sqa_kept_figure(double value);

#endif
