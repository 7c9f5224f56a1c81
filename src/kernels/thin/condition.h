/* Conditions of #if, as far as the text itself decides them. */
#ifndef SQA_KERNELS_THIN_CONDITION_H
#define SQA_KERNELS_THIN_CONDITION_H

#include "kernels/thin/names.h"

typedef enum sqa_truth { SQA_FALSE, SQA_TRUE, SQA_UNKNOWN } sqa_truth;

/* Whether the macro is defined. Names with SQA_ that the text did not define are not. */
sqa_truth sqa_is_defined(const sqa_names *names, const char *text, size_t length);

/* What the expression amounts to: numbers up to 2^31, defined, + - * / %, comparisons,
 * ! && || and parentheses, with macros in place. UNKNOWN for all else, and where it
 * depends on what only the compiler knows. */
sqa_truth sqa_condition(const sqa_names *names, const char *text, size_t length);

#endif
