/* sqa run: attention on a user's tensors. Everything is checked before the device
 * is opened, and no output exists until both are complete. */
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/memory_check.h"
#include "cli/options.h"
#include "cli/run/append.h"
#include "cli/run/backward.h"
#include "cli/run/forms.h"
#include "cli/run/host_call.h"
#include "cli/run/how.h"
#include "cli/run/layer.h"
#include "cli/run/linear.h"
#include "cli/run/pattern.h"
#include "cli/run/pattern_files.h"
#include "cli/run/rotate.h"
#include "cli/run/tensor_files.h"
#include "operations/attention/slots.h"
#include "problem/names.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "text/output.h"
#include "tuning/lookup.h"
#include "tuning/tuning_table.h"

static const char summary[] =
    "Attention on tensors from NumPy files: O = softmax(scale Q K^T) V.\n"
    "Q is (B, Hq, Nq, D), K is (B, Hkv, Nk, D), V is (B, Hkv, Nk, Dv), float32,\n"
    "float16 or float64 (rounded to float32);\n"
    "O is (B, max(Hq, Hkv), Nq, Dv) and the log-sum-exp (B, max(Hq, Hkv), Nq).\n"
    "\n"
    "Query i stands at key i + Nk - Nq, or at key i with --align top-left. A key is seen\n"
    "when every rule given says so. In the shapes of the options' files H is\n"
    "max(Hq, Hkv); masks are bool or uint8, positions and lists int32 or int64.\n"
    "\n"
    "--op backward writes gradients instead: of Q, K, V, bias, sinks and slopes, shaped\n"
    "like those, from --dout, the gradient of O. It takes --o and --lse of the forward\n"
    "pass, or runs that again. Other operations take other tensors, and have options of their\n"
    "own: --op linear is linear attention, --op layer an attention layer, --op mla_layer one of\n"
    "latent attention, --op block one of a transformer, --op matmul multiplies matrices, --op "
    "rope,\n"
    "norm and activation are what stands between (_backward their gradients),\n"
    "--op merge makes one of two parts of attention; `sqa run --op layer --help`.";

#define TABLED                                                                                     \
    "matmul, mla_layer, merge, rope, norm, norm_backward, activation or activation_backward"

typedef struct run_options {
    const char *op, *q, *k, *v, *out, *lse, *kv_format;
    float scale;   /* 0: the default */
    bool backward; /* --op */
    bool rotate, tf32;
    sqa_run_how how;
} run_options;

/* Everything that is made on the way and released at its end. */
typedef struct run_state {
    sqa_attention_desc desc;
    sqa_problem problem;
    sqa_tensor_files files;
    sqa_run_pattern pattern;
    sqa_run_backward backward;
    sqa_npy o, lse;
    cl_mem cache[2]; /* K and V, with --kv-format */
    sqa_context *context;
    sqa_plan *plan;
    sqa_output o_file, lse_file;
} run_state;

static sqa_status read_operation(run_options *options, sqa_run_backward *backward)
{
    const char *given = sqa_run_backward_given(backward);
    options->backward = options->op && !strcmp(options->op, "backward");
    if (options->op && !options->backward && strcmp(options->op, "forward") != 0)
        return sqa_fail(
            SQA_INVALID_ARGUMENT,
            "--op is '%.40s'; expected forward, backward, block, layer, linear, " TABLED,
            options->op);
    if (given && !options->backward)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s needs --op backward", given);
    if (options->backward && options->out)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--out: not with --op backward");
    backward->paths[SQA_SLOT_LSE] = options->lse;
    return SQA_OK;
}

static sqa_status check_required(const run_options *options)
{
    const struct {
        const char *name, *value;
    } required[] = {{"q", options->q}, {"k", options->k}, {"v", options->v}, {"out", options->out}};
    const size_t count = sizeof required / sizeof required[0] - options->backward;
    for (size_t i = 0; i < count; i++)
        if (!required[i].value)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s FILE.npy is missing", required[i].name);
    return SQA_OK;
}

