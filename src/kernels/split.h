/* Sharing heads and splitting keys, for any family: what cl/forward/sharing.cl and
 * split.cl need of a problem and a launch. */
#ifndef SQA_KERNELS_SPLIT_H
#define SQA_KERNELS_SPLIT_H

#include <stdbool.h>

#include "device/device.h"
#include "kernels/launch.h"

/* Whether the query heads of a key/value head can be rows of one matrix (SHARE,
 * cl/forward/sharing.cl); what it takes otherwise. */
bool sqa_sharing_can_run(const sqa_problem *problem);
extern const char sqa_sharing_needs[];

/* Whether dividing the keys as well can pay: `groups` work-groups alone do not
 * keep the device busy. */
bool sqa_split_can_pay(uint64_t groups, const sqa_device *device);

/* Completes the launch's only step, which computes `splits` parts in multiples of
 * `key_tile` keys, and adds the workspace and the step that combines them. */
void sqa_split_launch(const sqa_problem *problem, int32_t splits, int32_t key_tile,
                      sqa_launch *launch);

#endif
