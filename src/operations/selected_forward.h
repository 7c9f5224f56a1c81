/* Block selection and the forward pass over it as one problem, for its public entry points. */
#ifndef SQA_OPERATIONS_SELECTED_FORWARD_H
#define SQA_OPERATIONS_SELECTED_FORWARD_H

#include "problem/problem.h"

/* Its of.selection has the forward pass, and the numbers of the selection.
 * Errors: those of sqa_attention_from_desc() and sqa_selection_from_desc(). */
sqa_status sqa_problem_from_selected(sqa_problem *out, const sqa_attention_desc *desc,
                                     const sqa_select_options *select);

#endif
