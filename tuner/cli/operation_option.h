/* The options --operation, --shape and --family: what a command is about. */
#ifndef SQA_TUNER_OPERATION_OPTION_H
#define SQA_TUNER_OPERATION_OPTION_H

#include "kernels/kernel_family.h"
#include "operations/operation.h"

/* The operation of that name; NULL: *out stays as it is.
 * Errors: SQA_INVALID_ARGUMENT, listing the names. */
sqa_status sqa_operation_option(const char *name, const sqa_operation_entry **out);

/* The shape as a problem; without op= it is of the operation given, NULL: of the first.
 * Errors: SQA_INVALID_ARGUMENT, also where op= names another. */
sqa_status sqa_shape_option(const char *shape, const sqa_operation_entry *operation,
                            sqa_problem *out);

/* The operation's kernel family of that name. Errors: SQA_INVALID_ARGUMENT, listing the names. */
sqa_status sqa_family_option(const char *name, const sqa_operation_entry *operation,
                             const sqa_kernel_family **out);

#endif
