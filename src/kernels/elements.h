/* Launches of a work-item per element of a tensor. */
#ifndef SQA_KERNELS_ELEMENTS_H
#define SQA_KERNELS_ELEMENTS_H

#include "device/device.h"
#include "kernels/launch.h"

/* Adds a step of at least width x rows x matrices work-items, in groups along the width; kernels
 * leave out those beyond it. */
sqa_launch_step *sqa_elements_add_step(sqa_launch *launch, const sqa_device *device,
                                       const char *kernel, size_t width, size_t rows,
                                       size_t matrices);

#endif
