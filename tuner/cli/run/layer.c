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
#include "cli/run/linear_files.h"
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
    "--attention linear is that of `sqa run --op linear`, with its --feature, --decay (with\n"
    "--causal), --beta, --normalise and states: --decay of (Hkv) is retention, of (batch, Hkv, N)\n"
    "or (batch, Hkv, N, D) gated linear attention, with --beta gated DeltaNet. They may follow\n"
    "from X: with --project-decay exp(decay) = sigmoid(X Wdecay + bdecay), wdecay.npy (d_model,\n"
    "Hkv) or (d_model, Hkv*D); with --project-beta beta = sigmoid(X Wbeta + bbeta), wbeta.npy\n"
    "(d_model, Hkv); bdecay.npy and bbeta.npy where there are biases. For example:\n"
    "  sqa run --op layer --x x.npy --weights DIR --out y.npy --heads 8 --causal --qk-norm \\\n"
    "    --attention linear --project-decay --project-beta --state-out s.npy\n"
    "With --dout, dY, the gradients go to the folder of --grads, under the same names; those of\n"
    "X and the context are x.npy and context.npy, of linear attention decay.npy, beta.npy,\n"
    "state_in.npy and sums_in.npy.";

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
    const char *op, *out, *variant, *attention_kind, *feature;
    uint32_t heads;
    bool causal, normalise;
    float epsilon;
    const char *rope, *rope_base;
    uint32_t rope_dim, rope_offset;
    sqa_run_how how;
    sqa_layer_files files;

    sqa_attention_desc attention;
    sqa_linear_options linear;
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

#define ACTIVATIONS "none, silu, gelu_tanh, gelu_erf, sigmoid, relu or logsigmoid"
static bool read_activation(const char *text, void *to)
{
    int number;
    const bool read = read_word(text, sqa_activation_words, &number);
    *(sqa_activation *)to = (sqa_activation)number;
    return read;
}

static bool read_options(int argc, char **argv, layer_run *run, int *code)
{
    enum { OWN = 27, LAYER = 1, BLOCK = 4 };
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
        {"attention", "NAME", "softmax (default) or linear", .text = &run->attention_kind},
        {"feature", "NAME", "of linear attention: identity (default), elu1 or relu",
         .text = &run->feature, .needs = "attention"},
        {"decay", "FILE", "likewise, logarithms of decays, .npy", .text = &run->files.linear[0],
         .needs = "attention,causal"},
        {"beta", "FILE", "likewise, of the delta rule, .npy", .text = &run->files.linear[1],
         .needs = "attention,causal", .excludes = "normalise"},
        {"project-decay", NULL, "likewise, decays follow from X by wdecay.npy",
         .flag = &run->files.project_decay, .needs = "attention,causal", .excludes = "decay"},
        {"project-beta", NULL, "likewise, betas by wbeta.npy", .flag = &run->files.project_beta,
         .needs = "attention,causal", .excludes = "beta,normalise"},
        {"normalise", NULL, "likewise, divided by the sum of the weights", .flag = &run->normalise,
         .needs = "attention"},
        {"epsilon", "X", "added to that sum (1e-6)", .needs = "normalise",
         .real = {&run->epsilon, SQA_REALS_ABOVE_ZERO}},
        {"state-in", "FILE", "the state to begin with, .npy", .text = &run->files.linear[2],
         .needs = "attention"},
        {"sums-in", "FILE", "the sums of it, .npy", .text = &run->files.linear[3],
         .needs = "normalise,state-in"},
        {"state-out", "FILE", "where the last state goes, .npy", .text = &run->files.linear[4],
         .needs = "attention"},
        {"sums-out", "FILE", "where the sums of it go, .npy", .text = &run->files.linear[5],
         .needs = "normalise,state-out"},
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

static bool has_file(const layer_run *run, uint32_t slot)
{
    return run->files.linear[slot - SQA_LAYER_DECAY];
}

/* Whether attention is linear, and whether all that says so agrees. */
static sqa_status check_attention(const layer_run *run, bool *linear)
{
    const char *kind = run->attention_kind ? run->attention_kind : "softmax";
    bool any =
        run->feature || run->normalise || run->files.project_decay || run->files.project_beta;
    for (uint32_t i = 0; i < SQA_LAYER_LINEAR; i++)
        any = any || run->files.linear[i];
    *linear = !strcmp(kind, "linear");
    if (!*linear && strcmp(kind, "softmax") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--attention is '%.40s'; expected softmax or linear",
                        kind);
    if (!*linear && any)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--feature, --decay, --beta, --project-decay, --project-beta, --normalise "
                        "and states are for --attention linear, not for softmax");
    for (uint32_t slot = SQA_LAYER_STATE_IN; slot <= SQA_LAYER_STATE; slot += 2)
        if (run->normalise && has_file(run, slot) && !has_file(run, slot + 1))
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "--%s FILE.npy is missing; of --normalise, a state goes with its sums",
                            slot == SQA_LAYER_STATE ? "sums-out" : "sums-in");
    return SQA_OK;
}

