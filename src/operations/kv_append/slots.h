/* Appending to a cache as a problem, for its public entry points; its tensors by slot. */
#ifndef SQA_OPERATIONS_KV_APPEND_SLOTS_H
#define SQA_OPERATIONS_KV_APPEND_SLOTS_H

#include "operations/operation.h"

enum {
    SQA_SLOT_NEW_K = 0,
    SQA_SLOT_NEW_V,
    SQA_SLOT_TOKEN_POSITIONS,
    SQA_SLOT_TOKEN_TABLE,
    SQA_SLOT_TOKEN_STARTS,
    SQA_SLOT_K_CACHE,
    SQA_SLOT_V_CACHE,
    SQA_KV_APPEND_SLOTS
};

/* Errors: those of sqa_appending_from_desc() (problem/appending.h). */
sqa_status sqa_problem_from_kv_append(sqa_problem *out, const sqa_kv_append_desc *desc);

/* The keys of its shapes, which go into an sqa_kv_append_desc. */
extern const sqa_shape_field sqa_kv_append_fields[];
extern const sqa_shape_field_need sqa_kv_append_needs[];

/* The reference: what every token of the caches is to hold. */
extern const sqa_row_group sqa_kv_append_groups[];

#endif
