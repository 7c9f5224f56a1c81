/* The problem sets of forward attention. */
#ifndef SQA_TUNER_FORWARD_PRESETS_H
#define SQA_TUNER_FORWARD_PRESETS_H

#include "operations/tuner_operation.h"

extern const char *const sqa_forward_preset_names[]; /* up to NULL */

/* Appends the problems of a preset; none where there is none of that name.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_forward_preset(const char *name, sqa_case_list *out);

#endif
