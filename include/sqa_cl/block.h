/* Blocks of a transformer: an attention layer (layer.h) and a multi-layer perceptron, with what
 * stands around them, forward and backward.
 *
 *   serial     H = X + layer(norm1(X))              Y = H + mlp(norm2(H))
 *   parallel   N = norm1(X)                         Y = X + mlp(N) + layer(N)
 *
 * Serial is the usual order with norms before (arXiv 2002.04745, section 3.1), parallel that of
 * PaLM (arXiv 2204.02311, section 2). Norms are RMSNorm or LayerNorm (norm.h). The perceptron is
 *
 *   mlp(N) = act(N Wup + bup) Wdown + bdown                              or, gated,
 *   mlp(N) = (act(N Wgate + bgate) * (N Wup + bup)) Wdown + bdown        (arXiv 2002.05202)
 *
 * The layer attends to its own sequence: it has no context. All it can do else, it does here:
 * variants, masks, scores, ragged batches, and forward a cache, with which a model generates.
 *
 * Shapes, all packed, with the layer's rows and d_model:
 *   X, Y, H      (q rows, d_model)           Wup, Wgate  (d_model, mlp_dim), biases (mlp_dim)
 *   norm1, norm2 (d_model), biases too       Wdown       (mlp_dim, d_model), bias (d_model)
 *
 * One product computes what the gate and its counterpart have in common, with the activation; the
 * residuals, and in a parallel block the sum of both branches, are part of the last product. The
 * projections of the layer and of the perceptron are products of their own, also in a parallel
 * block, whose norm is computed once.
 *
 * Everything is stored as the attention's dtype says, in between as well: what norms, the layer,
 * the first product of the perceptron and H come to is rounded to it; likewise in a backward pass.
 * Sums are kept in f32. Results are the same, bit for bit, every time, and do not depend on how
 * many cores there are. */
#ifndef SQA_CL_BLOCK_H
#define SQA_CL_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "layer.h"
#include "matmul.h"
#include "norm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sqa_block_kind { SQA_BLOCK_SERIAL = 0, SQA_BLOCK_PARALLEL = 1 } sqa_block_kind;

/* Start from SQA_BLOCK_DESC_INIT and set at least layer and mlp_dim. */
typedef struct sqa_block_desc {
    uint32_t version; /* SQA_BLOCK_DESC_VERSION */

    /* Without a context; `keep` is not looked at. d_model up to 2^20. Read during calls only. */
    const sqa_layer_desc *layer;

    sqa_block_kind kind;
    uint32_t mlp_dim; /* 1..2^24; to be set */
    sqa_activation activation;
    uint32_t gated;     /* 1: with Wgate */
    uint32_t biases;    /* 1: of the perceptron, and of LayerNorm; those of the layer are its own */
    sqa_norm_kind norm; /* with a weight */
    float norm_eps;     /* finite, above 0 */
    uint32_t keep;      /* 1: a forward call writes what a backward call reads; see below */
} sqa_block_desc;

#define SQA_BLOCK_DESC_VERSION 1u
#define SQA_BLOCK_DESC_INIT                                                                        \
    {                                                                                              \
        SQA_BLOCK_DESC_VERSION, 0, SQA_BLOCK_SERIAL, SQA_NOT_SET, SQA_ACTIVATION_SILU, 1u, 0u,     \
            SQA_NORM_RMS, 1e-5f, 0u                                                                \
    }

/* What is kept from forward to backward: that of the layer, H of a serial block as `middle`, and
 * `up` = N Wup + bup and with a gate `gate` = N Wgate + bgate (rows, mlp_dim). Norms and what
 * follows from `up` and `gate` are computed anew. Start from SQA_BLOCK_KEPT_INIT. */
typedef struct sqa_block_kept {
    uint32_t version;        /* SQA_BLOCK_KEPT_VERSION */
    size_t bytes;            /* of one buffer that holds all of it */
    sqa_layer_kept layer;    /* its bytes: of this part alone, at the beginning */
    size_t middle, up, gate; /* offsets, in elements of each, for an sqa_tensor */
} sqa_block_kept;

#define SQA_BLOCK_KEPT_VERSION 1u
#define SQA_BLOCK_KEPT_INIT                                                                        \
    {                                                                                              \
        SQA_BLOCK_KEPT_VERSION, 0, SQA_LAYER_KEPT_INIT, 0, 0, 0                                    \
    }

/* Fills *out; desc->keep is not looked at. Errors: SQA_INVALID_ARGUMENT. */
SQA_API sqa_status sqa_block_kept_layout(const sqa_block_desc *desc, sqa_block_kept *out);

