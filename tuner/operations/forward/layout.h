/* The ways tensors lie in memory that the conformance grid goes through. */
#ifndef SQA_TUNER_LAYOUT_H
#define SQA_TUNER_LAYOUT_H

#include <stdbool.h>

#include "sqa_cl/attention.h"

typedef enum sqa_layout {
    SQA_LAYOUT_BHSD = 0, /* packed (batch, head, sequence, dim) */
    SQA_LAYOUT_BSHD,     /* packed (batch, sequence, head, dim) */
    SQA_LAYOUT_PADDED,   /* gaps after every vector, head and batch, none a multiple of 4 */
    SQA_LAYOUT_MIXED,    /* Q, K, V and O each another way */
    SQA_LAYOUT_QKV,      /* one row holds the Q, K and V of all heads */
    SQA_LAYOUT_SHARED,   /* one K for all batches, one V for all heads: strides of 0 */
    SQA_LAYOUT_COUNT
} sqa_layout;

/* "bhsd", "bshd", ...; NULL for a value outside the enum. */
const char *sqa_layout_name(sqa_layout layout);
bool sqa_layout_from_name(const char *name, sqa_layout *out);

/* Sets the strides of all four tensors; the other fields are read. */
void sqa_layout_apply(sqa_layout layout, sqa_attention_desc *desc);

#endif
