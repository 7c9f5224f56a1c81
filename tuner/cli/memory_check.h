/* Whether a problem's tensors have room on a device: to be asked before anything is
 * computed, by every command that makes them there. */
#ifndef SQA_TUNER_MEMORY_CHECK_H
#define SQA_TUNER_MEMORY_CHECK_H

#include "device/device.h"
#include "operations/operation.h"

/* What the device does not tell is no limit. What a kernel needs besides comes later.
 * Errors: SQA_OUT_OF_MEMORY, saying what is needed and what there is. */
sqa_status sqa_memory_check(const sqa_problem *problem, const sqa_device *device);

#endif
