/* Matrices from files: read, held against each other, multiplied. Everything is checked before
 * the device is opened. */
#include "cli/run/matmul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/memory_check.h"
#include "cli/run/host_call.h"
#include "cli/run/how.h"
#include "cli/run/tensor_files.h"
#include "operations/matmul/fields.h"
#include "operations/matmul/slots.h"
#include "runtime/context.h"
#include "runtime/plan.h"

static const char summary[] =
    "Matrix products of NumPy files: C = act(alpha op(A) op(B) + bias).\n"
    "A is (M, K) or (batch, M, K), with --ta (K, M); B is (K, N), with --tb (N, K), one for\n"
    "all of a batch or as many; float32, float16 or float64 (rounded to float32). C is (M, N)\n"
    "or (batch, M, N).\n"
    "With --b2 it is act(A B + bias) * (A B2 + bias2); --residual is added at the end.";

typedef struct input {
    const char *option, *meaning;
    uint32_t slot, least_rank, most_rank;
    const char *dimensions;
} input;

enum { A, B, B2, BIAS, BIAS2, RESIDUAL, INPUTS };

static const input inputs[INPUTS] = {
    [A] = {"a", "left matrix, .npy", SQA_SLOT_MATRIX_A, 2, 3, "(M, K) or (batch, M, K)"},
    [B] = {"b", "right matrix, .npy", SQA_SLOT_MATRIX_B, 2, 3, "(K, N) or (batch, K, N)"},
    [B2] = {"b2", "like B: the other factor of a gate, .npy", SQA_SLOT_MATRIX_B2, 2, 3,
            "the shape of B"},
    [BIAS] = {"bias", "(N), added to each row, .npy", SQA_SLOT_COLUMN_BIAS, 1, 1, "(N)"},
    [BIAS2] = {"bias2", "(N), likewise with --b2, .npy", SQA_SLOT_COLUMN_BIAS2, 1, 1, "(N)"},
    [RESIDUAL] = {"residual", "like C: added at the end, .npy", SQA_SLOT_RESIDUAL, 2, 3,
                  "the shape of C"},
};

typedef struct matmul_run {
    const char *op, *paths[INPUTS], *out, *activation;
    bool ta, tb;
    float alpha;
    sqa_run_how how;

    sqa_matmul_desc desc;
    sqa_problem problem;
    sqa_npy files[INPUTS], c;
    sqa_context *context;
    sqa_plan *plan;
    sqa_output output;
} matmul_run;

static bool read_options(int argc, char **argv, matmul_run *run, int *code)
{
    enum { OTHERS = 6, HOW = INPUTS + OTHERS };
    sqa_option options[HOW + SQA_RUN_HOW_OPTIONS + 1];
    const sqa_option others[OTHERS] = {
        {"op", "NAME", "matmul", .text = &run->op},
        {"out", "FILE", "where C goes, .npy", .text = &run->out},
        {"ta", NULL, "A is stored transposed", .flag = &run->ta},
        {"tb", NULL, "B (and B2) is stored transposed", .flag = &run->tb},
        {"alpha", "X", "factor of the products (1)", .real = {&run->alpha, SQA_REALS_BUT_ZERO}},
        {"activation", "NAME", "silu, gelu (by erf) or gelu_tanh", .text = &run->activation},
    };
    memset(options, 0, sizeof options);
    for (int i = 0; i < INPUTS; i++)
        options[i] =
            (sqa_option){inputs[i].option, "FILE", inputs[i].meaning, .text = &run->paths[i]};
    memcpy(options + INPUTS, others, sizeof others);
    sqa_run_how_options(&run->how, options + HOW);
    return sqa_options_read(argc, argv, summary, options, code);
}

static sqa_status check_given(const matmul_run *run)
{
    const char *missing = !run->paths[A] ? "a" : !run->paths[B] ? "b" : !run->out ? "out" : NULL;
    if (missing)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s FILE.npy is missing", missing);
    if (run->paths[BIAS2] && !run->paths[B2])
        return sqa_fail(SQA_INVALID_ARGUMENT, "--bias2 needs --b2");
    if (run->paths[B2] && !run->paths[BIAS2] != !run->paths[BIAS])
        return sqa_fail(SQA_INVALID_ARGUMENT, "with --b2, --bias and --bias2 go together");
    return SQA_OK;
}

