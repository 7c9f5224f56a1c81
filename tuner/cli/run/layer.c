/* See layer.h. Everything is checked before the device is opened. */
#include "cli/run/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"
#include "base/status.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/memory_check.h"
#include "cli/run/host_call.h"
#include "cli/run/how.h"
#include "cli/run/layer_files.h"
#include "device/cl_status.h"
#include "operations/layer/fields.h"
#include "runtime/context.h"
#include "runtime/plan.h"

static const char summary[] =
    "An attention layer on NumPy files: Y = attention(X Wq, X Wk, X Wv) Wo.\n"
    "X is (N, d_model) or (batch, N, d_model). The folder of --weights has wq.npy (d_model,\n"
    "Hq*D), wk.npy (d_model, Hkv*D), wv.npy (d_model, Hkv*D) and wo.npy (Hout*D, d_model), Hout\n"
    "being the larger of Hq and Hkv; or wqkv.npy with all columns of the three; biases bq.npy,\n"
    "bk.npy, bv.npy (or bqkv.npy) and bo.npy where there are any. With --context, K and V are\n"
    "of that, (M, width) or (batch, M, width).\n"
    "With --qk-norm there are q_norm.npy and k_norm.npy (D), with --gate wg.npy (d_model, Hout*D)\n"
    "and bg.npy where there are biases. --rope turns Q and K by their positions.\n"
    "With --dout, dY, the gradients go to the folder of --grads, under the same names; those of\n"
    "X and the context are x.npy and context.npy.";

typedef struct layer_run {
    const char *op, *out, *variant;
    uint32_t heads;
    bool causal;
    const char *rope, *rope_base;
    uint32_t rope_dim, rope_offset;
    sqa_run_how how;
    sqa_layer_files files;

    sqa_attention_desc attention;
    sqa_layer_desc desc;
    sqa_problem forward, backward;
    sqa_context *context;
    sqa_plan *plans[2];
    cl_mem there[SQA_MAX_TENSORS];
    sqa_output outputs[SQA_LAYER_SLOTS];
} layer_run;

static bool read_options(int argc, char **argv, layer_run *run, int *code)
{
    enum { OWN = 16 };
    sqa_option options[OWN + SQA_RUN_HOW_OPTIONS + 1];
    const sqa_option own[OWN] = {
        {"op", "NAME", "layer", .text = &run->op},
        {"x", "FILE", "what comes in, .npy", .text = &run->files.x},
        {"context", "FILE", "what keys and values come from, .npy (X)",
         .text = &run->files.context},
        {"weights", "DIR", "the folder of wq.npy, wk.npy, ...", .text = &run->files.weights},
        {"out", "FILE", "where Y goes, .npy", .text = &run->out},
        {"variant", "NAME", "mha, gqa, mqa, sqa, ssqa, xsqa, xsmqa, lsqa or rsqa (mha)",
         .text = &run->variant},
        {"heads", "H", "heads of the multi-head model", .count = {&run->heads, 1, 65535}},
        {"causal", NULL, "queries see no later keys", .flag = &run->causal},
        {"rope", "NAME", "positions of Q and K: interleaved or half", .text = &run->rope},
        {"rope-base", "B", "base of the frequencies (10000)", .text = &run->rope_base,
         .needs = "rope"},
        {"rope-dim", "N", "elements of a head that are turned (all)",
         .count = {&run->rope_dim, 0, SQA_MAX_HEAD_DIM}, .needs = "rope"},
        {"rope-offset", "N", "position of the first row (0)",
         .count = {&run->rope_offset, 0, 1u << 30}, .needs = "rope"},
        {"qk-norm", NULL, "heads of Q and K are normalised", .flag = &run->files.qk_norm},
        {"gate", NULL, "O is gated on its way to Wo", .flag = &run->files.gate},
        {"dout", "FILE", "gradient of Y, shaped like it, .npy", .text = &run->files.dout},
        {"grads", "DIR", "with --dout, where gradients go", .text = &run->files.grads},
    };
    memset(options, 0, sizeof options);
    memcpy(options, own, sizeof own);
    sqa_run_how_options(&run->how, options + OWN);
    return sqa_options_read(argc, argv, summary, options, code);
}

