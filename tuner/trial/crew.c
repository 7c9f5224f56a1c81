/* See crew.h. */
#include "trial/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "device/binary_folder.h"
#include "trial/measure.h"

typedef struct crew_worker {
    sqa_runner *runner;
    sqa_job *builds; /* NULL: nothing */
    bool has_built;  /* a job that waits in it to be tried */
} crew_worker;

struct sqa_crew {
    bool builds_while_measuring;
    char programs[64]; /* the folder of what was compiled; "": none */
    unsigned size;
    crew_worker workers[SQA_CHILD_MOST];
    sqa_job *jobs; /* in order, until they are finished */
};

static unsigned cores(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > SQA_CHILD_MOST ? SQA_CHILD_MOST : (unsigned)online;
}

/* Without one finalists are compiled once more: no reason to fail. */
static void make_folder(sqa_crew *crew)
{
    const char *parent = getenv("TMPDIR");
    const int length = snprintf(crew->programs, sizeof crew->programs, "%s/sqa_programs_XXXXXX",
                                parent && parent[0] ? parent : "/tmp");
    if (length >= (int)sizeof crew->programs || !mkdtemp(crew->programs))
        crew->programs[0] = '\0';
}

sqa_status sqa_crew_create(sqa_crew **out, const sqa_crew_options *options)
{
    sqa_crew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return sqa_fail_memory("the workers");
    const unsigned wanted = options->workers ? options->workers : cores();
    sqa_runner_options runner = options->runner;
    sqa_status status = SQA_OK;
    crew->builds_while_measuring = options->builds_while_measuring;
    if (options->keeps_programs)
        make_folder(crew);
    runner.programs = crew->programs;
    for (unsigned i = 0; i < wanted && status == SQA_OK; i++) {
        status = sqa_runner_create(&crew->workers[i].runner, &runner);
        crew->size += status == SQA_OK;
        if (status == SQA_OK)
            status = sqa_runner_start(crew->workers[i].runner);
    }
    if (status != SQA_OK) {
        sqa_crew_destroy(crew);
        return status;
    }
    *out = crew;
    return SQA_OK;
}

void sqa_crew_destroy(sqa_crew *crew)
{
    if (!crew)
        return;
    while (crew->size) /* the last one first: each restores the signals it found */
        sqa_runner_destroy(crew->workers[--crew->size].runner);
    if (crew->programs[0]) {
        sqa_binary_folder_trim(crew->programs, 0);
        rmdir(crew->programs);
    }
    free(crew);
}

void sqa_crew_limit(sqa_crew *crew, double seconds)
{
    for (unsigned i = 0; i < crew->size; i++)
        sqa_runner_limit(crew->workers[i].runner, seconds);
}

unsigned sqa_crew_size(const sqa_crew *crew)
{
    return crew->size;
}

static unsigned count(const sqa_crew *crew, sqa_job_state state)
{
    unsigned found = 0;
    for (const sqa_job *job = crew->jobs; job; job = job->next)
        found += job->state == state;
    return found;
}

static bool is_building(const sqa_crew *crew)
{
    return count(crew, SQA_JOB_WAITS) + count(crew, SQA_JOB_IS_BUILT_NOW) > 0;
}

bool sqa_crew_wants(const sqa_crew *crew)
{
    unsigned found = 0;
    for (const sqa_job *job = crew->jobs; job; job = job->next)
        found++;
    return found < SQA_CREW_AHEAD * crew->size;
}

void sqa_crew_submit(sqa_crew *crew, sqa_job *job)
{
    sqa_job **end = &crew->jobs;
    while (*end)
        end = &(*end)->next;
    job->state = SQA_JOB_WAITS;
    job->next = NULL;
    *end = job;
}

/* One that builds nothing, and is not needed to try what it has built. */
static crew_worker *idle_worker(sqa_crew *crew)
{
    for (unsigned i = 0; i < crew->size; i++)
        if (!crew->workers[i].builds && !crew->workers[i].has_built)
            return &crew->workers[i];
    return NULL;
}

