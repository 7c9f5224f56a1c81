/* The attention layer as a validated descriptor (include/sqa_cl/layer.h), and what its
 * gradients are. The tag sqa_layer is a function's name in the public interface. */
#ifndef SQA_PROBLEM_LAYER_H
#define SQA_PROBLEM_LAYER_H

#include "problem/attention.h"
#include "problem/linear.h"
#include "sqa_cl/layer.h"

#define SQA_MAX_MODEL_DIM (1u << 24)
#define SQA_LAYER_GRADIENTS 27 /* bits */

/* The attention's Q, K, V and O are strided as the projections leave and take them, or K and V as
 * the cache has them; LSE is written where the layer keeps, or read. */
typedef struct sqa_layer_pass {
    sqa_attention attention;
    uint32_t d_model;
    uint32_t context_dim; /* 0: there is no context */
    uint32_t fused_qkv, biases, keep;
    uint32_t gradients, accumulate; /* of a backward pass; 0 of a forward one */

    sqa_layer_rope rope;
    float rope_base; /* with its fellows 0 without rope; rope_offset also with positions */
    uint32_t rope_dim, rope_offset, positions;
    uint32_t qk_norm;
    float qk_norm_eps; /* 0 without qk_norm */
    uint32_t gate;
    uint32_t hadamard;

    uint32_t is_linear;
    uint32_t project_decay, project_beta;
    sqa_linear linear; /* of the same attention; 0 where it is not linear */
} sqa_layer_pass;

/* Whether K and V are appended to a cache, which is what attention reads. */
static inline bool sqa_layer_has_cache(const sqa_layer_pass *layer)
{
    return layer->attention.mask & SQA_MASK_PAGED;
}

/* As the newest version has it; of a version that is not known, itself. */
sqa_layer_desc sqa_layer_desc_read(const sqa_layer_desc *desc);

/* Fills *out, padding too. `backward` NULL: a forward pass.
 * Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_layer_from_desc(sqa_layer_pass *out, const sqa_layer_desc *desc,
                               const sqa_layer_backward_options *backward);

/* Descriptor and options that give this pass again; desc->attention becomes `attention`, and
 * desc->linear `linear` where it is linear. */
void sqa_layer_to_desc(const sqa_layer_pass *layer, sqa_layer_desc *desc,
                       sqa_attention_desc *attention, sqa_linear_options *linear,
                       sqa_layer_backward_options *backward);

/* All gradients that the layer has. */
uint32_t sqa_layer_all_gradients(const sqa_layer_pass *layer);

/* Rows of X and Y, and of what K and V come from. */
uint32_t sqa_layer_q_rows(const sqa_layer_pass *layer);
uint32_t sqa_layer_kv_rows(const sqa_layer_pass *layer);

/* Columns of Q, K and V, and rows of Wo. */
uint32_t sqa_layer_q_columns(const sqa_layer_pass *layer);
uint32_t sqa_layer_k_columns(const sqa_layer_pass *layer);
uint32_t sqa_layer_v_columns(const sqa_layer_pass *layer);
uint32_t sqa_layer_o_columns(const sqa_layer_pass *layer);

/* Columns of Wdecay. */
uint32_t sqa_layer_decay_columns(const sqa_layer_pass *layer);

/* Sequences and rows of each, of what Q, or K and V, are rows of: of a ragged batch, one of all. */
typedef struct sqa_layer_rows {
    uint32_t batch, length;
} sqa_layer_rows;
sqa_layer_rows sqa_layer_rows_of(const sqa_layer_pass *layer, bool keys);

/* How Q, K or V (0, 1, 2) of the layer's own rows lies when it is ready for attention, or for the
 * cache; and as its projection leaves it, which is the same but with qk_norm. */
sqa_strides sqa_layer_strides(const sqa_layer_pass *layer, uint32_t number);
sqa_strides sqa_layer_projected_strides(const sqa_layer_pass *layer, uint32_t number);

#endif
