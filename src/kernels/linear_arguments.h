/* What the programs of linear attention have in common: their arguments, and the definitions of
 * its rule. */
#ifndef SQA_KERNELS_LINEAR_ARGUMENTS_H
#define SQA_KERNELS_LINEAR_ARGUMENTS_H

#include "kernels/arguments.h"
#include "kernels/kernel_family.h"

/* What families compute for the arguments; all but `group` of a backward pass. */
typedef struct sqa_linear_values {
    int32_t group;
    sqa_strides dq, dk, dv;
    int64_t head_floats;          /* of the workspace, for each key/value head of a sequence */
    int64_t copies_at, decays_at; /* in it: dQ of every output head, sums of decays' gradients */
    int64_t decay_parts;          /* such sums, of each key/value head of a sequence */
} sqa_linear_values;

/* Of every kernel of a program, of either pass: *_batch, *_head and *_row are distances in
 * elements. */
extern const sqa_argument_row *const sqa_linear_tables[], *const sqa_linear_backward_tables[];

/* The definitions common to every kernel (SQA_FEATURE, SQA_DECAY, ...), and SQA_LINEAR_ARGUMENTS.
 */
void sqa_source_linear(sqa_text *out, const sqa_problem *problem,
                       const sqa_argument_row *const *tables);

/* The fragments that use them, with which every family's list begins. */
#define SQA_LINEAR_FRAGMENTS "common/types.cl", "linear/arguments.cl", "linear/sums.cl"

/* Adds the step `kernel`, of which a state has `parts` work-groups of `across` x `down` work-items;
 * and, where sums are written, the step that does it. */
void sqa_linear_launch(const sqa_problem *problem, const char *kernel, uint32_t parts,
                       uint32_t across, uint32_t down, sqa_launch *out);

/* A kernel of a backward pass: of each key/value head of a sequence, `groups` work-groups of
 * `across` x `down` work-items; none: no step. */
typedef struct sqa_linear_step {
    const char *kernel;
    uint32_t groups, across, down;
} sqa_linear_step;

/* Adds the steps of a backward pass: `steps`, for which each key/value head of a sequence has
 * `head_floats` of the workspace and leaves `decay_parts` sums, and those of
 * cl/linear/gradients.cl that sum up. */
void sqa_linear_backward_launch(const sqa_problem *problem, const sqa_linear_step *steps,
                                size_t step_count, uint64_t head_floats, uint32_t decay_parts,
                                sqa_launch *out);

#endif
