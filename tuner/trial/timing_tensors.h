/* Device tensors to time kernels on: random inputs and a scratch output, large
 * enough for whatever is timed next. Only the oracle cares what is in them. */
#ifndef SQA_TUNER_TIMING_TENSORS_H
#define SQA_TUNER_TIMING_TENSORS_H

#include "sqa_cl.h"

typedef struct sqa_timing_tensors {
    sqa_dtype dtype;
    cl_mem buffers[5]; /* q, k, v, o, lse; NULL before the first reserve */
    size_t bytes[5];
} sqa_timing_tensors;

#define SQA_TIMING_TENSORS_INIT                                                                    \
    {                                                                                              \
        SQA_DTYPE_F32, {0},                                                                        \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* Grows the tensors until `desc` fits; another storage type makes them anew. */
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
