/* Contenders: configurations on their way through a tuning run, out of families,
 * database rows and into trial records. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "kernels/registry.h"
#include "kernels/source.h"
#include "operations/tensors.h"
#include "runtime/choose.h"
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
    static const sqa_tuning_table nothing = SQA_TUNING_TABLE_INIT;
    sqa_choices choices;
    sqa_contender fallback;
    memset(&fallback, 0, sizeof fallback);
    sqa_choose(&choices, &session->device, &nothing, session->prebuilt, problem, NULL);
    if (choices.count)
        fallback = sqa_contender_of(choices.items[0].family, &choices.items[0].config);
    sqa_text_free(&choices.passed_over);
    return fallback;
}

/* A database row as a contender, if it still applies here. */
bool sqa_contender_of_row(const sqa_tuning_session *session, const sqa_problem *problem,
                          const sqa_tuning_row *row, sqa_contender *out)
{
    const sqa_kernel_family *family;
    sqa_config config;
    if (sqa_family_recall(row->family, row->space_version, row->config, problem, &session->device,
                          &family, &config) ||
        !sqa_program_is_at_hand(session->prebuilt, family, &config, problem, &session->device))
        return false;
    *out = sqa_contender_of(family, &config);
    return true;
}

/* No kernel samples the rate of matrix units yet. A rate above the ceiling, sampled however often,
 * says that it is not the ceiling. */
static sqa_trial_ceilings ceilings_of(const sqa_ceiling *ceiling, const sqa_problem *problem,
                                      const sqa_trial_result *result)
{
    const double *rate = ceiling->rate;
    const double reached = result ? sqa_problem_flop(problem) / (result->median_ms * 1e6) : 0.0;
    const bool above = reached > rate[SQA_CEILING_FMA]; /* false for NaN */
    return (sqa_trial_ceilings){.fma_gflops = above ? (double)NAN : rate[SQA_CEILING_FMA],
                                .matrix_gflops = (double)NAN,
                                .copy_gbs = rate[SQA_CEILING_COPY],
                                .read_gbs = rate[SQA_CEILING_READ]};
}

sqa_trial_record sqa_trial_record_of(const sqa_tuning_session *session, const sqa_problem *problem,
                                     const sqa_contender *contender, const sqa_trial_result *result,
                                     const sqa_ceiling *of_finals)
{
    sqa_trial_record record;
    memset(&record, 0, sizeof record);
    record.environment = session->environment;
    record.problem = problem;
    record.family = contender->family;
    record.config = &contender->config;
    record.result = result;
    record.ceilings = ceilings_of(of_finals ? of_finals : &session->ceiling, problem, result);
    record.seed = session->options->seed;
    record.final = of_finals != NULL;
    return record;
}

void sqa_contender_source(const sqa_tuning_session *session, const sqa_problem *problem,
                          const sqa_contender *contender, char out[SQA_HASH_TEXT])
{
    sqa_text source = SQA_TEXT_INIT;
    sqa_family_source(contender->family, &contender->config, problem, &session->device, &source);
    out[0] = '\0';
    if (sqa_text_status(&source) == SQA_OK)
        sqa_hash_of_text(sqa_text_get(&source), out);
    sqa_text_free(&source);
}

sqa_status sqa_record_trial(const sqa_tuning_session *session, const sqa_problem *problem,
                            const sqa_contender *contender, const sqa_trial_result *result,
                            const sqa_ceiling *of_finals, int64_t *trial)
{
    sqa_trial_record record = sqa_trial_record_of(session, problem, contender, result, of_finals);
    char source_hash[SQA_HASH_TEXT];
    int64_t row;
    sqa_contender_source(session, problem, contender, source_hash);
    record.source_hash = source_hash[0] ? source_hash : NULL;
    return sqa_store_add_trial(session->store, &record, trial ? trial : &row);
}