static sqa_status check_given(const layer_run *run)
{
    const char *missing = !run->files.x         ? "x FILE.npy"
                          : !run->files.weights ? "weights DIR"
                          : !run->out           ? "out FILE.npy"
                          : !run->heads         ? "heads H"
                                                : NULL;
    if (missing)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is missing", missing);
    if (!run->files.dout != !run->files.grads)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--dout and --grads go together");
    if (run->how.family)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--family: not with --op layer, which is made of "
                                              "several operations with families of their own");
    return SQA_OK;
}

/* The folder of gradients is made, where it is not there. */
static sqa_status check_files(const layer_run *run)
{
    enum { OWN = 2 };
    char buffer[4096];
    sqa_command_file files[OWN + SQA_LAYER_SLOTS] = {sqa_database_file(run->how.database, buffer),
                                                     {"--out", run->out, SQA_FILE_WRITTEN}};
    sqa_layer_files_name(&run->files, files + OWN);
    if (run->files.grads && mkdir(run->files.grads, 0777) != 0 && errno != EEXIST)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--grads: %s: %s", run->files.grads, strerror(errno));
    return sqa_database_files_check(files, OWN + SQA_LAYER_SLOTS);
}

static sqa_status settle_positions(layer_run *run)
{
    sqa_layer_desc *desc = &run->desc;
    if (run->rope && strcmp(run->rope, "half") != 0 && strcmp(run->rope, "interleaved") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--rope is '%.60s'; expected interleaved or half",
                        run->rope);
    if (run->rope)
        desc->rope =
            strcmp(run->rope, "half") != 0 ? SQA_LAYER_ROPE_INTERLEAVED : SQA_LAYER_ROPE_HALF;
    if (run->rope_base && !sqa_read_finite(run->rope_base, &desc->rope_base))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--rope-base is '%.60s'; expected 1 or more",
                        run->rope_base);
    desc->rope_dim = run->rope_dim;
    desc->rope_offset = run->rope_offset;
    return SQA_OK;
}

static sqa_status settle(layer_run *run)
{
    sqa_variant variant = SQA_VARIANT_MHA;
    run->attention = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    run->desc = (sqa_layer_desc)SQA_LAYER_DESC_INIT;
    sqa_status status = run->variant ? sqa_variant_from_name(run->variant, &variant) : SQA_OK;
    if (!status)
        status = sqa_variant_heads(variant, run->heads, &run->attention.q_heads,
                                   &run->attention.kv_heads);
    if (!status)
        status = sqa_layer_files_read(&run->files, &run->desc, &run->attention);
    if (status)
        return status;
    status = settle_positions(run);
    if (status)
        return status;
    run->attention.causal = run->causal ? SQA_CAUSAL_BOTTOM_RIGHT : SQA_CAUSAL_NONE;
    run->desc.keep = run->files.dout != NULL;
    status = sqa_run_how_dtype(&run->how, &run->attention.dtype);
    if (!status)
        status = sqa_problem_from_layer(&run->forward, &run->desc);
    if (!status)
        status = sqa_problem_from_layer_backward(&run->backward, &run->desc, NULL);
    return status ? status : sqa_layer_files_check(&run->files, &run->backward);
}

static sqa_host_array array_of(layer_run *run, uint32_t slot)
{
    sqa_npy *file = &run->files.of[slot];
    return (sqa_host_array){(sqa_element)run->attention.dtype, &file->memory,
                            file->memory ? file->count : 0};
}

