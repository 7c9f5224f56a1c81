/* Backward attention: the gradients of a forward call (attention.h), for training.
 *
 * From the inputs of the forward call, its outputs O and LSE, and dO, the gradient of the loss
 * with respect to O, come the gradients with respect to the inputs. With S, what the softmax
 * saw (scaled, capped, biased), P = exp(S - LSE) and (FlashAttention-2, arXiv 2307.08691,
 * section 3.1.2 and algorithm 2):
 *
 *   delta = rowsum(dO * O)          dV = P^T dO
 *   dS = P * (dO V^T - delta)       dQ = scale * dS' K, dK = scale * dS'^T Q
 *
 * where dS' is dS through the derivative of the softcap, and P is 0 where a key is not seen.
 * Nothing of the size of P is stored: P is computed again from Q, K and LSE.
 *
 * Shapes (last dimension contiguous, the others by strides; in a ragged batch packed as Q and
 * K are):
 *   dO      like O
 *   dQ      like Q; where query heads are repeated (rSQA), the sum over their repetitions
 *   dK, dV  like K and V; the sum over the query heads that share a key/value head
 *   dBias   like the bias and stored like it, the sum over the dimensions that it repeats
 *   dSinks, dSlopes  (output heads), f32, the sum over batch and queries
 *
 * Sums are kept in f32 and rounded once. Results are the same, bit for bit, every time: no
 * atomics, and nothing depends on how many cores there are.
 *
 * Rows of LSE = -inf, which saw no key, add nothing to any gradient, whatever is in their O and
 * dO, and have dQ = 0. What a mask hides, or lies beyond a length, reaches no gradient, NaN
 * and infinity included. An output that exists is written: without queries, dK and dV are 0.
 *
 * Numbers. Finite inputs, however large or small, give the result of the formulas above but for
 * rounding, as long as
 *   - products of Q and K stay within what attention.h says of them; of k what it says of q;
 *   - delta and the sums of dO V^T, and of P dO, dS' K and dS'^T Q, on their way too, stay within
 *     FLT_MAX. Where |scale| is less than 2^-23 or more than 2^24, delta, dO V^T and dS' count
 *     times the root of 2^23 |scale| or of 2^-24 |scale|.
 * A gradient beyond FLT_MAX is infinite. A P of less than 2^-126 may count as 0.
 *
 * LSE counts as what is passed, an f32: its rounding, some |LSE| 2^-24, makes P as much larger or
 * smaller, relatively; of a row with an LSE of 1000, some 6e-5. From |LSE| of 2^20 on, as a large
 * bias or large scores make it, that is no small part any more, and from 2^24 on P says nothing of
 * the keys whose scores are near LSE, but where they are LSE to the last bit: it is anything from
 * 0 to 2^127, and neither infinite nor NaN. Keys and sinks far below LSE have the P that they
 * should, 0. LSE = inf, of a row whose scores are beyond FLT_MAX, makes P 0. */
#ifndef SQA_CL_BACKWARD_H
#define SQA_CL_BACKWARD_H

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gradients; bits, so that a call may ask for any of them. */
typedef enum sqa_gradient {
    SQA_GRADIENT_Q = 1,
    SQA_GRADIENT_K = 2,
    SQA_GRADIENT_V = 4,
    SQA_GRADIENT_BIAS = 8,   /* with desc->bias.present */
    SQA_GRADIENT_SINKS = 16, /* with desc->sinks */
    SQA_GRADIENT_SLOPES = 32 /* with desc->alibi SQA_ALIBI_SLOPES */
} sqa_gradient;

/* Start from SQA_BACKWARD_OPTIONS_INIT, which asks for dQ, dK and dV. What is not asked for is
 * neither computed nor written: dQ alone takes three of the five matrix products, dK and dV
 * alone four.
 *
 * Strides, all three zero: those of the tensor that the gradient is of (of dO: those of O), or
 * packed where that one repeats elements. A gradient's elements must not overlap; dBias has
 * strides of zero just where the bias has them, and is packed along the others by default. */
typedef struct sqa_backward_options {
    uint32_t version;    /* SQA_BACKWARD_OPTIONS_VERSION */
    uint32_t gradients;  /* sqa_gradient bits, at least one */
    uint32_t accumulate; /* 1: gradients are added to what their tensors hold, after summing */
    sqa_strides dout, dq, dk, dv, dbias;
} sqa_backward_options;

#define SQA_BACKWARD_OPTIONS_VERSION 1u
#define SQA_BACKWARD_OPTIONS_INIT                                                                  \
    {                                                                                              \
        SQA_BACKWARD_OPTIONS_VERSION, 7u, 0u, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0},          \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* The tensors of one call. Start from SQA_BACKWARD_TENSORS_INIT. Inputs are only read and may
 * overlap each other; gradients overlap nothing, which is checked as for sqa_tensors. */
typedef struct sqa_backward_tensors {
    uint32_t version; /* SQA_BACKWARD_TENSORS_VERSION */

    /* As in the forward call, and what it wrote. */
    sqa_tensor q, k, v;
    sqa_tensor o, lse;
    sqa_tensor bias, mask, key_mask;
    sqa_tensor sinks, slopes;
    sqa_tensor globals;
    sqa_tensor block_offsets, block_indices;
    sqa_tensor cu_seqlens_q, cu_seqlens_kv;
    sqa_tensor dropout_seed;

    sqa_tensor dout;

    /* Written where they are asked for. */
    sqa_tensor dq, dk, dv;
    sqa_tensor dbias, dsinks, dslopes;

    cl_mem workspace; /* as in sqa_tensors */
} sqa_backward_tensors;

#define SQA_BACKWARD_TENSORS_VERSION 1u
#define SQA_BACKWARD_TENSORS_INIT                                                                  \
    {                                                                                              \
        SQA_BACKWARD_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},      \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0                                      \
    }

/* A plan for sqa_backward(), as sqa_plan_create() makes one for sqa_forward(). The descriptor is
 * that of the forward call, whose `operation` and `write_lse` are not looked at; everything is
 * copied. `backward` may be NULL: SQA_BACKWARD_OPTIONS_INIT. Of the plan's options (may be NULL)
 * only skip_database applies: a backward pass is made of several operations, each of which has
 * kernel families of its own.
 *
 * sqa_plan_workspace_size() is 4 bytes per output head and query (delta), and what the kernels
 * chosen need, which is linear in the lengths, too.
 * Errors: besides those of sqa_plan_create(), SQA_INVALID_ARGUMENT for gradients of what the
 * descriptor has not, and for strides that make gradients overlap. */
SQA_API sqa_status sqa_backward_plan_create(sqa_plan **out, sqa_context *context,
                                            const sqa_attention_desc *desc,
                                            const sqa_backward_options *backward,
                                            const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_backward(sqa_plan *plan, cl_command_queue queue,
                                const sqa_backward_tensors *tensors, cl_uint wait_count,
                                const cl_event *wait_list, cl_event *event);

/* sqa_backward() with a plan that the context keeps for equal descriptors and options, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_attention_backward(sqa_context *context, cl_command_queue queue,
                                          const sqa_attention_desc *desc,
                                          const sqa_backward_options *backward,
                                          const sqa_backward_tensors *tensors, cl_uint wait_count,
                                          const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