/* The tensors of a forward call. Start from SQA_BLOCK_TENSORS_INIT. Which of them are looked at
 * follows from the descriptor. Overlaps are checked as for sqa_layer_tensors. */
typedef struct sqa_block_tensors {
    uint32_t version; /* SQA_BLOCK_TENSORS_VERSION */

    /* X and Y of the block, and all that is the layer's but its workspace. */
    sqa_layer_tensors layer;

    sqa_tensor norm1, norm1_bias;
    sqa_tensor norm2, norm2_bias; /* of a serial block */
    sqa_tensor wup, wgate, wdown;
    sqa_tensor bup, bgate, bdown;

    sqa_tensor middle, up, gate; /* written with desc->keep */

    cl_mem workspace; /* as in sqa_tensors */
} sqa_block_tensors;

#define SQA_BLOCK_TENSORS_VERSION 1u
#define SQA_BLOCK_TENSORS_INIT                                                                     \
    {                                                                                              \
        SQA_BLOCK_TENSORS_VERSION, SQA_LAYER_TENSORS_INIT, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0                      \
    }

/* Start from SQA_BLOCK_BACKWARD_OPTIONS_INIT. */
typedef struct sqa_block_backward_options {
    uint32_t version;    /* SQA_BLOCK_BACKWARD_OPTIONS_VERSION */
    uint32_t accumulate; /* 1: gradients of parameters (all but dX) are added to what their tensors
                            hold */
} sqa_block_backward_options;

#define SQA_BLOCK_BACKWARD_OPTIONS_VERSION 1u
#define SQA_BLOCK_BACKWARD_OPTIONS_INIT                                                            \
    {                                                                                              \
        SQA_BLOCK_BACKWARD_OPTIONS_VERSION, 0u                                                     \
    }

/* The tensors of a backward call: the inputs of the forward call and what it kept, dY, and the
 * gradients of X and of every parameter, each like the tensor that it is of. */
typedef struct sqa_block_backward_tensors {
    uint32_t version; /* SQA_BLOCK_BACKWARD_TENSORS_VERSION */

    /* X, dY and dX of the block, and all that is the layer's but its workspace. */
    sqa_layer_backward_tensors layer;

    sqa_tensor norm1, norm1_bias;
    sqa_tensor norm2, norm2_bias;
    sqa_tensor wup, wgate, wdown;

    sqa_tensor middle, up, gate;

    /* Written. */
    sqa_tensor dnorm1, dnorm1_bias;
    sqa_tensor dnorm2, dnorm2_bias;
    sqa_tensor dwup, dwgate, dwdown;
    sqa_tensor dbup, dbgate, dbdown;

    cl_mem workspace; /* as in sqa_tensors */
} sqa_block_backward_tensors;

#define SQA_BLOCK_BACKWARD_TENSORS_VERSION 1u
#define SQA_BLOCK_BACKWARD_TENSORS_INIT                                                            \
    {                                                                                              \
        SQA_BLOCK_BACKWARD_TENSORS_VERSION, SQA_LAYER_BACKWARD_TENSORS_INIT, {0, 0}, {0, 0},       \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0                      \
    }

/* Plans, as sqa_layer_plan_create() makes them; of the plan's options (may be NULL) only
 * skip_database applies. `backward` may be NULL: SQA_BLOCK_BACKWARD_OPTIONS_INIT.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_block_plan_create(sqa_plan **out, sqa_context *context,
                                         const sqa_block_desc *desc,
                                         const sqa_plan_options *options);
SQA_API sqa_status sqa_block_backward_plan_create(sqa_plan **out, sqa_context *context,
                                                  const sqa_block_desc *desc,
                                                  const sqa_block_backward_options *backward,
                                                  const sqa_plan_options *options);

/* Enqueue such plans. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_block_run(sqa_plan *plan, cl_command_queue queue,
                                 const sqa_block_tensors *tensors, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *event);
SQA_API sqa_status sqa_block_backward_run(sqa_plan *plan, cl_command_queue queue,
                                          const sqa_block_backward_tensors *tensors,
                                          cl_uint wait_count, const cl_event *wait_list,
                                          cl_event *event);

/* The same with plans that the context keeps for equal descriptors and options, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_block(sqa_context *context, cl_command_queue queue,
                             const sqa_block_desc *desc, const sqa_block_tensors *tensors,
                             cl_uint wait_count, const cl_event *wait_list, cl_event *event);
SQA_API sqa_status sqa_block_backward(sqa_context *context, cl_command_queue queue,
                                      const sqa_block_desc *desc,
                                      const sqa_block_backward_options *backward,
                                      const sqa_block_backward_tensors *tensors, cl_uint wait_count,
                                      const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
