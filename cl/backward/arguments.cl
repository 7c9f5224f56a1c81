/* What follows from the arguments of every kernel of a backward pass (see
 * src/kernels/backward_arguments.c), besides what forward/arguments.cl has: kernels begin with
 * SQA_SEQUENCE(batch), and find Q, K, V and LSE by SQA_Q_MATRIX(b, h), ..., SQA_LSE_ROW(b, h) of
 * an output head h; the first one that reads key/value head c is c * group. */
#ifndef SQA_GRADIENT_Q
#define SQA_GRADIENT_Q 1
#endif
#ifndef SQA_GRADIENT_K
#define SQA_GRADIENT_K 1
#endif
#ifndef SQA_GRADIENT_V
#define SQA_GRADIENT_V 1
#endif
#ifndef SQA_GRADIENT_BIAS
#define SQA_GRADIENT_BIAS 0
#endif
#ifndef SQA_GRADIENT_SINKS
#define SQA_GRADIENT_SINKS 0
#endif
#ifndef SQA_GRADIENT_SLOPES
#define SQA_GRADIENT_SLOPES 0
#endif
/* 1: gradients are added to what their tensors hold. */
#ifndef SQA_ACCUMULATE
#define SQA_ACCUMULATE 0
#endif

#if SQA_RAGGED
#define SQA_DOUT_SEQUENCE(b) (q_begin * dout_row)
#define SQA_DQ_SEQUENCE(b) (q_begin * dq_row)
#define SQA_DK_SEQUENCE(b) (kv_begin * dk_row)
#define SQA_DV_SEQUENCE(b) (kv_begin * dv_row)
#define SQA_DELTA_ROW(b, h) (delta_buffer + delta_offset + (h) * (long)q_total + q_begin)
#else
#define SQA_DOUT_SEQUENCE(b) ((b)*dout_batch)
#define SQA_DQ_SEQUENCE(b) ((b)*dq_batch)
#define SQA_DK_SEQUENCE(b) ((b)*dk_batch)
#define SQA_DV_SEQUENCE(b) ((b)*dv_batch)
#define SQA_DELTA_ROW(b, h) (delta_buffer + delta_offset + ((b)*out_heads + (h)) * (long)q_length)
#endif

/* First element of the matrices of output head h, query head h, key/value head h of batch b. */
#define SQA_DOUT_MATRIX(b, h) (dout_buffer + dout_offset + SQA_DOUT_SEQUENCE(b) + (h)*dout_head)
#define SQA_DQ_MATRIX(b, h) (dq_buffer + dq_offset + SQA_DQ_SEQUENCE(b) + (h)*dq_head)
#define SQA_DK_MATRIX(b, h) (dk_buffer + dk_offset + SQA_DK_SEQUENCE(b) + (h)*dk_head)
#define SQA_DV_MATRIX(b, h) (dv_buffer + dv_offset + SQA_DV_SEQUENCE(b) + (h)*dv_head)

/* The sum x goes to element i of p: rounded once, after what was there is added. Vectors are
 * those of common/lanes.cl. */
#if SQA_ACCUMULATE
#define SQA_PUT(x, i, p) SQA_STORE((x) + SQA_LOAD((i), (p)), (i), (p))
#define SQA_PUT_VEC_ALIGNED(x, i, p) STORE_VEC_ALIGNED((x) + LOAD_VEC_ALIGNED((i), (p)), (i), (p))
#define SQA_PUT_FLOAT(x, i, p) ((p)[i] += (x))
#define SQA_PUT_BIAS(x, i, p) SQA_BIAS_STORE((x) + SQA_BIAS_LOAD((i), (p)), (i), (p))
#else
#define SQA_PUT(x, i, p) SQA_STORE((x), (i), (p))
#define SQA_PUT_VEC_ALIGNED(x, i, p) STORE_VEC_ALIGNED((x), (i), (p))
#define SQA_PUT_FLOAT(x, i, p) ((p)[i] = (x))
#define SQA_PUT_BIAS(x, i, p) SQA_BIAS_STORE((x), (i), (p))
#endif
#if SQA_BIAS_DTYPE == 0
#define SQA_BIAS_STORE(x, i, p) ((p)[i] = (x))
#elif SQA_BIAS_DTYPE == 1
#define SQA_BIAS_STORE(x, i, p) vstore_half_rte((x), (i), (p))
#else
#define SQA_BIAS_STORE(x, i, p) ((p)[i] = sqa_to_bf16(x))
#endif
