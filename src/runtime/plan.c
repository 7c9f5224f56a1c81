/* Making, sharing and enqueueing plans. Knows no operation by name. */
#include "runtime/plan.h"

#include <stdlib.h>
#include <string.h>

#include "device/cl_status.h"
#include "operations/operations.h"
#include "operations/recipe.h"
#include "runtime/context.h"
#include "runtime/workspace.h"

/* Where the buffer of ones has that of an element, counted in such elements. */
static uint64_t one_at(sqa_element element)
{
    switch (element) {
    case SQA_ELEMENT_F16: return 2;
    case SQA_ELEMENT_BF16: return 3;
    default: return 0;
    }
}

static sqa_status make_ones(sqa_plan *plan)
{
    struct {
        float f32;
        uint16_t f16, bf16;
    } ones = {1.0f, 0x3c00, 0x3f80};
    cl_int code = CL_SUCCESS;
    if (!plan->ones)
        plan->ones = clCreateBuffer(plan->context->cl, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                                    sizeof ones, &ones, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer(ones)");
}

static sqa_status link_stage(sqa_plan *plan, const sqa_stage *stage, sqa_link *links)
{
    sqa_status status = SQA_OK;
    memcpy(links, stage->links, sizeof stage->links);
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS && status == SQA_OK; slot++) {
        sqa_tensor_shape shape;
        if (links[slot].from != SQA_LINK_ONE)
            continue;
        sqa_tensor_shape_of(&stage->problem, slot, &shape);
        links[slot].offset = one_at(shape.element);
        status = make_ones(plan);
    }
    return status;
}

static sqa_status add_stage(sqa_plan *plan, const sqa_stage *stage, const sqa_plan_options *options)
{
    sqa_plan_stage *own = &plan->stages[plan->stage_count];
    sqa_status status = sqa_leaf_create(&own->leaf, plan->context, &stage->problem, options);
    if (status != SQA_OK)
        return status;
    plan->stage_count++;
    return link_stage(plan, stage, own->links);
}

/* Leaves run one after the other, in the same memory. */
static void lay_out_workspace(sqa_plan *plan, const sqa_recipe *recipe)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const size_t leaf = plan->stages[i].leaf->launch.workspace_bytes;
        bytes = leaf > bytes ? leaf : bytes;
    }
    bytes = sqa_workspace_lay_out(recipe, bytes, plan->scratch_at);
    plan->workspace_bytes = bytes;
    plan->workspace_need = (sqa_tensor_need){.name = "workspace",
                                             .slot = SQA_SLOT_WORKSPACE,
                                             .extent = bytes,
                                             .element = SQA_ELEMENT_BYTE,
                                             .output = true,
                                             .view = {.width = bytes * 8, .span = bytes * 8}};
}

static sqa_status add_stages(sqa_plan *plan, const sqa_recipe *recipe,
                             const sqa_plan_options *options)
{
    sqa_status status = SQA_OK;
    plan->stages = calloc(recipe->stage_count, sizeof *plan->stages);
    if (!plan->stages)
        return sqa_fail_memory("a plan");
    for (uint32_t i = 0; i < recipe->stage_count && status == SQA_OK; i++)
        status = add_stage(plan, &recipe->stages[i], options);
    if (status == SQA_OK)
        lay_out_workspace(plan, recipe);
    return status;
}

static sqa_status make_stages(sqa_plan *plan, const sqa_plan_options *options)
{
    const sqa_operation_entry *entry = sqa_operation_of(&plan->problem);
    sqa_recipe *recipe = NULL;
    if (entry->recipe && options && options->family)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "options.family: '%.40s'; %s is made of several operations, each of which "
                        "has families of its own",
                        options->family, entry->name);
    sqa_status status = sqa_recipe_of(&plan->problem, &recipe);
    if (status == SQA_OK)
        status = add_stages(plan, recipe, options);
    sqa_recipe_free(recipe);
    return status;
}

static sqa_status allocate_workspace(sqa_plan *plan)
{
    if (plan->workspace_bytes == 0)
        return SQA_OK;
    cl_int code = CL_SUCCESS;
    plan->workspace =
        clCreateBuffer(plan->context->cl, CL_MEM_READ_WRITE, plan->workspace_bytes, NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer(workspace)");
}

static sqa_status explain(sqa_plan *plan)
{
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const sqa_leaf *leaf = plan->stages[i].leaf;
        sqa_text_format(&plan->family, "%s%s", i ? "+" : "", leaf->choice.family->name);
        sqa_text_format(&plan->config, "%s%s", i ? ";" : "", leaf->config);
        if (plan->stage_count > 1)
            sqa_text_format(&plan->reason, "%s%s: ", i ? "; " : "",
                            sqa_operation_of(&leaf->problem)->name);
        sqa_text_append(&plan->reason, sqa_text_get(&leaf->reason));
    }
    sqa_status status = sqa_text_status(&plan->family);
    if (status == SQA_OK)
        status = sqa_text_status(&plan->config);
    return status == SQA_OK ? sqa_text_status(&plan->reason) : status;
}

const sqa_choice *sqa_plan_weakest_choice(const sqa_plan *plan)
{
    const sqa_choice *weakest = &plan->stages[0].leaf->choice;
    for (uint32_t i = 1; i < plan->stage_count; i++)
        if (plan->stages[i].leaf->choice.rung > weakest->rung)
            weakest = &plan->stages[i].leaf->choice;
    return weakest;
}

/* Whether the plan is what somebody computes with, not one kernel among others to try. */
static bool is_use(const sqa_plan_options *options)
{
    return !options || (!options->family && !options->skip_database);
}