/* By the columns of Wdecay. */
static sqa_decay projected_decay(const layer_run *run)
{
    return run->files.of[SQA_LAYER_WDECAY].shape[1] == run->attention.kv_heads ? SQA_DECAY_TOKEN
                                                                               : SQA_DECAY_CHANNEL;
}

/* The last state is one of the forward pass, whose gradient is 0. */
static sqa_status settle_linear(layer_run *run, bool backward)
{
    sqa_linear_options *options = &run->linear;
    bool linear = false;
    sqa_status status = check_attention(run, &linear);
    if (status || !linear)
        return status;
    *options = (sqa_linear_options)SQA_LINEAR_OPTIONS_INIT;
    options->decay = run->files.project_decay ? projected_decay(run)
                                              : sqa_run_decay(&run->files.of[SQA_LAYER_DECAY]);
    options->delta = has_file(run, SQA_LAYER_BETA) || run->files.project_beta;
    run->desc.project_decay = run->files.project_decay;
    run->desc.project_beta = run->files.project_beta;
    options->normalise = run->normalise;
    options->epsilon = run->epsilon;
    options->state =
        (sqa_linear_state)((has_file(run, SQA_LAYER_STATE_IN) ? SQA_STATE_IN : 0) |
                           (has_file(run, SQA_LAYER_STATE) && !backward ? SQA_STATE_OUT : 0));
    run->desc.linear = options;
    return sqa_run_feature(run->feature, &options->feature);
}

static sqa_status make_problem(layer_run *run, bool backward)
{
    const bool block = run->files.block;
    sqa_status status = settle_linear(run, backward);
    if (status)
        return status;
    if (backward)
        return block ? sqa_problem_from_block_backward(&run->backward, &run->block, NULL)
                     : sqa_problem_from_layer_backward(&run->backward, &run->desc, NULL);
    return block ? sqa_problem_from_block(&run->forward, &run->block)
                 : sqa_problem_from_layer(&run->forward, &run->desc);
}

static sqa_status make_problems(layer_run *run)
{
    run->desc.keep = run->block.keep = run->files.dout != NULL;
    run->block.layer = &run->desc;
    sqa_status status = make_problem(run, false);
    return status ? status : make_problem(run, true);
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
    return (sqa_host_array){sqa_layer_files_is_linear(slot) ? SQA_ELEMENT_F32
                                                            : (sqa_element)run->attention.dtype,
                            &file->memory, file->memory ? file->count : 0};
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
        else if (slot != SQA_LAYER_Y && !sqa_layer_files_is_state(slot) &&
                 sqa_tensor_is_output(&run->forward, slot) &&
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
           (slot == SQA_LAYER_Y || sqa_layer_files_is_state(slot) ||
            sqa_layer_files_is_gradient(slot));
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
    return (slot == SQA_LAYER_Y || sqa_layer_files_is_state(slot) ||
            sqa_layer_files_is_gradient(slot)) &&
           run->files.of[slot].memory;
}

static sqa_status write_files(layer_run *run)
{
    sqa_status status = SQA_OK;
    for (uint32_t slot = 0; slot < SQA_BLOCK_SLOTS && !status; slot++)
        if (is_written(run, slot))
            status = sqa_run_write(
                &run->outputs[slot], slot == SQA_LAYER_Y ? "--out" : sqa_layer_files_option(slot),
                slot == SQA_LAYER_Y ? run->out : run->files.paths[slot], &run->files.of[slot]);
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
    layer_run run = {.rope_dim = SQA_NOT_SET, .epsilon = 1e-6f, .block = SQA_BLOCK_DESC_INIT};
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