static sqa_status check_files(const matmul_run *run)
{
    enum { OWN = 2 };
    char buffer[4096], names[INPUTS][16];
    sqa_command_file files[INPUTS + OWN];
    for (int i = 0; i < INPUTS; i++) {
        snprintf(names[i], sizeof names[i], "--%s", inputs[i].option);
        files[i] = (sqa_command_file){names[i], run->paths[i], SQA_FILE_READ};
    }
    files[INPUTS] = sqa_database_file(run->how.database, buffer);
    files[INPUTS + 1] = (sqa_command_file){"--out", run->out, SQA_FILE_WRITTEN};
    return sqa_database_files_check(files, INPUTS + OWN);
}

static sqa_status read_activation(const char *name, sqa_activation *out)
{
    static const struct {
        const char *name;
        sqa_activation activation;
    } known[] = {{"none", SQA_ACTIVATION_NONE},
                 {"silu", SQA_ACTIVATION_SILU},
                 {"gelu", SQA_ACTIVATION_GELU_ERF},
                 {"gelu_erf", SQA_ACTIVATION_GELU_ERF},
                 {"gelu_tanh", SQA_ACTIVATION_GELU_TANH}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!name || !strcmp(known[i].name, name)) {
            *out = known[i].activation;
            return SQA_OK;
        }
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "--activation is '%.40s'; expected silu, gelu or "
                    "gelu_tanh",
                    name);
}

static sqa_status read_files(matmul_run *run)
{
    sqa_status status = SQA_OK;
    for (int i = 0; i < INPUTS && !status; i++) {
        const sqa_npy_wish wish = {SQA_NPY_FLOATS, inputs[i].least_rank, inputs[i].most_rank,
                                   inputs[i].dimensions};
        if (run->paths[i])
            status = sqa_npy_read(&run->files[i], run->paths[i], &wish);
    }
    return status;
}

static void note_files(const matmul_run *run)
{
    char option[16];
    for (int i = 0; i < INPUTS; i++) {
        snprintf(option, sizeof option, "--%s", inputs[i].option);
        sqa_tensor_file_note(option, run->paths[i], &run->files[i]);
    }
}

/* The shape that a file must have: of `rank` numbers; a batch of one may be left out. */
static sqa_status must_be(const matmul_run *run, int which, const uint64_t *shape, uint32_t rank)
{
    const sqa_npy *file = &run->files[which];
    bool same = file->rank == rank;
    char own[128];
    if (!run->paths[which])
        return SQA_OK;
    for (uint32_t i = 0; i < rank && same; i++)
        same = file->shape[i] == shape[i];
    if (same)
        return SQA_OK;
    sqa_npy expected = {.rank = rank};
    char wanted[128];
    memcpy(expected.shape, shape, rank * sizeof *shape);
    sqa_npy_shape_text(file, own, sizeof own);
    sqa_npy_shape_text(&expected, wanted, sizeof wanted);
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: shape %s; expected %s", run->paths[which], own,
                    wanted);
}

/* Lengths beyond what a descriptor holds are refused as such. */
static uint32_t length_of(uint64_t length)
{
    return length < UINT32_MAX ? (uint32_t)length : UINT32_MAX - 1;
}

static sqa_status settle_shapes(matmul_run *run)
{
    const sqa_npy *a = &run->files[A], *b = &run->files[B];
    const uint64_t *a_shape = a->shape + (a->rank - 2), *b_shape = b->shape + (b->rank - 2);
    const uint64_t m = a_shape[run->ta], k = a_shape[!run->ta], n = b_shape[!run->tb];
    const uint64_t b_wanted[3] = {a->shape[0], run->tb ? n : k, run->tb ? k : n};
    const uint64_t c_wanted[3] = {a->shape[0], m, n};
    const uint32_t skip = a->rank == 2, b_skip = b->rank == 2 || skip;
    sqa_status status = must_be(run, B, b_wanted + b_skip, 3 - b_skip);
    if (!status)
        status = must_be(run, B2, b_wanted + b_skip, 3 - b_skip);
    if (!status)
        status = must_be(run, BIAS, &n, 1);
    if (!status)
        status = must_be(run, BIAS2, &n, 1);
    if (!status)
        status = must_be(run, RESIDUAL, c_wanted + skip, a->rank);
    run->desc.batch = skip ? 1 : length_of(a->shape[0]);
    run->desc.m = length_of(m);
    run->desc.n = length_of(n);
    run->desc.k = length_of(k);
    if (b->rank == 2)
        run->desc.b = (sqa_matrix_strides){0, (int64_t)b_shape[1]};
    run->c = (sqa_npy){.rank = a->rank};
    memcpy(run->c.shape, c_wanted + skip, a->rank * sizeof *c_wanted);
    return status;
}

