/* Q, K, V, decays and states from files: read, held against each other, computed with. Everything
 * is checked before the device is opened. */
#include "cli/run/linear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/memory_check.h"
#include "cli/run/host_call.h"
#include "cli/run/how.h"
#include "cli/run/linear_files.h"
#include "cli/run/tensor_files.h"
#include "operations/linear/fields.h"
#include "operations/linear/slots.h"
#include "runtime/context.h"
#include "runtime/plan.h"

static const char summary[] =
    "Linear attention on NumPy files: o_t = scale S_t^T f(q_t), S_t = exp(decay_t) S_(t-1) +\n"
    "f(k_t) v_t^T; without --causal of all keys, without --decay.\n"
    "Q, K, V and O as of `sqa run`: (batch, heads, length, dim), float32, float16 or float64\n"
    "(rounded to float32). --decay, natural logarithms: (Hkv), (batch, Hkv, N) or (batch, Hkv,\n"
    "N, D). --beta, (batch, Hkv, N), makes it the delta rule. States are (batch, Hkv, D, Dv),\n"
    "sums, of --normalise, (batch, Hkv, D): what is written after some tokens goes on with those\n"
    "behind them. --dout computes gradients, with or without --out; each is shaped as what it is\n"
    "of. The rules are those of include/sqa_cl/linear.h.";

enum { FORWARD, BACKWARD, PASSES };

/* Files besides Q, K and V, and the passes that have them. */
typedef struct extra {
    const char *option, *needs, *meaning;
    uint32_t slot;
    bool forward, backward, written;
} extra;

enum {
    O,
    STATE,
    SUMS,
    DECAY,
    BETA,
    STATE_IN,
    SUMS_IN,
    DOUT,
    DSTATE,
    DSUMS,
    DQ,
    DK,
    DV,
    DDECAY,
    DBETA,
    DSTATE_IN,
    DSUMS_IN,
    EXTRAS
};

#define OF_FORWARD .forward = true
#define OF_BOTH .forward = true, .backward = true
#define OF_BACKWARD .backward = true
#define WRITTEN .written = true

static const extra extras[EXTRAS] = {
    [O] = {"out", NULL, "where O goes, .npy", SQA_SLOT_O, OF_FORWARD, WRITTEN},
    [STATE] = {"state-out", "out", "where the last state goes, .npy", SQA_SLOT_STATE, OF_FORWARD,
               WRITTEN},
    [SUMS] = {"sums-out", "normalise,state-out", "where the sums of it go, .npy", SQA_SLOT_SUMS,
              OF_FORWARD, WRITTEN},
    [DECAY] = {"decay", "causal", "logarithms of decays, .npy", SQA_SLOT_DECAY, OF_BOTH},
    [BETA] = {"beta", "causal", "of the delta rule, .npy", SQA_SLOT_BETA, OF_BOTH},
    [STATE_IN] = {"state-in", NULL, "the state to begin with, .npy", SQA_SLOT_STATE_IN, OF_BOTH},
    [SUMS_IN] = {"sums-in", "normalise,state-in", "the sums of it, .npy", SQA_SLOT_SUMS_IN,
                 OF_BOTH},
    [DOUT] = {"dout", "dq,dk,dv", "gradient of O, .npy: those of the inputs", SQA_SLOT_LINEAR_DOUT,
              OF_BACKWARD},
    [DSTATE] = {"dstate", "dout", "gradient of the last state, .npy", SQA_SLOT_LINEAR_DSTATE,
                OF_BACKWARD},
    [DSUMS] = {"dsums", "normalise,dstate", "that of the sums of it, .npy", SQA_SLOT_LINEAR_DSUMS,
               OF_BACKWARD},
    [DQ] = {"dq", "dout", "where the gradient of Q goes, .npy", SQA_SLOT_LINEAR_DQ, OF_BACKWARD,
            WRITTEN},
    [DK] = {"dk", "dout", "of K", SQA_SLOT_LINEAR_DK, OF_BACKWARD, WRITTEN},
    [DV] = {"dv", "dout", "of V", SQA_SLOT_LINEAR_DV, OF_BACKWARD, WRITTEN},
    [DDECAY] = {"ddecay", "dout,decay", "of the decays", SQA_SLOT_DDECAY, OF_BACKWARD, WRITTEN},
    [DBETA] = {"dbeta", "dout,beta", "of beta", SQA_SLOT_DBETA, OF_BACKWARD, WRITTEN},
    [DSTATE_IN] = {"dstate-in", "dout,state-in", "of the state to begin with", SQA_SLOT_DSTATE_IN,
                   OF_BACKWARD, WRITTEN},
    [DSUMS_IN] = {"dsums-in", "dout,sums-in", "of the sums of it", SQA_SLOT_DSUMS_IN, OF_BACKWARD,
                  WRITTEN},
};

