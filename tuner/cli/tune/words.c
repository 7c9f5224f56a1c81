/* See words.h. */
#include "cli/tune/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/device_option.h"
#include "cli/log_option.h"
#include "cli/operation_option.h"
#include "cli/tune/problems.h"
#include "operations/operations.h"
#include "search/sweep.h"
#include "tuning/tuning_table.h"

#define DEFAULT_SECONDS 60.0

/* A bare number means seconds. */
bool sqa_tune_read_budget(const char *text, void *budget)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"t", 0}};
    sqa_tuning_budget *out = budget;
    char *end = NULL;
    double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        bool trials = units[i].seconds == 0;
        bool sound = end != text && text[0] >= '0' && text[0] <= '9' && value > 0 && value <= 1e6 &&
                     (!trials || (value >= 1 && floor(value) == value));
        if (strcmp(end, units[i].unit) != 0 || !sound)
            continue;
        out->seconds = value * units[i].seconds;
        out->trials = trials ? (uint32_t)value : 0;
        return true;
    }
    return false;
}

/* A recording has no end but that of the space. */
static sqa_tuning_budget budget_of(const sqa_tune_words *words)
{
    sqa_tuning_budget budget = words->budget;
    if (budget.seconds == 0 && budget.trials == 0 && !words->record)
        budget.seconds = DEFAULT_SECONDS;
    return budget;
}

/* Every problem's operation has it, with the values that are asked for. */
static sqa_status read_family(const char *name, const char *set, sqa_tune_plan *plan)
{
    sqa_parameter unused[SQA_MAX_PARAMETERS];
    plan->options.family = name;
    plan->options.set = set;
    const sqa_kernel_family *family = NULL;
    sqa_status status = SQA_OK;
    for (size_t i = 0; name && i < plan->options.problem_count && status == SQA_OK; i++)
        status = sqa_family_option(name, sqa_operation_of(&plan->problems[i]), &family);
    if (set && family && status == SQA_OK)
        status = sqa_sweep_narrow(family, set, unused);
    return status;
}

sqa_status sqa_tune_read_strategy(const char *name, const sqa_strategy **out)
{
    *out = name ? sqa_strategy_find(name) : sqa_strategy_at(0);
    if (*out)
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    sqa_strategy_names(&names);
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "--strategy is '%s'; expected one of %s",
                                 name, sqa_text_get(&names));
    sqa_text_free(&names);
    return status;
}

static sqa_status read_database(const char *path, sqa_tune_plan *plan)
{
    if (path)
        snprintf(plan->database, sizeof plan->database, "%s", path);
    else if (!sqa_user_database_path(plan->database, sizeof plan->database))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "no place for the tuning database: set --db, $SQA_CL_DB or $HOME");
    plan->options.database = plan->database;
    return SQA_OK;
}

sqa_status sqa_tune_words_read(const sqa_tune_words *words, sqa_tune_plan *plan)
{
    sqa_tuning_options *options = &plan->options;
    sqa_context_options logging = SQA_CONTEXT_OPTIONS_INIT;
    sqa_status status = sqa_device_option(words->devices.count ? words->devices.items[0] : NULL,
                                          &options->platform, &options->device);
    if (status == SQA_OK)
        status = sqa_tune_problems_read(words, plan);
    if (status == SQA_OK)
        status = read_family(words->family, words->set, plan);
    if (status == SQA_OK)
        status = sqa_tune_read_strategy(words->strategy, &options->strategy);
    if (status == SQA_OK)
        status = read_database(words->database, plan);
    if (status == SQA_OK)
        status = sqa_log_option(words->log_level, &logging);
    options->budget = budget_of(words);
    options->seed = words->seed;
    options->timeout_s = words->timeout_s;
    options->memory_mib = words->memory_mib;
    options->retry_failed = words->retry_failed;
    options->log = (sqa_log){logging.log, logging.log_user, logging.log_level};
    return status;
}
