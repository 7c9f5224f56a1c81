/* The arguments of every forward kernel, in the order of sqa_forward_arguments()
 * in src/kernels/launch.c, and what follows from them. */
#ifndef SQA_CAUSAL
#define SQA_CAUSAL 0
#endif
#ifndef SQA_WRITE_LSE
#define SQA_WRITE_LSE 0
#endif

#if SQA_WRITE_LSE
#define SQA_LSE_ARGUMENT __global float *restrict lse_buffer, long lse_offset,
#else
#define SQA_LSE_ARGUMENT
#endif

/* Offsets and strides in elements; *_batch, *_head, *_row are distances between
 * neighbours in that dimension. group = output heads per key/value head. With
 * SQA_CAUSAL, query i sees the keys j <= i + diagonal. */
#define SQA_FORWARD_ARGUMENTS                                                                      \
    __global const sqa_stored *restrict q_buffer, long q_offset,                                   \
        __global const sqa_stored *restrict k_buffer, long k_offset,                               \
        __global const sqa_stored *restrict v_buffer, long v_offset,                               \
        __global sqa_stored *restrict o_buffer, long o_offset, SQA_LSE_ARGUMENT long q_batch,      \
        long q_head, long q_row, long k_batch, long k_head, long k_row, long v_batch, long v_head, \
        long v_row, long o_batch, long o_head, long o_row, int q_heads, int out_heads, int group,  \
        int q_length, int kv_length, int diagonal, float scale

/* First element of the matrices that output head h of batch b works on. */
#define SQA_Q_MATRIX(b, h) (q_buffer + q_offset + (b) * q_batch + ((h) % q_heads) * q_head)
#define SQA_K_MATRIX(b, h) (k_buffer + k_offset + (b) * k_batch + ((h) / group) * k_head)
#define SQA_V_MATRIX(b, h) (v_buffer + v_offset + (b) * v_batch + ((h) / group) * v_head)
#define SQA_O_MATRIX(b, h) (o_buffer + o_offset + (b) * o_batch + (h) * o_head)
#define SQA_LSE_ROW(b, h) (lse_buffer + lse_offset + ((b) * out_heads + (h)) * (long)q_length)

/* How many keys, counted from the first, query row i sees: 0..kv_length. */
#if SQA_CAUSAL
#define SQA_VISIBLE_KEYS(i) (clamp((int)(i) + diagonal, -1, kv_length - 1) + 1)
#else
#define SQA_VISIBLE_KEYS(i) kv_length
#endif
