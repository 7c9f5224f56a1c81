/* A problem: an operation and everything that it is asked for, as one value.
 *
 * Zero-filled before it is set, so that two equal problems are equal as bytes: it is
 * the key of the plan cache, what every kernel family works from, and what a row of
 * the tuning database is about. */
#ifndef SQA_PROBLEM_PROBLEM_H
#define SQA_PROBLEM_PROBLEM_H

#include "problem/activating.h"
#include "problem/appending.h"
#include "problem/attention.h"
#include "problem/backward.h"
#include "problem/block.h"
#include "problem/layer.h"
#include "problem/linear.h"
#include "problem/merging.h"
#include "problem/mla.h"
#include "problem/norm.h"
#include "problem/product.h"
#include "problem/rope.h"
#include "problem/selection.h"

typedef struct sqa_problem {
    sqa_operation operation;
    union {
        sqa_attention attention; /* also of every operation that begins with one */
        sqa_selection selection;
        sqa_backward_pass backward;
        sqa_product product;
        sqa_activating activating;
        sqa_linear linear;
        sqa_merging merging;
        sqa_layer_pass layer; /* also of a block, which begins with one */
        sqa_block_pass block;
        sqa_rotation rotation;
        sqa_normalisation norm; /* and its gradients */
        sqa_appending appending;
        sqa_mla_pass mla;
    } of;
} sqa_problem;

/* Forward attention as `desc` says (operations/forward.c).
 * Errors: SQA_INVALID_ARGUMENT, naming the field. */
sqa_status sqa_problem_from_desc(sqa_problem *out, const sqa_attention_desc *desc);

/* A descriptor that gives the attention of this problem again. */
void sqa_problem_to_desc(const sqa_problem *problem, sqa_attention_desc *out);

#endif
