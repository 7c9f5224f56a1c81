/* Elements as tensors store them (f32, IEEE binary16, bfloat16), to and from f32.
 * Rounds to nearest, ties to even; NaN and infinity stay what they are. */
#ifndef SQA_TUNER_STORAGE_H
#define SQA_TUNER_STORAGE_H

#include <stddef.h>
#include <stdint.h>

#include "sqa_cl/attention.h"

uint16_t sqa_half_from_float(float value);
float sqa_float_from_half(uint16_t half);

/* `count` elements; `stored` holds count * sqa_dtype_size(dtype) bytes. */
void sqa_store(sqa_dtype dtype, const float *values, void *stored, size_t count);
void sqa_load(sqa_dtype dtype, const void *stored, float *values, size_t count);

#endif
