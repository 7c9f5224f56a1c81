/* The tensors of a forward call by what they mean: rows of outputs and keys, wherever a
 * ragged batch has them. */
#ifndef SQA_TUNER_FORWARD_CASE_H
#define SQA_TUNER_FORWARD_CASE_H

#include "operations/attention/reference.h"
#include "reference/host_tensors.h"

/* Random inputs for what the descriptor says, among guards. */
sqa_status sqa_forward_case_create(sqa_host_tensors *out, const sqa_attention_desc *desc,
                                   uint64_t seed);

/* The vectors of output row (batch, head, row) and of a key of K or V; rows and keys count
 * within the sequence. */
float *sqa_forward_case_output(const sqa_host_tensors *test, uint32_t batch, uint32_t head,
                               uint32_t row);
float *sqa_forward_case_lse(const sqa_host_tensors *test, uint32_t batch, uint32_t head,
                            uint32_t row);
float *sqa_forward_case_key(const sqa_host_tensors *test, const sqa_host_tensor *tensor,
                            uint32_t batch, uint32_t kv_head, uint32_t key);
sqa_sequence sqa_forward_case_sequence(const sqa_host_tensors *test, uint32_t batch);

/* Whether a query of output head `head` sees the key, by every rule. */
bool sqa_forward_case_sees(const sqa_host_tensors *test, uint32_t batch, uint32_t head,
                           uint32_t row, uint32_t key);

#endif
