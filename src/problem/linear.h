/* Linear attention: heads, lengths and views of an attention, and what is computed of them, from
 * descriptor and options (include/sqa_cl/linear.h). */
#ifndef SQA_PROBLEM_LINEAR_H
#define SQA_PROBLEM_LINEAR_H

#include "problem/attention.h"
#include "sqa_cl/linear.h"

typedef struct sqa_linear {
    sqa_attention attention; /* whose mask is SQA_MASK_RAGGED or none, whose scores are plain */
    uint32_t causal;
    sqa_feature feature;
    sqa_decay decay;
    uint32_t delta, normalise;
    float epsilon; /* 0 without normalise */
    sqa_linear_state state;
    sqa_strides decay_strides, beta_strides; /* 0 where there is no such tensor */
} sqa_linear;

/* Fills *out, padding too. Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_linear_from_desc(sqa_linear *out, const sqa_attention_desc *desc,
                                const sqa_linear_options *options);

/* Descriptor and options that give this again; packed strides of decay and beta are left out. */
void sqa_linear_to_desc(const sqa_linear *linear, sqa_attention_desc *desc,
                        sqa_linear_options *options);

/* Packs decay and beta: after the attention has changed. */
void sqa_linear_pack(sqa_linear *linear);

/* Whether S_0, or S, is there; of IN_PLACE both. */
bool sqa_linear_starts(const sqa_linear *linear);
bool sqa_linear_ends(const sqa_linear *linear);

/* Elements of decay at a token: head_dim or 1. */
uint32_t sqa_linear_decay_dim(const sqa_linear *linear);

/* Tokens of the tensors decay and beta: keys, of all sequences when ragged. */
uint32_t sqa_linear_tokens(const sqa_linear *linear);

#endif