typedef struct linear_run {
    const char *op, *feature, *paths[EXTRAS];
    bool causal, normalise;
    float scale, epsilon;
    sqa_run_how how;

    sqa_tensor_files inputs;
    sqa_npy files[EXTRAS];
    sqa_output outputs[EXTRAS];
    sqa_linear_desc desc;
    sqa_problem problems[PASSES];
    sqa_context *context;
    sqa_plan *plans[PASSES];
} linear_run;

static bool has_pass(const linear_run *run, int pass)
{
    return run->paths[pass == FORWARD ? O : DOUT] != NULL;
}

static bool is_of(int which, int pass)
{
    return pass == FORWARD ? extras[which].forward : extras[which].backward;
}

/* Stored as Q, K and V are, unlike all that is f32. */
static bool is_stored(int which)
{
    return which == O || which == DOUT || (which >= DQ && which <= DV);
}

static bool read_options(int argc, char **argv, linear_run *run, int *code)
{
    enum { OTHERS = 9, HOW = EXTRAS + OTHERS };
    sqa_option options[HOW + SQA_RUN_HOW_OPTIONS + 1];
    const sqa_option others[OTHERS] = {
        {"op", "NAME", "linear", .text = &run->op},
        {"q", "FILE", "query tensor, .npy", .text = &run->inputs.q_path},
        {"k", "FILE", "key tensor, .npy", .text = &run->inputs.k_path},
        {"v", "FILE", "value tensor, .npy", .text = &run->inputs.v_path},
        {"feature", "NAME", "f: identity (default), elu1 (elu(x) + 1) or relu",
         .text = &run->feature},
        {"causal", NULL, "a token's own state, not that of all keys", .flag = &run->causal},
        {"normalise", NULL, "divided by the sum of the weights", .flag = &run->normalise},
        {"epsilon", "X", "added to that sum (1e-6)", .needs = "normalise",
         .real = {&run->epsilon, SQA_REALS_ABOVE_ZERO}},
        {"scale", "X", "instead of 1/sqrt(D)", .real = {&run->scale, SQA_REALS_BUT_ZERO}},
    };
    memset(options, 0, sizeof options);
    memcpy(options, others, sizeof others);
    for (int i = 0; i < EXTRAS; i++)
        options[OTHERS + i] = (sqa_option){extras[i].option, "FILE", extras[i].meaning,
                                           .text = &run->paths[i], .needs = extras[i].needs};
    options[OTHERS + BETA].excludes = "normalise";
    sqa_run_how_options(&run->how, options + HOW);
    return sqa_options_read(argc, argv, summary, options, code);
}

static sqa_status check_given(const linear_run *run)
{
    const struct {
        const char *name, *path;
    } required[] = {{"q", run->inputs.q_path},
                    {"k", run->inputs.k_path},
                    {"v", run->inputs.v_path},
                    {"out", run->paths[O] ? run->paths[O] : run->paths[DOUT]}};
    static const int pairs[][2] = {{STATE, SUMS}, {STATE_IN, SUMS_IN}, {DSTATE, DSUMS}};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!required[i].path)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s FILE.npy is missing", required[i].name);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && run->normalise; i++)
        if (run->paths[pairs[i][0]] && !run->paths[pairs[i][1]])
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "--%s FILE.npy is missing; of --normalise, a "
                            "state goes with its sums",
                            extras[pairs[i][1]].option);
    return SQA_OK;
}

static sqa_status check_files(const linear_run *run)
{
    enum { OWN = 4 };
    char buffer[4096], names[EXTRAS][16];
    sqa_command_file files[OWN + EXTRAS] = {
        {"--q", run->inputs.q_path, SQA_FILE_READ},
        {"--k", run->inputs.k_path, SQA_FILE_READ},
        {"--v", run->inputs.v_path, SQA_FILE_READ},
        sqa_database_file(run->how.database, buffer),
    };
    for (int i = 0; i < EXTRAS; i++) {
        snprintf(names[i], sizeof names[i], "--%s", extras[i].option);
        files[OWN + i] = (sqa_command_file){names[i], run->paths[i],
                                            extras[i].written ? SQA_FILE_WRITTEN : SQA_FILE_READ};
    }
    return sqa_database_files_check(files, OWN + EXTRAS);
}

