/* One problem of a tuning run, from the list of families to the committed
 * winner. What the problems of a run share is in sqa_tuning_session. */
#ifndef SQA_TUNER_TUNE_PROBLEM_H
#define SQA_TUNER_TUNE_PROBLEM_H

#include "kernels/prebuilt_program.h"
#include "search/session.h"
#include "store/store.h"
#include "trial/runner.h"
#include "tuning/tuning_table.h"

#define SQA_MAX_HOPELESS 16
#define SQA_MOST_FAMILIES 16

typedef struct sqa_tuning_session {
    const sqa_tuning_options *options;
    sqa_device device;
    sqa_prebuilt *prebuilt; /* NULL: no folder of pre-built programs */
    sqa_store *store;
    int64_t environment;
    sqa_runner *runner;
    sqa_tuning_table known; /* the databases' rows, to start from */
    sqa_ceiling ceiling;
    const sqa_kernel_family *hopeless[SQA_MAX_HOPELESS]; /* families that were far behind */
    size_t hopeless_count;
} sqa_tuning_session;

/* The spaces to search for a problem: of the family asked for, or of all that can run
 * it, without the hopeless and without the last of its operation, which is there so
 * that something always runs. On a device without a compiler, of any family what is
 * pre-built for the problem. Free each.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_spaces_create(sqa_config_space spaces[SQA_MOST_FAMILIES], size_t *count,
                             const sqa_problem *problem, const sqa_tuning_session *session);

/* The part of the budget one problem may use. */
typedef struct sqa_tuning_share {
    double deadline; /* of the search, in sqa_clock_seconds; INFINITY: none */
    double seconds;  /* from now to the deadline */
    uint32_t trials; /* UINT32_MAX: no limit */
} sqa_tuning_share;

/* One configuration of one family, as kernel and as text. */
typedef struct sqa_contender {
    const sqa_kernel_family *family;
    sqa_config config;
    sqa_candidate_text text;
} sqa_contender;

sqa_contender sqa_contender_of(const sqa_kernel_family *family, const sqa_config *config);
bool sqa_contender_equal(const sqa_contender *a, const sqa_contender *b);

/* A database row as a contender; false when it does not apply here any more. */
bool sqa_contender_of_row(const sqa_tuning_session *session, const sqa_problem *problem,
                          const sqa_tuning_row *row, sqa_contender *out);

/* What the library runs without any database. */
sqa_contender sqa_fallback_of(const sqa_tuning_session *session, const sqa_problem *problem);

/* The store's form of a trial; `result` may be NULL for a key to look it up by. */
sqa_trial_record sqa_trial_record_of(const sqa_tuning_session *session, const sqa_problem *problem,
                                     const sqa_contender *contender, const sqa_trial_result *result,
                                     bool final);

/* Records a trial; *trial (may be NULL) gets its row. */
sqa_status sqa_record_trial(const sqa_tuning_session *session, const sqa_problem *problem,
                            const sqa_contender *contender, const sqa_trial_result *result,
                            bool final, int64_t *trial);

/* Tunes `outcome->problem`. Errors end the run; a problem nothing was found for is
 * no error but a message. */
sqa_status sqa_tune_problem(sqa_tuning_session *session, const sqa_tuning_share *share,
                            sqa_tuning_progress *progress, sqa_tuning_outcome *outcome);

/* The winner among the results of finals, the last of which is what is in use; `count`
 * when none can be ranked. */
uint32_t sqa_finals_winner(const sqa_trial_result *results, uint32_t count);

/* Measures `contenders` (at most SQA_MAX_FINALISTS) in turn and
 * commits the fastest; the last one is what is in use today, which it has to beat. `best_ms`: what
 * the search found, by which the number of rounds is set. */
sqa_status sqa_tuning_finals(sqa_tuning_session *session, const sqa_problem *problem,
                             const sqa_contender *contenders, uint32_t count, double best_ms,
                             sqa_tuning_outcome *outcome);

#endif
