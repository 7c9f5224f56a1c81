/* Assembling a kernel's OpenCL C: parameters as #define lines, then fragments of
 * cl/ in order. Families add only what the preprocessor cannot say; what a problem
 * does not have is thinned out of it. */
#ifndef SQA_KERNELS_SOURCE_H
#define SQA_KERNELS_SOURCE_H

#include "base/text.h"
#include "kernels/kernel_family.h"

/* Appends the OpenCL C that is compiled, captured and hashed for the configuration: a line
 * "#define NAME value" for every parameter, in the family's order, and below it what thinning
 * leaves of the family's source. No comments: one that is reworded makes no other program;
 * but for a line that names the library with whose kernels these go. */
void sqa_family_source(const sqa_kernel_family *family, const sqa_config *config,
                       const sqa_problem *problem, const sqa_device *device, sqa_text *out);

/* The definitions common to every forward kernel (SQA_HEAD_DIM, SQA_CAUSAL, ...), and the
 * list of its arguments; with those of splitting keys where it is `split`. */
void sqa_source_forward(sqa_text *out, const sqa_problem *problem, bool split);

/* The fragments that use them, with which every forward family's list begins. */
#define SQA_FORWARD_FRAGMENTS                                                                      \
    "common/types.cl", "forward/arguments.cl", "forward/visible.cl", "forward/units.cl",           \
        "forward/score.cl", "forward/weight.cl", "common/dropout.cl"

/* The definitions common to every kernel of a backward pass that computes scores: those of
 * forward kernels but for LSE, which is there, and SQA_GRADIENT_Q, ..., SQA_ACCUMULATE. */
void sqa_source_backward(sqa_text *out, const sqa_problem *problem);

/* The fragments that use them. */
#define SQA_BACKWARD_FRAGMENTS                                                                     \
    "common/types.cl", "forward/arguments.cl", "forward/visible.cl", "forward/units.cl",           \
        "forward/score.cl", "common/dropout.cl", "backward/arguments.cl", "backward/visible.cl",   \
        "backward/score.cl"

/* The family's fragments, which must exist. */
void sqa_source_fragments(sqa_text *out, const sqa_kernel_family *family);

/* sqa_turns of rope/turn.cl: how much of a turn each pair turns from a position to the next one, in
 * units of 2^-64. The product with a position, modulo 2^64, is the part of a turn that is left, off
 * by as little as the position times half a unit. Frequencies are at most 1, so at most 1/6 of a
 * turn. */
void sqa_source_turns(sqa_text *out, uint32_t rotary, float base);

#endif
