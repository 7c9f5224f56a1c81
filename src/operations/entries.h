/* The operations by name: for the registry, and for those who are about one of them. */
#ifndef SQA_OPERATIONS_ENTRIES_H
#define SQA_OPERATIONS_ENTRIES_H

#include "operations/operation.h"

extern const sqa_operation_entry sqa_operation_forward;
extern const sqa_operation_entry sqa_operation_select_blocks;
extern const sqa_operation_entry sqa_operation_selected_forward;
extern const sqa_operation_entry sqa_operation_backward;
extern const sqa_operation_entry sqa_operation_backward_delta;
extern const sqa_operation_entry sqa_operation_backward_core;
extern const sqa_operation_entry sqa_operation_backward_scores;
extern const sqa_operation_entry sqa_operation_matmul;
extern const sqa_operation_entry sqa_operation_activation;
extern const sqa_operation_entry sqa_operation_activation_backward;
extern const sqa_operation_entry sqa_operation_linear_forward;
extern const sqa_operation_entry sqa_operation_linear_backward;
extern const sqa_operation_entry sqa_operation_merge;
extern const sqa_operation_entry sqa_operation_layer;
extern const sqa_operation_entry sqa_operation_layer_backward;
extern const sqa_operation_entry sqa_operation_rope;
extern const sqa_operation_entry sqa_operation_norm;
extern const sqa_operation_entry sqa_operation_norm_backward;
extern const sqa_operation_entry sqa_operation_kv_append;
extern const sqa_operation_entry sqa_operation_block;
extern const sqa_operation_entry sqa_operation_block_backward;
extern const sqa_operation_entry sqa_operation_mla_layer;

#endif