/* The storage is f16 where all files are, unless told otherwise. */
static sqa_status settle(matmul_run *run)
{
    sqa_matmul_desc *desc = &run->desc;
    bool all_f16 = true;
    *desc = (sqa_matmul_desc)SQA_MATMUL_DESC_INIT;
    for (int i = 0; i < INPUTS; i++)
        all_f16 = all_f16 && (!run->paths[i] || run->files[i].element == SQA_ELEMENT_F16);
    desc->dtype = all_f16 ? SQA_DTYPE_F16 : SQA_DTYPE_F32;
    desc->transpose_a = run->ta;
    desc->transpose_b = run->tb;
    desc->alpha = run->alpha;
    desc->bias = run->paths[BIAS] != NULL;
    desc->gated = run->paths[B2] != NULL;
    desc->add_residual = run->paths[RESIDUAL] != NULL;
    sqa_status status = sqa_run_how_dtype(&run->how, &desc->dtype);
    if (!status)
        status = read_activation(run->activation, &desc->activation);
    if (!status)
        status = settle_shapes(run);
    return status ? status : sqa_problem_from_matmul(&run->problem, desc);
}

static sqa_status make_output(matmul_run *run)
{
    const sqa_product *p = &run->problem.of.product;
    const double count = (double)p->batch * p->m * p->n;
    if (count > (double)(SIZE_MAX / sizeof(float) / 2))
        return sqa_fail_memory("the output");
    run->c.count = (size_t)p->batch * p->m * p->n;
    run->c.element = p->dtype == SQA_DTYPE_F16 ? SQA_ELEMENT_F16 : SQA_ELEMENT_F32;
    run->c.data = calloc(run->c.count ? run->c.count : 1, sizeof(float));
    return run->c.data ? SQA_OK : sqa_fail_memory("the output");
}

static sqa_status compute(matmul_run *run)
{
    const sqa_element stored = (sqa_element)run->desc.dtype;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    const cl_mem none[SQA_MAX_TENSORS] = {NULL};
    sqa_host_array arrays[SQA_MAX_TENSORS] = {
        [SQA_SLOT_MATRIX_C] = {stored, &run->c.memory, run->c.count}};
    for (int i = 0; i < INPUTS; i++)
        arrays[inputs[i].slot] =
            (sqa_host_array){stored, &run->files[i].memory, run->files[i].count};
    options.family = run->how.family;
    options.config = run->how.set;
    sqa_status status = sqa_memory_check(&run->problem, &run->context->device);
    if (!status)
        status = sqa_plan_build(&run->plan, run->context, &run->problem, &options);
    if (!status)
        status = sqa_run_tell_choice(&run->how, run->plan);
    return status ? status : sqa_host_call(run->context, run->plan, arrays, none);
}

static sqa_status run_all(matmul_run *run)
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
        status = make_output(run);
    }
    if (!status)
        status = sqa_run_open_context(&run->how, &run->context);
    if (!status)
        status = compute(run);
    if (!status)
        status = sqa_run_write(&run->output, "--out", run->out, &run->c);
    return status ? status : sqa_output_keep(&run->output);
}

int sqa_run_matmul(int argc, char **argv)
{
    matmul_run run = {.alpha = 1.0f, .output = SQA_OUTPUT_INIT};
    int code = SQA_EXIT_OK;
    if (!read_options(argc, argv, &run, &code))
        return code;
    sqa_status status = run_all(&run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    sqa_output_discard(&run.output);
    sqa_plan_destroy(run.plan);
    sqa_context_destroy(run.context);
    sqa_npy_free(&run.c);
    for (int i = 0; i < INPUTS; i++)
        sqa_npy_free(&run.files[i]);
    return code;
}
