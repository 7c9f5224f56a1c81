/* An activation, or its gradients, as a validated descriptor (include/sqa_cl/activation.h) with
 * every default filled in. */
#ifndef SQA_PROBLEM_ACTIVATING_H
#define SQA_PROBLEM_ACTIVATING_H

#include "problem/matrix.h"
#include "sqa_cl/activation.h"

typedef struct sqa_activating {
    sqa_dtype dtype;
    uint32_t batch, length, dim;
    sqa_activation activation;
    uint32_t gated, add_residual, wide; /* wide: 0 of f32 */
    uint32_t da, db, accumulate;        /* of gradients; else 0 */
    sqa_matrix_strides a, b, y, residual;
    float dropout;
} sqa_activating;

/* `backward` NULL: not of gradients. Checks every field and fills *out, padding too.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_activating_from_desc(sqa_activating *out, const sqa_activation_desc *desc,
                                    const sqa_activation_backward_options *backward);

/* What gives this problem again. */
void sqa_activating_to_desc(const sqa_activating *problem, sqa_activation_desc *desc,
                            sqa_activation_backward_options *backward);

/* Packs all matrices anew, for lengths that have changed. */
void sqa_activating_pack(sqa_activating *problem);

#endif