/* What both passes read, and between them. */
static sqa_status fill_device(layer_run *run)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot <= SQA_LAYER_DY && !status; slot++) {
        const sqa_host_array array = array_of(run, slot);
        sqa_tensor_shape shape;
        cl_int code = CL_SUCCESS;
        if (array.count)
            status = sqa_host_upload(run->context, &array, &run->there[slot]);
        else if (slot != SQA_LAYER_Y && sqa_tensor_is_output(&run->forward, slot) &&
                 sqa_tensor_shape_of(&run->forward, slot, &shape) && sqa_tensor_extent(&shape))
            run->there[slot] = clCreateBuffer(
                sqa_context_cl(run->context), CL_MEM_READ_WRITE,
                (size_t)sqa_element_bytes(shape.element, sqa_tensor_extent(&shape)), NULL, &code);
        if (code != CL_SUCCESS)
            status = sqa_fail_cl(code, "clCreateBuffer");
    }
    return status;
}

/* One pass, whose outputs in the slots from `first` to `last` become files. */
static sqa_status run_pass(layer_run *run, const sqa_problem *problem, sqa_plan **plan,
                           uint32_t first, uint32_t last)
{
    sqa_host_array arrays[SQA_MAX_TENSORS] = {{0}};
    sqa_tensor_shape shape;
    sqa_status status = sqa_plan_build(plan, run->context, problem, NULL);
    if (!status)
        status = sqa_run_tell_choice(&run->how, *plan);
    for (uint32_t slot = first; slot <= last && !status; slot++) {
        if (!sqa_tensor_shape_of(problem, slot, &shape))
            continue;
        status = sqa_layer_files_make(&run->files, problem, slot);
        arrays[slot] = array_of(run, slot);
    }
    return status ? status : sqa_host_call(run->context, *plan, arrays, run->there);
}

static sqa_status compute(layer_run *run)
{
    const bool backward = run->files.dout != NULL;
    sqa_status status =
        sqa_memory_check(backward ? &run->backward : &run->forward, &run->context->device);
    if (!status)
        status = fill_device(run);
    if (!status)
        status = run_pass(run, &run->forward, &run->plans[0], SQA_LAYER_Y, SQA_LAYER_Y);
    return status || !backward
               ? status
               : run_pass(run, &run->backward, &run->plans[1], SQA_LAYER_DX, SQA_LAYER_DK_NORM);
}

static sqa_status write_files(layer_run *run)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = SQA_LAYER_Y; slot < SQA_LAYER_SLOTS && !status; slot++)
        if (run->files.of[slot].memory)
            status = sqa_run_write(&run->outputs[slot], slot == SQA_LAYER_Y ? "--out" : "--grads",
                                   slot == SQA_LAYER_Y ? run->out : run->files.paths[slot],
                                   &run->files.of[slot]);
    for (uint32_t slot = SQA_LAYER_Y; slot < SQA_LAYER_SLOTS && !status; slot++)
        if (run->files.of[slot].memory)
            status = sqa_output_keep(&run->outputs[slot]);
    return status;
}

static sqa_status run_all(layer_run *run)
{
    sqa_status status = check_given(run);
    if (!status)
        status = sqa_layer_files_find(&run->files);
    if (!status)
        status = check_files(run);
    if (!status)
        status = settle(run);
    if (!status)
        status = sqa_run_open_context(&run->how, &run->context);
    if (!status)
        status = compute(run);
    return status ? status : write_files(run);
}

static void release(layer_run *run)
{
    for (uint32_t slot = 0; slot < SQA_LAYER_SLOTS; slot++) {
        sqa_output_discard(&run->outputs[slot]);
        if (run->there[slot])
            clReleaseMemObject(run->there[slot]);
    }
    sqa_plan_destroy(run->plans[0]);
    sqa_plan_destroy(run->plans[1]);
    sqa_context_destroy(run->context);
    sqa_layer_files_free(&run->files);
}

int sqa_run_layer(int argc, char **argv)
{
    static const sqa_output closed = SQA_OUTPUT_INIT;
    layer_run run = {.rope_dim = SQA_NOT_SET};
    int code = SQA_EXIT_OK;
    for (uint32_t slot = 0; slot < SQA_LAYER_SLOTS; slot++)
        run.outputs[slot] = closed;
    if (!read_options(argc, argv, &run, &code))
        return code;
    sqa_status status = run_all(&run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    release(&run);
    return code;
}
