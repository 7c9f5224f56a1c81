/* Splitting the keys: what cl/forward/split.cl needs of a launch, for any family. */
#ifndef SQA_KERNELS_SPLIT_H
#define SQA_KERNELS_SPLIT_H

#include "kernels/launch.h"

/* Completes the launch's only step, which computes `splits` parts in multiples of
 * `key_tile` keys, and adds the workspace and the step that combines them. */
void sqa_split_launch(const sqa_problem *problem, int32_t splits, int32_t key_tile,
                      sqa_launch *launch);

#endif
