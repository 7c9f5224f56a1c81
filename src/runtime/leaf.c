/* Making and enqueueing leaves. Knows no family by name. */
#include "runtime/leaf.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "kernels/registry.h"
#include "kernels/source.h"
#include "operations/operations.h"
#include "runtime/context.h"
#include "runtime/self_check.h"

/* On a device without a compiler; what is missing is told by the program cache. */
static sqa_status fail_prebuilt(const sqa_leaf *leaf)
{
    char config[SQA_CONFIG_TEXT];
    const char *folder = sqa_prebuilt_folder(leaf->context->prebuilt);
    const sqa_kernel_family *family = leaf->choice.family;
    sqa_config_format(family, &leaf->choice.config, config);
    return sqa_fail(SQA_BUILD_FAILED,
                    "%s; `sqa capture --out %s --family %s%s%s --shape ...`, with the problem's "
                    "shape, writes its source",
                    sqa_last_error(), folder[0] ? folder : "DIR", family->name,
                    config[0] ? " --set " : "", config);
}

/* Optimising is most of what compiling takes. Tests of what a kernel computes leave it out of
 * most programs ($SQA_CL_TEST_UNOPTIMISED). */
static const char *test_options(void)
{
#ifdef SQA_CL_TEST_SWITCHES
    if (getenv("SQA_CL_TEST_UNOPTIMISED"))
        return sqa_option_unoptimised;
#endif
    return "";
}

static sqa_status build_program(sqa_leaf *leaf)
{
    const sqa_choice *choice = &leaf->choice;
    const sqa_device *device = &leaf->context->device;
    sqa_text source = SQA_TEXT_INIT;
    char options[SQA_OPTIONS_TEXT + 32];
    sqa_family_source(choice->family, &choice->config, &leaf->problem, device, &source);
    sqa_family_options(choice->family, &choice->config, &leaf->problem, device, options);
    strcat(options, test_options());
    sqa_status status = sqa_text_status(&source);
    if (status == SQA_OK)
        status = sqa_program_cache_get(leaf->context->programs, &leaf->program,
                                       sqa_text_get(&source), options);
    sqa_text_free(&source);
    return status == SQA_BUILD_FAILED && !device->limits.has_compiler ? fail_prebuilt(leaf)
                                                                      : status;
}

/* Creates the slot's kernels on its first use; the caller holds its lock, or has the leaf to
 * itself. */
static sqa_status prepare_slot(sqa_leaf *leaf, sqa_leaf_slot *slot)
{
    if (slot->ready)
        return SQA_OK;
    sqa_status status =
        sqa_kernel_set_create(&slot->set, leaf->program, leaf->context->device.id, &leaf->launch);
    slot->ready = status == SQA_OK;
    return status;
}

sqa_status sqa_leaf_launch(const sqa_leaf *leaf, const sqa_problem *problem, sqa_launch *out)
{
    const sqa_device *device = &leaf->context->device;
    memset(out, 0, sizeof *out);
    leaf->choice.family->launch(&leaf->choice.config, problem, device, out);
    sqa_status status = sqa_launch_status(out);
    return status == SQA_OK ? sqa_launch_ask_libraries(out, leaf->context->cl, device->id) : status;
}

/* Compiles the choice and prepares its first launch. */
static sqa_status realise(sqa_leaf *leaf)
{
    if (sqa_operation_of(&leaf->problem)->is_nothing(&leaf->problem))
        return SQA_OK;
    sqa_status status = sqa_leaf_launch(leaf, &leaf->problem, &leaf->launch);
    if (status == SQA_OK && sqa_launch_has_kernels(&leaf->launch))
        status = build_program(leaf);
    if (status == SQA_OK)
        status = prepare_slot(leaf, &leaf->slots[0]);
    if (status == SQA_OK && leaf->choice.borrowed)
        status = sqa_self_check(leaf);
    return status;
}

