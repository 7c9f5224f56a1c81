/* The keys that shapes of the attention family have in common, in tables that an
 * operation puts together; their descriptor begins with an sqa_attention_desc. */
#ifndef SQA_OPERATIONS_ATTENTION_FIELDS_H
#define SQA_OPERATIONS_ATTENTION_FIELDS_H

#include "operations/field.h"
#include "sqa_cl/attention.h"

extern const sqa_shape_field sqa_size_fields[];  /* b, hq, hkv, nq, nk, d, n, variant, h */
extern const sqa_shape_field sqa_value_fields[]; /* dv */
extern const sqa_shape_field sqa_storage_fields[];
extern const sqa_shape_field sqa_cache_fields[]; /* dtype, scale */
extern const sqa_shape_field sqa_products_fields[];
extern const sqa_shape_field sqa_position_fields[]; /* causal, align */
extern const sqa_shape_field sqa_pattern_fields[];  /* window, ..., sinks */
extern const sqa_shape_field sqa_list_fields[];     /* blocks */
extern const sqa_shape_field sqa_ragged_fields[];   /* ragged */
extern const sqa_shape_field sqa_paged_fields[];    /* page, pages */
extern const sqa_shape_field sqa_output_fields[];   /* lse */
/* The layout, and the strides where it is none: of Q and K, and of V and O. */
extern const sqa_shape_field sqa_layout_fields[], sqa_value_layout_fields[];

extern const sqa_shape_field_need sqa_attention_needs[]; /* heads and lengths */

/* "BATCH:HEAD:SEQUENCE"; false where it is not that. */
bool sqa_read_strides(const char *text, sqa_strides *out);
void sqa_write_strides(const sqa_strides *strides, char *text, size_t size);

/* "bh", "k" of block lists: which dimensions have lists of their own. */
bool sqa_read_block_lists(const char *letters, sqa_attention_desc *desc);

#endif
