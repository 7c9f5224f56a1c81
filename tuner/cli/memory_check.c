#include "cli/memory_check.h"

#include "base/status.h"
#include "operations/shape.h"
#include "operations/tensors.h"

#define GIB 1073741824.0

static sqa_status fail(const sqa_problem *problem, const char *what, double need, double have,
                       const char *where)
{
    char shape[SQA_SHAPE_TEXT];
    sqa_problem_format(problem, shape, sizeof shape);
    return sqa_fail(SQA_OUT_OF_MEMORY, "%s: %s of %.4g GiB; %s of this device has %.4g GiB", shape,
                    what, need / GIB, where, have / GIB);
}

sqa_status sqa_memory_check(const sqa_problem *problem, const sqa_device *device)
{
    const double most = (double)device->limits.max_allocation_bytes;
    const double memory = (double)device->limits.global_memory_bytes;
    double all = 0.0;
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++) {
        sqa_tensor_shape shape;
        if (!sqa_tensor_shape_of(problem, slot, &shape))
            continue;
        /* In floating point: a shape may ask for more bytes than 64 bits count. */
        const double bytes = (double)sqa_tensor_extent(&shape) * sqa_element_size(shape.element);
        if (most > 0 && bytes > most)
            return fail(problem, sqa_tensor_name(problem, slot), bytes, most, "one buffer");
        all += bytes;
    }
    return memory > 0 && all > memory ? fail(problem, "tensors", all, memory, "the memory")
                                      : SQA_OK;
}
