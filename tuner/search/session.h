/* A tuning run: problems in, winners in the database out.
 *
 * For each problem: enumerate what can run, search it under the budget's share,
 * record every trial at once, measure the finalists against each other and the
 * incumbent, commit the winner. Prints nothing; tells how it goes by callback. */
#ifndef SQA_TUNER_SESSION_H
#define SQA_TUNER_SESSION_H

#include <signal.h>

#include "base/log.h"
#include "search/search.h"
#include "shape/shape.h"
#include "sqa_cl.h"
#include "trial/protocol.h"

/* Each of them ends a search; 0: no such limit. */
typedef struct sqa_tuning_budget {
    double seconds;    /* for all problems together */
    uint32_t trials;   /* likewise */
    uint32_t patience; /* trials of one problem in a row without improvement */
} sqa_tuning_budget;

#define SQA_TRIAL_STATUSES (SQA_TRIAL_REJECTED + 1)

/* How far one problem's search has come. */
typedef struct sqa_tuning_progress {
    size_t problem, problem_count;
    const char *shape;
    uint32_t trials; /* made now */
    uint32_t known;  /* read back from earlier runs */
    double best_ms;  /* NaN: none yet */
    double best_gflops;
    double done;         /* of this problem's share of the budget, or of the space: 0..1 */
    double seconds_left; /* of the share; NaN without a time budget */
    bool finals;         /* the finalists are being measured */
} sqa_tuning_progress;

typedef struct sqa_tuning_options {
    unsigned platform, device;
    const char *database;
    const sqa_attention_desc *problems;
    size_t problem_count;
    const char *family; /* NULL: all that can run, but for the naive one */
    const sqa_strategy *strategy;
    sqa_tuning_budget budget;
    uint64_t seed;
    unsigned timeout_s;  /* per trial; 0: 20, less where the default needs much less */
    unsigned memory_mib; /* of the process that tries; 0: no limit */
    bool retry_failed;   /* what crashed or timed out in an earlier run may do so again */
    const volatile sig_atomic_t *stop; /* not 0: finish the trial at hand and wind up */
    void (*progress)(void *user, const sqa_tuning_progress *progress);
    void *progress_user;
    sqa_log log;
} sqa_tuning_options;

/* What became of one problem. */
typedef struct sqa_tuning_outcome {
    sqa_attention_desc desc;
    char shape[SQA_SHAPE_TEXT];
    double flops;
    uint32_t trials[SQA_TRIAL_STATUSES]; /* by status, made now */
    uint32_t known;                      /* not repeated: results of earlier runs */
    size_t space;                        /* valid configurations in all */
    bool tuned;                          /* a winner was committed; what follows is then set */
    sqa_candidate_text winner, fallback; /* fallback: what runs without any database */
    double best_ms, spread_ms, max_error;
    double default_ms; /* of the fallback, in the same rounds; NaN: it failed */
    char message[512]; /* why there is no winner; "" */
} sqa_tuning_outcome;

typedef struct sqa_tuning_report {
    sqa_device device;
    sqa_ceiling ceiling;          /* NaN where it could not be measured */
    sqa_tuning_outcome *outcomes; /* of the problems that were begun */
    size_t count;
    bool stopped; /* by the stop flag */
} sqa_tuning_report;

/* What a problem's search would have to go through, and how long it may take. */
typedef struct sqa_tuning_preview {
    char shape[192];
    struct {
        const char *family;
        size_t configurations;
    } spaces[16];
    size_t space_count;
    double seconds; /* of the budget; NaN where it is not in time */
    double trials;  /* likewise; NaN where it is not in trials */
} sqa_tuning_preview;

/* Fills one preview per problem, and what is known of the device. Tries nothing.
 * Errors: as for sqa_tuning_run, but for the database. */
sqa_status sqa_tuning_look_ahead(const sqa_tuning_options *options, sqa_device *device,
                                 sqa_tuning_preview *previews);

/* Runs it. On failure the report still holds what was finished.
 * Errors: SQA_INVALID_ARGUMENT, SQA_NO_DEVICE, SQA_DATABASE_ERROR, SQA_OPENCL_ERROR,
 * SQA_OUT_OF_MEMORY. */
sqa_status sqa_tuning_run(const sqa_tuning_options *options, sqa_tuning_report *report);
void sqa_tuning_report_free(sqa_tuning_report *report);

#endif
