/* The workers of a run. Candidates are built ahead in as many of them as there are cores, and
 * tried one at a time, each in the worker that has built it: no program ever has to be handed
 * from one process to another.
 *
 * On a device that is the CPU building stands still while something is measured: a worker
 * has a compiler in it, which is stopped as a process is, and goes on where it was. On any other
 * device building goes on meanwhile. */
#ifndef SQA_TUNER_CREW_H
#define SQA_TUNER_CREW_H

#include "trial/runner.h"

/* Jobs on their way per worker: enough for it to have the next one at hand, few enough for
 * questions to learn from answers. */
#define SQA_CREW_AHEAD 2u

typedef struct sqa_crew sqa_crew;

typedef enum sqa_job_state {
    SQA_JOB_WAITS = 0,
    SQA_JOB_IS_BUILT_NOW,
    SQA_JOB_HAS_ENDED, /* built, or failed to be */
    SQA_JOB_IS_TRIED,  /* handed out by sqa_crew_next() */
} sqa_job_state;

/* A candidate to build. Its owner keeps it where it is until it has come back. */
typedef struct sqa_job {
    sqa_problem problem; /* one that its program can run */
    sqa_candidate_text candidate;
    sqa_job_state state;
    unsigned worker;
    double seconds;         /* that building took */
    sqa_trial_result built; /* of a job that has ended: why it failed, or ok */
    struct sqa_job *next;
} sqa_job;

typedef struct sqa_crew_options {
    sqa_runner_options runner;
    unsigned workers; /* 0: one per core, at most SQA_CHILD_MOST */
    bool builds_while_measuring;
    bool keeps_programs; /* until the run ends, for finals: where the runtime does not */
} sqa_crew_options;

/* Starts the workers, without waiting for them. Errors: SQA_OUT_OF_MEMORY, SQA_OPENCL_ERROR. */
sqa_status sqa_crew_create(sqa_crew **out, const sqa_crew_options *options);
void sqa_crew_destroy(sqa_crew *crew);

/* As sqa_runner_limit(), for every worker. */
void sqa_crew_limit(sqa_crew *crew, double seconds);

unsigned sqa_crew_size(const sqa_crew *crew);

/* Whether it takes more jobs now; what does not is the next sqa_crew_next()'s to do. */
bool sqa_crew_wants(const sqa_crew *crew);
void sqa_crew_submit(sqa_crew *crew, sqa_job *job);

/* Waits for a job that can be tried, or failed; NULL once none is left, or at the deadline.
 * Errors: when no worker can be started. */
sqa_status sqa_crew_next(sqa_crew *crew, double deadline, sqa_job **out);

/* Gives up what is not built yet; true: *out is such a job, and there may be more. */
bool sqa_crew_give_up(sqa_crew *crew, sqa_job **out);

/* Takes a job back that was tried on everything. */
void sqa_crew_finish(sqa_crew *crew, sqa_job *job);

/* The worker that has built the job; for anything else, any that builds nothing. */
sqa_runner *sqa_crew_runner(sqa_crew *crew, const sqa_job *job);

#endif
