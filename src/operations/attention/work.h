/* How much work attention is, as far as its numbers tell: causal masks, windows, global
 * tokens and the number of block list entries count; the bytes of masks and the lengths of
 * a ragged batch (taken as all alike) are not known. */
#ifndef SQA_OPERATIONS_ATTENTION_WORK_H
#define SQA_OPERATIONS_ATTENTION_WORK_H

#include "problem/attention.h"

/* Keys that an average query sees. */
double sqa_attention_seen_keys(const sqa_attention *attention);

/* Keys that one query sees. */
double sqa_attention_keys_of(const sqa_attention *attention, uint32_t query);

/* Keys that have to be read, since a query sees them by position. */
double sqa_attention_read_keys(const sqa_attention *attention);

/* Of all queries and output heads, the pairs with a key that is seen. */
double sqa_attention_pairs(const sqa_attention *attention);

/* The part of all (query block, key block) pairs that block lists name: 0..1. */
double sqa_attention_listed_part(const sqa_attention *attention);

/* Forward: 2 (head_dim + value_dim) per (query, seen key) pair and output head; softmax is
 * not counted. */
double sqa_attention_flop(const sqa_attention *attention);

/* Block selection: the means, and the scores of all block pairs. */
double sqa_selection_flop(const sqa_attention *attention);

#endif
