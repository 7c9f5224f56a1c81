/* Normalisation of rows, over the last dimension of (batch, heads, length, dim):
 *
 *   RMSNorm    Y = X / sqrt(mean(X^2) + eps) * weight
 *   LayerNorm  Y = (X - mean(X)) / sqrt(var(X) + eps) * weight + bias
 *
 * and its gradients (of no rows, dWeight and dBias are 0) from X, dY and weight; statistics are
 * computed anew from X, so that nothing has to be kept. Queries and keys are normalised with their
 * heads, the rows of a model with heads = 1 and dim = d_model. Tensors are given by strides, the
 * last dimension contiguous; weight and bias are (dim). Sums are kept in f32; those of dWeight and
 * dBias over rows are added up in an order that does not depend on how many cores there are:
 * results are the same, bit for bit, every time. */
#ifndef SQA_CL_NORM_H
#define SQA_CL_NORM_H

#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sqa_norm_kind { SQA_NORM_RMS = 0, SQA_NORM_LAYER = 1 } sqa_norm_kind;

/* Start from SQA_NORM_DESC_INIT and set at least length and dim. */
typedef struct sqa_norm_desc {
    uint32_t version; /* SQA_NORM_DESC_VERSION */
    sqa_norm_kind kind;
    sqa_dtype dtype;  /* of every tensor */
    uint32_t batch;   /* 0..2^30; 0 does nothing */
    uint32_t heads;   /* 1..65535 */
    uint32_t length;  /* 0..2^30; 0 does nothing */
    uint32_t dim;     /* 1..2^20 */
    float eps;        /* finite, above 0 */
    uint32_t weight;  /* 1: tensors.weight */
    uint32_t bias;    /* 1: tensors.bias; only with SQA_NORM_LAYER */
    sqa_strides x, y; /* all three zero: packed; of Y, elements must not overlap */
} sqa_norm_desc;

#define SQA_NORM_DESC_VERSION 1u
#define SQA_NORM_DESC_INIT                                                                         \
    {                                                                                              \
        SQA_NORM_DESC_VERSION, SQA_NORM_RMS, SQA_DTYPE_F32, 1u, 1u, SQA_NOT_SET, SQA_NOT_SET,      \
            1e-5f, 1u, 0u, {0, 0, 0},                                                              \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* The tensors of one call. Start from SQA_NORM_TENSORS_INIT. Y may be X itself: the same buffer,
 * offset and strides; else it lies apart from all others. */
typedef struct sqa_norm_tensors {
    uint32_t version; /* SQA_NORM_TENSORS_VERSION */
    sqa_tensor x, y;
    sqa_tensor weight, bias; /* read only where the descriptor says so */
    cl_mem workspace;        /* as in sqa_tensors */
} sqa_norm_tensors;

#define SQA_NORM_TENSORS_VERSION 1u
#define SQA_NORM_TENSORS_INIT                                                                      \
    {                                                                                              \
        SQA_NORM_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0                                \
    }

/* Bits of a set of gradients. */
typedef enum sqa_norm_gradient {
    SQA_NORM_GRADIENT_X = 1,
    SQA_NORM_GRADIENT_WEIGHT = 2, /* with norm.weight */
    SQA_NORM_GRADIENT_BIAS = 4    /* with norm.bias */
} sqa_norm_gradient;

/* Start from SQA_NORM_BACKWARD_DESC_INIT and set at least what sqa_norm_desc asks for. */
typedef struct sqa_norm_backward_desc {
    uint32_t version;    /* SQA_NORM_BACKWARD_DESC_VERSION */
    sqa_norm_desc norm;  /* as it was forward; y does not count */
    uint32_t gradients;  /* those wanted; 0: all that there are */
    uint32_t accumulate; /* of those, the ones that are added to what is there */
    sqa_strides dy, dx;  /* all three zero: packed; of dX, elements must not overlap */
} sqa_norm_backward_desc;

#define SQA_NORM_BACKWARD_DESC_VERSION 1u
#define SQA_NORM_BACKWARD_DESC_INIT                                                                \
    {                                                                                              \
        SQA_NORM_BACKWARD_DESC_VERSION, SQA_NORM_DESC_INIT, 0u, 0u, {0, 0, 0},                     \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* Outputs lie apart from all others; those that are not wanted need not be there. */
typedef struct sqa_norm_backward_tensors {
    uint32_t version; /* SQA_NORM_BACKWARD_TENSORS_VERSION */
    sqa_tensor x, dy;
    sqa_tensor weight; /* only with norm.weight */
    sqa_tensor dx, dweight, dbias;
    cl_mem workspace; /* as in sqa_tensors */
} sqa_norm_backward_tensors;

#define SQA_NORM_BACKWARD_TENSORS_VERSION 1u
#define SQA_NORM_BACKWARD_TENSORS_INIT                                                             \
    {                                                                                              \
        SQA_NORM_BACKWARD_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0       \
    }

/* Plans, as sqa_plan_create() makes one for sqa_forward(), with the same options (may be NULL),
 * which name families of these operations. Everything is copied.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_norm_plan_create(sqa_plan **out, sqa_context *context,
                                        const sqa_norm_desc *desc, const sqa_plan_options *options);
SQA_API sqa_status sqa_norm_backward_plan_create(sqa_plan **out, sqa_context *context,
                                                 const sqa_norm_backward_desc *desc,
                                                 const sqa_plan_options *options);

/* Enqueue such plans. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_norm_run(sqa_plan *plan, cl_command_queue queue,
                                const sqa_norm_tensors *tensors, cl_uint wait_count,
                                const cl_event *wait_list, cl_event *event);
SQA_API sqa_status sqa_norm_backward_run(sqa_plan *plan, cl_command_queue queue,
                                         const sqa_norm_backward_tensors *tensors,
                                         cl_uint wait_count, const cl_event *wait_list,
                                         cl_event *event);

/* The same with plans that the context keeps for equal descriptors, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_norm(sqa_context *context, cl_command_queue queue, const sqa_norm_desc *desc,
                            const sqa_norm_tensors *tensors, cl_uint wait_count,
                            const cl_event *wait_list, cl_event *event);
SQA_API sqa_status sqa_norm_backward(sqa_context *context, cl_command_queue queue,
                                     const sqa_norm_backward_desc *desc,
                                     const sqa_norm_backward_tensors *tensors, cl_uint wait_count,
                                     const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
