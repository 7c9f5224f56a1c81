/* sqa run: attention on a user's tensors. Everything is checked before the device
 * is opened, and no output exists until both are complete. */
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/device_option.h"
#include "cli/log_option.h"
#include "cli/memory_check.h"
#include "cli/options.h"
#include "cli/run/backward.h"
#include "cli/run/host_call.h"
#include "cli/run/pattern.h"
#include "cli/run/pattern_files.h"
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
    "pass, or runs that again.";

typedef struct run_options {
    const char *op, *q, *k, *v, *out, *lse;
    const char *dtype, *family, *set, *device, *database, *log_level;
    float scale; /* 0: the default */
    bool explain;
    bool backward; /* --op */
} run_options;

/* Everything that is made on the way and released at its end. */
typedef struct run_state {
    sqa_attention_desc desc;
    sqa_problem problem;
    sqa_tensor_files files;
    sqa_run_pattern pattern;
    sqa_run_backward backward;
    sqa_npy o, lse;
    sqa_context *context;
    sqa_plan *plan;
    sqa_output o_file, lse_file;
} run_state;

static sqa_status read_operation(run_options *options, sqa_run_backward *backward)
{
    const char *given = sqa_run_backward_given(backward);
    options->backward = options->op && !strcmp(options->op, "backward");
    if (options->op && !options->backward && strcmp(options->op, "forward") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--op is '%.40s'; expected forward or backward",
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
        sqa_database_file(options->database, buffer),
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
    if (options->dtype && !sqa_dtype_from_name(options->dtype, &desc->dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--dtype is '%s'; expected f32, f16 or bf16",
                        options->dtype);
    return SQA_OK;
}

/* Unless told otherwise, the device stores f16 where all three files do. */
static void settle_dtype(const run_options *options, run_state *run)
{
    const sqa_tensor_files *files = &run->files;
    bool all_f16 = files->q.element == SQA_ELEMENT_F16 && files->k.element == SQA_ELEMENT_F16 &&
                   files->v.element == SQA_ELEMENT_F16;
    if (!options->dtype && all_f16)
        run->desc.dtype = SQA_DTYPE_F16;
}

static sqa_status open_context(const run_options *options, sqa_context **out)
{
    sqa_context_options made = SQA_CONTEXT_OPTIONS_INIT;
    unsigned platform = 0, device = 0;
    made.user_database = options->database;
    sqa_status status = sqa_log_option(options->log_level, &made);
    if (!status)
        status = sqa_device_option(options->device, &platform, &device);
    return status ? status : sqa_context_open(out, platform, device, &made);
}

/* Whether it was measured on this very device. */
static bool is_own(const sqa_plan_info *info)
{
    static const sqa_rung rungs[] = {SQA_RUNG_EXACT, SQA_RUNG_OTHER_DRIVER, SQA_RUNG_NEAREST_SIZE};
    bool own = false;
    for (size_t i = 0; i < sizeof rungs / sizeof *rungs; i++)
        own = own || !strcmp(info->rung, sqa_rung_name(rungs[i]));
    return own;
}

/* Says so when nothing was ever measured for this device and problem: the answer
 * is right all the same, but tuning would make it faster. */
static void tell_fallback(const run_options *options, const sqa_plan_info *info)
{
    char found[4096] = "";
    const char *path = options->database;
    const char *to = !strcmp(info->source, "default")    ? "defaults"
                     : !strcmp(info->source, "seed-db")  ? "what is built in for one like it"
                     : !strcmp(info->source, "prebuilt") ? "the first program pre-built for it"
                                                         : NULL;
    if (!to || is_own(info))
        return;
    if (!path)
        path = sqa_user_database_path(found, sizeof found) ? found : "none";
    fprintf(stderr, "sqa run: nothing tuned for this device in %s: falling back to %s (%s)\n", path,
            to, info->family);
}

static void explain(const sqa_plan_info *info)
{
    fprintf(stderr, "rung:    %s\nsource:  %s\nfamily:  %s\nconfig:  %s\nreason:  %s\n", info->rung,
            info->source, info->family, info->config, info->reason);
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
    return sqa_host_call(run->context, run->plan, arrays, run->pattern.indices);
}

/* The plan whose choice is told. */
static sqa_status tell_choice(const run_options *options, const sqa_plan *plan)
{
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    sqa_status status = sqa_plan_explain(plan, &info);
    if (status)
        return status;
    if (options->explain)
        explain(&info);
    tell_fallback(options, &info);
    return SQA_OK;
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
        status = tell_choice(options, run->backward.plan);
    return status ? status
                  : sqa_run_backward_call(&run->backward, run->context, run->plan, &run->pattern);
}

static sqa_status compute(const run_options *options, run_state *run)
{
    sqa_plan_options plan_options = SQA_PLAN_OPTIONS_INIT;
    plan_options.family = options->family;
    plan_options.config = options->set;
    const sqa_problem *problem = options->backward ? &run->backward.problem : &run->problem;
    sqa_status status = sqa_memory_check(problem, &run->context->device);
    if (!status)
        status = sqa_run_pattern_upload(&run->pattern, run->context, &run->desc);
    if (!status && options->backward)
        return compute_backward(options, &plan_options, run);
    if (!status)
        status = sqa_plan_build(&run->plan, run->context, &run->problem, &plan_options);
    if (!status)
        status = tell_choice(options, run->plan);
    return status ? status : call(run);
}

static sqa_status write_output(sqa_output *out, const char *option, const char *path,
                               const sqa_npy *tensor)
{
    sqa_status status = sqa_output_open(out, option, path);
    if (status)
        return status;
    sqa_npy_write(out->file, tensor);
    return sqa_output_complete(out);
}

static sqa_status write_outputs(const run_options *options, run_state *run)
{
    if (options->backward)
        return sqa_run_backward_write(&run->backward);
    sqa_status status = write_output(&run->o_file, "--out", options->out, &run->o);
    if (!status && options->lse)
        status = write_output(&run->lse_file, "--lse", options->lse, &run->lse);
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
        status = open_context(options, &run->context);
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
    sqa_context_destroy(run->context);
    sqa_npy_free(&run->o);
    sqa_npy_free(&run->lse);
    sqa_tensor_files_free(&run->files);
    sqa_run_pattern_free(&run->pattern);
}

/* The rows of the tensors, of the pattern, of gradients, then of how it is run. */
static bool read_options(int argc, char **argv, run_options *given, run_state *run, int *code)
{
    enum { TENSORS = 6, OTHERS = 9, FORWARD = TENSORS + SQA_RUN_PATTERN_OPTIONS };
    const sqa_option tensors[TENSORS] = {
        {"op", "NAME", "forward (default) or backward", .text = &given->op},
        {"q", "FILE", "query tensor, .npy", .text = &given->q},
        {"k", "FILE", "key tensor, .npy", .text = &given->k},
        {"v", "FILE", "value tensor, .npy", .text = &given->v},
        {"out", "FILE", "where the output goes, .npy", .text = &given->out},
        {"lse", "FILE", "where the log-sum-exp goes, .npy; with --op backward, where it is",
         .text = &given->lse},
    };
    const sqa_option others[OTHERS] = {
        {"scale", "X", "instead of 1/sqrt(D)", .real = {&given->scale, SQA_REALS_BUT_ZERO}},
        {"dtype", "TYPE", "storage on the device: f32, f16 or bf16 (that of the files)",
         .text = &given->dtype},
        {"family", "NAME", "this kernel family instead of the best known", .text = &given->family},
        {"set", "NAME=VALUE,...", "with --family: its parameters", .text = &given->set,
         .needs = "family"},
        {"explain", NULL, "say on standard error which kernel was chosen, and why",
         .flag = &given->explain},
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .text = &given->device},
        {"db", "FILE", "tuning database instead of the user's own", .text = &given->database},
        {"log-level", "LEVEL", "error, warning (default), info or debug",
         .text = &given->log_level},
        {0},
    };
    sqa_option options[FORWARD + SQA_RUN_BACKWARD_OPTIONS + OTHERS];
    memcpy(options, tensors, sizeof tensors);
    sqa_run_pattern_options(&run->pattern, options + TENSORS);
    sqa_run_backward_options(&run->backward, options + FORWARD);
    memcpy(options + FORWARD + SQA_RUN_BACKWARD_OPTIONS, others, sizeof others);
    return sqa_options_read(argc, argv, summary, options, code);
}

int sqa_command_run(int argc, char **argv)
{
    run_options given = {0};
    run_state run = {
        .pattern = SQA_RUN_PATTERN_INIT, .o_file = SQA_OUTPUT_INIT, .lse_file = SQA_OUTPUT_INIT};
    int code = SQA_EXIT_OK;
    sqa_run_backward_init(&run.backward);
    if (!read_options(argc, argv, &given, &run, &code))
        return code;
    run.files = (sqa_tensor_files){.q_path = given.q, .k_path = given.k, .v_path = given.v};
    sqa_status status = run_all(&given, &run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    release(&run);
    return code;
}
