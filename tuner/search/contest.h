/* The search of a tuning run, over all of its problems at once.
 *
 *   problems --ask--> points --share--> candidates --build--> programs --try--> trials
 *
 * Ask:    every problem has a memory of what its configurations cost (search.h) and a few
 *         strategies that walk through it, each standing at a question (walker.h). The problem
 *         with the fewest trials asks first.
 * Share:  a question becomes a candidate: one program, and every problem that it can run and
 *         that does not know its cost yet. What an earlier run found out, or a model has no
 *         hope for (pruning.h), is answered at once.
 * Build:  candidates are built in as many processes as there are cores (crew.h).
 * Try:    then, on a quiet machine, each is tried on its problems, the least work first: what is
 *         far behind on two of them is left out of the others.
 * The answers are rows of the database and go into the memories; who waited for them walks on. */
#ifndef SQA_TUNER_CONTEST_H
#define SQA_TUNER_CONTEST_H

#include "search/budget.h"
#include "search/tune_problem.h"

typedef struct sqa_contest_options {
    double begin_s; /* of the run, by sqa_clock_seconds(); its budget is in the session's options */
    void (*report)(void *user, double search_end_s); /* after every trial; INFINITY: no end */
    void *user;
} sqa_contest_options;

typedef struct sqa_contest_figures {
    uint32_t programs; /* built */
    uint32_t trials;   /* made */
    double build_s;    /* that one takes; 0: none was built */
} sqa_contest_figures;

/* What the finals of a problem will take, as far as it was searched. */
sqa_finals_need sqa_contest_need(const sqa_problem_search *search,
                                 const sqa_contest_figures *figures);

/* Ends with the budget, the stop flag, or when nobody has a question left.
 * Errors: those of building, trying and recording. */
sqa_status sqa_contest_run(sqa_tuning_session *session, sqa_problem_search *searches, size_t count,
                           const sqa_contest_options *options, sqa_contest_figures *figures);

#endif
