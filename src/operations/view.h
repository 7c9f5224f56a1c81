/* Which bits of a memory a strided view has, and whether two views share some. Knows
 * nothing of buffers. */
#ifndef SQA_OPERATIONS_VIEW_H
#define SQA_OPERATIONS_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "operations/operation.h"

/* Rows of `width` bits, by strides; repeated dimensions (a stride of 0) are left out. */
typedef struct sqa_view {
    uint64_t width;
    uint64_t span; /* from the first bit to behind the last; 0: the view is empty */
    struct {
        uint64_t stride, steps; /* `steps` strides lead to the last one */
    } dims[3];
} sqa_view;

sqa_view sqa_view_of(const sqa_tensor_shape *shape);

/* Whether some bit belongs to both, when the views begin at bits `at_a` and `at_b` of one
 * memory, in which both lie whole. Exact for all strides that anybody lays out on purpose:
 * interleaved views are told apart. Of those that would take thousands of steps it says
 * that they do. */
bool sqa_views_overlap(const sqa_view *a, uint64_t at_a, const sqa_view *b, uint64_t at_b);

#endif
