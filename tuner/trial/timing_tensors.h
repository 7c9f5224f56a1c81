/* Device tensors to time kernels on: random inputs and a scratch output, large
 * enough for whatever is timed next. Only the oracle cares what is in them. */
#ifndef SQA_TUNER_TIMING_TENSORS_H
#define SQA_TUNER_TIMING_TENSORS_H

#include "problem/tensors.h"
#include "sqa_cl.h"

typedef struct sqa_timing_tensors {
    cl_mem buffers[SQA_ROLE_TENSOR_COUNT]; /* by role; NULL where none was needed yet */
    size_t bytes[SQA_ROLE_TENSOR_COUNT];
    sqa_element elements[SQA_ROLE_TENSOR_COUNT]; /* what they were last filled with */
} sqa_timing_tensors;

#define SQA_TIMING_TENSORS_INIT                                                                    \
    {                                                                                              \
        {0}, {0},                                                                                  \
        {                                                                                          \
            SQA_ELEMENT_F32                                                                        \
        }                                                                                          \
    }

/* Grows the tensors until `desc` fits, and gives those whose numbers mean something
 * (masks, index tensors) such as fit it. */
sqa_status sqa_timing_tensors_reserve(sqa_timing_tensors *tensors, cl_context context,
                                      cl_command_queue queue, const sqa_attention_desc *desc);
void sqa_timing_tensors_release(sqa_timing_tensors *tensors);

/* A plan and the tensors it is timed on; sqa_timing_enqueue is sqa_measure's work. */
typedef struct sqa_timing_work {
    sqa_plan *plan;
    const sqa_timing_tensors *tensors;
} sqa_timing_work;

sqa_status sqa_timing_enqueue(void *work, cl_command_queue queue, cl_event *event);

#endif
