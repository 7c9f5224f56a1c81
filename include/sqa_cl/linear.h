/* Linear attention: a state of head_dim x value_dim per key/value head instead of the scores of
 * all pairs, so that time is linear in the length, and a token's the same wherever it stands.
 *
 * With f the feature map, token t of a causal sequence (Katharopoulos et al., arXiv 2006.16236;
 * decay: RetNet, arXiv 2307.08621, and gated linear attention, arXiv 2312.06635; the delta rule:
 * arXiv 2406.06484, gated: arXiv 2412.06464; rules and state as ONNX LinearAttention has them):
 *
 *   S_t = A_t S_(t-1) + f(k_t) r_t^T        A_t = diag(exp(decay_t)), decay_t <= 0
 *   r_t = v_t                               or, of the delta rule,
 *   r_t = beta_t (v_t - (A_t S_(t-1))^T f(k_t))
 *   o_t = scale S_t^T f(q_t)                or, normalised,
 *   o_t = scale S_t^T f(q_t) / (scale z_t . f(q_t) + epsilon),   z_t = A_t z_(t-1) + f(k_t)
 *
 * Without causal every query sees the state of all keys, and there is neither decay nor the delta
 * rule: o = scale S^T f(q), S = S_0 + sum of f(k) v^T. S_0 and z_0 are 0 where they are not given.
 *
 * Shapes (last dimension contiguous, the others by strides), heads as in attention.h:
 *   Q, K, V, O     as in attention.h; in a ragged batch, pattern.h. Of a causal sequence there are
 *                  as many keys as queries, and cu_seqlens_kv is not looked at
 *   decay          natural logarithm, f32: (kv_heads), packed; (batch, kv_heads, kv_length); or
 *                  (batch, kv_heads, kv_length, head_dim)
 *   beta           (batch, kv_heads, kv_length), f32
 *   state_in, state  S_0 and S of the last token, (batch, kv_heads, head_dim, value_dim), packed,
 *                  f32; in a ragged batch one for each sequence
 *   sums_in, sums  z_0 and z of the last token, (batch, kv_heads, head_dim), packed, f32
 *
 * A call on the first tokens and, from its state, one on those behind them give what one call on
 * all gives, but for rounding. Generation is that with q_length = kv_length = 1 and
 * SQA_STATE_IN_PLACE.
 *
 * Numbers. Everything is added up in f32, and rounded once where it is stored. A decay is
 * exponentiated as it stands or in sums of several tokens', never its negative, so that none is
 * too strong: what has decayed below the smallest number is 0. At lengths up to 65,536, and decays
 * from none to a ten-thousandth a token, O and states are within 2e-6 of what fp64 says (relative
 * RMS), gradients within 1e-5; that of a decay per head, a sum over all tokens, at half of that
 * length. Of the delta rule beta |f(k)|^2 has to stay below 2, or the state grows without bounds.
 * Results are the same, bit for bit, every time, and do not depend on how many cores there are. */
#ifndef SQA_CL_LINEAR_H
#define SQA_CL_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* f, of every element of q and k. */
typedef enum sqa_feature {
    SQA_FEATURE_IDENTITY = 0, /* x: also of what the caller has mapped */
    SQA_FEATURE_ELU1 = 1,     /* elu(x) + 1: x + 1 from 0 on, exp(x) below */
    SQA_FEATURE_RELU = 2      /* max(x, 0) */
} sqa_feature;

typedef enum sqa_decay {
    SQA_DECAY_NONE = 0,
    SQA_DECAY_HEAD = 1,   /* a number per head: retention */
    SQA_DECAY_TOKEN = 2,  /* per head and token */
    SQA_DECAY_CHANNEL = 3 /* per head, token and element of k */
} sqa_decay;

/* Which states there are; with `normalise` also of the sums. */
typedef enum sqa_linear_state {
    SQA_STATE_NONE = 0,
    SQA_STATE_IN = 1,      /* tensors.state_in */
    SQA_STATE_OUT = 2,     /* tensors.state */
    SQA_STATE_IN_OUT = 3,  /* both */
    SQA_STATE_IN_PLACE = 4 /* tensors.state, read and then written */
} sqa_linear_state;

