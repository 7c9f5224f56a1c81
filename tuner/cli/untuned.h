/* What runs without any database, for a stored trial's problem on its device. */
#ifndef SQA_TUNER_UNTUNED_H
#define SQA_TUNER_UNTUNED_H

#include "store/stored_trial.h"

/* false: nothing, or the problem cannot be read here. */
bool sqa_untuned_of(const sqa_stored_trial *trial, const char **family,
                    char config[SQA_CONFIG_TEXT]);

/* Whether that is what the trial tried. */
bool sqa_is_untuned(const sqa_stored_trial *trial);

#endif
