/* Activations and gates, element by element, and their gradients:
 *
 *   Y = r act(A) + residual          or, gated,   Y = r act(A) * B + residual
 *
 *   dA = act'(A) r dY                or, gated,   dA = act'(A) B r dY,  dB = act(A) r dY
 *
 * where r is 1 without dropout. With it, r is 0 for the part desc.dropout of all elements and
 * 1 / (1 - dropout) for the others, so that Y is right on average (Srivastava et al., JMLR 15,
 * 2014). Which are dropped follows from the seed as in attention (pattern.h), where column j of a
 * row is key j of that query, of head 0: the same seed drops the same in the backward pass, and a
 * seed of its own for each use drops independently.
 *
 * SwiGLU (arXiv 2002.05202) is SiLU gated, an output gate the sigmoid; without an activation Y is
 * A * B, or a sum. Where a product precedes, sqa_matmul() does the same without another pass over
 * memory; this is for what is left, and for gradients. The gradient of the residual is dY.
 *
 * Shapes (last dimension contiguous, the others by strides):
 *   A, B, Y, residual  (batch, length, dim)
 *   dY                 laid out as Y, dA as A, dB as B
 *   dropout_seed       two int32, the lower half of the seed first
 *
 * Everything is computed in f32 and rounded once. */
#ifndef SQA_CL_ACTIVATION_H
#define SQA_CL_ACTIVATION_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "matmul.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Start from SQA_ACTIVATION_DESC_INIT and set at least length and dim. */
typedef struct sqa_activation_desc {
    uint32_t version;     /* SQA_ACTIVATION_DESC_VERSION */
    sqa_dtype dtype;      /* of every tensor but where `wide` says so */
    uint32_t batch;       /* 0..2^30; 0 does nothing, like the next two */
    uint32_t length, dim; /* 0..2^30 */
    sqa_activation activation;
    uint32_t gated;        /* 1: times tensors.b */
    uint32_t add_residual; /* 1: tensors.residual; the gradients have no use for it */
    sqa_matrix_strides a, b, y, residual; /* of Y, and of gradients, elements must not overlap */
    float dropout;                        /* the part that is dropped, 0 (none) to less than 1 */
    uint32_t wide;                        /* 1: Y, and dY, are f32 whatever dtype is */
} sqa_activation_desc;

#define SQA_ACTIVATION_DESC_VERSION 1u
#define SQA_ACTIVATION_DESC_INIT                                                                   \
    {                                                                                              \
        SQA_ACTIVATION_DESC_VERSION, SQA_DTYPE_F32, 1u, SQA_NOT_SET, SQA_NOT_SET,                  \
            SQA_ACTIVATION_NONE, 0u, 0u, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0.0f, 0u                  \
    }

/* The tensors of one call. Start from SQA_ACTIVATION_TENSORS_INIT. Inputs are only read and
 * may overlap each other. Y may be A itself, stored alike: the same buffer, offset and
 * strides; else it overlaps none of them. */
typedef struct sqa_activation_tensors {
    uint32_t version; /* SQA_ACTIVATION_TENSORS_VERSION */
    sqa_tensor a, y;
    sqa_tensor b, residual, dropout_seed; /* read only where the descriptor says so */
    cl_mem workspace;                     /* as in sqa_tensors */
} sqa_activation_tensors;

#define SQA_ACTIVATION_TENSORS_VERSION 1u
#define SQA_ACTIVATION_TENSORS_INIT                                                                \
    {                                                                                              \
        SQA_ACTIVATION_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0                  \
    }

/* Which gradients. Start from SQA_ACTIVATION_BACKWARD_OPTIONS_INIT, which asks for all. */
typedef struct sqa_activation_backward_options {
    uint32_t version;    /* SQA_ACTIVATION_BACKWARD_OPTIONS_VERSION */
    uint32_t da, db;     /* 1: computed; at least one of those there are */
    uint32_t accumulate; /* 1: added to what is there */
} sqa_activation_backward_options;

#define SQA_ACTIVATION_BACKWARD_OPTIONS_VERSION 1u
#define SQA_ACTIVATION_BACKWARD_OPTIONS_INIT                                                       \
    {                                                                                              \
        SQA_ACTIVATION_BACKWARD_OPTIONS_VERSION, 1u, 1u, 0u                                        \
    }

/* Start from SQA_ACTIVATION_BACKWARD_TENSORS_INIT. Gradients overlap nothing. */
typedef struct sqa_activation_backward_tensors {
    uint32_t version; /* SQA_ACTIVATION_BACKWARD_TENSORS_VERSION */
    sqa_tensor a, b, dy, dropout_seed;
    sqa_tensor da, db; /* written */
    cl_mem workspace;  /* as in sqa_tensors */
} sqa_activation_backward_tensors;

#define SQA_ACTIVATION_BACKWARD_TENSORS_VERSION 1u
#define SQA_ACTIVATION_BACKWARD_TENSORS_INIT                                                       \
    {                                                                                              \
        SQA_ACTIVATION_BACKWARD_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0 \
    }

/* A plan for sqa_activation_run(), as sqa_plan_create() makes one for sqa_forward(), and with the
 * same options (may be NULL), which name families of this operation. Everything is copied.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_activation_plan_create(sqa_plan **out, sqa_context *context,
                                              const sqa_activation_desc *desc,
                                              const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_activation_run(sqa_plan *plan, cl_command_queue queue,
                                      const sqa_activation_tensors *tensors, cl_uint wait_count,
                                      const cl_event *wait_list, cl_event *event);

/* A plan for the gradients of such a call; `backward` may be NULL:
 * SQA_ACTIVATION_BACKWARD_OPTIONS_INIT. */
SQA_API sqa_status sqa_activation_backward_plan_create(
    sqa_plan **out, sqa_context *context, const sqa_activation_desc *desc,
    const sqa_activation_backward_options *backward, const sqa_plan_options *options);

SQA_API sqa_status sqa_activation_backward(sqa_plan *plan, cl_command_queue queue,
                                           const sqa_activation_backward_tensors *tensors,
                                           cl_uint wait_count, const cl_event *wait_list,
                                           cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
