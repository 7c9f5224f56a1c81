/* `sqa tune --record FILE`: keeps an exhaustive sweep, for replays. */
#ifndef SQA_TUNER_TUNE_RECORD_H
#define SQA_TUNER_TUNE_RECORD_H

#include "cli/tune/words.h"

/* The whole command, once its words are read; its exit code. */
int sqa_tune_record(const char *command, const sqa_tune_words *words, const sqa_tune_plan *plan);

/* Whether what is recorded would go into a file that is read. Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_tune_recording_check(const sqa_tune_words *words);

#endif
