/* The rows of matrices in stretches, each of which is judged as one. */
#ifndef SQA_OPERATIONS_MATRIX_ROWS_H
#define SQA_OPERATIONS_MATRIX_ROWS_H

#include "operations/operation.h"

typedef struct sqa_stretch {
    uint64_t row;          /* counted through all matrices of a batch */
    uint32_t first, count; /* columns, up to SQA_MAX_ROW */
} sqa_stretch;

uint64_t sqa_stretch_count(uint64_t rows, uint32_t columns);
sqa_stretch sqa_stretch_at(uint32_t columns, uint64_t index);

/* Where it begins in a batch of matrices of `rows` rows. */
int64_t sqa_stretch_begin(const sqa_stretch *at, uint32_t rows, const sqa_matrix_strides *strides);

/* In words; `rows` 0: without the number of the matrix. */
void sqa_stretch_place(const sqa_stretch *at, uint32_t rows, char out[SQA_PLACE_TEXT]);

#endif
