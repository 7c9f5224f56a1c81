/* Which options go together: what the rows of a table say of one another. */
#ifndef SQA_TUNER_OPTION_RULES_H
#define SQA_TUNER_OPTION_RULES_H

#include "cli/options.h"
#include "sqa_cl/status.h"

enum { SQA_MOST_OPTIONS = 64 }; /* of a table */

/* `given`: by row, whether the option was there.
 * Errors: SQA_INVALID_ARGUMENT, naming the option and what it needs or does not go with. */
sqa_status sqa_option_rules_check(const sqa_option *options, const bool *given);

#endif
