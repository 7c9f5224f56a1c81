/* The pattern of a problem: which keys are seen and what becomes of scores, from
 * the descriptor's part in include/sqa_cl/pattern.h. */
#ifndef SQA_PROBLEM_PATTERN_H
#define SQA_PROBLEM_PATTERN_H

#include "problem/problem.h"

/* Checks the pattern's fields and sets those of `problem`, whose lengths and heads
 * are set. Rules that hide nothing leave no trace, so that such a problem equals
 * the plain one. Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_pattern_from_desc(sqa_problem *problem, const sqa_attention_desc *desc);

/* Sets where the queries stand, which no rule of the pattern may ask for. */
void sqa_set_positions(sqa_problem *problem, const sqa_attention_desc *desc);

/* Whether low <= value <= high; `field` for the message. */
sqa_status sqa_check_range(const char *field, uint32_t value, uint32_t low, uint32_t high);

/* Whether the strides reach no further than 63 bits can add up; `field` for the message. */
sqa_status sqa_check_strides(const char *field, const sqa_strides *strides, uint32_t batch,
                             uint32_t heads, uint32_t length);

#endif
