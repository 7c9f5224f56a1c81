/* A forward call to be looked at closely: its tensors on the host, and a run that
 * finds whatever is wrong without knowing the right answer: an element not
 * written, a guard overwritten, an input changed. */
#ifndef SQA_TUNER_FORWARD_CASE_H
#define SQA_TUNER_FORWARD_CASE_H

#include "conformance/host_tensor.h"
#include "problem/problem.h"

#define SQA_CASE_MESSAGE 256

typedef struct sqa_forward_case {
    sqa_problem problem;
    sqa_host_tensor q, k, v, o;
    sqa_host_tensor lse; /* without elements when the problem writes none */
} sqa_forward_case;

/* Random inputs in [-1, 1). With larger ones rounding of the dot products alone
 * would use up the tolerance of LSE near its zero. */
sqa_status sqa_forward_case_create(sqa_forward_case *out, const sqa_attention_desc *desc,
                                   uint64_t seed);
void sqa_forward_case_free(sqa_forward_case *test);

/* Uploads the inputs as they are now, poisons the outputs, runs the plan, reads
 * the outputs back. A violation is SQA_OK with a message; "" when all is well. */
sqa_status sqa_forward_case_run(sqa_forward_case *test, sqa_plan *plan, cl_context context,
                                cl_command_queue queue, char message[SQA_CASE_MESSAGE]);

/* Whether query `row` sees key `key`: the definition, for tests that plant values. */
bool sqa_row_sees_key(const sqa_problem *problem, uint32_t row, uint32_t key);

#endif