static sqa_status read_files(linear_run *run)
{
    static const sqa_npy_wish wish = {SQA_NPY_FLOATS, 1, 4, "1 to 4 dimensions"};
    sqa_status status = sqa_tensor_files_read(&run->inputs, &run->desc.attention);
    for (int i = 0; i < EXTRAS && !status; i++)
        if (run->paths[i] && !extras[i].written)
            status = sqa_npy_read(&run->files[i], run->paths[i], &wish);
    return status;
}

static sqa_npy file_shape(const linear_run *run, int which)
{
    const int pass = extras[which].forward && has_pass(run, FORWARD) ? FORWARD : BACKWARD;
    sqa_tensor_shape t;
    (void)sqa_tensor_shape_of(&run->problems[pass], extras[which].slot, &t);
    return sqa_run_linear_shape(&t, extras[which].slot, run->desc.options.decay);
}

static sqa_status check_shape(const linear_run *run, int which)
{
    const sqa_npy *file = &run->files[which];
    const sqa_npy expected = file_shape(run, which);
    char own[128], wanted[128];
    if (file->rank == expected.rank &&
        !memcmp(file->shape, expected.shape, expected.rank * sizeof *expected.shape))
        return SQA_OK;
    sqa_npy_shape_text(file, own, sizeof own);
    sqa_npy_shape_text(&expected, wanted, sizeof wanted);
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: shape %s; expected %s", run->paths[which], own,
                    wanted);
}

/* The last state is one of the forward pass, its gradient of the backward pass. */
static sqa_status settle_pass(linear_run *run, int pass)
{
    sqa_linear_options *options = &run->desc.options;
    const bool ends = run->paths[pass == FORWARD ? STATE : DSTATE] != NULL;
    options->state =
        (sqa_linear_state)((run->paths[STATE_IN] ? SQA_STATE_IN : 0) | (ends ? SQA_STATE_OUT : 0));
    return sqa_problem_from_linear(&run->problems[pass],
                                   pass == FORWARD ? SQA_OPERATION_LINEAR_FORWARD
                                                   : SQA_OPERATION_LINEAR_BACKWARD,
                                   &run->desc.attention, options);
}

static sqa_status settle(linear_run *run)
{
    const sqa_tensor_files *in = &run->inputs;
    sqa_attention_desc *desc = &run->desc.attention;
    sqa_linear_options *options = &run->desc.options;
    const bool all_f16 = in->q.element == SQA_ELEMENT_F16 && in->k.element == SQA_ELEMENT_F16 &&
                         in->v.element == SQA_ELEMENT_F16;
    desc->dtype = all_f16 ? SQA_DTYPE_F16 : SQA_DTYPE_F32;
    desc->scale = run->scale;
    desc->causal = run->causal ? SQA_CAUSAL_BOTTOM_RIGHT : SQA_CAUSAL_NONE;
    options->decay = sqa_run_decay(&run->files[DECAY]);
    options->delta = run->paths[BETA] != NULL;
    options->normalise = run->normalise;
    options->epsilon = run->epsilon;
    sqa_status status = sqa_run_how_dtype(&run->how, &desc->dtype);
    if (!status)
        status = sqa_run_feature(run->feature, &options->feature);
    for (int pass = 0; pass < PASSES && !status; pass++)
        if (has_pass(run, pass))
            status = settle_pass(run, pass);
    for (int i = 0; i < EXTRAS && !status; i++)
        if (run->paths[i] && !extras[i].written)
            status = check_shape(run, i);
    return status;
}

static sqa_status make_output(linear_run *run, int which)
{
    sqa_npy file = file_shape(run, which);
    if (is_stored(which) && run->desc.attention.dtype == SQA_DTYPE_F16)
        file.element = SQA_ELEMENT_F16;
    file.data = calloc(file.count ? file.count : 1, sizeof(float));
    if (!file.data)
        return sqa_fail_memory("the output");
    run->files[which] = file;
    return SQA_OK;
}

/* Of gradients all that there are, whether a file wants them or not. */
static sqa_status make_outputs(linear_run *run)
{
    sqa_status status = SQA_OK;
    for (int pass = 0; pass < PASSES; pass++)
        for (int i = 0; i < EXTRAS && !status; i++) {
            sqa_tensor_shape shape;
            if (has_pass(run, pass) && is_of(i, pass) && extras[i].written &&
                sqa_tensor_shape_of(&run->problems[pass], extras[i].slot, &shape))
                status = make_output(run, i);
        }
    return status;
}

/* Inputs that another pass reads, too: a call frees its own. */
static sqa_status copy_inputs(const linear_run *run, int pass, sqa_host_array *arrays,
                              void **copies)
{
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++) {
        const size_t bytes = arrays[slot].count * sizeof(float);
        if (!bytes || sqa_tensor_is_output(&run->problems[pass], slot))
            continue;
        copies[slot] = malloc(bytes);
        if (!copies[slot])
            return sqa_fail_memory("inputs of both passes");
        memcpy(copies[slot], *arrays[slot].memory, bytes);
        arrays[slot].memory = &copies[slot];
    }
    return SQA_OK;
}

