/* See words.h. */
#include "cli/tune/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/device_option.h"
#include "cli/log_option.h"
#include "cli/tune/problems.h"
#include "kernels/registry.h"
#include "tuning/tuning_table.h"

#define DEFAULT_BUDGET "60s"

sqa_status sqa_tune_read_number(const char *option, const char *text, uint64_t otherwise,
                                uint64_t low, uint64_t high, uint64_t *out)
{
    *out = otherwise;
    if (!text)
        return SQA_OK;
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || value < low || value > high)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is '%s'; expected a number from %llu to %llu",
                        option, text, (unsigned long long)low, (unsigned long long)high);
    *out = value;
    return SQA_OK;
}

/* "90s", "5m", "1h", "40t"; a bare number means seconds. */
static sqa_status read_budget(const char *text, bool unlimited, sqa_tuning_budget *out)
{
    if (!text && unlimited)
        return SQA_OK;
    if (!text)
        text = DEFAULT_BUDGET;
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"t", 0}};
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
        return SQA_OK;
    }
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "--budget is '%s'; expected a time such as 60s, 5m or 1h, or trials such as "
                    "40t, more than 0 and at most 1000000",
                    text);
}

static sqa_status read_family(const char *name, sqa_tune_plan *plan)
{
    plan->options.family = name;
    if (!name || sqa_family_find(SQA_OPERATION_FORWARD, name))
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    sqa_family_names(SQA_OPERATION_FORWARD, &names);
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "--family is '%s'; expected one of %s", name,
                                 sqa_text_get(&names));
    sqa_text_free(&names);
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
    uint64_t timeout = 0, patience = 0, memory = 0;
    sqa_tuning_options *options = &plan->options;
    sqa_context_options logging = SQA_CONTEXT_OPTIONS_INIT;
    sqa_status status = sqa_device_option(words->devices.count ? words->devices.items[0] : NULL,
                                          &options->platform, &options->device);
    if (status == SQA_OK)
        status = sqa_tune_problems_read(words, plan);
    if (status == SQA_OK)
        status = read_family(words->family, plan);
    if (status == SQA_OK)
        status = sqa_tune_read_strategy(words->strategy, &options->strategy);
    if (status == SQA_OK)
        status = read_budget(words->budget, words->record != NULL, &options->budget);
    if (status == SQA_OK)
        status = sqa_tune_read_number("seed", words->seed, 1, 0, INT64_MAX, &options->seed);
    if (status == SQA_OK)
        status = sqa_tune_read_number("timeout", words->timeout, 0, 1, 86400, &timeout);
    if (status == SQA_OK)
        status = sqa_tune_read_number("patience", words->patience, 0, 1, 1000000, &patience);
    if (status == SQA_OK)
        status = sqa_tune_read_number("memory", words->memory, 0, 16, 1u << 20, &memory);
    if (status == SQA_OK)
        status = read_database(words->database, plan);
    if (status == SQA_OK)
        status = sqa_log_option(words->log_level, &logging);
    options->timeout_s = (unsigned)timeout;
    options->budget.patience = (uint32_t)patience;
    options->memory_mib = (unsigned)memory;
    options->retry_failed = words->retry_failed;
    options->log = (sqa_log){logging.log, logging.log_user, logging.log_level};
    return status;
}
