/* Heads in the shapes of stored problems: what variants of one model differ in. The one
 * pair of keys that the store knows, for who compares variants. */
#ifndef SQA_TUNER_HEADS_H
#define SQA_TUNER_HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "sqa_cl/attention.h"

/* false: the problem has none. */
bool sqa_shape_heads(const char *shape, uint32_t *q_heads, uint32_t *kv_heads);

/* The shape without them, in `out`, which has as much room. */
void sqa_shape_drop_heads(const char *shape, char *out);

/* Whether the shapes say the same but for their heads. */
bool sqa_shape_same_but_heads(const char *a, const char *b);

/* Whether a model of `heads` heads has these in the variant. */
bool sqa_heads_are_of(sqa_variant variant, uint32_t heads, uint32_t q_heads, uint32_t kv_heads);

#endif
