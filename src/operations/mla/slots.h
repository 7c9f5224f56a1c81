/* Multi-head latent attention as a problem, for its public entry points; its tensors by slot. */
#ifndef SQA_OPERATIONS_MLA_SLOTS_H
#define SQA_OPERATIONS_MLA_SLOTS_H

#include "operations/operation.h"

enum {
    SQA_MLA_X = 0,
    SQA_MLA_WDQ,
    SQA_MLA_Q_NORM,
    SQA_MLA_WUQ,
    SQA_MLA_WDKV,
    SQA_MLA_KV_NORM,
    SQA_MLA_WUK,
    SQA_MLA_WUV,
    SQA_MLA_WO,
    SQA_MLA_BLOCK_TABLE,
    SQA_MLA_KV_LENGTHS,
    SQA_MLA_CU_SEQLENS,
    SQA_MLA_CACHE,
    SQA_MLA_Y,
    SQA_MLA_SLOTS
};

/* Errors: those of sqa_mla_from_desc() (problem/mla.h). */
sqa_status sqa_problem_from_mla(sqa_problem *out, const sqa_mla_desc *desc);

/* The keys of its shapes, which go into an sqa_mla_desc. */
extern const sqa_shape_field sqa_mla_fields[];
extern const sqa_shape_field_need sqa_mla_needs[];

/* See sqa_operation_entry. */
sqa_status sqa_mla_recipe(const sqa_problem *problem, sqa_recipe *out);

/* The reference: rows of Y, and the latents of the cache. */
extern const sqa_row_group sqa_mla_groups[];

#endif
