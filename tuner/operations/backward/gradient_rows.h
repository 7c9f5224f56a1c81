/* The rows of dQ, dK and dV by what they mean, and what each depends on. */
#ifndef SQA_TUNER_BACKWARD_GRADIENT_ROWS_H
#define SQA_TUNER_BACKWARD_GRADIENT_ROWS_H

#include "operations/attention/reference.h"
#include "operations/backward/slots.h"
#include "reference/host_tensors.h"

/* A vector of Q, K, V, dO or one of the gradients: the head is one of that tensor's, the row
 * counts within the sequence. */
typedef struct sqa_vector_place {
    uint32_t slot, batch, head, row;
} sqa_vector_place;

/* Its numbers, and how many. */
float *sqa_vector_at(const sqa_host_tensors *tensors, const sqa_vector_place *at);
uint32_t sqa_vector_length(const sqa_host_tensors *tensors, uint32_t slot);

/* Heads of the slot's tensor, and rows of a sequence. */
uint32_t sqa_vector_heads(const sqa_host_tensors *tensors, uint32_t slot);
uint32_t sqa_vector_rows(const sqa_host_tensors *tensors, uint32_t slot, uint32_t batch);

/* To the first place of a slot, and on to the next; false: there is none. */
bool sqa_vector_first(const sqa_host_tensors *tensors, uint32_t slot, sqa_vector_place *at);
bool sqa_vector_next(const sqa_host_tensors *tensors, sqa_vector_place *at);

/* Whether the row of an output head saw a key by its LSE, and whether it sees this one. */
bool sqa_row_is_live(const sqa_host_tensors *tensors, uint32_t batch, uint32_t head, uint32_t row);
bool sqa_pair_is_live(const sqa_host_tensors *tensors, uint32_t batch, uint32_t head, uint32_t row,
                      uint32_t key);

/* Sets LSE to -infinity in rows that see no key, as a forward pass does. */
void sqa_settle_lse(sqa_host_tensors *tensors);

/* O and LSE as a forward pass leaves them, rounded to f32. */
void sqa_set_outputs(sqa_host_tensors *tensors);

/* The same of other scores and inputs, where there is an O. */
void sqa_set_outputs_of(sqa_host_tensors *tensors, const sqa_attention *attention,
                        const sqa_reference_inputs *views);

/* How a number in the vector `of` comes into the gradient vector `in`: not at all, into the
 * component of the same number alone, or into all. */
typedef enum sqa_influence {
    SQA_INFLUENCE_NONE,
    SQA_INFLUENCE_ONE,
    SQA_INFLUENCE_ALL
} sqa_influence;
sqa_influence sqa_influence_of(const sqa_host_tensors *tensors, const sqa_vector_place *of,
                               const sqa_vector_place *in);

#endif
