/* The list of operations. Adding one is a line here in operations.c. */
#ifndef SQA_OPERATIONS_OPERATIONS_H
#define SQA_OPERATIONS_OPERATIONS_H

#include "base/text.h"
#include "operations/operation.h"

/* Of a problem's operation, which exists. */
const sqa_operation_entry *sqa_operation_of(const sqa_problem *problem);

size_t sqa_operation_count(void);
const sqa_operation_entry *sqa_operation_at(size_t index);

/* NULL when there is none. */
const sqa_operation_entry *sqa_operation_find(const char *name);

/* NULL for a value outside the enum. */
const char *sqa_operation_name(sqa_operation operation);

/* false when no operation has that name. */
bool sqa_operation_from_name(const char *name, sqa_operation *out);

/* Appends "forward, select_blocks": for error messages. */
void sqa_operation_names(sqa_text *out);

/* The promise for an output stored so, of the problem or, where that is NULL, of most. Errors:
 * SQA_UNSUPPORTED where the entry lacks it, so that nothing is ever judged by no promise at all. */
sqa_status sqa_operation_tolerance(const sqa_operation_entry *entry, const sqa_problem *problem,
                                   uint32_t slot, sqa_element element, const sqa_tolerance **out);

#endif
