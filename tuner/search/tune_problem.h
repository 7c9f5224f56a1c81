/* One problem of a tuning run: what can run it, what was found, who goes to its finals. What
 * the problems of a run share is in sqa_tuning_session; how they are searched together is in
 * contest.h. */
#ifndef SQA_TUNER_TUNE_PROBLEM_H
#define SQA_TUNER_TUNE_PROBLEM_H

#include "kernels/prebuilt_program.h"
#include "search/pruning.h"
#include "search/session.h"
#include "search/steady_trial.h"
#include "search/walker.h"
#include "store/store.h"
#include "trial/crew.h"
#include "tuning/tuning_table.h"

#define SQA_MOST_FAMILIES 16

typedef struct sqa_tuning_session {
    const sqa_tuning_options *options;
    sqa_device device;
    sqa_prebuilt *prebuilt; /* NULL: no folder of pre-built programs */
    sqa_store *store;
    int64_t environment;
    sqa_crew *crew;
    sqa_tuning_table known; /* the databases' rows, to start from */
    sqa_ceiling ceiling;    /* the best of all samples */
    double ceiling_s;       /* when it was sampled last */
    bool has_no_ceiling;    /* sampling failed */
    double slowest_s;       /* that a build or a trial which worked took at most; 0: none did */
} sqa_tuning_session;

/* The spaces to search for a problem: of the family asked for, or of all that can run
 * it, without the last of its operation, which is there so that something always runs. On a
 * device without a compiler, of any family what is pre-built for the problem. Free each.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_spaces_create(sqa_config_space spaces[SQA_MOST_FAMILIES], size_t *count,
                             const sqa_problem *problem, const sqa_tuning_session *session);

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

/* Of the kernel that is generated for the problem; "" when memory ran out: a trial without
 * it is worth having. Problems of one hash share the program. */
void sqa_contender_source(const sqa_tuning_session *session, const sqa_problem *problem,
                          const sqa_contender *contender, char out[SQA_HASH_TEXT]);

/* The store's form of a trial; `result` may be NULL for a key to look it up by. `of_finals`:
 * what the device could do in the rounds of the finals it is from; NULL: it is from none. */
sqa_trial_record sqa_trial_record_of(const sqa_tuning_session *session, const sqa_problem *problem,
                                     const sqa_contender *contender, const sqa_trial_result *result,
                                     const sqa_ceiling *of_finals);

/* Records a trial; *trial (may be NULL) gets its row. A rate above the ceiling is recorded
 * without a ceiling. */
sqa_status sqa_record_trial(const sqa_tuning_session *session, const sqa_problem *problem,
                            const sqa_contender *contender, const sqa_trial_result *result,
                            const sqa_ceiling *of_finals, int64_t *trial);

/* The search for one problem while it runs. Zero-filled before sqa_problem_search_open(). */
typedef struct sqa_problem_search {
    sqa_tuning_session *session;
    sqa_tuning_outcome *outcome;
    sqa_config_space spaces[SQA_MOST_FAMILIES];
    size_t space_count;
    sqa_search search;
    sqa_pruner pruner; /* of what was measured for this problem */
    sqa_walker *walkers[SQA_MOST_WALKERS];
    size_t walker_count, next_walker;
    sqa_contender fallback, incumbent;
    bool has_incumbent;  /* something is in use for this class today */
    double yardstick_ms; /* of the fallback, when it was first met; NaN: not yet */
    sqa_steadiness steadiness;
    uint32_t idle;           /* trials made since the best was found */
    double trial_s;          /* what a trial takes, of late; 0: none was made */
    sqa_trial_status latest; /* of the trial made last */
} sqa_problem_search;

/* `walkers`: how many strategies walk at once. Without anything to try, the outcome's
 * message says why. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_problem_search_open(sqa_problem_search *self, sqa_tuning_session *session,
                                   sqa_tuning_outcome *outcome, size_t walkers);
void sqa_problem_search_close(sqa_problem_search *self);

/* What to try next: the starts, what is around the first of them, then what the strategies
 * ask. false: nothing, for now. */
bool sqa_problem_search_ask(sqa_problem_search *self, sqa_point *point);

sqa_contender sqa_problem_search_at(const sqa_problem_search *self, sqa_point point);

/* Where the contender is in the problem's spaces; false: nowhere. */
bool sqa_problem_search_find(const sqa_problem_search *self, const sqa_contender *contender,
                             sqa_point *point);

/* Takes in what an earlier run found out about the point; *known false: nothing that holds. */
sqa_status sqa_problem_search_recall(sqa_problem_search *self, sqa_point point, bool *known);

/* Tries the point on the worker that has built it, and records what comes of it. `cut`: the
 * time-out is the run's end, and says nothing of the candidate. */
sqa_status sqa_problem_search_try(sqa_problem_search *self, sqa_point point, sqa_runner *runner,
                                  bool cut);

/* Records a result that was found without a trial: a program that could not be built. `cut`:
 * it took too long for this run, which a longer one may find out again: not recorded. */
sqa_status sqa_problem_search_fail(sqa_problem_search *self, sqa_point point,
                                   const sqa_trial_result *result, bool cut);

/* Whether the point is worth a program whatever a model says of it: a start is, and what a
 * strategy asks that promises to try everything. */
bool sqa_problem_search_must_try(const sqa_problem_search *self, sqa_point point);

/* Whether it is what runs this problem unmeasured, and the yardstick of the others. */
bool sqa_problem_search_is_fallback(const sqa_problem_search *self, sqa_point point);

/* Leaves a point out without a trial, on the word of a model. */
void sqa_problem_search_prune(sqa_problem_search *self, sqa_point point);

/* How many times slower than the best of this problem; NaN: not known. */
double sqa_problem_search_lag(const sqa_problem_search *self, sqa_point point);

/* Leaves out a family in which nothing came near the best. */
void sqa_problem_search_drop_hopeless(sqa_problem_search *self);

/* Fills the finalists: the fallback (its time is told in any case), the best `top` of the
 * search, and last what is in use today, which the others have to beat. */
uint32_t sqa_problem_search_finalists(const sqa_problem_search *self, uint32_t top,
                                      sqa_contender contenders[SQA_MAX_FINALISTS]);

/* The winner among the results of finals, the last of which is what is in use; `count`
 * when none can be ranked. */
uint32_t sqa_finals_winner(const sqa_trial_result *results, uint32_t count);

/* Measures `contenders` (at most SQA_MAX_FINALISTS) in turn, round after round, and commits
 * the fastest; the last one is what is in use today, which it has to beat. */
sqa_status sqa_tuning_finals(sqa_tuning_session *session, const sqa_problem *problem,
                             const sqa_contender *contenders, uint32_t count, uint32_t rounds,
                             sqa_tuning_outcome *outcome);

/* Samples the device's ceiling once more, beside what is measured, unless that was just done. */
sqa_status sqa_tuning_ceiling(sqa_tuning_session *session, double seconds_ago);

#endif
