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
#include "operations/block/fields.h"
#include "operations/matrix_fields.h"
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

static const char block_summary[] =
    "A transformer block on NumPy files: an attention layer and a perceptron, with their norms,\n"
    "  --kind serial      H = X + layer(norm1(X))      Y = H + mlp(norm2(H))\n"
    "  --kind parallel    N = norm1(X)                 Y = X + mlp(N) + layer(N)\n"
    "X, the layer's files and the gradients are those of --op layer (`sqa run --op layer "
    "--help`).\n"
    "The folder of --weights has norm1.npy, of a serial block norm2.npy (d_model), wup.npy\n"
    "(d_model, width), wdown.npy (width, d_model) and, for a gate, wgate.npy like wup.npy, whose\n"
    "product then takes the activation. Biases of the perceptron are bup.npy, bgate.npy and\n"
    "bdown.npy; with them, and --norm layer, norm1_bias.npy and norm2_bias.npy.";

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
    sqa_block_desc block;
    sqa_problem forward, backward;
    sqa_context *context;
    sqa_plan *plans[2];
    cl_mem there[SQA_MAX_TENSORS];
    sqa_output outputs[SQA_BLOCK_SLOTS];
} layer_run;

/* A word's place in the list that NULL ends. */
static bool read_word(const char *text, const char *const *words, int *out)
{
    for (*out = 0; words[*out]; ++*out)
        if (!strcmp(text, words[*out]))
            return true;
    return false;
}

static bool read_kind(const char *text, void *to)
{
    static const char *const words[] = {"serial", "parallel", NULL};
    int number;
    const bool read = read_word(text, words, &number);
    *(sqa_block_kind *)to = (sqa_block_kind)number;
    return read;
}

static bool read_norm(const char *text, void *to)
{
    static const char *const words[] = {"rms", "layer", NULL};
    int number;
    const bool read = read_word(text, words, &number);
    *(sqa_norm_kind *)to = (sqa_norm_kind)number;
    return read;
}

#define ACTIVATIONS "none, silu, gelu_tanh, gelu_erf, sigmoid or relu"
static bool read_activation(const char *text, void *to)
{
    int number;
    const bool read = read_word(text, sqa_activation_words, &number);
    *(sqa_activation *)to = (sqa_activation)number;
    return read;
}

static bool read_options(int argc, char **argv, layer_run *run, int *code)
{
    enum { OWN = 15, LAYER = 1, BLOCK = 4 };
    sqa_option options[OWN + BLOCK + SQA_RUN_HOW_OPTIONS + 1];
    const sqa_option own[OWN] = {
        {"op", "NAME", run->files.block ? "block" : "layer", .text = &run->op},
        {"x", "FILE", "what comes in, .npy", .text = &run->files.x},
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
    const sqa_option of_layer[LAYER] = {
        {"context", "FILE", "what keys and values come from, .npy (X)",
         .text = &run->files.context},
    };
    const sqa_option of_block[BLOCK] = {
        {"kind", "NAME", "serial (default) or parallel",
         .other = {&run->block.kind, read_kind, "serial or parallel"}},
        {"activation", "NAME", ACTIVATIONS " (silu)",
         .other = {&run->block.activation, read_activation, ACTIVATIONS}},
        {"norm", "NAME", "rms (default) or layer",
         .other = {&run->block.norm, read_norm, "rms or layer"}},
        {"norm-eps", "X", "is added to the variance (1e-5)",
         .real = {&run->block.norm_eps, SQA_REALS_ABOVE_ZERO}},
    };
    const bool block = run->files.block;
    memset(options, 0, sizeof options);
    memcpy(options, own, sizeof own);
    memcpy(options + OWN, block ? of_block : of_layer, block ? sizeof of_block : sizeof of_layer);
    sqa_run_how_options(&run->how, options + OWN + (block ? BLOCK : LAYER));
    return sqa_options_read(argc, argv, block ? block_summary : summary, options, code);
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
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--family: not with --op %s, which is made of "
                        "several operations with families of their own",
                        run->files.block ? "block" : "layer");
    return SQA_OK;
}