static void release_realised(sqa_leaf *leaf)
{
    for (int i = 0; i < SQA_LEAF_SLOTS; i++) {
        sqa_kernel_set_release(&leaf->slots[i].set);
        leaf->slots[i].ready = false;
    }
    if (leaf->program) {
        if (atomic_load(&leaf->launched))
            sqa_program_cache_keep(leaf->context->programs, leaf->program);
        clReleaseProgram(leaf->program);
    }
    leaf->program = NULL;
    sqa_launch_free(&leaf->launch);
}

static void explain(sqa_leaf *leaf)
{
    const sqa_choice *choice = &leaf->choice;
    const sqa_tuning_row *row = choice->row;
    if (row && row->source == SQA_SOURCE_EXTRA)
        sqa_text_format(&leaf->reason, "from %s: ", leaf->context->tuning.databases[row->database]);
    if (row && row->modelled > 0)
        sqa_text_format(&leaf->reason,
                        "%s, never measured: a model gives it %.0f %% of the rate of multiply-adds "
                        "of %s %s; checked here",
                        sqa_rung_name(choice->rung), 100 * row->modelled, row->identity.vendor,
                        row->identity.model);
    else if (row)
        sqa_text_format(&leaf->reason, "%s, measured at %.1f GFLOP/s on %s %s, driver %s%s",
                        sqa_rung_name(choice->rung), row->gflops, row->identity.vendor,
                        row->identity.model, row->driver_version,
                        choice->borrowed ? "; borrowed, and checked here" : "");
    else if (choice->rung == SQA_RUNG_PREBUILT)
        sqa_text_append(&leaf->reason, "no compiler here, but this program is pre-built; not "
                                       "measured, but checked here");
    else if (choice->rung == SQA_RUNG_OVERRIDE)
        sqa_text_append(&leaf->reason, "asked for by the caller");
    else
        sqa_text_format(&leaf->reason, "no tuning result applies; the family's own default%s",
                        choice->borrowed ? ", probed with this driver and checked here" : "");
}

/* That the leaf's choice failed, and the head of why, in a line: compilers tell long stories. */
static void explain_failure(sqa_leaf *leaf, sqa_status status)
{
    char head[160];
    sqa_utf8_clean(sqa_last_error(), head, sizeof head, true);
    sqa_text_format(&leaf->reason, "%s %s(%s) passed over: %s, %s; ",
                    sqa_rung_name(leaf->choice.rung), leaf->choice.family->name, leaf->config,
                    sqa_status_name(status), head);
}

/* The first choice that compiles; a failure is noted and the next one tried. When all
 * fail, the caller hears of the first, which was wanted most. */
static sqa_status realise_first(sqa_leaf *leaf, const sqa_choices *choices)
{
    sqa_status first = SQA_OK;
    sqa_text why = SQA_TEXT_INIT;
    for (size_t i = 0; i < choices->count; i++) {
        leaf->choice = choices->items[i];
        sqa_status status = realise(leaf);
        if (status == SQA_OK) {
            sqa_text_free(&why);
            return SQA_OK;
        }
        release_realised(leaf);
        if (!first) {
            first = status;
            sqa_text_append(&why, sqa_last_error());
        }
        sqa_config_format(leaf->choice.family, &leaf->choice.config, leaf->config);
        sqa_log_write(&leaf->context->log, SQA_LOG_WARNING, "%s(%s) passed over: %s",
                      leaf->choice.family->name, leaf->config, sqa_last_error());
        explain_failure(leaf, status);
    }
    sqa_status status = first ? sqa_fail(first, "%s", sqa_text_get(&why))
                              : sqa_fail(SQA_UNSUPPORTED, "no kernel family supports this problem");
    sqa_text_free(&why);
    return status;
}

