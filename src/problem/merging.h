/* What sqa_merge_desc (include/sqa_cl/merge.h) asks for, checked. */
#ifndef SQA_PROBLEM_MERGING_H
#define SQA_PROBLEM_MERGING_H

#include "sqa_cl/merge.h"

/* Zero-filled before it is set. */
typedef struct sqa_merging {
    sqa_dtype dtype;
    uint32_t batch, heads, length, dim;
    sqa_strides a, b, o; /* never left out */
} sqa_merging;

/* Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_merging_from_desc(sqa_merging *out, const sqa_merge_desc *desc);

/* A descriptor that gives this again. */
void sqa_merging_to_desc(const sqa_merging *merging, sqa_merge_desc *out);

/* Makes all its tensors packed. */
void sqa_merging_pack(sqa_merging *merging);

#endif
