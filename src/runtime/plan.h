/* The plan's inside: a leaf, or the stages of a recipe in their order, each with a leaf of
 * its own, and the memory between them. */
#ifndef SQA_RUNTIME_PLAN_H
#define SQA_RUNTIME_PLAN_H

#include "runtime/leaf.h"
#include "sqa_cl/plan.h"

typedef struct sqa_plan_stage {
    sqa_leaf *leaf;
    sqa_link links[SQA_MAX_TENSORS]; /* as in sqa_stage */
} sqa_plan_stage;

struct sqa_plan {
    atomic_uint references;
    sqa_context *context; /* borrowed */
    sqa_problem problem;
    sqa_tensor_need needs[SQA_MAX_TENSORS];
    uint32_t need_count;
    sqa_plan_stage *stages;
    uint32_t stage_count;
    cl_mem ones; /* what SQA_LINK_ONE leads to; NULL where no link does */
    /* The workspace: what the leaves need, one after the other, then the scratch tensors, each
     * so many elements from its start. */
    size_t scratch_at[SQA_MAX_SCRATCH];
    size_t workspace_bytes;
    sqa_tensor_need workspace_need; /* where a caller brings one */
    cl_mem workspace;               /* NULL when workspace_bytes is 0 */
    pthread_mutex_t workspace_lock;
    cl_event workspace_user;         /* the last call on the plan's own workspace; NULL: none yet */
    sqa_text family, config, reason; /* of all stages */
};

/* A plan with one reference. Errors as sqa_plan_create(). */
sqa_status sqa_plan_build(sqa_plan **out, sqa_context *context, const sqa_problem *problem,
                          const sqa_plan_options *options);
void sqa_plan_retain(sqa_plan *plan);
void sqa_plan_release(sqa_plan *plan);

/* The rung and the source of the stage that knows least. */
const sqa_choice *sqa_plan_weakest_choice(const sqa_plan *plan);

/* Enqueues on tensors that were already checked. */
sqa_status sqa_plan_enqueue(sqa_plan *plan, const sqa_tensor tensors[SQA_MAX_SLOTS],
                            cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                            cl_event *event);

#endif