static sqa_status choose_and_realise(sqa_leaf *leaf, const sqa_plan_options *options)
{
    sqa_choices choices;
    sqa_context *context = leaf->context;
    sqa_status status = sqa_choose(&choices, &context->device, &context->tuning, context->prebuilt,
                                   &leaf->problem, options);
    if (status == SQA_OK) {
        sqa_text_append(&leaf->reason, sqa_text_get(&choices.passed_over));
        status = realise_first(leaf, &choices);
    }
    sqa_text_free(&choices.passed_over);
    if (status != SQA_OK)
        return status;
    sqa_config_format(leaf->choice.family, &leaf->choice.config, leaf->config);
    explain(leaf);
    sqa_log_write(&leaf->context->log, SQA_LOG_INFO, "%s(%s): %s", leaf->choice.family->name,
                  leaf->config, sqa_text_get(&leaf->reason));
    return sqa_text_status(&leaf->reason);
}

sqa_status sqa_leaf_create(sqa_leaf **out, sqa_context *context, const sqa_problem *problem,
                           const sqa_plan_options *options)
{
    sqa_leaf *leaf = calloc(1, sizeof *leaf);
    if (!leaf)
        return sqa_fail_memory("a plan");
    atomic_init(&leaf->launched, false);
    atomic_init(&leaf->substitute, NULL);
    pthread_mutex_init(&leaf->substitute_lock, NULL);
    leaf->context = context;
    leaf->problem = *problem;
    for (int i = 0; i < SQA_LEAF_SLOTS; i++)
        pthread_mutex_init(&leaf->slots[i].lock, NULL);
    sqa_status status = choose_and_realise(leaf, options);
    if (status != SQA_OK) {
        sqa_leaf_destroy(leaf);
        return status;
    }
    *out = leaf;
    return SQA_OK;
}

void sqa_leaf_destroy(sqa_leaf *leaf)
{
    if (!leaf)
        return;
    sqa_leaf_destroy(atomic_load(&leaf->substitute));
    release_realised(leaf);
    for (int i = 0; i < SQA_LEAF_SLOTS; i++)
        pthread_mutex_destroy(&leaf->slots[i].lock);
    pthread_mutex_destroy(&leaf->substitute_lock);
    sqa_text_free(&leaf->reason);
    free(leaf);
}

/* A free slot, locked; when all are busy, waits for the first. */
static sqa_leaf_slot *take_slot(sqa_leaf *leaf)
{
    for (int i = 0; i < SQA_LEAF_SLOTS; i++)
        if (pthread_mutex_trylock(&leaf->slots[i].lock) == 0)
            return &leaf->slots[i];
    pthread_mutex_lock(&leaf->slots[0].lock);
    return &leaf->slots[0];
}

/* The first family's default, unmeasured, that gets by with the workspace there is. Without a
 * library and what needs a probe, which may fail in their turn. */
static sqa_leaf *make_substitute(const sqa_leaf *leaf)
{
    for (size_t i = 0; i < sqa_family_count(); i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
        sqa_leaf *made = NULL;
        options.family = family->name;
        if (family->operation != leaf->problem.operation || family->library || family->probes ||
            sqa_leaf_create(&made, leaf->context, &leaf->problem, &options) != SQA_OK)
            continue;
        if (made->launch.workspace_bytes <= leaf->launch.workspace_bytes &&
            (family != leaf->choice.family ||
             !sqa_config_equal(&made->choice.config, &leaf->choice.config)))
            return made;
        sqa_leaf_destroy(made);
    }
    return NULL;
}

/* What something else may do instead. */
static bool may_be_passed_over(const sqa_leaf *leaf)
{
    const sqa_choice *choice = &leaf->choice;
    return choice->row || (choice->family->library && choice->rung != SQA_RUNG_OVERRIDE);
}

static sqa_leaf *substitute(sqa_leaf *leaf, const char *why)
{
    sqa_leaf *instead = make_substitute(leaf);
    atomic_store(&leaf->substitute, instead);
    if (instead)
        sqa_log_write(&leaf->context->log, SQA_LOG_WARNING, "%s(%s) passed over for %s(%s): %s",
                      leaf->choice.family->name, leaf->config, instead->choice.family->name,
                      instead->config, why);
    return instead;
}