/* Start from SQA_LINEAR_OPTIONS_INIT. Strides that are all three zero: packed. */
typedef struct sqa_linear_options {
    uint32_t version; /* SQA_LINEAR_OPTIONS_VERSION */
    sqa_feature feature;
    sqa_decay decay;           /* but for NONE, with causal */
    uint32_t delta;            /* 1: the delta rule; with causal, without normalise */
    uint32_t normalise;        /* 1 */
    float epsilon;             /* of normalise: positive and finite */
    sqa_linear_state state;    /* S_0 and S */
    sqa_strides decay_strides; /* of DECAY_TOKEN and DECAY_CHANNEL */
    sqa_strides beta_strides;
} sqa_linear_options;

#define SQA_LINEAR_OPTIONS_VERSION 1u
#define SQA_LINEAR_OPTIONS_INIT                                                                    \
    {                                                                                              \
        SQA_LINEAR_OPTIONS_VERSION, SQA_FEATURE_IDENTITY, SQA_DECAY_NONE, 0u, 0u, 1e-6f,           \
            SQA_STATE_NONE, {0, 0, 0},                                                             \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* The tensors of one call. Start from SQA_LINEAR_TENSORS_INIT. Inputs are only read and may
 * overlap each other; o, state and sums overlap nothing. */
typedef struct sqa_linear_tensors {
    uint32_t version; /* SQA_LINEAR_TENSORS_VERSION */
    sqa_tensor q, k, v, o;

    /* Read or written only where descriptor and options say so. */
    sqa_tensor cu_seqlens_q, cu_seqlens_kv;
    sqa_tensor decay, beta;
    sqa_tensor state_in, sums_in;
    sqa_tensor state, sums;

    cl_mem workspace; /* as in sqa_tensors */
} sqa_linear_tensors;

#define SQA_LINEAR_TENSORS_VERSION 1u
#define SQA_LINEAR_TENSORS_INIT                                                                    \
    {                                                                                              \
        SQA_LINEAR_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0                                              \
    }

/* A plan for sqa_linear_forward(), as sqa_plan_create() makes one for sqa_forward(), and with the
 * same options (may be NULL), which name families of this operation. Of the descriptor count
 * storage, batch, heads, lengths, dimensions, scale, causal, strides and ragged; all else stays as
 * SQA_ATTENTION_DESC_INIT has it. `linear` may be NULL: SQA_LINEAR_OPTIONS_INIT. Everything is
 * copied.
 * Errors: those of sqa_plan_create(); SQA_INVALID_ARGUMENT for what linear attention has not. */
SQA_API sqa_status sqa_linear_plan_create(sqa_plan **out, sqa_context *context,
                                          const sqa_attention_desc *desc,
                                          const sqa_linear_options *linear,
                                          const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_linear_forward(sqa_plan *plan, cl_command_queue queue,
                                      const sqa_linear_tensors *tensors, cl_uint wait_count,
                                      const cl_event *wait_list, cl_event *event);

/* sqa_linear_forward() with a plan that the context keeps for equal descriptors and options, as
 * sqa_attention_forward(). */
SQA_API sqa_status sqa_linear_attention(sqa_context *context, cl_command_queue queue,
                                        const sqa_attention_desc *desc,
                                        const sqa_linear_options *linear,
                                        const sqa_linear_tensors *tensors, cl_uint wait_count,
                                        const cl_event *wait_list, cl_event *event);

/* Backward: the gradients of a call of sqa_linear_forward(), of all its inputs, from dO and that
 * of the last state. With D_t that of S_t, the states computed again, P_t = A_t S_(t-1),
 * kappa = f(k) and chi = f(q), per key/value head from the last token to the first
 *
 *   D_t += scale chi_t dO_t^T             of every query head; D of the last token is dstate
 *   dchi_t = scale S_t dO_t               dr_t = D_t^T kappa_t
 *   dv_t = dr_t, dkappa_t = D_t r_t       or, of the delta rule,
 *   dv_t = beta_t dr_t, dbeta_t = dr_t . (v_t - P_t^T kappa_t),
 *   dkappa_t = D_t r_t - beta_t P_t dr_t, D_t -= beta_t kappa_t dr_t^T
 *   ddecay_t = rowsum(P_t * D_t), D_(t-1) = A_t D_t
 *
 * and dq = dchi f'(q), dk = dkappa f'(k), where f' of ReLU at 0 is 0. Normalised, dO counts over
 * its divisor, and the sums are a column more of the state, whose dO is the divisor's gradient.
 *
 * Shapes, packed where nothing else is said:
 *   dO, dQ, dK, dV  laid out as O, Q, K, V; packed where one of those repeats elements. Of query
 *                   heads that are repeated (rSQA), dQ is the sum over their repetitions
 *   ddecay, dbeta   as decay and beta, f32; of a decay per head, the sum over batch and tokens; of
 *                   one per token, over its channels
 *   dstate, dsums   read with SQA_STATE_OUT, like state and sums
 *   dstate_in, dsums_in  written with SQA_STATE_IN, like state_in and sums_in
 *
 * A gradient that is a small difference of large terms has the rounding of those terms: as dq of
 * normalised weights of which a key other than the row's own has nearly all. That of a decay per
 * head is a sum over all tokens, which add to it with either sign: within 1e-5 of the sum of their
 * magnitudes, of which it may itself be a thousandth. A token's own number is within 1e-5 (relative
 * RMS) however strong decays are; of normalised weights, with ELU + 1.
 *
 * Every output that there is is written, and has to be given. For each key/value head of a sequence
 * the workspace keeps the state before every chunk of tokens: of family columns those of CHUNK, 48
 * by default, or 24 of few dimensions; of family naive of 32, and that at each of the 32 which are
 * being gone back through; of family tiled the state before and its gradient behind each CHUNK, by
 * default 8 to 32, and of the delta rule two rows of value_dim numbers a token. Memory is linear in
 * the length. */
typedef struct sqa_linear_backward_tensors {
    uint32_t version; /* SQA_LINEAR_BACKWARD_TENSORS_VERSION */
    /* As in the forward call. */
    sqa_tensor q, k, v;
    sqa_tensor cu_seqlens_q, cu_seqlens_kv;
    sqa_tensor decay, beta;
    sqa_tensor state_in, sums_in;

    sqa_tensor dout;
    sqa_tensor dstate, dsums;

    sqa_tensor dq, dk, dv; /* written */
    sqa_tensor ddecay, dbeta;
    sqa_tensor dstate_in, dsums_in;

    cl_mem workspace; /* as in sqa_tensors */
} sqa_linear_backward_tensors;

#define SQA_LINEAR_BACKWARD_TENSORS_VERSION 1u
#define SQA_LINEAR_BACKWARD_TENSORS_INIT                                                           \
    {                                                                                              \
        SQA_LINEAR_BACKWARD_TENSORS_VERSION, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},       \
            {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},        \
            {0, 0}, {0, 0}, {0, 0}, 0                                                              \
    }

/* A plan for sqa_linear_backward(), of the forward call's descriptor and options.
 * Errors: those of sqa_linear_plan_create(); SQA_INVALID_ARGUMENT for SQA_STATE_IN_PLACE, whose
 * first state is gone. */
SQA_API sqa_status sqa_linear_backward_plan_create(sqa_plan **out, sqa_context *context,
                                                   const sqa_attention_desc *desc,
                                                   const sqa_linear_options *linear,
                                                   const sqa_plan_options *options);

/* Enqueues such a plan. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_linear_backward(sqa_plan *plan, cl_command_queue queue,
                                       const sqa_linear_backward_tensors *tensors,
                                       cl_uint wait_count, const cl_event *wait_list,
                                       cl_event *event);

/* sqa_linear_backward() with a plan that the context keeps, as sqa_linear_attention(). */
SQA_API sqa_status sqa_linear_attention_backward(sqa_context *context, cl_command_queue queue,
                                                 const sqa_attention_desc *desc,
                                                 const sqa_linear_options *linear,
                                                 const sqa_linear_backward_tensors *tensors,
                                                 cl_uint wait_count, const cl_event *wait_list,
                                                 cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
