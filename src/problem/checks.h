/* Checks of a descriptor's numbers that several of its parts need. */
#ifndef SQA_PROBLEM_CHECKS_H
#define SQA_PROBLEM_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#include "sqa_cl/attention.h"
#include "sqa_cl/status.h"

/* Whether low <= value <= high; `field` for the message.
 * Errors: SQA_INVALID_ARGUMENT, as of the others. */
sqa_status sqa_check_range(const char *field, uint32_t value, uint32_t low, uint32_t high);

/* The same from 0 on, of a number that has no default. */
sqa_status sqa_check_is_set(const char *field, uint32_t value, uint32_t high);

/* Whether a struct of this version can be read: any from 1 to `newest`, since members
 * are only ever added, at the end. */
sqa_status sqa_check_version(const char *field, uint32_t version, uint32_t newest);

sqa_status sqa_check_dtype(const char *field, sqa_dtype dtype);

/* Whether a cache of that type may have rows of `dim` elements with these strides: quantised ones
 * are multiples of groups. */
sqa_status sqa_check_groups(sqa_dtype dtype, const char *field, const sqa_strides *strides,
                            uint32_t dim);

/* Whether the strides reach no further than 63 bits can add up; of one dimension, or all. */
sqa_status sqa_check_stride(const char *field, const char *dimension, int64_t stride,
                            uint32_t count);
sqa_status sqa_check_strides(const char *field, const sqa_strides *strides, uint32_t batch,
                             uint32_t heads, uint32_t length);

/* The strides asked for, or packed ones where all three are zero; and checked. */
sqa_strides sqa_strides_or_packed(const sqa_strides *asked, uint32_t heads, uint32_t length,
                                  uint32_t dim);
sqa_status sqa_set_strides(sqa_strides *out, const char *field, const sqa_strides *asked,
                           uint32_t batch, uint32_t heads, uint32_t length, uint32_t dim);

/* Whether some elements of such a tensor are one in memory. */
bool sqa_strides_overlap(const sqa_strides *strides, uint32_t batch, uint32_t heads,
                         uint32_t length, uint32_t dim);
sqa_status sqa_check_no_overlap(const char *field, const sqa_strides *strides, uint32_t batch,
                                uint32_t heads, uint32_t length, uint32_t dim);

#endif
