/* `sqa tune --probe`: which kernel families a device's compiler does right by. */
#ifndef SQA_TUNER_TUNE_PROBE_H
#define SQA_TUNER_TUNE_PROBE_H

#include "cli/tune/words.h"

/* The whole command for one device, once its words are read; its exit code. */
int sqa_tune_probe(const char *command, const sqa_tune_words *words, const sqa_tune_plan *plan);

#endif
