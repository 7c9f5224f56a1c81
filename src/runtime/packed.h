/* Weights of matrix products that are packed once: B and B2 as a configuration reads them. */
#ifndef SQA_RUNTIME_PACKED_H
#define SQA_RUNTIME_PACKED_H

#include "runtime/plan.h"
#include "sqa_cl/matmul.h"

/* Does not change once it is made, so that it needs no lock. */
struct sqa_matmul_packed {
    cl_context cl; /* retained */
    sqa_product product;
    const sqa_kernel_family *family;
    sqa_packing packing;
    cl_mem buffer;    /* NULL: the family reads B in place */
    sqa_tensor b, b2; /* retained */
};

/* Enqueues the packing of B and B2, which `tensors` has by slot and which were checked already,
 * for the plan's configuration. Errors: those of enqueueing. */
sqa_status sqa_packed_create(sqa_matmul_packed **out, const sqa_plan *plan,
                             const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                             cl_uint wait_count, const cl_event *wait_list, cl_event *event);
void sqa_packed_destroy(sqa_matmul_packed *packed);

/* Whether the plan reads what was packed.
 * Errors: SQA_INVALID_ARGUMENT, saying what of it differs. */
sqa_status sqa_packed_check(const sqa_matmul_packed *packed, const sqa_plan *plan);

#endif
