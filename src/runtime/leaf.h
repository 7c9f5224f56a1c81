/* A leaf: one problem of an operation that has kernel families, with the configuration
 * chosen for it, its program, and kernels ready to be enqueued. Plans are made of them. */
#ifndef SQA_RUNTIME_LEAF_H
#define SQA_RUNTIME_LEAF_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/choose.h"
#include "runtime/enqueue.h"
#include "sqa_cl/context.h"

/* Kernel sets a leaf keeps, and so the threads that can enqueue it at one time
 * without waiting for each other. */
#define SQA_LEAF_SLOTS 8

typedef struct sqa_leaf_slot {
    pthread_mutex_t lock; /* held while arguments are set and the kernels enqueued */
    bool ready;           /* the set has been created */
    sqa_kernel_set set;
} sqa_leaf_slot;

typedef struct sqa_leaf {
    sqa_context *context; /* borrowed */
    sqa_problem problem;
    sqa_choice choice;
    char config[SQA_CONFIG_TEXT];
    sqa_text reason;
    sqa_launch launch;    /* its workspace is for the caller to bring */
    cl_program program;   /* NULL: there is nothing to do, or it is all a library's */
    atomic_bool launched; /* the program has run, so that its binary is worth keeping */
    sqa_leaf_slot slots[SQA_LEAF_SLOTS];
    /* Takes over where the device refuses the first launch of a stored configuration, or a
     * library the first call. */
    pthread_mutex_t substitute_lock;
    _Atomic(struct sqa_leaf *) substitute;
} sqa_leaf;

/* Chooses, compiles and prepares the first launch. `options` may be NULL.
 * Errors as sqa_plan_create(). */
sqa_status sqa_leaf_create(sqa_leaf **out, sqa_context *context, const sqa_problem *problem,
                           const sqa_plan_options *options);
void sqa_leaf_destroy(sqa_leaf *leaf);

/* After a failure of what has not run yet (sqa_last_error() says why): the leaf that takes over
 * from now on, which is this one's; NULL: there is nothing else, or the caller asked for this
 * very family. */
sqa_leaf *sqa_leaf_pass_over(sqa_leaf *leaf);

/* The choice's launch for `problem`, a relative of the leaf's or its own. The caller frees it,
 * also when this fails. */
sqa_status sqa_leaf_launch(const sqa_leaf *leaf, const sqa_problem *problem, sqa_launch *out);

/* The leaf that runs in its place: itself, or its substitute. */
const sqa_leaf *sqa_leaf_in_use(const sqa_leaf *leaf);

/* Enqueues what packs the weights, into SQA_SLOT_PACKED, as leaf->launch.packing says; a marker
 * where nothing is packed. Of a leaf in use. */
sqa_status sqa_leaf_pack(const sqa_leaf *leaf, const sqa_tensor tensors[SQA_MAX_SLOTS],
                         cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                         cl_event *event);

/* Enqueues on tensors that were already checked. */
sqa_status sqa_leaf_enqueue(sqa_leaf *leaf, const sqa_tensor tensors[SQA_MAX_SLOTS],
                            cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                            cl_event *event);

#endif
