#include "api/kept.h"

#include "operations/tensors.h"

size_t sqa_kept_place(const sqa_problem *problem, uint32_t slot, size_t *bytes)
{
    enum { ALIGNMENT = 256 };
    sqa_tensor_shape shape;
    if (!sqa_tensor_shape_of(problem, slot, &shape))
        return 0;
    const size_t at = (*bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    *bytes = at + (size_t)sqa_element_bytes(shape.element, sqa_tensor_extent(&shape));
    return at / (size_t)sqa_element_bytes(shape.element, 1);
}
