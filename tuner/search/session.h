/* A tuning run: problems in, winners in the database out.
 *
 * Enumerate what can run each problem, search all of them together under the budget
 * (contest.h), record every trial at once; then, problem by problem, measure the finalists
 * against each other and the incumbent, and commit the winner. Prints nothing; tells how it
 * goes by callback. */
#ifndef SQA_TUNER_SESSION_H
#define SQA_TUNER_SESSION_H

#include <stdatomic.h>

#include "base/log.h"
#include "operations/shape.h"
#include "search/search.h"
#include "sqa_cl.h"
#include "trial/protocol.h"

/* Each of them ends a search; 0: no such limit. */
typedef struct sqa_tuning_budget {
    double seconds;    /* for all problems together */
    uint32_t trials;   /* likewise */
    uint32_t patience; /* trials of one problem in a row without improvement */
} sqa_tuning_budget;

#define SQA_TRIAL_STATUSES (SQA_TRIAL_REJECTED + 1)

/* How far a run has come. */
typedef struct sqa_tuning_progress {
    size_t problem_count;
    uint32_t programs;   /* built now */
    uint32_t trials;     /* made now, of all problems */
    uint32_t known;      /* read back from earlier runs */
    double done;         /* of the budget: 0..1 */
    double seconds_left; /* of the search, or for the finals; NaN without a time budget */
    bool finals;         /* the finalists of a problem are being measured: */
    size_t problem;      /* this one, */
    const char *shape;   /* NULL before the finals, */
    double best_ms;      /* and this is what the search found */
    double best_gflops;
} sqa_tuning_progress;

typedef struct sqa_tuning_options {
    unsigned platform, device;
    const char *database;
    const sqa_problem *problems;
    size_t problem_count;
    const char *family; /* NULL: all that can run, but for the naive one */
    const char *set;    /* of that family, the values to try beside its default: as of
                           sqa_sweep_narrow(); NULL: all */
    const sqa_strategy *strategy;
    sqa_tuning_budget budget;
    uint64_t seed;
    unsigned timeout_s;      /* per trial; 0: 20, less where the default needs much less */
    unsigned memory_mib;     /* of the process that tries; 0: no limit */
    bool retry_failed;       /* what crashed or timed out in an earlier run may do so again */
    const atomic_bool *stop; /* true: finish the trial at hand and wind up */
    void (*progress)(void *user, const sqa_tuning_progress *progress);
    void *progress_user;
    sqa_log log;
} sqa_tuning_options;

/* What became of one problem. */
typedef struct sqa_tuning_outcome {
    sqa_problem problem;
    char shape[SQA_SHAPE_TEXT];
    double flops;
    uint32_t trials[SQA_TRIAL_STATUSES]; /* by status, made now */
    uint32_t known;                      /* not repeated: results of earlier runs */
    uint32_t pruned;                     /* not tried, on the word of a model */
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
    char shape[SQA_SHAPE_TEXT];
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

/* Seconds that a candidate of the first problem takes to build and check here, by building the
 * default as a run would, over the number of them that are built at a time; NaN: that failed,
 * or there is nothing to build. Tries nothing. */
double sqa_tuning_build_seconds(const sqa_tuning_options *options, const sqa_device *device);

/* Runs it. On failure the report still holds what was finished.
 * Errors: SQA_INVALID_ARGUMENT, SQA_NO_DEVICE, SQA_DATABASE_ERROR, SQA_OPENCL_ERROR,
 * SQA_OUT_OF_MEMORY. */
sqa_status sqa_tuning_run(const sqa_tuning_options *options, sqa_tuning_report *report);
void sqa_tuning_report_free(sqa_tuning_report *report);

#endif
