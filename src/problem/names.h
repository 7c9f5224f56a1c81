/* The words for storage types and causal alignments, used alike in
 * the database, on the command line and in error messages. */
#ifndef SQA_PROBLEM_NAMES_H
#define SQA_PROBLEM_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "sqa_cl/attention.h"

/* By the values of sqa_dtype; NULL ends them. */
extern const char *const sqa_dtype_words[];

/* NULL for a value outside the enum. */
const char *sqa_dtype_name(sqa_dtype dtype);
const char *sqa_causal_name(sqa_causal causal); /* "none", "bottom-right", "top-left" */

/* false when no value has that name. */
bool sqa_dtype_from_name(const char *name, sqa_dtype *out);
bool sqa_causal_from_name(const char *name, sqa_causal *out);

/* Bytes of one stored element. */
size_t sqa_dtype_size(sqa_dtype dtype);

#endif
