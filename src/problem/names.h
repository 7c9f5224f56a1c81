/* The words for storage types and causal alignments, used alike in
 * the database, on the command line and in error messages. */
#ifndef SQA_PROBLEM_NAMES_H
#define SQA_PROBLEM_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "sqa_cl/attention.h"

/* By the values of sqa_dtype; NULL ends them. */
extern const char *const sqa_dtype_words[];

/* And those of caches, which may be quantised. */
extern const char *const sqa_kv_dtype_words[];
extern const char *const sqa_products_words[];
#define SQA_KV_DTYPES "f32, f16, bf16, int8 or int4"

/* NULL for a value outside the enum; of kv, for one that caches have. */
const char *sqa_dtype_name(sqa_dtype dtype);
const char *sqa_kv_dtype_name(sqa_dtype dtype);
const char *sqa_products_name(sqa_products products);
const char *sqa_causal_name(sqa_causal causal); /* "none", "bottom-right", "top-left" */

/* false when no value has that name. */
bool sqa_dtype_from_name(const char *name, sqa_dtype *out);
bool sqa_kv_dtype_from_name(const char *name, sqa_dtype *out);
bool sqa_causal_from_name(const char *name, sqa_causal *out);

/* Bytes of one stored element. */
size_t sqa_dtype_size(sqa_dtype dtype);

#endif
