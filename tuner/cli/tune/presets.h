/* The problem sets of `sqa tune --preset`, as data. */
#ifndef SQA_TUNER_TUNE_PRESETS_H
#define SQA_TUNER_TUNE_PRESETS_H

#include "base/text.h"
#include "sqa_cl/attention.h"

#define SQA_MAX_PROBLEMS 64

/* Appends the preset's problems to `out`, which has room for SQA_MAX_PROBLEMS.
 * Errors: SQA_INVALID_ARGUMENT, naming the presets. */
sqa_status sqa_tune_preset(const char *name, sqa_attention_desc *out, size_t *count);

/* "quick, paper, llm, ..." */
void sqa_tune_preset_names(sqa_text *out);

#endif
