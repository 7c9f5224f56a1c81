/* `sqa tune --dry-run`: what would be tuned, and for how long. */
#ifndef SQA_TUNER_TUNE_PREVIEW_H
#define SQA_TUNER_TUNE_PREVIEW_H

#include "cli/tune/words.h"

/* The whole command for one device, once its words are read; its exit code. */
int sqa_tune_preview(const char *command, const sqa_tune_words *words, const sqa_tune_plan *plan);

#endif
