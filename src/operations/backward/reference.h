/* The oracle of gradients: fp64, plain loops, from the definition in
 * include/sqa_cl/backward.h. Queries and keys count within their sequence; what an updated
 * tensor held before is not added. */
#ifndef SQA_OPERATIONS_BACKWARD_REFERENCE_H
#define SQA_OPERATIONS_BACKWARD_REFERENCE_H

#include "operations/attention/reference.h"
#include "operations/backward/slots.h"

/* rowsum(dO * O); 0 of a row that saw nothing. */
double sqa_reference_delta(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t head, uint32_t query);

/* head_dim doubles: of a query head. */
void sqa_reference_dq_row(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                          uint32_t batch, uint32_t q_head, uint32_t query, double *dq);

/* head_dim doubles to `dk`, value_dim to `dv`. */
void sqa_reference_dkv_row(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                           uint32_t batch, uint32_t kv_head, uint32_t key, double *dk, double *dv);

/* Of the bias's row (batch, head, query), of which dimensions that it repeats are 0, the keys
 * first .. first + count - 1. */
void sqa_reference_dbias_row(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                             uint32_t batch, uint32_t head, uint32_t query, uint32_t first,
                             uint32_t count, double *dbias);

double sqa_reference_dsink(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                           uint32_t head);
double sqa_reference_dslope(const sqa_backward_pass *pass, const sqa_reference_inputs *inputs,
                            uint32_t head);

#endif
