/* What to tune: shapes as words, shapes in a file, a preset, the problems another
 * database has results of. */
#ifndef SQA_TUNER_TUNE_PROBLEMS_H
#define SQA_TUNER_TUNE_PROBLEMS_H

#include "cli/tune/words.h"

/* Appends them all to the plan's problems, each once; without any, the preset quick.
 * Errors: SQA_INVALID_ARGUMENT, naming the option, and the file's line. */
sqa_status sqa_tune_problems_read(const sqa_tune_words *words, sqa_tune_plan *plan);

#endif
