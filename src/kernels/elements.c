#include "kernels/elements.h"

/* Of a work-group: always the same, since some runtimes compile for each of its sizes. */
static size_t items_of(const sqa_device *device)
{
    const sqa_device_limits *limits = &device->limits;
    const size_t wanted = 64, most = limits->max_work_item_sizes[0] < limits->max_work_group_size
                                         ? limits->max_work_item_sizes[0]
                                         : limits->max_work_group_size;
    return wanted < most ? wanted : most;
}

sqa_launch_step *sqa_elements_add_step(sqa_launch *launch, const sqa_device *device,
                                       const char *kernel, size_t width, size_t rows,
                                       size_t matrices)
{
    const size_t items = items_of(device);
    sqa_launch_step *step = sqa_launch_add_step(launch, kernel, 3);
    step->global[0] = (width + items - 1) / items * items;
    step->global[1] = rows;
    step->global[2] = matrices;
    step->local[0] = items;
    step->local[1] = step->local[2] = 1;
    return step;
}
