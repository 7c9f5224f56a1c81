/* The tensors of a problem, whatever its operation: which there are, how large, and what
 * a call has to bring. */
#ifndef SQA_OPERATIONS_TENSORS_H
#define SQA_OPERATIONS_TENSORS_H

#include "operations/operation.h"
#include "operations/view.h"
#include "sqa_cl/plan.h"

/* Where arrays by slot have the workspace, which is no tensor of the problem. */
#define SQA_SLOT_WORKSPACE SQA_MAX_TENSORS

/* And what a caller has packed before; without a buffer, it is made anew in the workspace, from
 * its start. */
#define SQA_SLOT_PACKED (SQA_MAX_TENSORS + 1)
#define SQA_MAX_SLOTS (SQA_MAX_TENSORS + 2)

/* Elements that are stored together, which rows, strides and offsets are multiples of: 1 of most
 * types, SQA_GROUP of quantised ones (problem/groups.h). */
uint32_t sqa_element_group(sqa_element element);

/* A distance in elements as kernels count it: in elements, of quantised types in bytes. */
int64_t sqa_element_places(sqa_element element, int64_t count);

/* Whether it is a number, which the host has as f32. */
bool sqa_element_is_float(sqa_element element);
const char *sqa_element_name(sqa_element element);

/* Bytes that `count` elements take; of one, its part of a group. */
uint64_t sqa_element_bytes(sqa_element element, uint64_t count);
double sqa_element_size(sqa_element element);

/* The operation's row of that slot: its own or its inner one's, with the member's place in its own
 * struct of tensors; unused where it has none. */
sqa_tensor_slot sqa_slot_of(const sqa_operation_entry *entry, uint32_t slot);

/* false when the problem has no such tensor (*out is then empty). */
bool sqa_tensor_shape_of(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out);

/* One past the last element the tensor's view touches; 0 for an empty tensor. */
uint64_t sqa_tensor_extent(const sqa_tensor_shape *shape);

/* Its name, NULL where the operation has no such slot, and whether it is written. */
const char *sqa_tensor_name(const sqa_problem *problem, uint32_t slot);
bool sqa_tensor_is_output(const sqa_problem *problem, uint32_t slot);

/* For operations: whether all outputs are empty. Some are there even of an empty batch. */
bool sqa_writes_nothing(const sqa_problem *problem);

/* Whether it is an output whose earlier contents count. */
bool sqa_tensor_is_updated(const sqa_problem *problem, uint32_t slot);

/* What a call has to bring in a slot: `extent` elements behind its offset. */
typedef struct sqa_tensor_need {
    const char *name;
    uint32_t slot;
    size_t member; /* of the public struct of tensors */
    uint64_t extent;
    sqa_element element;
    bool output;
    uint32_t in_place; /* slot + 1 of an input of the same strides that it may lie on; 0: none */
    sqa_view view;
} sqa_tensor_need;

/* The needs of all slots that some kernel looks at; how many there are. They follow from the
 * problem alone, so that plans keep them. */
uint32_t sqa_tensor_needs(const sqa_problem *problem, sqa_tensor_need out[SQA_MAX_TENSORS]);

/* Bytes that have to move at least: every tensor once, an updated one both ways. */
double sqa_problem_bytes(const sqa_problem *problem);

/* Floating-point operations the result needs. */
double sqa_problem_flop(const sqa_problem *problem);

#endif
