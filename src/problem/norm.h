/* A normalisation, or its gradients, as a validated descriptor (include/sqa_cl/norm.h) with every
 * default filled in. */
#ifndef SQA_PROBLEM_NORM_H
#define SQA_PROBLEM_NORM_H

#include "sqa_cl/norm.h"

#define SQA_MAX_NORM_DIM (1u << 20)

typedef struct sqa_normalisation {
    sqa_norm_kind kind;
    sqa_dtype dtype;
    uint32_t batch, heads, length, dim;
    float eps;
    uint32_t weight, bias;
    uint32_t gradients, accumulate; /* 0: forward */
    sqa_strides x, y;
    sqa_strides dy, dx; /* of gradients, which have no y; never all zero, but of nothing */
} sqa_normalisation;

/* Check every field of `desc` and fill *out, padding too.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_normalisation_from_desc(sqa_normalisation *out, const sqa_norm_desc *desc);
sqa_status sqa_normalisation_from_backward(sqa_normalisation *out,
                                           const sqa_norm_backward_desc *desc);

/* A descriptor that gives this again; of a forward one, in `norm`. */
void sqa_normalisation_to_desc(const sqa_normalisation *norm, sqa_norm_backward_desc *out);

/* The gradients that a normalisation has. */
uint32_t sqa_normalisation_gradients(const sqa_normalisation *norm);

/* Rows of the whole batch. */
uint64_t sqa_normalisation_rows(const sqa_normalisation *norm);

#endif
