/* Device tensors to time kernels on: random inputs and a scratch output, large
 * enough for whatever is timed next. Only the reference cares what is in them. */
#ifndef SQA_TUNER_TIMING_TENSORS_H
#define SQA_TUNER_TIMING_TENSORS_H

#include "operations/tensors.h"
#include "operations/tuner_operation.h"
#include "sqa_cl.h"

typedef struct sqa_timing_tensors {
    cl_mem buffers[SQA_MAX_TENSORS]; /* by slot; NULL where none was needed yet */
    size_t bytes[SQA_MAX_TENSORS];
    sqa_element elements[SQA_MAX_TENSORS]; /* what they were last filled with */
    bool shuffled;                         /* index tensors that may be are in a random order */
    uint32_t shortest; /* of sequences in pages, whose lengths go up from it evenly; 0: all are
                          as long as the problem says */
} sqa_timing_tensors;

/* The length of sequence `index` then. */
uint32_t sqa_timing_length(uint32_t shortest, uint32_t longest, uint32_t batch, uint32_t index);

#define SQA_TIMING_TENSORS_INIT                                                                    \
    {                                                                                              \
        {0}, {0}, {SQA_ELEMENT_F32}, false, 0                                                      \
    }

/* Grows the tensors until `problem` fits, and gives those whose numbers mean something
 * (masks, index tensors) such as fit it. */
sqa_status sqa_timing_tensors_reserve(sqa_timing_tensors *tensors, cl_context context,
                                      cl_command_queue queue, const sqa_problem *problem);
void sqa_timing_tensors_release(sqa_timing_tensors *tensors);

/* Plans that are timed as one, in their order, and the tensors they share;
 * sqa_timing_enqueue is sqa_measure's work. */
typedef struct sqa_timing_work {
    sqa_plan *plans[SQA_PASS_PARTS];
    size_t count;
    const sqa_timing_tensors *tensors;
    bool latent; /* of attention: the values are a part of the keys */
} sqa_timing_work;

sqa_status sqa_timing_enqueue(void *work, cl_command_queue queue, cl_event *event);

#endif
