/* The kinds of values that options take: how each is read and what is said of a text
 * that is none. Knows no option by name. */
#ifndef SQA_TUNER_OPTION_KINDS_H
#define SQA_TUNER_OPTION_KINDS_H

#include "cli/options.h"
#include "sqa_cl/status.h"

/* Takes the value that was typed for an option other than a flag.
 * Errors: SQA_INVALID_ARGUMENT, naming the option and what it takes. */
sqa_status sqa_option_take(const sqa_option *option, const char *text);

#endif