sqa_status sqa_plan_build(sqa_plan **out, sqa_context *context, const sqa_problem *problem,
                          const sqa_plan_options *options)
{
    sqa_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return sqa_fail_memory("a plan");
    atomic_init(&plan->references, 1);
    plan->context = context;
    plan->problem = *problem;
    plan->need_count = sqa_tensor_needs(problem, plan->needs);
    pthread_mutex_init(&plan->workspace_lock, NULL);
    sqa_status status = make_stages(plan, options);
    if (status == SQA_OK)
        status = allocate_workspace(plan);
    if (status == SQA_OK)
        status = explain(plan);
    if (status != SQA_OK) {
        sqa_plan_release(plan);
        return status;
    }
    if (context->record.file && is_use(options))
        sqa_shape_record_add(&context->record, problem, &context->log);
    *out = plan;
    return SQA_OK;
}

void sqa_plan_retain(sqa_plan *plan)
{
    atomic_fetch_add(&plan->references, 1);
}

void sqa_plan_release(sqa_plan *plan)
{
    if (!plan || atomic_fetch_sub(&plan->references, 1) != 1)
        return;
    for (uint32_t i = 0; i < plan->stage_count; i++)
        sqa_leaf_destroy(plan->stages[i].leaf);
    free(plan->stages);
    if (plan->ones)
        clReleaseMemObject(plan->ones);
    if (plan->workspace)
        clReleaseMemObject(plan->workspace);
    if (plan->workspace_user)
        clReleaseEvent(plan->workspace_user);
    pthread_mutex_destroy(&plan->workspace_lock);
    sqa_text_free(&plan->family);
    sqa_text_free(&plan->config);
    sqa_text_free(&plan->reason);
    free(plan);
}

static sqa_tensor scratch_of(const sqa_plan *plan, const sqa_link *link,
                             const sqa_tensor tensors[SQA_MAX_SLOTS])
{
    return (sqa_tensor){tensors[SQA_SLOT_WORKSPACE].buffer,
                        plan->scratch_at[SQA_LINK_SCRATCH(link->from)]};
}

/* The tensors of a stage, from the caller's and the scratch. */
static void gather(const sqa_plan *plan, const sqa_plan_stage *stage,
                   const sqa_tensor tensors[SQA_MAX_SLOTS], sqa_tensor out[SQA_MAX_SLOTS])
{
    memset(out, 0, SQA_MAX_SLOTS * sizeof *out);
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++) {
        const sqa_link *link = &stage->links[slot];
        if (link->from == SQA_LINK_NONE)
            continue;
        out[slot] = link->from == SQA_LINK_ONE ? (sqa_tensor){plan->ones, 0}
                    : link->from >= 0          ? tensors[link->from]
                                               : scratch_of(plan, link, tensors);
        out[slot].offset += link->offset;
    }
    out[SQA_SLOT_WORKSPACE] = tensors[SQA_SLOT_WORKSPACE];
}

/* Stages are chained by events, so that an out-of-order queue keeps their order. */
static sqa_status enqueue_stages(sqa_plan *plan, const sqa_tensor tensors[SQA_MAX_SLOTS],
                                 cl_command_queue queue, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *event)
{
    if (!sqa_operation_of(&plan->problem)->recipe)
        return sqa_leaf_enqueue(plan->stages[0].leaf, tensors, queue, wait_count, wait_list, event);
    cl_event previous = NULL;
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < plan->stage_count && status == SQA_OK; i++) {
        const bool last = i + 1 == plan->stage_count;
        sqa_tensor gathered[SQA_MAX_SLOTS];
        cl_event done = NULL;
        gather(plan, &plan->stages[i], tensors, gathered);
        status = sqa_leaf_enqueue(plan->stages[i].leaf, gathered, queue, i ? 1 : wait_count,
                                  i ? &previous : wait_list, last ? event : &done);
        if (previous)
            clReleaseEvent(previous);
        previous = done;
    }
    return status;
}

/* On the plan's own workspace one call follows the other, whatever their queues:
 * each begins behind a barrier that waits for the one before, and is flushed, so
 * that another queue may wait for it. */
static sqa_status enqueue_in_turn(sqa_plan *plan, const sqa_tensor tensors[SQA_MAX_SLOTS],
                                  cl_command_queue queue, cl_uint wait_count,
                                  const cl_event *wait_list, cl_event *event)
{
    if (plan->workspace_user) {
        cl_int code = clEnqueueBarrierWithWaitList(queue, 1, &plan->workspace_user, NULL);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clEnqueueBarrierWithWaitList");
    }
    cl_event done = NULL;
    sqa_status status = enqueue_stages(plan, tensors, queue, wait_count, wait_list, &done);
    if (status != SQA_OK)
        return status;
    if (plan->workspace_user)
        clReleaseEvent(plan->workspace_user);
    plan->workspace_user = done;
    cl_int code = clFlush(queue);
    if (code == CL_SUCCESS && event)
        code = clRetainEvent(done);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clFlush");
    if (event)
        *event = done;
    return SQA_OK;
}

sqa_status sqa_plan_enqueue(sqa_plan *plan, const sqa_tensor tensors[SQA_MAX_SLOTS],
                            cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                            cl_event *event)
{
    if (!plan->workspace || tensors[SQA_SLOT_WORKSPACE].buffer != plan->workspace)
        return enqueue_stages(plan, tensors, queue, wait_count, wait_list, event);
    pthread_mutex_lock(&plan->workspace_lock);
    sqa_status status = enqueue_in_turn(plan, tensors, queue, wait_count, wait_list, event);
    pthread_mutex_unlock(&plan->workspace_lock);
    return status;
}
