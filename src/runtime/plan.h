/* The plan's inside: a choice, its program, and kernels ready to be enqueued. */
#ifndef SQA_RUNTIME_PLAN_H
#define SQA_RUNTIME_PLAN_H

#include <pthread.h>
#include <stdatomic.h>

#include "kernels/kernel_family.h"
#include "runtime/choose.h"
#include "runtime/enqueue.h"
#include "sqa_cl/plan.h"

/* Kernel sets a plan keeps, and so the threads that can enqueue it at one time
 * without waiting for each other. */
#define SQA_PLAN_SLOTS 8

typedef struct sqa_plan_slot {
    pthread_mutex_t lock; /* held while arguments are set and the kernels enqueued */
    bool ready;           /* the set has been created */
    sqa_kernel_set set;
} sqa_plan_slot;

struct sqa_plan {
    atomic_uint references;
    sqa_context *context; /* borrowed */
    sqa_problem problem;
    sqa_tensor_need needs[SQA_ROLE_TENSOR_COUNT];
    sqa_choice choice;
    char config[SQA_CONFIG_TEXT];
    sqa_text reason;
    sqa_launch launch;
    cl_program program;
    atomic_bool launched; /* the program has run, so that its binary is worth keeping */
    cl_mem workspace;     /* NULL when launch.workspace_bytes is 0 */
    pthread_mutex_t workspace_lock;
    cl_event workspace_user; /* the last call on the plan's own workspace; NULL: none yet */
    sqa_plan_slot slots[SQA_PLAN_SLOTS];
};

/* A plan with one reference. Errors as sqa_plan_create(). */
sqa_status sqa_plan_build(sqa_plan **out, sqa_context *context, const sqa_problem *problem,
                          const sqa_plan_options *options);
void sqa_plan_retain(sqa_plan *plan);
void sqa_plan_release(sqa_plan *plan);

/* Enqueues on tensors that were already checked. */
sqa_status sqa_plan_enqueue(sqa_plan *plan, const sqa_tensor tensors[SQA_ROLE_COUNT],
                            cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                            cl_event *event);

#endif
