/* The matrix product, with what usually follows it:
 *
 *   C = act(alpha op(A) op(B) + beta C + bias) + residual
 *   C = act(alpha op(A) op(B) + bias) * (alpha op(A) op(B2) + bias2) + residual      gated
 *
 * op is the matrix as it is stored, or transposed; sums are kept in f32 and rounded once. Of
 * a linear layer Y = act(X W^T + b), X is A, W is B with transpose_b, and its gradients are
 * dX = dY W (B as it is stored) and dW = dY^T X (transpose_a), with beta = 1 where gradients
 * are added up.
 *
 * Shapes (last dimension contiguous, the others by strides):
 *   A         (batch, m, k), transposed (batch, k, m)
 *   B, B2     (batch, k, n), transposed (batch, n, k)
 *   C         (batch, m, n)
 *   residual  (batch, m, n)
 *   bias, bias2  (n)
 *
 * With k = 0 the product is 0, and C = act(beta C + bias) + residual. Results are the same,
 * bit for bit, every time, and do not depend on how many cores there are. */
#ifndef SQA_CL_MATMUL_H
#define SQA_CL_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of every element x. */
typedef enum sqa_activation {
    SQA_ACTIVATION_NONE = 0,
    SQA_ACTIVATION_SILU = 1,       /* x / (1 + exp(-x)) */
    SQA_ACTIVATION_GELU_TANH = 2,  /* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
    SQA_ACTIVATION_GELU_ERF = 3,   /* x / 2 (1 + erf(x / sqrt(2))) */
    SQA_ACTIVATION_SIGMOID = 4,    /* 1 / (1 + exp(-x)) */
    SQA_ACTIVATION_RELU = 5,       /* max(x, 0) */
    SQA_ACTIVATION_LOG_SIGMOID = 6 /* log(1 / (1 + exp(-x))) */
} sqa_activation;

/* Elements from a matrix to the next one of the batch, and from a row to the next one. Both
 * zero: packed. A batch of which all entries read one matrix has batch = 0. */
typedef struct sqa_matrix_strides {
    int64_t batch;
    int64_t row;
} sqa_matrix_strides;

/* Start from SQA_MATMUL_DESC_INIT and set at least m, n and k. */
typedef struct sqa_matmul_desc {
    uint32_t version;                  /* SQA_MATMUL_DESC_VERSION */
    sqa_dtype dtype;                   /* of every tensor */
    uint32_t batch;                    /* 0..2^30; 0 does nothing */
    uint32_t m, n;                     /* 0..2^30; 0 does nothing */
    uint32_t k;                        /* 0..2^30 */
    uint32_t transpose_a, transpose_b; /* 1: is stored transposed */
    sqa_matrix_strides a, b, c,
        residual; /* b is also that of B2; of C, elements must not overlap */
    float alpha;  /* finite; 0: A and B are not looked at */
    float beta;   /* finite; 0: what C holds before is not looked at */
    sqa_activation activation;
    uint32_t bias;         /* 1: tensors.bias, with `gated` also bias2 */
    uint32_t gated;        /* 1: tensors.b2; without beta */
    uint32_t add_residual; /* 1: tensors.residual */
} sqa_matmul_desc;

#define SQA_MATMUL_DESC_VERSION 1u
#define SQA_MATMUL_DESC_INIT                                                                       \
    {                                                                                              \
        SQA_MATMUL_DESC_VERSION, SQA_DTYPE_F32, 1u, SQA_NOT_SET, SQA_NOT_SET, SQA_NOT_SET, 0u, 0u, \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, 1.0f, 0.0f, SQA_ACTIVATION_NONE, 0u, 0u, 0u            \
    }

/* B, and with a gate B2, as kernels read them: see sqa_matmul_pack(). */
typedef struct sqa_matmul_packed sqa_matmul_packed;

/* The tensors of one call. Start from SQA_MATMUL_TENSORS_INIT. Inputs are only read and may
 * overlap each other; C overlaps none of them. */
typedef struct sqa_matmul_tensors {
    uint32_t version; /* SQA_MATMUL_TENSORS_VERSION */
    sqa_tensor a, b, c;

    /* Read only where the descriptor says so. */
    sqa_tensor b2;
    sqa_tensor bias, bias2;
    sqa_tensor residual;

    cl_mem workspace; /* as in sqa_tensors */

    /* Since version 2: weights packed before, instead of b and b2; NULL: none. */
    const sqa_matmul_packed *packed;
} sqa_matmul_tensors;

#define SQA_MATMUL_TENSORS_VERSION 2u
#define SQA_MATMUL_TENSORS_INIT                                                                    \
    {                                                                                              \
        SQA_MATMUL_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0, 0   \
    }

/* A plan for sqa_matmul(), as sqa_plan_create() makes one for sqa_forward(), and with the same
 * options (may be NULL), which name families of this operation. Everything is copied.
 * Errors: those of sqa_plan_create(). */
SQA_API sqa_status sqa_matmul_plan_create(sqa_plan **out, sqa_context *context,
                                          const sqa_matmul_desc *desc,
                                          const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_matmul_run(sqa_plan *plan, cl_command_queue queue,
                                  const sqa_matmul_tensors *tensors, cl_uint wait_count,
                                  const cl_event *wait_list, cl_event *event);

/* Packs tensors.b, and with a gate tensors.b2, once for all calls that follow, of weights that do
 * not change; results are the same, bit for bit. Enqueues and returns at once: waits for the
 * events given, and *event (may be NULL) completes when the weights are packed, for which calls
 * on other queues have to wait.
 *
 * For tensors.packed of sqa_matmul_run() and sqa_matmul(), with this plan and every other of the
 * same OpenCL context whose B is the same (desc.n, k, dtype, transpose_b, gated, b, and the batch
 * where every entry has a B of its own) and which is packed alike: m, factors and what follows
 * the sums may differ. A plan whose configuration reads it in another way refuses it, and says
 * what differs. The workspace that a plan asks for stays the same.
 *
 * The handle has a buffer of its own, about as large as B in f32, and a reference to B itself,
 * which kernels that pack nothing read in place. *out belongs to the caller, may be used by
 * several threads at once, and outlive plan and context; sqa_matmul_packed_destroy() (NULL: does
 * nothing) waits for nothing, and may be called while calls that were enqueued run on.
 * Errors: those of sqa_matmul_run(). */
SQA_API sqa_status sqa_matmul_pack(sqa_matmul_packed **out, sqa_plan *plan, cl_command_queue queue,
                                   const sqa_matmul_tensors *tensors, cl_uint wait_count,
                                   const cl_event *wait_list, cl_event *event);
SQA_API void sqa_matmul_packed_destroy(sqa_matmul_packed *packed);

/* sqa_matmul_run() with a plan that the context keeps for equal descriptors, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_matmul(sqa_context *context, cl_command_queue queue,
                              const sqa_matmul_desc *desc, const sqa_matmul_tensors *tensors,
                              cl_uint wait_count, const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