static sqa_status call(linear_run *run, int pass)
{
    const sqa_element stored = (sqa_element)run->desc.attention.dtype;
    const cl_mem none[SQA_MAX_TENSORS] = {NULL};
    sqa_tensor_files *in = &run->inputs;
    void *copies[SQA_MAX_TENSORS] = {NULL};
    sqa_host_array arrays[SQA_MAX_TENSORS] = {
        [SQA_SLOT_Q] = {stored, &in->q.memory, in->q.count},
        [SQA_SLOT_K] = {stored, &in->k.memory, in->k.count},
        [SQA_SLOT_V] = {stored, &in->v.memory, in->v.count},
    };
    for (int i = 0; i < EXTRAS; i++)
        if (is_of(i, pass))
            arrays[extras[i].slot] = (sqa_host_array){is_stored(i) ? stored : SQA_ELEMENT_F32,
                                                      &run->files[i].memory, run->files[i].count};
    sqa_status status = SQA_OK;
    if (pass == FORWARD && has_pass(run, BACKWARD))
        status = copy_inputs(run, pass, arrays, copies);
    if (!status)
        status = sqa_host_call(run->context, run->plans[pass], arrays, none);
    for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
        free(copies[slot]);
    return status;
}

static sqa_status plan(linear_run *run, int pass)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = run->how.family;
    options.config = run->how.set;
    sqa_status status = sqa_memory_check(&run->problems[pass], &run->context->device);
    if (!status)
        status = sqa_plan_build(&run->plans[pass], run->context, &run->problems[pass], &options);
    return status ? status : sqa_run_tell_choice(&run->how, run->plans[pass]);
}

static sqa_status compute(linear_run *run)
{
    sqa_status status = SQA_OK;
    for (int pass = 0; pass < PASSES && !status; pass++)
        if (has_pass(run, pass))
            status = plan(run, pass);
    for (int pass = 0; pass < PASSES && !status; pass++)
        if (has_pass(run, pass))
            status = call(run, pass);
    return status;
}

/* All of them, or none. */
static sqa_status write_outputs(linear_run *run)
{
    char option[16];
    sqa_status status = SQA_OK;
    for (int i = 0; i < EXTRAS && !status; i++) {
        snprintf(option, sizeof option, "--%s", extras[i].option);
        if (run->paths[i] && extras[i].written)
            status = sqa_run_write(&run->outputs[i], option, run->paths[i], &run->files[i]);
    }
    for (int i = 0; i < EXTRAS && !status; i++)
        if (run->paths[i] && extras[i].written)
            status = sqa_output_keep(&run->outputs[i]);
    return status;
}

static void note_files(const linear_run *run)
{
    char option[16];
    sqa_tensor_files_note(&run->inputs);
    for (int i = 0; i < EXTRAS; i++) {
        snprintf(option, sizeof option, "--%s", extras[i].option);
        if (!extras[i].written)
            sqa_tensor_file_note(option, run->paths[i], &run->files[i]);
    }
}

static sqa_status run_all(linear_run *run)
{
    sqa_status status = check_given(run);
    if (!status)
        status = check_files(run);
    if (!status)
        status = read_files(run);
    if (!status)
        status = settle(run);
    if (!status) {
        note_files(run);
        status = make_outputs(run);
    }
    if (!status)
        status = sqa_run_open_context(&run->how, &run->context);
    if (!status)
        status = compute(run);
    return status ? status : write_outputs(run);
}

int sqa_run_linear(int argc, char **argv)
{
    linear_run run = {.desc = {SQA_ATTENTION_DESC_INIT, SQA_LINEAR_OPTIONS_INIT}};
    int code = SQA_EXIT_OK;
    run.epsilon = run.desc.options.epsilon;
    for (int i = 0; i < EXTRAS; i++)
        run.outputs[i] = (sqa_output)SQA_OUTPUT_INIT;
    if (!read_options(argc, argv, &run, &code))
        return code;
    sqa_status status = run_all(&run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    for (int i = 0; i < EXTRAS; i++) {
        sqa_output_discard(&run.outputs[i]);
        sqa_npy_free(&run.files[i]);
    }
    for (int pass = 0; pass < PASSES; pass++)
        sqa_plan_destroy(run.plans[pass]);
    sqa_context_destroy(run.context);
    sqa_tensor_files_free(&run.inputs);
    return code;
}
