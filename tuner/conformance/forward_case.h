/* A forward call to be looked at closely: its tensors on the host, and a run that
 * finds whatever is wrong without knowing the right answer: an element not
 * written, a guard overwritten, an input changed. */
#ifndef SQA_TUNER_FORWARD_CASE_H
#define SQA_TUNER_FORWARD_CASE_H

#include "conformance/host_tensor.h"
#include "reference/reference.h"

#define SQA_CASE_MESSAGE 256

/* Masks, index tensors, sinks and slopes: packed, and without guards. */
typedef struct sqa_case_array {
    void *data; /* NULL: the problem has none */
    size_t bytes;
    cl_mem buffer; /* of the last upload */
} sqa_case_array;

typedef struct sqa_forward_case {
    sqa_problem problem;
    sqa_host_tensor q, k, v, o;
    sqa_host_tensor lse;  /* without elements when the problem writes none */
    sqa_host_tensor bias; /* likewise */
    sqa_case_array arrays[SQA_ROLE_TENSOR_COUNT]; /* of the other roles */
} sqa_forward_case;

/* Random inputs (reference/inputs.h), block lists in any order. */
sqa_status sqa_forward_case_create(sqa_forward_case *out, const sqa_attention_desc *desc,
                                   uint64_t seed);
void sqa_forward_case_free(sqa_forward_case *test);

/* Uploads the inputs as they are now, poisons the outputs, runs the plan, reads
 * the outputs back. A violation is SQA_OK with a message; "" when all is well. */
sqa_status sqa_forward_case_run(sqa_forward_case *test, sqa_plan *plan, cl_context context,
                                cl_command_queue queue, char message[SQA_CASE_MESSAGE]);

/* The inputs as the oracle takes them; they point into the case. */
sqa_reference_inputs sqa_forward_case_inputs(const sqa_forward_case *test);

/* The vectors of output row (batch, head, row) and of a key of K or V, wherever a
 * ragged batch has them; rows and keys count within the sequence. */
float *sqa_forward_case_output(const sqa_forward_case *test, uint32_t batch, uint32_t head,
                               uint32_t row);
float *sqa_forward_case_lse(const sqa_forward_case *test, uint32_t batch, uint32_t head,
                            uint32_t row);
float *sqa_forward_case_key(const sqa_forward_case *test, const sqa_host_tensor *tensor,
                            uint32_t batch, uint32_t kv_head, uint32_t key);
sqa_sequence sqa_forward_case_sequence(const sqa_forward_case *test, uint32_t batch);

/* Whether a query of output head `head` sees the key, by every rule. */
bool sqa_forward_case_sees(const sqa_forward_case *test, uint32_t batch, uint32_t head,
                           uint32_t row, uint32_t key);

#endif
