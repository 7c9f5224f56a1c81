/* Making, sharing and enqueueing plans. Knows no family by name. */
#include "runtime/plan.h"

#include <stdlib.h>
#include <string.h>

#include "device/cl_status.h"
#include "kernels/source.h"
#include "runtime/context.h"
#include "runtime/self_check.h"

/* On a device without a compiler; what is missing is told by the program cache. */
static sqa_status fail_prebuilt(const sqa_plan *plan)
{
    char config[SQA_CONFIG_TEXT];
    const char *folder = sqa_prebuilt_folder(plan->context->prebuilt);
    const sqa_kernel_family *family = plan->choice.family;
    sqa_config_format(family, &plan->choice.config, config);
    return sqa_fail(SQA_BUILD_FAILED,
                    "%s; `sqa capture --out %s --family %s%s%s --shape ...`, with the problem's "
                    "shape, writes its source",
                    sqa_last_error(), folder[0] ? folder : "DIR", family->name,
                    config[0] ? " --set " : "", config);
}

/* An empty output needs no kernel, and OpenCL 1.2 no empty launch. */
static bool has_output(const sqa_problem *problem)
{
    return problem->batch > 0 && problem->q_length > 0 &&
           (problem->q_total > 0 || !(problem->mask & SQA_MASK_RAGGED));
}

static sqa_status build_program(sqa_plan *plan)
{
    sqa_text source = SQA_TEXT_INIT;
    sqa_family_source(plan->choice.family, &plan->choice.config, &plan->problem,
                      &plan->context->device, &source);
    sqa_status status = sqa_text_status(&source);
    if (status == SQA_OK)
        status = sqa_program_cache_get(plan->context->programs, &plan->program,
                                       sqa_text_get(&source), sqa_build_options);
    sqa_text_free(&source);
    return status == SQA_BUILD_FAILED && !plan->context->device.limits.has_compiler
               ? fail_prebuilt(plan)
               : status;
}

