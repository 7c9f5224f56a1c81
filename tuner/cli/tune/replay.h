/* `sqa tune --replay FILE`: strategies against recorded sweeps. */
#ifndef SQA_TUNER_TUNE_REPLAY_H
#define SQA_TUNER_TUNE_REPLAY_H

#include "cli/tune/words.h"

/* The whole command; its exit code. */
int sqa_tune_replay(const char *command, const sqa_tune_words *words);

#endif
