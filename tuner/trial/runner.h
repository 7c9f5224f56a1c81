/* The parent side of a trial: sends requests to a worker process, ends it when
 * it takes too long, replaces it when it died. Whatever a kernel does, a typed
 * result comes back. */
#ifndef SQA_TUNER_RUNNER_H
#define SQA_TUNER_RUNNER_H

#include "trial/child.h"
#include "trial/protocol.h"

typedef struct sqa_runner_options {
    const char *program; /* NULL: the program this is */
    unsigned platform, device;
    unsigned timeout_s;   /* per trial; 0: 20 */
    unsigned memory_mib;  /* most data of a worker; 0: no limit */
    const char *programs; /* a folder for what was compiled, outlives the runner; NULL, "": none */
    unsigned worker_trials; /* a worker is replaced after so many; 0: 32. Runtimes leak. */
} sqa_runner_options;

typedef struct sqa_runner sqa_runner;

/* Starts nothing yet. Ignores SIGPIPE until the runner is destroyed. */
sqa_status sqa_runner_create(sqa_runner **out, const sqa_runner_options *options);
void sqa_runner_destroy(sqa_runner *runner);

/* Starts the worker process without waiting for it, so that several start side by side. */
sqa_status sqa_runner_start(sqa_runner *runner);

/* Whether what the worker has built is still wanted: it is then not replaced. */
void sqa_runner_keep(sqa_runner *runner, bool keep);

/* Ends the worker with whatever it is doing. */
void sqa_runner_stop(sqa_runner *runner);

/* The process, to wait for; NULL while none runs. */
sqa_child *sqa_runner_child(sqa_runner *runner);

/* Gives the trials to come this long, at most options.timeout_s. */
void sqa_runner_limit(sqa_runner *runner, double seconds);

/* Builds a candidate ahead, for trials in the same worker: begins, and says whether it has
 * ended, which a time-out and a crash are too. Nothing else may be asked in between.
 * Errors: only when no worker can be started. */
sqa_status sqa_runner_begin_build(sqa_runner *runner, const sqa_problem *problem,
                                  const sqa_candidate_text *candidate);
bool sqa_runner_has_built(sqa_runner *runner, sqa_trial_result *out);
double sqa_runner_deadline(const sqa_runner *runner); /* of the build, in sqa_clock_seconds */

/* Lets a build stand still, with whatever compiler it has started, and go on; else does
 * nothing. What it stood still counts for no time-out and in no figure. */
void sqa_runner_pause(sqa_runner *runner, bool pause);

/* Seconds since the build was begun, or that it took, without those it stood still. */
double sqa_runner_build_seconds(const sqa_runner *runner);

/* Tries one candidate, which need not have been built. Errors: only when no worker can be started.
 */
sqa_status sqa_runner_trial(sqa_runner *runner, const sqa_problem *problem,
                            const sqa_candidate_text *candidate, const sqa_pace *pace,
                            sqa_trial_result *out);

/* Measures 1..SQA_MAX_FINALISTS candidates interleaved; *ceiling is of the same rounds. */
sqa_status sqa_runner_finals(sqa_runner *runner, const sqa_problem *problem,
                             const sqa_candidate_text *candidates, uint32_t count, uint32_t rounds,
                             sqa_trial_result *results, sqa_ceiling *ceiling);

/* The device's ceilings, sampled once more by the worker at hand, the best of what it saw;
 * without the variants' names. A worker that has not sampled any yet goes by the variants that
 * are `known`. */
sqa_status sqa_runner_ceiling(sqa_runner *runner, const sqa_ceiling *known, sqa_ceiling *out);

#endif
