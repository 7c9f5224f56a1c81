/* See kept_problem.h. */
#include "trial/kept_problem.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"

/* Of the numbers of all inputs; host and device have each of them. */
#define SEED 0x5eedu

/* Tensors beyond this many elements are let go, but for those at hand. */
#define MOST_ELEMENTS ((size_t)64 << 20)

static size_t elements_of(const sqa_kept_problem *self)
{
    size_t sum = 0;
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++)
        sum += self->tensors.of[slot].count;
    return sum;
}

static void make_room(sqa_kept_problems *all)
{
    size_t sum = elements_of(all->first);
    for (sqa_kept_problem *other = all->first->next; other; other = other->next) {
        sum += elements_of(other);
        if (sum > MOST_ELEMENTS) {
            sum -= elements_of(other);
            sqa_host_tensors_free(&other->tensors);
        }
    }
}

static sqa_kept_problem *take_out(sqa_kept_problems *all, const sqa_problem *problem, bool guarded)
{
    for (sqa_kept_problem **at = &all->first; *at; at = &(*at)->next) {
        sqa_kept_problem *self = *at;
        if (self->guarded == guarded && !memcmp(&self->problem, problem, sizeof *problem)) {
            *at = self->next;
            return self;
        }
    }
    return NULL;
}

static sqa_status bring_tensors(sqa_kept_problem *self, cl_context context)
{
    if (elements_of(self))
        return SQA_OK;
    sqa_status status =
        sqa_host_tensors_create(&self->tensors, &self->problem, SEED, self->guarded);
    if (status == SQA_OK)
        status = sqa_host_tensors_upload(&self->tensors, context);
    if (status != SQA_OK)
        sqa_host_tensors_free(&self->tensors);
    return status;
}

sqa_status sqa_kept_problem_get(sqa_kept_problems *all, const sqa_problem *problem, bool guarded,
                                cl_context context, sqa_kept_problem **out)
{
    sqa_kept_problem *self = take_out(all, problem, guarded);
    if (!self)
        self = calloc(1, sizeof *self);
    if (!self)
        return sqa_fail_memory("a problem to try candidates on");
    self->problem = *problem;
    self->guarded = guarded;
    self->next = all->first;
    all->first = self;
    make_room(all);
    *out = self;
    return bring_tensors(self, context);
}

void sqa_kept_problems_free(sqa_kept_problems *all)
{
    while (all->first) {
        sqa_kept_problem *self = all->first;
        all->first = self->next;
        sqa_host_tensors_free(&self->tensors);
        sqa_kept_rows_free(&self->expected);
        sqa_plan_destroy(self->yardstick_work.plan);
        free(self);
    }
}
