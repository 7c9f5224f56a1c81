/* The list of what the tuner knows of operations. Adding one is a line in
 * tuner_operations.c. */
#ifndef SQA_TUNER_TUNER_OPERATIONS_H
#define SQA_TUNER_TUNER_OPERATIONS_H

#include "base/text.h"
#include "operations/tuner_operation.h"

/* NULL: nothing is known of it. */
const sqa_tuner_operation *sqa_tuner_operation_find(sqa_operation operation);

/* NULL: no property of the operation has that name. */
const sqa_property *sqa_property_find(const sqa_tuner_operation *operation, const char *name);

/* What is timed under a name: an operation, or several as one.
 * Errors: SQA_INVALID_ARGUMENT, listing the names. */
sqa_status sqa_timed_pass_find(const char *name, sqa_timed_pass *out);

/* Appends the problems of every operation that has a preset of that name.
 * Errors: SQA_INVALID_ARGUMENT, naming the presets; SQA_OUT_OF_MEMORY. */
sqa_status sqa_preset_list(const char *name, sqa_case_list *out);

/* Appends "quick, paper, llm". */
void sqa_preset_names(sqa_text *out);

#endif
