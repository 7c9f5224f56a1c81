/* The tensors of the attention layer, by slots that forward and backward share; those of
 * attention come first. */
#ifndef SQA_OPERATIONS_LAYER_SLOTS_H
#define SQA_OPERATIONS_LAYER_SLOTS_H

#include "operations/attention/slots.h"
#include "operations/linear/slots.h"
#include "operations/operation.h"
#include "problem/layer.h"

enum {
    SQA_LAYER_QKV = SQA_ATTENTION_SLOTS,
    SQA_LAYER_X,
    SQA_LAYER_CONTEXT,
    SQA_LAYER_WQ,
    SQA_LAYER_WK,
    SQA_LAYER_WV,
    SQA_LAYER_WQKV,
    SQA_LAYER_WO,
    SQA_LAYER_BQ,
    SQA_LAYER_BK,
    SQA_LAYER_BV,
    SQA_LAYER_BQKV,
    SQA_LAYER_BO,
    SQA_LAYER_WG,
    SQA_LAYER_BG,
    SQA_LAYER_Q_NORM,
    SQA_LAYER_K_NORM,
    SQA_LAYER_WDECAY,
    SQA_LAYER_BDECAY,
    SQA_LAYER_WBETA,
    SQA_LAYER_BBETA,
    SQA_LAYER_POSITIONS,
    SQA_LAYER_Q_PROJECTED, /* before it is normalised */
    SQA_LAYER_K_PROJECTED,
    SQA_LAYER_G,
    SQA_LAYER_DECAY_PROJECTED, /* what decay and beta follow from */
    SQA_LAYER_BETA_PROJECTED,
    SQA_LAYER_DECAY, /* of linear attention, in the order of its own slots */
    SQA_LAYER_BETA,
    SQA_LAYER_STATE_IN,
    SQA_LAYER_SUMS_IN,
    SQA_LAYER_STATE,
    SQA_LAYER_SUMS,
    SQA_LAYER_Y,
    SQA_LAYER_FORWARD_SLOTS,

    SQA_LAYER_DY = SQA_LAYER_FORWARD_SLOTS,
    SQA_LAYER_DSTATE,
    SQA_LAYER_DSUMS,
    SQA_LAYER_DX, /* from here on in the order of the bits of sqa_layer_gradient */
    SQA_LAYER_DCONTEXT,
    SQA_LAYER_DWQ,
    SQA_LAYER_DWK,
    SQA_LAYER_DWV,
    SQA_LAYER_DWQKV,
    SQA_LAYER_DWO,
    SQA_LAYER_DBQ,
    SQA_LAYER_DBK,
    SQA_LAYER_DBV,
    SQA_LAYER_DBQKV,
    SQA_LAYER_DBO,
    SQA_LAYER_DBIAS,
    SQA_LAYER_DSINKS,
    SQA_LAYER_DSLOPES,
    SQA_LAYER_DWG,
    SQA_LAYER_DBG,
    SQA_LAYER_DQ_NORM,
    SQA_LAYER_DK_NORM,
    SQA_LAYER_DDECAY,
    SQA_LAYER_DBETA,
    SQA_LAYER_DSTATE_IN,
    SQA_LAYER_DSUMS_IN,
    SQA_LAYER_DWDECAY,
    SQA_LAYER_DBDECAY,
    SQA_LAYER_DWBETA,
    SQA_LAYER_DBBETA,
    SQA_LAYER_SLOTS
};

/* A product of the layer's input: from a sequence by a weight to what is kept. */
typedef struct sqa_projection {
    uint32_t input, weight, bias, output; /* slots */
    uint32_t input_gradient, weight_gradient, bias_gradient;
    uint32_t rows, width, columns;
} sqa_projection;

/* Those that there are: of Q, K and V, or with fused_qkv of all together, then of the
 * gate, of decays and of betas. */
enum { SQA_MAX_PROJECTIONS = 6 };
uint32_t sqa_layer_projections(const sqa_layer_pass *layer,
                               sqa_projection out[SQA_MAX_PROJECTIONS]);

/* Which of them gives Q, K, V (its slot), G, or what decay or beta follows from. */
uint32_t sqa_layer_projection_of(const sqa_layer_pass *layer, uint32_t slot);

/* Where Q, K or V (its slot) begins within the rows that its projection gives: 0 unless they are
 * side by side. */
uint64_t sqa_layer_column_of(const sqa_layer_pass *layer, uint32_t slot);

static inline bool sqa_layer_has_gradient(const sqa_layer_pass *layer, uint32_t slot)
{
    return slot >= SQA_LAYER_DX && layer->gradients >> (slot - SQA_LAYER_DX) & 1u;
}

/* Whether the slot is one of the cache's, whose K and V are the attention's. */
static inline bool sqa_layer_is_cache(const sqa_layer_pass *layer, uint32_t slot)
{
    return sqa_layer_has_cache(layer) && (slot == SQA_SLOT_K || slot == SQA_SLOT_V);
}

/* The slot that linear attention, in the pass that has it, has for one of the layer's;
 * SQA_LINEAR_BACKWARD_SLOTS: none. */
uint32_t sqa_layer_linear_slot(uint32_t slot);

/* Linear attention within the layer, in either pass, as a problem. */
void sqa_layer_linear_problem(const sqa_layer_pass *layer, sqa_operation operation,
                              sqa_problem *out);

/* A packed matrix as a tensor. */
sqa_tensor_shape sqa_layer_matrix(const sqa_layer_pass *layer, uint32_t rows, uint32_t columns);

/* See sqa_operation_entry. */
bool sqa_layer_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out);
bool sqa_layer_is_touched(const sqa_problem *problem, uint32_t slot);
bool sqa_layer_is_updated(const sqa_problem *problem, uint32_t slot);
bool sqa_layer_is_nothing(const sqa_problem *problem);
sqa_status sqa_layer_forward_recipe(const sqa_problem *problem, sqa_recipe *out);
sqa_status sqa_layer_backward_recipe(const sqa_problem *problem, sqa_recipe *out);

/* The attention within a backward pass, whose gradients of Q, K and V are laid out like those, and
 * are never added to. Errors: those of sqa_backward_from_desc(). */
sqa_status sqa_layer_attention_backward(const sqa_layer_pass *layer, uint32_t gradients,
                                        uint32_t accumulate, sqa_problem *out);

/* Which sqa_gradient bits the layer is asked for, of scores, and needs, of dQ, dK and dV. */
uint32_t sqa_layer_score_gradients(const sqa_layer_pass *layer);
uint32_t sqa_layer_core_gradients(const sqa_layer_pass *layer);

/* Rows that the reference has, and what is promised of them. */
extern const sqa_row_group sqa_layer_groups[], sqa_layer_backward_groups[];
enum { SQA_LAYER_TOLERANCES = 40, SQA_LAYER_BACKWARD_TOLERANCES = 69 };
extern const sqa_tolerance sqa_layer_tolerances[SQA_LAYER_TOLERANCES];
extern const sqa_tolerance sqa_layer_backward_tolerances[SQA_LAYER_BACKWARD_TOLERANCES];

#endif