static sqa_status check_files(const run_options *options, const run_state *run)
{
    enum { OWN = 6 };
    char buffer[4096];
    const sqa_command_file own[OWN] = {
        {"--q", options->q, SQA_FILE_READ},
        {"--k", options->k, SQA_FILE_READ},
        {"--v", options->v, SQA_FILE_READ},
        sqa_database_file(options->how.database, buffer),
        {"--out", options->out, SQA_FILE_WRITTEN},
        {"--lse", options->backward ? NULL : options->lse, SQA_FILE_WRITTEN},
    };
    sqa_command_file files[OWN + SQA_PATTERN_FILES + SQA_RUN_BACKWARD_FILES] = {{0}};
    memcpy(files, own, sizeof own);
    sqa_pattern_files_name(run->pattern.paths, files + OWN);
    if (options->backward)
        sqa_run_backward_name(&run->backward, files + OWN + SQA_PATTERN_FILES);
    return sqa_database_files_check(files, sizeof files / sizeof files[0]);
}

/* The descriptor's members that options give; the files give the others. */
static sqa_status read_desc(const run_options *options, sqa_attention_desc *desc)
{
    *desc = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    desc->scale = options->scale;
    desc->write_lse = options->lse != NULL || options->backward;
    desc->products = options->tf32 ? SQA_PRODUCTS_TF32 : SQA_PRODUCTS_F32;
    if (options->tf32 && options->backward)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--tf32 is of --op forward only");
    sqa_dtype kept;
    if (options->kv_format && !sqa_kv_dtype_from_name(options->kv_format, &kept))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--kv-format is '%s'; expected " SQA_KV_DTYPES,
                        options->kv_format);
    if (options->kv_format)
        desc->kv_dtype = (int32_t)kept;
    return sqa_run_how_dtype(&options->how, &desc->dtype);
}

/* Unless told otherwise, the device stores f16 where all three files do. */
static void settle_dtype(const run_options *options, run_state *run)
{
    const sqa_tensor_files *files = &run->files;
    bool all_f16 = files->q.element == SQA_ELEMENT_F16 && files->k.element == SQA_ELEMENT_F16 &&
                   files->v.element == SQA_ELEMENT_F16;
    if (!options->how.dtype && all_f16)
        run->desc.dtype = SQA_DTYPE_F16;
}

static sqa_host_array array_of(sqa_npy *tensor, sqa_element element)
{
    return (sqa_host_array){element, &tensor->memory, tensor->count};
}

/* With the index tensors on the device already. */
static sqa_status call(run_state *run)
{
    const sqa_element stored = (sqa_element)run->desc.dtype;
    sqa_npy *files = run->pattern.files;
    cl_mem there[SQA_MAX_TENSORS];
    sqa_host_array arrays[SQA_MAX_TENSORS] = {
        [SQA_SLOT_Q] = array_of(&run->files.q, stored),
        [SQA_SLOT_K] = array_of(&run->files.k, stored),
        [SQA_SLOT_V] = array_of(&run->files.v, stored),
        [SQA_SLOT_O] = array_of(&run->o, stored),
        [SQA_SLOT_LSE] = array_of(&run->lse, SQA_ELEMENT_F32),
        [SQA_SLOT_BIAS] = array_of(&files[SQA_SLOT_BIAS], files[SQA_SLOT_BIAS].element),
        [SQA_SLOT_MASK] = array_of(&files[SQA_SLOT_MASK], SQA_ELEMENT_BYTE),
        [SQA_SLOT_KEY_MASK] = array_of(&files[SQA_SLOT_KEY_MASK], SQA_ELEMENT_BYTE),
        [SQA_SLOT_SINKS] = array_of(&files[SQA_SLOT_SINKS], SQA_ELEMENT_F32),
        [SQA_SLOT_SLOPES] = array_of(&files[SQA_SLOT_SLOPES], SQA_ELEMENT_F32),
    };
    memcpy(there, run->pattern.indices, sizeof there);
    for (int i = 0; i < 2; i++) {
        there[SQA_SLOT_K + i] = run->cache[i];
        if (run->cache[i])
            arrays[SQA_SLOT_K + i].count = 0;
    }
    return sqa_host_call(run->context, run->plan, arrays, there);
}

