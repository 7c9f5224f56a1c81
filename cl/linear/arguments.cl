/* What follows from the arguments of every kernel of linear attention, SQA_LINEAR_ARGUMENTS (see
 * src/kernels/linear_arguments.c):
 *   SQA_FEATURE: 0 identity, 1 elu(x) + 1, 2 relu; SQA_DECAY: 0 none, 1 per head, 2 per token,
 *   3 per channel
 *   SQA_CAUSAL, SQA_RAGGED, SQA_DELTA, SQA_NORMALISE, SQA_STATE_IN, SQA_STATE_OUT,
 *   SQA_STATE_IN_PLACE: 0 or 1 */
#ifndef SQA_FEATURE
#define SQA_FEATURE 0
#endif
#ifndef SQA_NORMALISE
#define SQA_NORMALISE 0
#endif

/* Every kernel begins with SQA_SEQUENCE(batch): where the sequence lies and how long it is.
 * Starts that make no sense are cut to ones that stay within the tensors. */
#if SQA_RAGGED
#if SQA_CAUSAL
#define SQA_KEY_START(i) cu_q_buffer[cu_q_offset + (i)]
#else
#define SQA_KEY_START(i) cu_kv_buffer[cu_kv_offset + (i)]
#endif
#define SQA_SEQUENCE(b)                                                                            \
    const int q_begin = clamp(cu_q_buffer[cu_q_offset + (b)], 0, q_total);                         \
    const int kv_begin = clamp(SQA_KEY_START(b), 0, kv_total);                                     \
    const int q_length =                                                                           \
        min(clamp(cu_q_buffer[cu_q_offset + (b) + 1], q_begin, q_total) - q_begin, q_longest);     \
    const int kv_length =                                                                          \
        min(clamp(SQA_KEY_START((b) + 1), kv_begin, kv_total) - kv_begin, kv_longest);
#define SQA_Q_SEQUENCE(b, name) (q_begin * name##_row)
#define SQA_KV_SEQUENCE(b, name) (kv_begin * name##_row)
#else
#define SQA_SEQUENCE(b) const int q_length = q_longest, kv_length = kv_longest;
#define SQA_Q_SEQUENCE(b, name) ((b)*name##_batch)
#define SQA_KV_SEQUENCE(b, name) ((b)*name##_batch)
#endif

/* First element of the matrices of output head h, or of key/value head h, of batch b. */
#define SQA_Q_MATRIX(b, h) (q_buffer + q_offset + SQA_Q_SEQUENCE(b, q) + ((h) % q_heads) * q_head)
#define SQA_O_MATRIX(b, h) (o_buffer + o_offset + SQA_Q_SEQUENCE(b, o) + (h)*o_head)
#define SQA_KV_MATRIX(b, h, name)                                                                  \
    (name##_buffer + name##_offset + SQA_KV_SEQUENCE(b, name) + (h)*name##_head)

/* The state and the sums of keys of a head, before and after. */
#define SQA_STATE_AT(b, h, name)                                                                   \
    (name##_buffer + name##_offset + ((b)*kv_heads + (h)) * (long)(SQA_HEAD_DIM * SQA_VALUE_DIM))
#define SQA_SUMS_AT(b, h, name)                                                                    \
    (name##_buffer + name##_offset + ((b)*kv_heads + (h)) * (long)SQA_HEAD_DIM)
#if SQA_STATE_IN_PLACE
#define SQA_FIRST_STATE(b, h) SQA_STATE_AT(b, h, state)
#define SQA_FIRST_SUMS(b, h) SQA_SUMS_AT(b, h, sums)
#elif SQA_STATE_IN
#define SQA_FIRST_STATE(b, h) SQA_STATE_AT(b, h, state_in)
#define SQA_FIRST_SUMS(b, h) SQA_SUMS_AT(b, h, sums_in)
#endif

/* The map of an element of q or k. */
INLINE float sqa_feature(const float x)
{
#if SQA_FEATURE == 1
    return x >= 0.0f ? x + 1.0f : x < 0.0f ? exp(x) : x;
#elif SQA_FEATURE == 2
    return x <= 0.0f ? 0.0f : x;
#else
    return x;
#endif
}

/* exp(decay) as a pair. Of a weak decay the part that it takes: next to 1, exp(decay) itself would
 * be rounded, always alike, at every token. Of a strong one exp(decay), of which little is left. */
#define SQA_WEAK -0.5f
INLINE float2 sqa_decay_of(const float log_decay)
{
    return log_decay > SQA_WEAK ? (float2)(expm1(log_decay), 1.0f) : (float2)(exp(log_decay), 0.0f);
}

/* exp(decay) x */
INLINE float sqa_weaken(const float x, const float2 decay)
{
    return fma(x, decay.x, x * decay.y);
}

#if SQA_DECAY == 0
#define SQA_SET_DECAY(b, h)
#define SQA_LOG_DECAY(token, d) 0.0f
#elif SQA_DECAY == 1
#define SQA_SET_DECAY(b, h) const float head_decay = decay_buffer[decay_offset + (h)];
#define SQA_LOG_DECAY(token, d) head_decay
#elif SQA_DECAY == 2
#define SQA_SET_DECAY(b, h) __global const float *decays = SQA_KV_MATRIX(b, h, decay);
#define SQA_LOG_DECAY(token, d) decays[(token)*decay_row]
#else
#define SQA_SET_DECAY(b, h) __global const float *decays = SQA_KV_MATRIX(b, h, decay);
#define SQA_LOG_DECAY(token, d) decays[(token)*decay_row + (d)]
#endif
