/* How a forward problem's rows and keys are divided among work-groups, for any
 * family: sharing heads (SHARE, cl/forward/sharing.cl) and splitting keys (SPLIT,
 * cl/forward/split.cl). */
#ifndef SQA_KERNELS_WORK_DIVISION_H
#define SQA_KERNELS_WORK_DIVISION_H

#include <stdbool.h>

#include "base/text.h"
#include "device/device.h"
#include "kernels/forward_arguments.h"

/* Whether the query heads of a key/value head can be rows of one matrix; what it
 * takes otherwise. */
bool sqa_sharing_can_run(const sqa_attention *attention);
extern const char sqa_sharing_needs[];

/* Row matrices of a batch entry: one per output head, or per key/value head. */
uint32_t sqa_matrix_count(const sqa_attention *attention, bool share);

/* Work-groups of `rows` rows that one matrix takes. */
uint64_t sqa_row_blocks(const sqa_attention *attention, bool share, int32_t rows);

/* Those of all matrices and the batch. */
uint64_t sqa_work_groups(const sqa_attention *attention, bool share, int32_t rows);

/* Whether splitting the keys as well can pay: work-groups of `rows` rows alone do
 * not keep the device busy. */
bool sqa_split_can_pay(const sqa_attention *attention, bool share, int32_t rows,
                       const sqa_device *device);

/* The argument list of forward kernels, with what a split needs or without. */
const sqa_argument_row *const *sqa_forward_tables(bool split);

/* Gives the launch's only step, which computes `splits` parts in multiples of `key_tile` keys,
 * its arguments; where there are several, adds the workspace and the step that combines them. */
void sqa_forward_launch(const sqa_problem *problem, const sqa_device *device, int32_t splits,
                        int32_t key_tile, sqa_launch *launch);

/* The same where splits have a fixed number of keys, and there are as many as the longest sequence
 * takes: at least one, which the kernel is told as it is told of several. */
int32_t sqa_splits_of_size(const sqa_attention *attention, int32_t keys);
void sqa_forward_launch_by_size(const sqa_problem *problem, const sqa_device *device, int32_t keys,
                                sqa_launch *launch);

/* What the step that combines them is told of the device, in programs that have it. */
void sqa_source_combine(sqa_text *out, const sqa_device *device);

#endif
