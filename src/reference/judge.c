#include "reference/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "operations/operations.h"
#include "operations/tensors.h"
#include "problem/storage.h"

/* What the comparison of one output has found so far. */
typedef struct comparison {
    const sqa_host_tensor *tensor;
    const sqa_tolerance *tolerance;
    sqa_error_sum error;
    double worst; /* the largest difference so far, and in which row */
    uint64_t worst_row;
    double worst_value, worst_expected;
    double magnitude; /* the largest of what elements are sums of; 0: they are none */
    bool off;         /* an element is further off than it may be */
    uint64_t off_row;
    double off_value, off_expected;
} comparison;

typedef struct group_judge {
    const sqa_host_tensors *tensors;
    const sqa_operation_entry *entry;
    const sqa_row_group *group;
    sqa_reference_inputs views;
    void *prepared; /* behind views; NULL: not yet, or nothing */
    comparison of[SQA_MAX_JUDGED];
    sqa_expected_row expected;
    sqa_kept_rows *kept; /* NULL: none */
    size_t *next_kept;
    char fault[SQA_FAULT_TEXT]; /* of row fault_row */
    uint64_t fault_row;
} group_judge;

/* Only where one is asked for. */
static bool is_close(const sqa_tolerance *tolerance, double value, double expected)
{
    const double difference = sqa_difference(value, expected);
    return tolerance->absolute <= 0.0 || difference <= tolerance->absolute ||
           (isfinite(difference) && difference <= tolerance->relative * fabs(expected));
}

static void compare(comparison *c, uint64_t row, double value, double expected)
{
    sqa_error_add(&c->error, value, expected);
    if (c->error.largest > c->worst) {
        c->worst = c->error.largest;
        c->worst_row = row;
        c->worst_value = value;
        c->worst_expected = expected;
    }
    if (!c->off && !is_close(c->tolerance, value, expected)) {
        c->off = true;
        c->off_row = row;
        c->off_value = value;
        c->off_expected = expected;
    }
}

/* The reference's row, from before or anew; *exists as `expect` says. */
static sqa_status expect(group_judge *self, uint64_t row, bool *exists)
{
    sqa_kept_rows *kept = self->kept;
    if (kept && *self->next_kept < kept->count) {
        *exists = sqa_kept_rows_get(kept, (*self->next_kept)++, &self->expected);
        return SQA_OK;
    }
    if (self->group->prepare && !self->prepared) {
        self->prepared = self->group->prepare(&self->tensors->problem, &self->views);
        if (!self->prepared)
            return sqa_fail_memory("the reference");
        self->views.prepared = self->prepared;
    }
    memset(self->expected.count, 0, sizeof self->expected.count);
    memset(self->expected.magnitude, 0, sizeof self->expected.magnitude);
    *exists = self->group->expect(&self->tensors->problem, &self->views, row, &self->expected);
    if (kept)
        ++*self->next_kept;
    return kept ? sqa_kept_rows_add(kept, *exists, &self->expected) : SQA_OK;
}

/* An expected number that the output's storage has only as infinity. */
static double as_stored(const sqa_host_tensor *tensor, double expected)
{
    const bool overflows = fabs(expected) >= 0x1.ffffffp127 ||
                           (isfinite(expected) &&
                            isinf(sqa_storage_round((sqa_dtype)tensor->element, (float)expected)));
    return overflows ? copysign((double)INFINITY, expected) : expected;
}

/* An element whose error is relative to what it is a sum of. */
static void weigh(comparison *c, double expected, double magnitude)
{
    if (!isfinite(expected) || !(magnitude > fabs(expected)))
        return;
    c->error.squared_reference += magnitude * magnitude - expected * expected;
    c->magnitude = fmax(c->magnitude, magnitude);
}

