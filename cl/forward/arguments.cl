/* What follows from the arguments of every forward kernel, SQA_FORWARD_ARGUMENTS. The host
 * prints that list from the table that it fills the launch by
 * (src/kernels/forward_arguments.c). What a problem does not have (see
 * include/sqa_cl/pattern.h) is no argument of its kernel. */
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
