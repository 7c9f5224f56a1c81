/* The arguments of every forward kernel, in the order of sqa_forward_arguments()
 * in src/kernels/launch.c, and what follows from them. What a problem does not have
 * (see include/sqa_cl/pattern.h) is no argument of its kernel. */
#ifndef SQA_CAUSAL
#define SQA_CAUSAL 0
#endif
#ifndef SQA_WINDOW
#define SQA_WINDOW 0
#endif
#ifndef SQA_GLOBALS
#define SQA_GLOBALS 0
#endif
#ifndef SQA_GLOBAL_LIST
#define SQA_GLOBAL_LIST 0
#endif
#ifndef SQA_BLOCKS
#define SQA_BLOCKS 0
#endif
#ifndef SQA_KEY_MASK
#define SQA_KEY_MASK 0
#endif
#ifndef SQA_PAIR_MASK
#define SQA_PAIR_MASK 0
#endif
#ifndef SQA_RAGGED
#define SQA_RAGGED 0
#endif
#ifndef SQA_SOFTCAP
#define SQA_SOFTCAP 0
#endif
#ifndef SQA_ALIBI
#define SQA_ALIBI 0
#endif
#ifndef SQA_SLOPES
#define SQA_SLOPES 0
#endif
#ifndef SQA_BIAS
#define SQA_BIAS 0
#endif
#ifndef SQA_BIAS_DTYPE
#define SQA_BIAS_DTYPE 0
#endif
#ifndef SQA_SINKS
#define SQA_SINKS 0
#endif
#ifndef SQA_WRITE_LSE
#define SQA_WRITE_LSE 0
#endif

#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif

#if SQA_BIAS_DTYPE == 0
typedef float sqa_bias_stored;
#define SQA_BIAS_LOAD(i, p) ((p)[i])
#define SQA_BIAS_LOAD4(i, p) vload4(0, (p) + (i))
#define SQA_BIAS_LOAD8(i, p) vload8(0, (p) + (i))
#elif SQA_BIAS_DTYPE == 1
typedef half sqa_bias_stored;
#define SQA_BIAS_LOAD(i, p) vload_half((i), (p))
#define SQA_BIAS_LOAD4(i, p) vload_half4(0, (p) + (i))
#define SQA_BIAS_LOAD8(i, p) vload_half8(0, (p) + (i))
#else
typedef ushort sqa_bias_stored;
#define SQA_BIAS_LOAD(i, p) as_float((uint)(p)[i] << 16)
#define SQA_BIAS_LOAD4(i, p) as_float4(convert_uint4(vload4(0, (p) + (i))) << 16)
#define SQA_BIAS_LOAD8(i, p) as_float8(convert_uint8(vload8(0, (p) + (i))) << 16)
#endif

#if SQA_WRITE_LSE
#define SQA_LSE_ARGUMENT __global float *restrict lse_buffer, long lse_offset,
#else
#define SQA_LSE_ARGUMENT
#endif
#if SQA_WINDOW
#define SQA_WINDOW_ARGUMENTS int window_left, int window_right,
#else
#define SQA_WINDOW_ARGUMENTS
#endif
#if SQA_GLOBAL_LIST
#define SQA_GLOBALS_ARGUMENTS                                                                      \
    int global_count, __global const int *restrict globals_buffer, long globals_offset,
#elif SQA_GLOBALS
#define SQA_GLOBALS_ARGUMENTS int global_count,
#else
#define SQA_GLOBALS_ARGUMENTS
#endif
/* block_batch: 1 where every batch entry has lists of its own. block_lists: query
 * blocks of one matrix. */
#if SQA_BLOCKS
#define SQA_BLOCKS_ARGUMENTS                                                                       \
    __global const int *restrict block_offsets_buffer, long block_offsets_offset,                  \
        __global const int *restrict block_indices_buffer, long block_indices_offset,              \
        int query_block, int key_block, int block_batch, int block_heads, int block_entries,       \
        int block_lists,
#else
#define SQA_BLOCKS_ARGUMENTS
#endif
#if SQA_KEY_MASK
#define SQA_KEY_MASK_ARGUMENTS __global const uchar *restrict key_mask_buffer, long key_mask_offset,
#else
#define SQA_KEY_MASK_ARGUMENTS
#endif
#if SQA_PAIR_MASK
#define SQA_PAIR_MASK_ARGUMENTS                                                                    \
    __global const uchar *restrict mask_buffer, long mask_offset, long mask_batch, long mask_head, \
        long mask_row,
#else
#define SQA_PAIR_MASK_ARGUMENTS
#endif
#if SQA_RAGGED
#define SQA_RAGGED_ARGUMENTS                                                                       \
    __global const int *restrict cu_q_buffer, long cu_q_offset,                                    \
        __global const int *restrict cu_kv_buffer, long cu_kv_offset, int q_total, int kv_total,   \
        int bottom_right,