static sqa_job *first(sqa_crew *crew, sqa_job_state state)
{
    sqa_job *job = crew->jobs;
    while (job && job->state != state)
        job = job->next;
    return job;
}

static sqa_status feed(sqa_crew *crew)
{
    sqa_status status = SQA_OK;
    for (;;) {
        sqa_job *job = first(crew, SQA_JOB_WAITS);
        crew_worker *worker = job ? idle_worker(crew) : NULL;
        if (!worker || status != SQA_OK)
            return status;
        status = sqa_runner_begin_build(worker->runner, &job->problem, &job->candidate);
        job->worker = (unsigned)(worker - crew->workers);
        job->state = SQA_JOB_IS_BUILT_NOW;
        worker->builds = job;
    }
}

static void collect(sqa_crew *crew)
{
    for (unsigned i = 0; i < crew->size; i++) {
        crew_worker *worker = &crew->workers[i];
        sqa_job *job = worker->builds;
        if (!job || !sqa_runner_has_built(worker->runner, &job->built))
            continue;
        job->state = SQA_JOB_HAS_ENDED;
        job->seconds = sqa_runner_build_seconds(worker->runner);
        worker->builds = NULL;
        worker->has_built = true;
        sqa_runner_keep(worker->runner, true);
    }
}

static void wait(sqa_crew *crew, double deadline)
{
    sqa_child *children[SQA_CHILD_MOST];
    size_t waited_for = 0;
    for (unsigned i = 0; i < crew->size; i++) {
        const crew_worker *worker = &crew->workers[i];
        if (!worker->builds)
            continue;
        const double own = sqa_runner_deadline(worker->runner);
        deadline = own < deadline ? own : deadline;
        if (sqa_runner_child(worker->runner))
            children[waited_for++] = sqa_runner_child(worker->runner);
    }
    sqa_child_wait(children, waited_for, deadline);
}

static void pause_builds(sqa_crew *crew, bool pause)
{
    for (unsigned i = 0; i < crew->size && !crew->builds_while_measuring; i++)
        sqa_runner_pause(crew->workers[i].runner, pause);
}

sqa_status sqa_crew_next(sqa_crew *crew, double deadline, sqa_job **out)
{
    *out = NULL;
    pause_builds(crew, false);
    for (;;) {
        collect(crew);
        sqa_status status = feed(crew);
        if (status != SQA_OK)
            return status;
        *out = first(crew, SQA_JOB_HAS_ENDED);
        if (*out || !is_building(crew) || sqa_clock_seconds() >= deadline)
            break;
        wait(crew, deadline);
    }
    if (*out) {
        (*out)->state = SQA_JOB_IS_TRIED;
        pause_builds(crew, true);
    }
    return SQA_OK;
}

static void take_out(sqa_crew *crew, const sqa_job *job)
{
    sqa_job **at = &crew->jobs;
    while (*at && *at != job)
        at = &(*at)->next;
    if (*at)
        *at = job->next;
}

void sqa_crew_finish(sqa_crew *crew, sqa_job *job)
{
    crew_worker *worker = &crew->workers[job->worker];
    take_out(crew, job);
    worker->has_built = false;
    sqa_runner_keep(worker->runner, false);
}

bool sqa_crew_give_up(sqa_crew *crew, sqa_job **out)
{
    sqa_job *job = first(crew, SQA_JOB_IS_BUILT_NOW);
    if (job) {
        sqa_runner_stop(crew->workers[job->worker].runner);
        crew->workers[job->worker].builds = NULL;
    } else {
        job = first(crew, SQA_JOB_WAITS);
    }
    if (job)
        take_out(crew, job);
    *out = job;
    return job != NULL;
}

sqa_runner *sqa_crew_runner(sqa_crew *crew, const sqa_job *job)
{
    if (job)
        return crew->workers[job->worker].runner;
    for (unsigned i = 0; i < crew->size; i++)
        if (!crew->workers[i].builds)
            return crew->workers[i].runner;
    sqa_runner_stop(crew->workers[0].runner);
    return crew->workers[0].runner;
}
