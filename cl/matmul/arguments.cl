/* The arguments of every kernel of a matrix product, in the order of the table that fills the
 * launch (src/kernels/matmul_arguments.c).
 *   SQA_TRANSPOSE_A, SQA_TRANSPOSE_B, SQA_BIAS, SQA_GATED, SQA_RESIDUAL, SQA_BETA: 0 or 1
 *   SQA_ACTIVATION: 0 none, 1 SiLU, 2 GELU by tanh, 3 GELU by erf */
#ifndef SQA_MATMUL_ARGUMENTS
#define SQA_BIAS 1
#define SQA_ACTIVATION 1
#define SQA_MATMUL_ARGUMENTS                                                                       \
    __global const sqa_stored *restrict a_buffer, long a_offset,                                   \
        __global const sqa_stored *restrict b_buffer, long b_offset,                               \
        __global const sqa_stored *restrict bias_buffer, long bias_offset,                         \
        __global sqa_stored *restrict c_buffer, long c_offset, int m, int n, int k, long a_batch,  \
        long a_row, long b_batch, long b_row, long c_batch, long c_row, float alpha
#endif

#define INLINE static inline __attribute__((always_inline))

/* Elements of op(A) and op(B) from where their matrix begins. */
#if SQA_TRANSPOSE_A
#define SQA_A_AT(row, column) ((column)*a_row + (row))
#else
#define SQA_A_AT(row, column) ((row)*a_row + (column))
#endif
#if SQA_TRANSPOSE_B
#define SQA_B_AT(row, column) ((column)*b_row + (row))
#else
#define SQA_B_AT(row, column) ((row)*b_row + (column))
#endif
