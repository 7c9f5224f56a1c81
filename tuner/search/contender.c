/* Contenders: configurations on their way through a tuning run, out of families,
 * database rows and into trial records. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "kernels/registry.h"
#include "search/tune_problem.h"

sqa_contender sqa_contender_of(const sqa_kernel_family *family, const sqa_config *config)
{
    sqa_contender contender = {.family = family, .config = *config};
    snprintf(contender.text.family, sizeof contender.text.family, "%s", family->name);
    sqa_config_format(family, config, contender.text.config);
    return contender;
}

bool sqa_contender_equal(const sqa_contender *a, const sqa_contender *b)
{
    return a->family == b->family && sqa_config_equal(&a->config, &b->config);
}

sqa_contender sqa_fallback_of(const sqa_tuning_session *session, const sqa_problem *problem)
{
    const sqa_kernel_family *family = NULL;
    const char *why;
    for (size_t i = 0; i < sqa_family_count(); i++) {
        family = sqa_family_at(i);
        if (family->operation == problem->operation &&
            family->supports(problem, &session->device, &why))
            break;
    }
    sqa_config config;
    memset(&config, 0, sizeof config);
    family->default_config(problem, &session->device, &config);
    return sqa_contender_of(family, &config);
}

/* A database row as a contender, if it still applies here. */
bool sqa_contender_of_row(const sqa_tuning_session *session, const sqa_problem *problem,
                          const sqa_tuning_row *row, sqa_contender *out)
{
    const sqa_kernel_family *family = sqa_family_find(problem->operation, row->family);
    sqa_config config;
    const char *why;
    if (!family || family->space_version != row->space_version)
        return false;
    memset(&config, 0, sizeof config);
    family->default_config(problem, &session->device, &config);
    if (sqa_config_parse(family, row->config, &config) != SQA_OK ||
        !sqa_family_accepts(family, &config, problem, &session->device, &why))
        return false;
    *out = sqa_contender_of(family, &config);
    return true;
}

sqa_trial_record sqa_trial_record_of(const sqa_tuning_session *session, const sqa_problem *problem,
                                     const sqa_contender *contender, const sqa_trial_result *result,
                                     bool final)
{
    sqa_trial_record record;
    memset(&record, 0, sizeof record);
    record.environment = session->environment;
    record.problem = problem;
    record.family = contender->family;
    record.config = &contender->config;
    record.result = result;
    record.fma_ceiling_gflops = session->ceiling.fma_gflops;
    record.seed = session->options->seed;
    record.final = final;
    return record;
}

/* Of the kernel as it was generated; "" when memory ran out: a trial without it is
 * worth having. */
static void hash_source(const sqa_tuning_session *session, const sqa_problem *problem,
                        const sqa_contender *contender, char out[SQA_HASH_TEXT])
{
    sqa_text source = SQA_TEXT_INIT;
    contender->family->source(&contender->config, problem, &session->device, &source);
    out[0] = '\0';
    if (sqa_text_status(&source) == SQA_OK)
        sqa_hash_of_text(sqa_text_get(&source), out);
    sqa_text_free(&source);
}

sqa_status sqa_record_trial(const sqa_tuning_session *session, const sqa_problem *problem,
                            const sqa_contender *contender, const sqa_trial_result *result,
                            bool final, int64_t *trial)
{
    sqa_trial_record record = sqa_trial_record_of(session, problem, contender, result, final);
    char source_hash[SQA_HASH_TEXT];
    int64_t row;
    hash_source(session, problem, contender, source_hash);
    record.source_hash = source_hash[0] ? source_hash : NULL;
    return sqa_store_add_trial(session->store, &record, trial ? trial : &row);
}
