#include "cli/untuned.h"

#include <string.h>

#include "runtime/choose.h"

bool sqa_untuned_of(const sqa_stored_trial *trial, const char **family,
                    char config[SQA_CONFIG_TEXT])
{
    const sqa_tuning_table nothing = SQA_TUNING_TABLE_INIT;
    sqa_problem problem;
    sqa_choices choices;
    if (sqa_problem_parse(trial->shape, &problem) != SQA_OK)
        return false;
    bool found = sqa_choose(&choices, &trial->device, &nothing, NULL, &problem, NULL) == SQA_OK &&
                 choices.count > 0;
    if (found) {
        *family = choices.items[0].family->name;
        sqa_config_format(choices.items[0].family, &choices.items[0].config, config);
    }
    sqa_text_free(&choices.passed_over);
    return found;
}

bool sqa_is_untuned(const sqa_stored_trial *trial)
{
    const char *family;
    char config[SQA_CONFIG_TEXT];
    return sqa_untuned_of(trial, &family, config) && !strcmp(trial->family, family) &&
           !strcmp(trial->config, config);
}
