/* `sqa tune --record-borrowed FILE`: keeps what a database's rows take on other problems. */
#ifndef SQA_TUNER_TUNE_BORROWED_H
#define SQA_TUNER_TUNE_BORROWED_H

#include "cli/tune/words.h"

/* The whole command, once its words are read; its exit code. */
int sqa_tune_record_borrowed(const char *command, const sqa_tune_words *words,
                             const sqa_tune_plan *plan);

#endif
