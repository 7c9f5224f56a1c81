/* The kernel families, for the registry alone. */
#ifndef SQA_KERNELS_FAMILIES_H
#define SQA_KERNELS_FAMILIES_H

#include "kernels/kernel_family.h"

extern const sqa_kernel_family sqa_naive_forward;
extern const sqa_kernel_family sqa_decode_forward;
extern const sqa_kernel_family sqa_rows_forward;
extern const sqa_kernel_family sqa_stream_forward;
extern const sqa_kernel_family sqa_tiled_forward;
extern const sqa_kernel_family sqa_mma_forward;
extern const sqa_kernel_family sqa_select_family;
extern const sqa_kernel_family sqa_naive_backward_delta;
extern const sqa_kernel_family sqa_rows_backward_core;
extern const sqa_kernel_family sqa_tiled_backward_core;
extern const sqa_kernel_family sqa_naive_backward_core;
extern const sqa_kernel_family sqa_naive_backward_scores;
extern const sqa_kernel_family sqa_stream_matmul;
extern const sqa_kernel_family sqa_rows_matmul;
extern const sqa_kernel_family sqa_clblast_matmul; /* only where it was built with CLBlast */
extern const sqa_kernel_family sqa_tiled_matmul;
extern const sqa_kernel_family sqa_naive_matmul;
extern const sqa_kernel_family sqa_elements_activation;
extern const sqa_kernel_family sqa_elements_activation_backward;
extern const sqa_kernel_family sqa_columns_linear;
extern const sqa_kernel_family sqa_columns_linear_backward;
extern const sqa_kernel_family sqa_tiled_linear;
extern const sqa_kernel_family sqa_tiled_linear_backward;
extern const sqa_kernel_family sqa_naive_linear;
extern const sqa_kernel_family sqa_naive_linear_backward;
extern const sqa_kernel_family sqa_merge_family;
extern const sqa_kernel_family sqa_elements_rope;
extern const sqa_kernel_family sqa_naive_rope;
extern const sqa_kernel_family sqa_naive_kv_append;
extern const sqa_kernel_family sqa_elements_norm;
extern const sqa_kernel_family sqa_naive_norm;
extern const sqa_kernel_family sqa_elements_norm_backward;
extern const sqa_kernel_family sqa_naive_norm_backward;

#endif
