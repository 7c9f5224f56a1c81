/* Between f32 on the host and how tensors are stored: f32, f16, bf16, quantised (groups.h). */
#ifndef SQA_PROBLEM_STORAGE_H
#define SQA_PROBLEM_STORAGE_H

#include <stddef.h>
#include <stdint.h>

#include "sqa_cl/attention.h"

/* Rounds `count` values to stored elements, ties to even; NaN stays NaN. Of quantised ones, counts
 * are whole groups. */
void sqa_storage_encode(sqa_dtype dtype, const float *in, void *out, size_t count);

/* The exact f32 of `count` stored elements. */
void sqa_storage_decode(sqa_dtype dtype, const void *in, float *out, size_t count);

/* Makes `values` what storing leaves of them; storing that again changes nothing. */
void sqa_storage_round_all(sqa_dtype dtype, float *values, size_t count);

/* The value that storing leaves of `value`, of a group of nothing else. */
float sqa_storage_round(sqa_dtype dtype, float value);

/* The largest finite one. */
float sqa_storage_largest(sqa_dtype dtype);

/* The bits of an f32, and back. */
uint32_t sqa_float_bits(float value);
float sqa_float_from_bits(uint32_t bits);

#endif
