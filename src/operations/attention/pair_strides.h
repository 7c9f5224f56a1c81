/* Strides of a bias or mask that varies along some of batch, head and query and is
 * packed along those; the other dimensions repeat it. */
#ifndef SQA_OPERATIONS_PAIR_STRIDES_H
#define SQA_OPERATIONS_PAIR_STRIDES_H

#include <stdbool.h>

#include "sqa_cl/attention.h"

enum { SQA_PAIR_BATCH = 1, SQA_PAIR_HEAD = 2, SQA_PAIR_QUERY = 4, SQA_PAIR_DIMS = 8 };

/* For the descriptor's heads and lengths; false when the library would not take
 * that many elements. */
bool sqa_pair_strides(const sqa_attention_desc *desc, unsigned varies, sqa_strides *out);

/* "bhq" and its parts, in any order. */
bool sqa_pair_dims_read(const char *letters, unsigned *varies);

/* The letters that read back as these strides; NULL when none do. */
const char *sqa_pair_dims_name(const sqa_attention_desc *desc, const sqa_strides *strides);

#endif
