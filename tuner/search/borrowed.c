/* See borrowed.h. */
#include "search/borrowed.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "search/tune_problem.h"
#include "trial/runner.h"
#include "tuning/lookup.h"

/* Rows that are measured on one problem: the nearest. */
#define MOST_ROWS 64

#define ROUNDS 15

/* Seven programs may have to be compiled, on a busy machine. */
#define TIMEOUT_S 600

/* The default is in every group, as the last: the others are held against it. */
#define GROUP (SQA_MAX_FINALISTS - 1)

/* One problem, and the rows that something can be said about. */
typedef struct borrower {
    sqa_candidate rows[MOST_ROWS];
    size_t of[MOST_ROWS]; /* which contender each is; SIZE_MAX: none */
    size_t row_count;
    sqa_contender contenders[MOST_ROWS + 1]; /* different ones; the default is the first */
    sqa_trial_result results[MOST_ROWS + 1];
    size_t count;
} borrower;

typedef struct measuring {
    const sqa_borrowed_options *options;
    sqa_tuning_session session; /* the device and what is known, for contenders */
    sqa_runner *runner;
    borrower borrower;
} measuring;

static size_t add_contender(borrower *self, const sqa_contender *contender)
{
    for (size_t i = 0; i < self->count; i++)
        if (sqa_contender_equal(&self->contenders[i], contender))
            return i;
    self->contenders[self->count] = *contender;
    return self->count++;
}

/* Rows of another device say nothing of how far one of this is good for. */
static bool is_own(sqa_rung rung)
{
    return rung <= SQA_RUNG_NEAREST_SIZE;
}

static void find_rows(measuring *self, const sqa_problem *problem)
{
    const sqa_tuning_session *session = &self->session;
    borrower *own = &self->borrower;
    const sqa_problem_class wanted = sqa_problem_class_of(problem);
    sqa_candidate found[MOST_ROWS];
    const size_t count =
        sqa_lookup(&session->known, &session->device, &wanted, INT_MAX, found, MOST_ROWS);
    const sqa_contender fallback = sqa_fallback_of(session, problem);
    own->count = own->row_count = 0;
    add_contender(own, &fallback);
    for (size_t i = 0; i < count; i++) {
        sqa_contender contender;
        if (!is_own(found[i].rung))
            continue;
        const bool runs = sqa_contender_of_row(session, problem, found[i].row, &contender);
        own->of[own->row_count] = runs ? add_contender(own, &contender) : SIZE_MAX;
        own->rows[own->row_count++] = found[i];
    }
}

static sqa_status measure_group(measuring *self, const sqa_problem *problem, size_t first,
                                size_t count)
{
    borrower *own = &self->borrower;
    sqa_candidate_text texts[SQA_MAX_FINALISTS];
    sqa_trial_result results[SQA_MAX_FINALISTS];
    sqa_ceiling ceiling;
    for (size_t i = 0; i < count; i++)
        texts[i] = own->contenders[first + i].text;
    texts[count] = own->contenders[0].text;
    sqa_status status = sqa_runner_finals(self->runner, problem, texts, (uint32_t)count + 1, ROUNDS,
                                          results, &ceiling);
    if (status == SQA_OK)
        memcpy(&own->results[first], results, count * sizeof *results);
    return status;
}

static void tell(measuring *self, const sqa_problem *problem)
{
    borrower *own = &self->borrower;
    sqa_trial_result same = sqa_trial_failure(SQA_TRIAL_OK, "");
    same.relative = 1.0;
    same.relative_spread = 0.0;
    own->results[0] = same;
    for (size_t i = 0; i < own->row_count; i++) {
        const sqa_candidate *lent = &own->rows[i];
        const size_t of = own->of[i];
        const sqa_borrowed borrowed = {
            problem, lent->row,
            of != SIZE_MAX ? own->results[of]
                           : sqa_trial_failure(SQA_TRIAL_REJECTED, "cannot run it")};
        self->options->tell(self->options->user, &borrowed);
    }
}

static sqa_status measure(measuring *self, const sqa_problem *problem)
{
    sqa_status status = SQA_OK;
    find_rows(self, problem);
    for (size_t first = 1; first < self->borrower.count && status == SQA_OK; first += GROUP) {
        const size_t left = self->borrower.count - first;
        status = measure_group(self, problem, first, left < GROUP ? left : GROUP);
    }
    if (status == SQA_OK)
        tell(self, problem);
    return status;
}

static sqa_status open_device(measuring *self)
{
    static const char *const none[] = {NULL};
    const sqa_borrowed_options *options = self->options;
    const sqa_tuning_sources sources = {options->database, none, true};
    cl_device_id id;
    sqa_status status = sqa_device_at(options->platform, options->device, &id);
    if (status == SQA_OK)
        status = sqa_device_query(&self->session.device, id);
    if (status == SQA_OK)
        status = sqa_tuning_table_load(&self->session.known, &sources, &self->session.device,
                                       &options->log);
    if (status == SQA_OK && !self->session.known.count)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--db: %s has no results of this device",
                          options->database);
    return status;
}

sqa_status sqa_measure_borrowed(const sqa_borrowed_options *options)
{
    measuring *self = calloc(1, sizeof *self);
    if (!self)
        return sqa_fail_memory("the borrowed rows");
    self->options = options;
    const sqa_runner_options runner = {.platform = options->platform,
                                       .device = options->device,
                                       .timeout_s =
                                           options->timeout_s ? options->timeout_s : TIMEOUT_S};
    sqa_status status = open_device(self);
    if (status == SQA_OK)
        status = sqa_runner_create(&self->runner, &runner);
    if (status == SQA_OK)
        options->begin(options->user, &self->session.device);
    for (size_t i = 0; i < options->problem_count && status == SQA_OK && !*options->stop; i++) {
        options->progress(options->user, i);
        status = measure(self, &options->problems[i]);
    }
    sqa_runner_destroy(self->runner);
    sqa_tuning_table_free(&self->session.known);
    free(self);
    return status;
}
