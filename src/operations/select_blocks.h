/* Block selection as a problem: for its public entry points, and for recipes of it. */
#ifndef SQA_OPERATIONS_SELECT_BLOCKS_H
#define SQA_OPERATIONS_SELECT_BLOCKS_H

#include "operations/field.h"
#include "problem/problem.h"

/* What a shape of it is read into. */
typedef struct sqa_selection_desc {
    sqa_attention_desc attention;
    sqa_select_options select;
} sqa_selection_desc;

extern const sqa_shape_field_need sqa_selection_needs[];
extern const sqa_shape_field sqa_selection_fields[]; /* blocks, topk, sinkblocks, localblocks */

/* Errors: those of sqa_selection_from_desc() (problem/selection.h). */
sqa_status sqa_problem_from_selection(sqa_problem *out, const sqa_attention_desc *desc,
                                      const sqa_select_options *select, bool check_capacity);

#endif