#define SQA_LENGTH_ARGUMENTS int q_longest, int kv_longest, int longest_diagonal,
#else
#define SQA_RAGGED_ARGUMENTS
#define SQA_LENGTH_ARGUMENTS int q_length, int kv_length, int diagonal,
#endif
#if SQA_SOFTCAP
#define SQA_SOFTCAP_ARGUMENT float softcap,
#else
#define SQA_SOFTCAP_ARGUMENT
#endif
#if SQA_SLOPES
#define SQA_SLOPES_ARGUMENTS __global const float *restrict slopes_buffer, long slopes_offset,
#else
#define SQA_SLOPES_ARGUMENTS
#endif
#if SQA_BIAS
#define SQA_BIAS_ARGUMENTS                                                                         \
    __global const sqa_bias_stored *restrict bias_buffer, long bias_offset, long bias_batch,       \
        long bias_head, long bias_row,
#else
#define SQA_BIAS_ARGUMENTS
#endif
#if SQA_SINKS
#define SQA_SINKS_ARGUMENTS __global const float *restrict sinks_buffer, long sinks_offset,
#else
#define SQA_SINKS_ARGUMENTS
#endif

#define SQA_MASK_ARGUMENTS                                                                         \
    SQA_WINDOW_ARGUMENTS SQA_GLOBALS_ARGUMENTS SQA_BLOCKS_ARGUMENTS SQA_KEY_MASK_ARGUMENTS         \
        SQA_PAIR_MASK_ARGUMENTS SQA_RAGGED_ARGUMENTS
#define SQA_SCORE_ARGUMENTS                                                                        \
    SQA_SOFTCAP_ARGUMENT SQA_SLOPES_ARGUMENTS SQA_BIAS_ARGUMENTS SQA_SINKS_ARGUMENTS

/* Offsets and strides in elements; *_batch, *_head, *_row are distances between
 * neighbours in that dimension. group = output heads per key/value head. Query i
 * stands at position i + diagonal among the keys. */
#define SQA_FORWARD_ARGUMENTS                                                                      \
    __global const sqa_stored *restrict q_buffer, long q_offset,                                   \
        __global const sqa_stored *restrict k_buffer, long k_offset,                               \
        __global const sqa_stored *restrict v_buffer, long v_offset,                               \
        __global sqa_stored *restrict o_buffer, long o_offset, SQA_LSE_ARGUMENT long q_batch,      \
        long q_head, long q_row, long k_batch, long k_head, long k_row, long v_batch, long v_head, \
        long v_row, long o_batch, long o_head, long o_row, int q_heads, int out_heads, int group,  \
        SQA_MASK_ARGUMENTS SQA_SCORE_ARGUMENTS SQA_LENGTH_ARGUMENTS float scale

/* Every kernel begins with SQA_SEQUENCE(batch). In a ragged batch it finds out where
 * the sequence lies and how long it is; starts that make no sense are cut to ones
 * that stay within the tensors. */
#if SQA_RAGGED
#define SQA_SEQUENCE(batch)                                                                        \
    const int q_begin = clamp(cu_q_buffer[cu_q_offset + (batch)], 0, q_total);                     \
    const int kv_begin = clamp(cu_kv_buffer[cu_kv_offset + (batch)], 0, kv_total);                 \
    const int q_length =                                                                           \
        min(clamp(cu_q_buffer[cu_q_offset + (batch) + 1], q_begin, q_total) - q_begin, q_longest); \
    const int kv_length = min(                                                                     \
        clamp(cu_kv_buffer[cu_kv_offset + (batch) + 1], kv_begin, kv_total) - kv_begin,            \
        kv_longest);                                                                               \
    const int diagonal = bottom_right ? kv_length - q_length : 0;
#define SQA_LONGEST q_longest
#define SQA_Q_SEQUENCE(b) (q_begin * q_row)
#define SQA_K_SEQUENCE(b) (kv_begin * k_row)
#define SQA_V_SEQUENCE(b) (kv_begin * v_row)
#define SQA_O_SEQUENCE(b) (q_begin * o_row)
#define SQA_LSE_ROW(b, h) (lse_buffer + lse_offset + (h) * (long)q_total + q_begin)
#else
#define SQA_SEQUENCE(batch)
#define SQA_LONGEST q_length
#define SQA_Q_SEQUENCE(b) ((b) * q_batch)
#define SQA_K_SEQUENCE(b) ((b) * k_batch)
#define SQA_V_SEQUENCE(b) ((b) * v_batch)
#define SQA_O_SEQUENCE(b) ((b) * o_batch)
#define SQA_LSE_ROW(b, h) (lse_buffer + lse_offset + ((b) * out_heads + (h)) * (long)q_length)
#endif

/* First element of the matrices that output head h of batch b works on. */
#define SQA_Q_MATRIX(b, h) (q_buffer + q_offset + SQA_Q_SEQUENCE(b) + ((h) % q_heads) * q_head)
#define SQA_K_MATRIX(b, h) (k_buffer + k_offset + SQA_K_SEQUENCE(b) + ((h) / group) * k_head)
#define SQA_V_MATRIX(b, h) (v_buffer + v_offset + SQA_V_SEQUENCE(b) + ((h) / group) * v_head)
#define SQA_O_MATRIX(b, h) (o_buffer + o_offset + SQA_O_SEQUENCE(b) + (h) * o_head)
