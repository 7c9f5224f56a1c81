/* Quantised numbers, as caches have them: groups of 32 that share an f16 scale
 * (include/sqa_cl/kv_cache.h has the layout). */
#ifndef SQA_PROBLEM_GROUPS_H
#define SQA_PROBLEM_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "sqa_cl/attention.h"

#define SQA_GROUP 32u            /* elements of a group */
#define SQA_GROUP_BYTES_INT8 34u /* of its scale and numbers */
#define SQA_GROUP_BYTES_INT4 20u /* of its scale, minimum and numbers */

bool sqa_dtype_is_quantised(sqa_dtype dtype);

/* `count` values, whole groups of them, to stored ones and back. A group in which not all are
 * finite is NaN as a whole: the first NaN that it has, where it has one. */
void sqa_groups_encode(sqa_dtype dtype, const float *in, void *out, size_t count);
void sqa_groups_decode(sqa_dtype dtype, const void *in, float *out, size_t count);

#endif
