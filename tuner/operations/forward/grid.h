/* The conformance grid: the shapes every kernel family has to get right, as data. */
#ifndef SQA_TUNER_GRID_H
#define SQA_TUNER_GRID_H

#include "operations/forward/layout.h"
#include "operations/tuner_operation.h"

typedef struct sqa_grid_case {
    sqa_attention_desc desc; /* strides set as `layout` says */
    sqa_layout layout;
} sqa_grid_case;

size_t sqa_grid_count(sqa_grid_size size);
sqa_grid_case sqa_grid_case_at(sqa_grid_size size, size_t index);

/* The axes; the heads are pairs of query and key/value heads. */
typedef struct sqa_grid_heads {
    uint32_t q, kv;
} sqa_grid_heads;

enum { SQA_GRID_DIMS = 15, SQA_GRID_LENGTHS = 14, SQA_GRID_HEADS = 6 };
extern const uint32_t sqa_grid_dims[SQA_GRID_DIMS];
extern const uint32_t sqa_grid_lengths[SQA_GRID_LENGTHS];
extern const sqa_grid_heads sqa_grid_heads_pairs[SQA_GRID_HEADS];

#endif
