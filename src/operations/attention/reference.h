/* The oracle: attention in fp64 by plain loops, written from the definition
 * (include/sqa_cl/attention.h and pattern.h) and sharing no code with any kernel. */
#ifndef SQA_OPERATIONS_ATTENTION_REFERENCE_H
#define SQA_OPERATIONS_ATTENTION_REFERENCE_H

#include "operations/attention/slots.h"

/* Lengths and first rows of a batch entry: the problem's own, but where tensors have them. */
typedef struct sqa_sequence {
    uint32_t q_begin, q_length;
    uint32_t kv_begin, kv_length;
    int64_t diagonal;
} sqa_sequence;

sqa_sequence sqa_reference_sequence(const sqa_attention *attention,
                                    const sqa_reference_inputs *inputs, uint32_t batch);

/* Whether the row sees the key by every rule there is; row and key count within the
 * sequence. */
bool sqa_reference_sees(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                        uint32_t batch, uint32_t head, uint32_t row, uint32_t key);

/* The vector at (batch, head, position) of a strided tensor of floating-point numbers. */
const float *sqa_reference_vector(const sqa_reference_inputs *inputs, uint32_t slot,
                                  const sqa_strides *strides, uint32_t batch, uint32_t head,
                                  uint32_t position);

/* The key or the value (`slot`) of a key of the sequence, in pages too. */
const float *sqa_reference_key(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                               uint32_t slot, const sqa_sequence *sequence, uint32_t batch,
                               uint32_t kv_head, uint32_t key);

/* What the softmax takes of a key that the row sees; *steepness, unless that is NULL: its
 * derivative with respect to the scaled product. */
double sqa_reference_score(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t head, uint32_t row, uint32_t key,
                           double *steepness);

/* What dropout multiplies the weight of a key by. */
double sqa_reference_kept_weight(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                                 uint32_t batch, uint32_t head, uint32_t row, uint32_t key);

/* One output row: value_dim doubles to `o`, the log-sum-exp to *lse. */
void sqa_reference_forward_row(const sqa_attention *attention, const sqa_reference_inputs *inputs,
                               uint32_t batch, uint32_t head, uint32_t row, double *o, double *lse);

#endif
