/* Block selection: attention whose block lists are made, from descriptor and options
 * (include/sqa_cl/select.h), and how long the lists are, which needs no look at Q and K. */
#ifndef SQA_PROBLEM_SELECTION_H
#define SQA_PROBLEM_SELECTION_H

#include "problem/attention.h"
#include "sqa_cl/select.h"

typedef struct sqa_selection {
    sqa_attention attention; /* its blocks.entries are as many as the lists will have */
    uint32_t top_k, sink_blocks, local_blocks;
} sqa_selection;

/* Fills *out, padding too. `check_capacity`: that desc->blocks.entries is no less than the
 * lists will have.
 * Errors: SQA_INVALID_ARGUMENT, SQA_UNSUPPORTED, naming the field. */
sqa_status sqa_selection_from_desc(sqa_selection *out, const sqa_attention_desc *desc,
                                   const sqa_select_options *select, bool check_capacity);

/* Descriptor and options that give this selection again. */
void sqa_selection_to_desc(const sqa_selection *selection, sqa_attention_desc *desc,
                           sqa_select_options *select);

/* Sets blocks.entries to what the lists will have. */
void sqa_set_selected_entries(sqa_selection *selection);

/* Added to a query's number, the last key that it may see by position: the diagonal
 * under a causal mask, beyond every key without one. */
int32_t sqa_selection_reach(const sqa_attention *attention);

#endif