static sqa_status compute_backward(const run_options *options, const sqa_plan_options *plan_options,
                                   run_state *run)
{
    const bool needs_forward = sqa_run_backward_needs_forward(&run->backward);
    sqa_status status = sqa_run_backward_prepare(&run->backward, run->context, plan_options,
                                                 &run->files, &run->pattern);
    if (!status && needs_forward)
        status = sqa_plan_build(&run->plan, run->context, &run->problem, NULL);
    if (!status)
        status = sqa_run_tell_choice(&options->how, run->backward.plan);
    return status ? status
                  : sqa_run_backward_call(&run->backward, run->context, run->plan, &run->pattern);
}

static sqa_status compute(const run_options *options, run_state *run)
{
    sqa_plan_options plan_options = SQA_PLAN_OPTIONS_INIT;
    plan_options.family = options->how.family;
    plan_options.config = options->how.set;
    const sqa_problem *problem = options->backward ? &run->backward.problem : &run->problem;
    sqa_status status = sqa_memory_check(problem, &run->context->device);
    if (!status)
        status = sqa_run_pattern_upload(&run->pattern, run->context, &run->desc);
    if (!status && options->backward)
        return compute_backward(options, &plan_options, run);
    if (!status && options->rotate)
        status = sqa_run_rotate(run->context, &run->files.q);
    if (!status && options->kv_format)
        status = sqa_run_append(run->context, &run->files, run->problem.of.attention.kv_dtype,
                                options->rotate, run->cache);
    if (!status)
        status = sqa_plan_build(&run->plan, run->context, &run->problem, &plan_options);
    if (!status)
        status = sqa_run_tell_choice(&options->how, run->plan);
    return status ? status : call(run);
}

static sqa_status write_outputs(const run_options *options, run_state *run)
{
    if (options->backward)
        return sqa_run_backward_write(&run->backward);
    sqa_status status = sqa_run_write(&run->o_file, "--out", options->out, &run->o);
    if (!status && options->lse)
        status = sqa_run_write(&run->lse_file, "--lse", options->lse, &run->lse);
    if (!status && options->lse)
        status = sqa_output_keep(&run->lse_file);
    return status ? status : sqa_output_keep(&run->o_file);
}

/* Arrays for what the call writes. */
static sqa_status make_outputs(const run_options *options, run_state *run)
{
    if (options->backward)
        return sqa_run_backward_read(&run->backward, &run->files, &run->pattern, &run->desc);
    sqa_status status = sqa_output_tensor(&run->o, &run->desc);
    return !status && options->lse ? sqa_lse_tensor(&run->lse, &run->desc) : status;
}

static sqa_status run_all(run_options *options, run_state *run)
{
    sqa_status status = read_operation(options, &run->backward);
    if (!status)
        status = check_required(options);
    if (!status)
        status = read_desc(options, &run->desc);
    run->files.paged = run->pattern.paths[SQA_SLOT_BLOCK_TABLE] != NULL;
    if (!status)
        status = sqa_tensor_files_read(&run->files, &run->desc);
    settle_dtype(options, run);
    if (!status)
        status = sqa_run_pattern_read(&run->pattern, &run->desc, &run->problem);
    if (!status)
        status = check_files(options, run);
    if (!status) {
        sqa_tensor_files_note(&run->files);
        sqa_pattern_files_note(run->pattern.paths, run->pattern.files);
    }
    if (!status)
        status = make_outputs(options, run);
    if (!status)
        status = sqa_run_open_context(&options->how, &run->context);
    if (!status)
        status = compute(options, run);
    return status ? status : write_outputs(options, run);
}