/* The folder of gradients is made, where it is not there. */
static sqa_status check_files(const layer_run *run)
{
    enum { OWN = 2 };
    char buffer[4096];
    sqa_command_file files[OWN + SQA_BLOCK_SLOTS] = {sqa_database_file(run->how.database, buffer),
                                                     {"--out", run->out, SQA_FILE_WRITTEN}};
    sqa_layer_files_name(&run->files, files + OWN);
    if (run->files.grads && mkdir(run->files.grads, 0777) != 0 && errno != EEXIST)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--grads: %s: %s", run->files.grads, strerror(errno));
    return sqa_database_files_check(files, OWN + SQA_BLOCK_SLOTS);
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

static sqa_status make_problems(layer_run *run)
{
    run->desc.keep = run->block.keep = run->files.dout != NULL;
    run->block.layer = &run->desc;
    sqa_status status = run->files.block ? sqa_problem_from_block(&run->forward, &run->block)
                                         : sqa_problem_from_layer(&run->forward, &run->desc);
    if (status)
        return status;
    return run->files.block ? sqa_problem_from_block_backward(&run->backward, &run->block, NULL)
                            : sqa_problem_from_layer_backward(&run->backward, &run->desc, NULL);
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
        status = sqa_layer_files_read(&run->files, &run->block, &run->desc, &run->attention);
    if (status)
        return status;
    status = settle_positions(run);
    if (status)
        return status;
    run->attention.causal = run->causal ? SQA_CAUSAL_BOTTOM_RIGHT : SQA_CAUSAL_NONE;
    status = sqa_run_how_dtype(&run->how, &run->attention.dtype);
    if (!status)
        status = make_problems(run);
    return status ? status : sqa_layer_files_check(&run->files, &run->forward, &run->backward);
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
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS && !status; slot++) {
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

/* Whether what the pass writes there becomes a file. */
static bool is_file(const sqa_problem *problem, uint32_t slot)
{
    return sqa_tensor_is_output(problem, slot) &&
           (slot == SQA_LAYER_Y || sqa_layer_files_is_gradient(slot));
}

static sqa_status run_pass(layer_run *run, const sqa_problem *problem, sqa_plan **plan)
{
    sqa_host_array arrays[SQA_MAX_TENSORS] = {{0}};
    sqa_tensor_shape shape;
    sqa_status status = sqa_plan_build(plan, run->context, problem, NULL);
    if (!status)
        status = sqa_run_tell_choice(&run->how, *plan);
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS && !status; slot++) {
        if (!is_file(problem, slot) || !sqa_tensor_shape_of(problem, slot, &shape))
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
        status = run_pass(run, &run->forward, &run->plans[0]);
    return status || !backward ? status : run_pass(run, &run->backward, &run->plans[1]);
}

static bool is_written(const layer_run *run, uint32_t slot)
{
    return (slot == SQA_LAYER_Y || sqa_layer_files_is_gradient(slot)) && run->files.of[slot].memory;
}

static sqa_status write_files(layer_run *run)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS && !status; slot++)
        if (is_written(run, slot))
            status = sqa_run_write(&run->outputs[slot], slot == SQA_LAYER_Y ? "--out" : "--grads",
                                   slot == SQA_LAYER_Y ? run->out : run->files.paths[slot],
                                   &run->files.of[slot]);
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS && !status; slot++)
        if (is_written(run, slot))
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
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS; slot++) {
        sqa_output_discard(&run->outputs[slot]);
        if (run->there[slot])
            clReleaseMemObject(run->there[slot]);
    }
    sqa_plan_destroy(run->plans[0]);
    sqa_plan_destroy(run->plans[1]);
    sqa_context_destroy(run->context);
    sqa_layer_files_free(&run->files);
}

static int run_as(bool block, int argc, char **argv)
{
    static const sqa_output closed = SQA_OUTPUT_INIT;
    layer_run run = {.rope_dim = SQA_NOT_SET, .block = SQA_BLOCK_DESC_INIT};
    int code = SQA_EXIT_OK;
    run.files.block = block;
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS; slot++)
        run.outputs[slot] = closed;
    if (!read_options(argc, argv, &run, &code))
        return code;
    run.files.serial = run.block.kind == SQA_BLOCK_SERIAL;
    run.files.layer_norm = run.block.norm == SQA_NORM_LAYER;
    sqa_status status = run_all(&run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    release(&run);
    return code;
}

int sqa_run_layer(int argc, char **argv)
{
    return run_as(false, argc, argv);
}

int sqa_run_block(int argc, char **argv)
{
    return run_as(true, argc, argv);
}
