/* The pattern of an attention: which keys are seen and what becomes of scores, from
 * the descriptor's part in include/sqa_cl/pattern.h. */
#ifndef SQA_PROBLEM_PATTERN_H
#define SQA_PROBLEM_PATTERN_H

#include "problem/attention.h"

/* Checks the pattern's fields and sets those of `attention`, whose lengths and heads
 * are set. Rules that hide nothing leave no trace, so that such an attention equals
 * the plain one. Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_pattern_from_desc(sqa_attention *attention, const sqa_attention_desc *desc);

/* Sets where the queries stand, which no rule of the pattern may ask for. */
void sqa_set_positions(sqa_attention *attention, const sqa_attention_desc *desc);

#endif
