/* See jobs.h. */
#include "cli/verify/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "kernels/registry.h"
#include "operations/operations.h"
#include "operations/tuner_operations.h"
#include "problem/names.h"

const char *sqa_verify_job_config(const sqa_verify_job *job)
{
    return job->picked[0] ? job->picked : job->set;
}

/* Random configurations get the sample of the grid. */
static sqa_grid_size grid_size(const sqa_verify_words *words, const sqa_verify_job *job)
{
    return job->sampled && words->size != SQA_GRID_TINY ? SQA_GRID_SAMPLE : words->size;
}

static bool is_wanted(const sqa_verify_words *words, const sqa_case_grid *grid)
{
    return !words->patterns || !strcmp(grid->name, "patterns");
}

static bool is_single(const sqa_verify_words *words)
{
    return words->only_property || words->shape;
}

sqa_status sqa_verify_job_run(const sqa_verify_words *words, const sqa_verify_job *job,
                              const sqa_suite *suite, sqa_suite_counts *counts)
{
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(job->operation);
    const bool tiny = words->size == SQA_GRID_TINY;
    sqa_status status = SQA_OK;
    if (words->only_property)
        sqa_suite_property(suite, words->only_property, tiny, counts);
    if (words->shape)
        sqa_suite_case(suite, &words->only_case, counts);
    if (is_single(words))
        return SQA_OK;
    for (const sqa_case_grid *grid = operation->grids; grid->name && status == SQA_OK; grid++)
        if (is_wanted(words, grid))
            status = sqa_suite_grid(suite, grid, grid_size(words, job), counts);
    for (size_t i = 0; i < operation->property_count && !words->patterns && !*suite->stop; i++)
        sqa_suite_property(suite, &operation->properties[i], tiny, counts);
    return status;
}

/* How many outcomes that will be. */
static sqa_status count_checks(const sqa_verify_words *words, const sqa_suite *suite,
                               sqa_verify_job *job)
{
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(job->operation);
    sqa_status status = SQA_OK;
    job->checks = words->patterns ? 0 : operation->property_count;
    if (is_single(words)) {
        job->checks = 1;
        return SQA_OK;
    }
    for (const sqa_case_grid *grid = operation->grids; grid->name && status == SQA_OK; grid++) {
        size_t cases = 0;
        if (is_wanted(words, grid))
            status = sqa_suite_grid_count(suite, grid, grid_size(words, job), &cases);
        job->checks += cases;
    }
    return status;
}

/* What is being made. */
typedef struct maker {
    const sqa_verify_words *words;
    const sqa_device *device;
    sqa_verify_jobs *out;
} maker;

static sqa_suite suite_of(const maker *self, const sqa_verify_job *job)
{
    return (sqa_suite){.device = self->device,
                       .operation = job->operation,
                       .family = job->family,
                       .dtype = job->dtype,
                       .config = sqa_verify_job_config(job),
                       .seed = self->words->seed};
}

static sqa_status add(maker *self, const sqa_verify_job *job)
{
    sqa_verify_jobs *out = self->out;
    sqa_verify_job *grown = realloc(out->jobs, (out->count + 1) * sizeof *grown);
    if (!grown)
        return sqa_fail_memory("the list of checks");
    out->jobs = grown;
    grown += out->count;
    *grown = *job;
    const sqa_suite suite = suite_of(self, grown);
    sqa_status status = count_checks(self->words, &suite, grown);
    out->count += grown->checks > 0;
    out->checks += grown->checks;
    return status;
}

static sqa_status add_random_configs(maker *self, const sqa_verify_job *like)
{
    static char texts[SQA_VERIFY_MOST_CONFIGS][SQA_CONFIG_TEXT];
    sqa_verify_job job = *like;
    const sqa_suite suite = suite_of(self, like);
    size_t count = 0;
    sqa_status status = sqa_suite_random_configs(&suite, self->words->size == SQA_GRID_TINY,
                                                 self->words->configs, texts, &count);
    job.sampled = true;
    for (size_t i = 0; i < count && status == SQA_OK; i++) {
        memcpy(job.picked, texts[i], sizeof job.picked);
        status = add(self, &job);
    }
    return status;
}

/* Storage types differ in how elements are loaded and stored alone, so the short
 * ones get the sample of the grid unless they are what was asked for. */
static sqa_status add_family(maker *self, sqa_operation operation, const sqa_kernel_family *family)
{
    const sqa_verify_words *words = self->words;
    const bool only = words->dtype || words->shape;
    sqa_verify_job job = {.operation = operation, .family = family, .set = words->set};
    sqa_status status = SQA_OK;
    for (sqa_dtype dtype = SQA_DTYPE_F32; sqa_dtype_name(dtype) && status == SQA_OK; dtype++) {
        if (only && dtype != words->only_dtype)
            continue;
        job.dtype = dtype;
        job.sampled = !only && dtype != SQA_DTYPE_F32;
        status = add(self, &job);
        if (words->configs && family && status == SQA_OK)
            status = add_random_configs(self, &job);
    }
    return status;
}

/* Its families, or, of a recipe, what its stages choose. */
static sqa_status add_operation(maker *self, const sqa_operation_entry *entry)
{
    const char *name = self->words->family;
    sqa_status status = SQA_OK;
    if (entry->recipe)
        return add_family(self, entry->id, NULL);
    for (size_t i = 0; i < sqa_family_count() && status == SQA_OK; i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        if (family->operation == entry->id && (!name || !strcmp(name, family->name)))
            status = add_family(self, entry->id, family);
    }
    return status;
}

sqa_status sqa_verify_jobs_make(sqa_verify_jobs *out, const sqa_verify_words *words,
                                const sqa_device *device)
{
    maker self = {words, device, out};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sqa_operation_count() && status == SQA_OK; i++) {
        const sqa_operation_entry *entry = sqa_operation_at(i);
        const bool wanted = words->all_operations || entry->id == words->operation;
        if (wanted && sqa_tuner_operation_find(entry->id))
            status = add_operation(&self, entry);
    }
    if (status == SQA_OK && !out->count)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--patterns: %s has no such shapes",
                          sqa_operation_name(words->operation));
    return status;
}

void sqa_verify_jobs_free(sqa_verify_jobs *jobs)
{
    free(jobs->jobs);
    *jobs = (sqa_verify_jobs)SQA_VERIFY_JOBS_INIT;
}
