/* The keys of a shape that make its pattern alone, such as "causal,window=128:0", "" for
 * none: for commands that have the sizes in options of their own. */
#ifndef SQA_OPERATIONS_PATTERN_TEXT_H
#define SQA_OPERATIONS_PATTERN_TEXT_H

#include "sqa_cl/attention.h"

#define SQA_PATTERN_TEXT 448 /* bytes that any pattern's text fits in */

/* Into a descriptor that has its heads and lengths; errors leave it as it was.
 * Errors: SQA_INVALID_ARGUMENT, naming the key and its range. */
sqa_status sqa_pattern_read(const char *text, sqa_attention_desc *desc);

/* Out of one; what does not fit `size` is cut off. */
void sqa_pattern_write(const sqa_attention_desc *desc, char *text, size_t size);

#endif