sqa_leaf *sqa_leaf_pass_over(sqa_leaf *leaf)
{
    sqa_text why = SQA_TEXT_INIT;
    if (!may_be_passed_over(leaf) || atomic_load(&leaf->launched))
        return NULL;
    sqa_text_append(&why, sqa_last_error());
    pthread_mutex_lock(&leaf->substitute_lock);
    sqa_leaf *instead = atomic_load(&leaf->substitute);
    if (!instead)
        instead = substitute(leaf, sqa_text_get(&why));
    pthread_mutex_unlock(&leaf->substitute_lock);
    if (!instead)
        sqa_fail(SQA_OPENCL_ERROR, "%s", sqa_text_get(&why));
    sqa_text_free(&why);
    return instead;
}

static sqa_status enqueue_own(sqa_leaf *leaf, const sqa_tensor tensors[SQA_MAX_SLOTS],
                              cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                              cl_event *event, bool *refused)
{
    sqa_leaf_slot *slot = take_slot(leaf);
    sqa_status status = prepare_slot(leaf, slot);
    if (status == SQA_OK)
        status = sqa_enqueue(&slot->set, &leaf->launch, tensors, queue, wait_count, wait_list,
                             event, refused);
    if (status == SQA_OK && !atomic_load_explicit(&leaf->launched, memory_order_relaxed))
        atomic_store(&leaf->launched, true);
    pthread_mutex_unlock(&slot->lock);
    return status;
}

const sqa_leaf *sqa_leaf_in_use(const sqa_leaf *leaf)
{
    const sqa_leaf *instead = atomic_load_explicit(&leaf->substitute, memory_order_acquire);
    return instead ? instead : leaf;
}

/* With kernels of its own: weights are packed once. */
sqa_status sqa_leaf_pack(const sqa_leaf *leaf, const sqa_tensor tensors[SQA_MAX_SLOTS],
                         cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                         cl_event *event)
{
    sqa_kernel_set set;
    sqa_status status =
        sqa_kernel_set_create(&set, leaf->program, leaf->context->device.id, &leaf->launch);
    if (status != SQA_OK)
        return status;
    status = sqa_enqueue_packing(&set, &leaf->launch, tensors, queue, wait_count, wait_list, event);
    sqa_kernel_set_release(&set);
    return status;
}

/* What was packed for the leaf is of use to its substitute only where it packs likewise. */
static sqa_status enqueue_instead(const sqa_leaf *leaf, sqa_leaf *instead,
                                  const sqa_tensor tensors[SQA_MAX_SLOTS], cl_command_queue queue,
                                  cl_uint wait_count, const cl_event *wait_list, cl_event *event)
{
    sqa_tensor own[SQA_MAX_SLOTS];
    memcpy(own, tensors, sizeof own);
    if (instead->launch.packing.panel != leaf->launch.packing.panel)
        own[SQA_SLOT_PACKED].buffer = NULL;
    return sqa_leaf_enqueue(instead, own, queue, wait_count, wait_list, event);
}

sqa_status sqa_leaf_enqueue(sqa_leaf *leaf, const sqa_tensor tensors[SQA_MAX_SLOTS],
                            cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                            cl_event *event)
{
    sqa_leaf *instead = atomic_load_explicit(&leaf->substitute, memory_order_acquire);
    bool refused = false;
    sqa_status status = SQA_OK;
    if (!instead) {
        status = enqueue_own(leaf, tensors, queue, wait_count, wait_list, event, &refused);
        if (refused)
            instead = sqa_leaf_pass_over(leaf);
    }
    return instead ? enqueue_instead(leaf, instead, tensors, queue, wait_count, wait_list, event)
                   : status;
}