static sqa_status judge_row(group_judge *self, uint64_t row)
{
    const sqa_row_group *group = self->group;
    const sqa_problem *problem = &self->tensors->problem;
    if (group->fault) {
        if (self->fault[0])
            return SQA_OK;
        self->fault_row = row;
        return group->fault(problem, &self->views, row, self->fault);
    }
    bool exists = false;
    sqa_status status = expect(self, row, &exists);
    if (status != SQA_OK || !exists)
        return status;
    for (uint32_t i = 0; i < group->slot_count; i++) {
        for (uint32_t j = 0; j < self->expected.count[i]; j++) {
            const int64_t at = self->expected.at[i] + j;
            compare(&self->of[i], row, (double)sqa_host_tensor_value(self->of[i].tensor, at),
                    as_stored(self->of[i].tensor, self->expected.values[i][j]));
        }
        weigh(&self->of[i], self->expected.values[i][0], self->expected.magnitude[i]);
    }
    return SQA_OK;
}

static sqa_status judge_rows(group_judge *self, bool all_rows, uint64_t seed)
{
    const uint64_t rows = self->group->count(&self->tensors->problem);
    const uint64_t samples = self->group->samples;
    const bool all = all_rows || samples >= rows;
    sqa_random random = {~seed};
    sqa_status status = SQA_OK;
    for (uint64_t i = 0; i < (all ? rows : samples) && status == SQA_OK; i++)
        status = judge_row(self, all || i == 0 ? i
                                 : i == 1      ? rows - 1
                                               : sqa_random_below(&random, rows));
    return status;
}

/* Finds the promises for the group's outputs that are numbers. */
static sqa_status prepare(group_judge *self)
{
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < self->group->slot_count && status == SQA_OK; i++) {
        const uint32_t slot = self->group->slots[i];
        self->of[i].tensor = &self->tensors->of[slot];
        if (self->of[i].tensor->data && self->group->expect)
            status = sqa_operation_tolerance(self->entry, &self->tensors->problem, slot,
                                             self->of[i].tensor->element, &self->of[i].tolerance);
    }
    return status;
}

static void describe_off(const group_judge *self, uint32_t index, char message[SQA_FINDING_TEXT])
{
    const comparison *c = &self->of[index];
    char place[SQA_PLACE_TEXT];
    self->group->place(&self->tensors->problem, c->off_row, place);
    snprintf(message, SQA_FINDING_TEXT, "%s at %s is %.9g, the reference says %.9g",
             sqa_slot_of(self->entry, self->group->slots[index]).name, place, c->off_value,
             c->off_expected);
}

static void describe_far(const group_judge *self, uint32_t index, const sqa_output_error *error,
                         char message[SQA_FINDING_TEXT])
{
    const comparison *c = &self->of[index];
    char place[SQA_PLACE_TEXT];
    self->group->place(&self->tensors->problem, c->worst_row, place);
    snprintf(message, SQA_FINDING_TEXT,
             "%s differs from the reference: relative rms %.2g (allowed %.2g), largest %.2g "
             "(allowed %.2g), at %s, where it is %.7g instead of %.7g",
             sqa_slot_of(self->entry, self->group->slots[index]).name, error->rms,
             c->tolerance->rms, error->max, c->tolerance->max, place, c->worst_value,
             c->worst_expected);
}

/* Inputs are finite, so rows that were not judged must be finite numbers or -inf too. */
static void conclude_output(const group_judge *self, uint32_t index, sqa_judgement *out)
{
    const comparison *c = &self->of[index];
    const sqa_tolerance *tolerance = c->tolerance;
    if (!tolerance)
        return;
    sqa_output_error *error = &out->of[self->group->slots[index]];
    const double scale =
        tolerance->max > 0.0
            ? fmax(sqa_host_tensor_largest(&self->tensors->of[tolerance->max_of]), c->magnitude)
            : 1.0;
    *error = (sqa_output_error){true, sqa_error_rms(&c->error),
                                c->error.largest / (scale > 0.0 ? scale : 1.0), c->error.largest};
    if (out->message[0])
        return;
    if ((tolerance->rms > 0.0 && !(error->rms <= tolerance->rms)) ||
        (tolerance->max > 0.0 && !(error->max <= tolerance->max)))
        describe_far(self, index, error, out->message);
    else if (c->off)
        describe_off(self, index, out->message);
    else if (sqa_host_tensor_has_nan(c->tensor))
        snprintf(out->message, sizeof out->message, "%s has NaN from finite inputs",
                 sqa_slot_of(self->entry, self->group->slots[index]).name);
}

