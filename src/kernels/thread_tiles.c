#include "kernels/thread_tiles.h"

bool sqa_thread_tiles_can_run(const sqa_device *device, const char **why)
{
    const sqa_device_limits *limits = &device->limits;
    if (limits->max_work_group_size >= 4 && limits->max_work_item_sizes[0] >= 2 &&
        limits->max_work_item_sizes[1] >= 2)
        return true;
    *why = "needs work-groups of at least 4 work-items";
    return false;
}

uint32_t sqa_divide_up(uint32_t a, uint32_t b)
{
    return (a + b - 1) / b;
}

uint32_t sqa_tile_pitch(int32_t vec, int32_t pad, uint32_t elements)
{
    return sqa_divide_up(elements, (uint32_t)vec) | (uint32_t)pad;
}
