/* What follows from the arguments of every kernel of a matrix product, SQA_MATMUL_ARGUMENTS (see
 * src/kernels/matmul_arguments.c):
 *   SQA_TRANSPOSE_A, SQA_TRANSPOSE_B, SQA_BIAS, SQA_GATED, SQA_RESIDUAL, SQA_BETA: 0 or 1
 *   SQA_ACTIVATION: see common/activation.cl */

#ifndef SQA_TRANSPOSE_A
#define SQA_TRANSPOSE_A 0
#define SQA_TRANSPOSE_B 0
#endif

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
