/* A rotation as a validated descriptor (include/sqa_cl/rope.h) with every default filled in. */
#ifndef SQA_PROBLEM_ROPE_H
#define SQA_PROBLEM_ROPE_H

#include "sqa_cl/rope.h"

#define SQA_MAX_ROWS (1u << 30) /* of a sequence; a batch, an offset */

typedef struct sqa_rotation {
    sqa_dtype dtype;
    uint32_t batch, heads, length, dim, rotary;
    sqa_rope_pairs pairs;
    float base;
    uint32_t offset; /* 0 where there are positions */
    uint32_t positions, inverse, sequences, hadamard;
    int64_t position_batch;
    sqa_strides x, y; /* never all zero, but of nothing */
} sqa_rotation;

/* Checks every field of `desc` and fills *out, padding too.
 * Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_rotation_from_desc(sqa_rotation *out, const sqa_rope_desc *desc);

/* Elements of a block that goes through a Hadamard matrix: the largest power of two in `dim`. */
static inline uint32_t sqa_hadamard_block(uint32_t dim)
{
    return dim & (~dim + 1u);
}

/* A descriptor that gives this rotation again. */
void sqa_rotation_to_desc(const sqa_rotation *rotation, sqa_rope_desc *out);

#endif
