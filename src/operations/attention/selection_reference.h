/* The oracle of block selection, in fp64 and by plain loops, from the definition in
 * include/sqa_cl/select.h. */
#ifndef SQA_OPERATIONS_SELECTION_REFERENCE_H
#define SQA_OPERATIONS_SELECTION_REFERENCE_H

#include "operations/attention/reference.h"

/* How far off a score in f32 may be, relative to that of the same inputs with every
 * element, and the scale, taken by its magnitude. */
#define SQA_SELECTION_ROUNDING 1e-6

/* The scores of all key blocks for a row of a list, and what the rounding is relative
 * to; an element per key block. */
void sqa_reference_block_scores(const sqa_selection *selection, const sqa_reference_inputs *inputs,
                                uint32_t batch, uint32_t list_head, uint32_t row, double *scores,
                                double *magnitudes);

/* How many of the key blocks, from the first, the row may choose from; and whether it
 * has to take one of those. */
uint32_t sqa_reference_candidates(const sqa_selection *selection, uint32_t row);
bool sqa_reference_is_forced(const sqa_selection *selection, uint32_t row, uint32_t block);

/* Writes the row's list, sorted; returns its length. */
uint32_t sqa_reference_select(const sqa_selection *selection, uint32_t row, const double *scores,
                              int32_t *list);

/* What is wrong with a list of `count` blocks, NULL if nothing: it has the right
 * length, ascends, and has no block that is worse than one it has not, by more than
 * rounding. */
const char *sqa_reference_list_fault(const sqa_selection *selection, uint32_t row,
                                     const double *scores, const double *magnitudes,
                                     const int32_t *list, uint32_t count);

/* Whether rounding may decide which blocks are in the row's list. */
bool sqa_reference_is_close(const sqa_selection *selection, uint32_t row, const double *scores,
                            const double *magnitudes, const int32_t *list, uint32_t count);

#endif