static void release(run_state *run)
{
    sqa_output_discard(&run->o_file);
    sqa_output_discard(&run->lse_file);
    sqa_run_backward_free(&run->backward);
    sqa_plan_destroy(run->plan);
    for (int i = 0; i < 2; i++)
        if (run->cache[i])
            clReleaseMemObject(run->cache[i]);
    sqa_context_destroy(run->context);
    sqa_npy_free(&run->o);
    sqa_npy_free(&run->lse);
    sqa_tensor_files_free(&run->files);
    sqa_run_pattern_free(&run->pattern);
}

/* The rows of the tensors, of the pattern, of gradients, then of how it is run. */
static bool read_options(int argc, char **argv, run_options *given, run_state *run, int *code)
{
    enum { TENSORS = 9, FORWARD = TENSORS + SQA_RUN_PATTERN_OPTIONS };
    enum { SCALE = FORWARD + SQA_RUN_BACKWARD_OPTIONS };
    const sqa_option tensors[TENSORS] = {
        {"op", "NAME",
         "forward (default), backward; with their own options block, layer, linear, " TABLED,
         .text = &given->op},
        {"q", "FILE", "query tensor, .npy", .text = &given->q},
        {"k", "FILE", "key tensor, .npy", .text = &given->k},
        {"v", "FILE", "value tensor, .npy", .text = &given->v},
        {"kv-format", "TYPE", "storage of K and V on the device, not of Q and O (--dtype)",
         .text = &given->kv_format},
        {"rotate", NULL, "Q and K go through Hadamard matrices first, against outliers in K",
         .flag = &given->rotate, .needs = "kv-format"},
        {"tf32", NULL,
         "products may be of tf32 instead of f32, which some matrix units have; less exact",
         .flag = &given->tf32, .excludes = "kv-format"},
        {"out", "FILE", "where the output goes, .npy", .text = &given->out},
        {"lse", "FILE", "where the log-sum-exp goes, .npy; with --op backward, where it is",
         .text = &given->lse},
    };
    sqa_option options[SCALE + 1 + SQA_RUN_HOW_OPTIONS + 1];
    memset(options, 0, sizeof options);
    memcpy(options, tensors, sizeof tensors);
    sqa_run_pattern_options(&run->pattern, options + TENSORS);
    sqa_run_backward_options(&run->backward, options + FORWARD);
    options[SCALE] = (sqa_option){"scale", "X", "instead of 1/sqrt(D)",
                                  .real = {&given->scale, SQA_REALS_BUT_ZERO}};
    sqa_run_how_options(&given->how, options + SCALE + 1);
    return sqa_options_read(argc, argv, summary, options, code);
}

/* Operations on other tensors than attention's, with options of their own. */
static const sqa_form *const forms[] = {
    &sqa_form_matmul, &sqa_form_merge,         &sqa_form_mla_layer,  &sqa_form_rope,
    &sqa_form_norm,   &sqa_form_norm_backward, &sqa_form_activation, &sqa_form_activation_backward};
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} others[] = {{"block", sqa_run_block}, {"layer", sqa_run_layer}, {"linear", sqa_run_linear}};

/* What the last --op says; "" without one. */
static const char *named_operation(int argc, char **argv)
{
    const char *name = "";
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--op") && i + 1 < argc)
            name = argv[i + 1];
        else if (!strncmp(argv[i], "--op=", 5))
            name = argv[i] + 5;
    }
    return name;
}

int sqa_command_run(int argc, char **argv)
{
    run_options given = {0};
    run_state run = {
        .pattern = SQA_RUN_PATTERN_INIT, .o_file = SQA_OUTPUT_INIT, .lse_file = SQA_OUTPUT_INIT};
    const char *operation = named_operation(argc, argv);
    int code = SQA_EXIT_OK;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(operation, others[i].name))
            return others[i].run(argc, argv);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(operation, forms[i]->name))
            return sqa_run_form(forms[i], argc, argv);
    sqa_run_backward_init(&run.backward);
    if (!read_options(argc, argv, &given, &run, &code))
        return code;
    run.files = (sqa_tensor_files){.q_path = given.q, .k_path = given.k, .v_path = given.v};
    sqa_status status = run_all(&given, &run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    release(&run);
    return code;
}
