/* Problems of block selection: from descriptor and options (include/sqa_cl/select.h),
 * and how long their lists are, which needs no look at Q and K. */
#ifndef SQA_PROBLEM_SELECTION_H
#define SQA_PROBLEM_SELECTION_H

#include "problem/problem.h"
#include "sqa_cl/select.h"

/* Fills *out, with as many entries as the lists will have. `check_capacity`: that
 * desc->blocks.entries is no less.
 * Errors: SQA_INVALID_ARGUMENT, SQA_UNSUPPORTED, naming the field. */
sqa_status sqa_selection_from_desc(sqa_problem *out, const sqa_attention_desc *desc,
                                   const sqa_select_options *select, bool check_capacity);

/* Sets blocks.entries to what the lists will have. */
void sqa_set_selected_entries(sqa_problem *problem);

/* Added to a query's number, the last key that it may see by position: the diagonal
 * under a causal mask, beyond every key without one. */
int32_t sqa_selection_reach(const sqa_problem *problem);

#endif