static sqa_status allocate_workspace(sqa_plan *plan)
{
    if (plan->launch.workspace_bytes == 0)
        return SQA_OK;
    cl_int code = CL_SUCCESS;
    plan->workspace = clCreateBuffer(plan->context->cl, CL_MEM_READ_WRITE,
                                     plan->launch.workspace_bytes, NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer(workspace)");
}

/* Creates the slot's kernels on its first use; the caller holds its lock. */
static sqa_status prepare_slot(sqa_plan *plan, sqa_plan_slot *slot)
{
    if (slot->ready)
        return SQA_OK;
    sqa_status status =
        sqa_kernel_set_create(&slot->set, plan->program, plan->context->device.id, &plan->launch);
    slot->ready = status == SQA_OK;
    return status;
}

/* Compiles the plan's choice and prepares its first launch. */
static sqa_status realise(sqa_plan *plan)
{
    memset(&plan->launch, 0, sizeof plan->launch);
    if (!has_output(&plan->problem))
        return SQA_OK;
    sqa_status status = build_program(plan);
    if (status != SQA_OK)
        return status;
    plan->choice.family->launch(&plan->choice.config, &plan->problem, &plan->context->device,
                                &plan->launch);
    status = allocate_workspace(plan);
    if (status == SQA_OK)
        status = prepare_slot(plan, &plan->slots[0]);
    if (status == SQA_OK && plan->choice.borrowed)
        status = sqa_self_check(plan);
    return status;
}

static void release_realised(sqa_plan *plan)
{
    for (int i = 0; i < SQA_PLAN_SLOTS; i++) {
        sqa_kernel_set_release(&plan->slots[i].set);
        plan->slots[i].ready = false;
    }
    if (plan->workspace)
        clReleaseMemObject(plan->workspace);
    if (plan->workspace_user)
        clReleaseEvent(plan->workspace_user);
    if (plan->program) {
        if (atomic_load(&plan->launched))
            sqa_program_cache_keep(plan->context->programs, plan->program);
        clReleaseProgram(plan->program);
    }
    plan->workspace = NULL;
    plan->workspace_user = NULL;
    plan->program = NULL;
}

static void explain(sqa_plan *plan)
{
    const sqa_choice *choice = &plan->choice;
    if (choice->row)
        sqa_text_format(&plan->reason, "%s, measured at %.1f GFLOP/s on %s %s, driver %s%s",
                        sqa_rung_name(choice->rung), choice->row->gflops,
                        choice->row->identity.vendor, choice->row->identity.model,
                        choice->row->driver_version,
                        choice->borrowed ? "; borrowed, and checked here" : "");
    else if (choice->rung == SQA_RUNG_PREBUILT)
        sqa_text_append(&plan->reason, "no compiler here, but this program is pre-built; not "
                                       "measured, but checked here");
    else if (choice->rung == SQA_RUNG_OVERRIDE)
        sqa_text_append(&plan->reason, "asked for by the caller");
    else
        sqa_text_append(&plan->reason, "no tuning result applies; the family's own default");
}

/* The first choice that compiles; a failure is noted and the next one tried. When all
 * fail, the caller hears of the first, which was wanted most. */
static sqa_status realise_first(sqa_plan *plan, const sqa_choices *choices)
{
    sqa_status first = SQA_OK;
    sqa_text why = SQA_TEXT_INIT;
    for (size_t i = 0; i < choices->count; i++) {
        plan->choice = choices->items[i];
        sqa_status status = realise(plan);
        if (status == SQA_OK) {
            sqa_text_free(&why);
            return SQA_OK;
        }
        release_realised(plan);
        if (!first) {
            first = status;
            sqa_text_append(&why, sqa_last_error());
        }
        sqa_config_format(plan->choice.family, &plan->choice.config, plan->config);
        sqa_log_write(&plan->context->log, SQA_LOG_WARNING, "%s(%s) passed over: %s",
                      plan->choice.family->name, plan->config, sqa_last_error());
        sqa_text_format(&plan->reason, "%s %s(%s) passed over: %s; ",
                        sqa_rung_name(plan->choice.rung), plan->choice.family->name, plan->config,
                        sqa_status_name(status));
    }
    sqa_status status = first ? sqa_fail(first, "%s", sqa_text_get(&why))
                              : sqa_fail(SQA_UNSUPPORTED, "no kernel family supports this problem");
    sqa_text_free(&why);
    return status;
}

static sqa_status choose_and_realise(sqa_plan *plan, const sqa_plan_options *options)
{
    sqa_choices choices;
    sqa_context *context = plan->context;
    sqa_status status = sqa_choose(&choices, &context->device, &context->tuning, context->prebuilt,
                                   &plan->problem, options);
    if (status == SQA_OK) {
        sqa_text_append(&plan->reason, sqa_text_get(&choices.passed_over));
        status = realise_first(plan, &choices);
    }
    sqa_text_free(&choices.passed_over);
    if (status != SQA_OK)
        return status;
    sqa_config_format(plan->choice.family, &plan->choice.config, plan->config);
    explain(plan);
    sqa_log_write(&plan->context->log, SQA_LOG_INFO, "%s(%s): %s", plan->choice.family->name,
                  plan->config, sqa_text_get(&plan->reason));
    return sqa_text_status(&plan->reason);
}

sqa_status sqa_plan_build(sqa_plan **out, sqa_context *context, const sqa_problem *problem,
                          const sqa_plan_options *options)
{
    sqa_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return sqa_fail_memory("a plan");
    atomic_init(&plan->references, 1);
    atomic_init(&plan->launched, false);
    plan->context = context;
    plan->problem = *problem;
    sqa_tensor_needs(problem, plan->needs);
    for (int i = 0; i < SQA_PLAN_SLOTS; i++)
        pthread_mutex_init(&plan->slots[i].lock, NULL);
    pthread_mutex_init(&plan->workspace_lock, NULL);
    sqa_status status = choose_and_realise(plan, options);
    if (status != SQA_OK) {
        sqa_plan_release(plan);
        return status;
    }
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
    release_realised(plan);
    for (int i = 0; i < SQA_PLAN_SLOTS; i++)
        pthread_mutex_destroy(&plan->slots[i].lock);
    pthread_mutex_destroy(&plan->workspace_lock);
    sqa_text_free(&plan->reason);
    free(plan);
}

/* A free slot, locked; when all are busy, waits for the first. */
static sqa_plan_slot *take_slot(sqa_plan *plan)
{
    for (int i = 0; i < SQA_PLAN_SLOTS; i++)
        if (pthread_mutex_trylock(&plan->slots[i].lock) == 0)
            return &plan->slots[i];
    pthread_mutex_lock(&plan->slots[0].lock);
    return &plan->slots[0];
}

/* On the plan's own workspace one call follows the other, whatever their queues:
 * each begins behind a barrier that waits for the one before, and is flushed, so
 * that another queue may wait for it. */
static sqa_status enqueue_in_turn(sqa_plan *plan, const sqa_kernel_set *set,
                                  const sqa_tensor tensors[SQA_ROLE_COUNT], cl_command_queue queue,
                                  cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    if (plan->workspace_user) {
        cl_int code = clEnqueueBarrierWithWaitList(queue, 1, &plan->workspace_user, NULL);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clEnqueueBarrierWithWaitList");
    }
    cl_event done = NULL;
    sqa_status status =
        sqa_enqueue(set, &plan->launch, tensors, queue, wait_count, wait_list, &done);
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

static sqa_status enqueue_slot(sqa_plan *plan, const sqa_kernel_set *set,
                               const sqa_tensor tensors[SQA_ROLE_COUNT], cl_command_queue queue,
                               cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    if (!plan->workspace || tensors[SQA_ROLE_WORKSPACE].buffer != plan->workspace)
        return sqa_enqueue(set, &plan->launch, tensors, queue, wait_count, wait_list, event);
    pthread_mutex_lock(&plan->workspace_lock);
    sqa_status status = enqueue_in_turn(plan, set, tensors, queue, wait_count, wait_list, event);
    pthread_mutex_unlock(&plan->workspace_lock);
    return status;
}

sqa_status sqa_plan_enqueue(sqa_plan *plan, const sqa_tensor tensors[SQA_ROLE_COUNT],
                            cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                            cl_event *event)
{
    sqa_plan_slot *slot = take_slot(plan);
    sqa_status status = prepare_slot(plan, slot);
    if (status == SQA_OK)
        status = enqueue_slot(plan, &slot->set, tensors, queue, wait_count, wait_list, event);
    if (status == SQA_OK && !atomic_load_explicit(&plan->launched, memory_order_relaxed))
        atomic_store(&plan->launched, true);
    pthread_mutex_unlock(&slot->lock);
    return status;
}