static void conclude(const group_judge *self, sqa_judgement *out)
{
    char place[SQA_PLACE_TEXT];
    if (self->fault[0] && !out->message[0]) {
        self->group->place(&self->tensors->problem, self->fault_row, place);
        snprintf(out->message, sizeof out->message, "%s %s", place, self->fault);
    }
    for (uint32_t i = 0; i < self->group->slot_count; i++)
        conclude_output(self, i, out);
}

static sqa_status judge_group(const sqa_host_tensors *tensors, const sqa_row_group *group,
                              bool all_rows, uint64_t seed, sqa_kept_rows *kept, size_t *next_kept,
                              sqa_judgement *out)
{
    group_judge *self = calloc(1, sizeof *self); /* rows are long */
    if (!self)
        return sqa_fail_memory("a judgement");
    self->tensors = tensors;
    self->entry = sqa_operation_of(&tensors->problem);
    self->group = group;
    self->kept = kept;
    self->next_kept = next_kept;
    self->views =
        group->fault ? sqa_host_tensors_views(tensors) : sqa_host_tensors_views_before(tensors);
    sqa_status status = prepare(self);
    if (status == SQA_OK && !self->entry->is_nothing(&tensors->problem))
        status = judge_rows(self, all_rows, seed);
    if (status == SQA_OK)
        conclude(self, out);
    if (group->release && self->prepared)
        group->release(self->prepared);
    else
        free(self->prepared);
    free(self);
    return status;
}

static double first_error(const sqa_operation_entry *entry, const sqa_judgement *judgement)
{
    for (uint32_t slot = 0; slot < entry->slot_count; slot++)
        if (judgement->of[slot].judged)
            return judgement->of[slot].max;
    return 0.0;
}

/* Whether the slot is an output that is judged as numbers. */
static bool is_numbers(const sqa_operation_entry *entry, uint32_t slot)
{
    for (const sqa_row_group *group = entry->groups; group->slot_count; group++)
        for (uint32_t i = 0; i < group->slot_count; i++)
            if (group->slots[i] == slot && group->expect)
                return true;
    return false;
}

sqa_status sqa_judge_limit(const sqa_problem *problem, double *out)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    const sqa_tolerance *tolerance;
    sqa_tensor_shape shape;
    *out = 0.0;
    for (uint32_t slot = 0; slot < entry->slot_count; slot++)
        if (is_numbers(entry, slot) && sqa_tensor_shape_of(problem, slot, &shape)) {
            sqa_status status =
                sqa_operation_tolerance(entry, problem, slot, shape.element, &tolerance);
            *out = status == SQA_OK ? tolerance->max : 0.0;
            return status;
        }
    return SQA_OK;
}

sqa_status sqa_judge(const sqa_host_tensors *tensors, bool all_rows, uint64_t seed,
                     const char *finding, sqa_judgement *out)
{
    return sqa_judge_keeping(tensors, all_rows, seed, finding, NULL, out);
}

sqa_status sqa_judge_keeping(const sqa_host_tensors *tensors, bool all_rows, uint64_t seed,
                             const char *finding, sqa_kept_rows *kept, sqa_judgement *out)
{
    const sqa_operation_entry *entry = sqa_operation_of(&tensors->problem);
    size_t next_kept = 0;
    sqa_status status = SQA_OK;
    memset(out, 0, sizeof *out);
    snprintf(out->message, sizeof out->message, "%s", finding);
    for (const sqa_row_group *group = entry->groups; group->slot_count && status == SQA_OK; group++)
        status = judge_group(tensors, group, all_rows, seed, kept, &next_kept, out);
    out->max_error = first_error(entry, out);
    out->passed = status == SQA_OK && !out->message[0];
    return status;
}
