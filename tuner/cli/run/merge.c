/* Parts of attention from files, held against each other and merged. Everything is checked before
 * the device is opened. */
#include "cli/run/merge.h"

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
#include "operations/merge/merging.h"
#include "runtime/context.h"
#include "runtime/plan.h"

static const char summary[] =
    "Two parts of attention into one: what the same queries have from two sets of keys, as O\n"
    "and log-sum-exp of each, is O and log-sum-exp over all of these keys.\n"
    "O is (B, H, N, D), float32, float16 or float64 (rounded to float32), the log-sum-exp\n"
    "(B, H, N); `sqa run --lse` writes both.";

enum { PART_A, PART_A_LSE, PART_B, PART_B_LSE, FILES };

static const struct {
    const char *option, *meaning;
    uint32_t slot, rank;
    const char *dimensions;
} inputs[FILES] = {
    [PART_A] = {"a", "O of the first part, .npy", SQA_SLOT_PART_A, 4, "(B, H, N, D)"},
    [PART_A_LSE] = {"a-lse", "its log-sum-exp, .npy", SQA_SLOT_PART_A_LSE, 3, "(B, H, N)"},
    [PART_B] = {"b", "O of the second part, .npy", SQA_SLOT_PART_B, 4, "(B, H, N, D)"},
    [PART_B_LSE] = {"b-lse", "its log-sum-exp, .npy", SQA_SLOT_PART_B_LSE, 3, "(B, H, N)"},
};

typedef struct merge_run {
    const char *op, *paths[FILES], *out, *lse;
    sqa_run_how how;

    sqa_merge_desc desc;
    sqa_problem problem;
    sqa_npy files[FILES], merged, merged_lse;
    sqa_context *context;
    sqa_plan *plan;
    sqa_output o_file, lse_file;
} merge_run;

static bool read_options(int argc, char **argv, merge_run *run, int *code)
{
    enum { OTHERS = 3, HOW = FILES + OTHERS };
    sqa_option options[HOW + SQA_RUN_HOW_OPTIONS + 1];
    const sqa_option others[OTHERS] = {
        {"op", "NAME", "merge", .text = &run->op},
        {"out", "FILE", "where O goes, .npy", .text = &run->out},
        {"lse", "FILE", "where the log-sum-exp goes, .npy", .text = &run->lse},
    };
    memset(options, 0, sizeof options);
    for (int i = 0; i < FILES; i++)
        options[i] =
            (sqa_option){inputs[i].option, "FILE", inputs[i].meaning, .text = &run->paths[i]};
    memcpy(options + FILES, others, sizeof others);
    sqa_run_how_options(&run->how, options + HOW);
    return sqa_options_read(argc, argv, summary, options, code);
}

static sqa_status check_given(const merge_run *run)
{
    for (int i = 0; i < FILES; i++)
        if (!run->paths[i])
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s FILE.npy is missing", inputs[i].option);
    return run->out ? SQA_OK : sqa_fail(SQA_INVALID_ARGUMENT, "--out FILE.npy is missing");
}

static sqa_status check_files(const merge_run *run)
{
    enum { OWN = 3 };
    char buffer[4096], names[FILES][16];
    sqa_command_file files[FILES + OWN];
    for (int i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "--%s", inputs[i].option);
        files[i] = (sqa_command_file){names[i], run->paths[i], SQA_FILE_READ};
    }
    files[FILES] = sqa_database_file(run->how.database, buffer);
    files[FILES + 1] = (sqa_command_file){"--out", run->out, SQA_FILE_WRITTEN};
    files[FILES + 2] = (sqa_command_file){"--lse", run->lse, SQA_FILE_WRITTEN};
    return sqa_database_files_check(files, FILES + OWN);
}

/* All are shaped as the first is; a log-sum-exp lacks the last dimension. */
static sqa_status read_files(merge_run *run)
{
    const sqa_npy *first = &run->files[PART_A];
    for (int i = 0; i < FILES; i++) {
        const sqa_npy_wish wish = {SQA_NPY_FLOATS, inputs[i].rank, inputs[i].rank,
                                   inputs[i].dimensions};
        sqa_npy *file = &run->files[i];
        sqa_status status = sqa_npy_read(file, run->paths[i], &wish);
        if (status)
            return status;
        if (!memcmp(file->shape, first->shape, inputs[i].rank * sizeof *file->shape))
            continue;
        char own[128], other[128];
        sqa_npy_shape_text(file, own, sizeof own);
        sqa_npy_shape_text(first, other, sizeof other);
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: shape %s; expected %s of %s, as %s has",
                        run->paths[i], own, inputs[i].dimensions, other, run->paths[PART_A]);
    }
    return SQA_OK;
}

/* Sizes beyond what a descriptor holds are refused as such. */
static uint32_t size_of(uint64_t size)
{
    return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX - 1;
}

static sqa_status settle(merge_run *run)
{
    const sqa_npy *a = &run->files[PART_A], *b = &run->files[PART_B];
    sqa_merge_desc *desc = &run->desc;
    const bool all_f16 = a->element == SQA_ELEMENT_F16 && b->element == SQA_ELEMENT_F16;
    *desc = (sqa_merge_desc)SQA_MERGE_DESC_INIT;
    desc->dtype = all_f16 ? SQA_DTYPE_F16 : SQA_DTYPE_F32;
    desc->batch = size_of(a->shape[0]);
    desc->heads = size_of(a->shape[1]);
    desc->length = size_of(a->shape[2]);
    desc->dim = size_of(a->shape[3]);
    sqa_status status = sqa_run_how_dtype(&run->how, &desc->dtype);
    return status ? status : sqa_problem_from_merge(&run->problem, desc);
}

static sqa_status make_output(const merge_run *run, int like, sqa_element element, sqa_npy *out)
{
    const sqa_npy *file = &run->files[like];
    *out = (sqa_npy){.rank = file->rank, .count = file->count, .element = element};
    memcpy(out->shape, file->shape, sizeof out->shape);
    out->data = calloc(file->count + 1, sizeof(float));
    return out->data ? SQA_OK : sqa_fail_memory("the output");
}

static sqa_status make_outputs(merge_run *run)
{
    const bool f16 = run->desc.dtype == SQA_DTYPE_F16;
    sqa_status status =
        make_output(run, PART_A, f16 ? SQA_ELEMENT_F16 : SQA_ELEMENT_F32, &run->merged);
    return status ? status : make_output(run, PART_A_LSE, SQA_ELEMENT_F32, &run->merged_lse);
}

static sqa_status compute(merge_run *run)
{
    const sqa_element stored = (sqa_element)run->desc.dtype;
    const cl_mem none[SQA_MAX_TENSORS] = {NULL};
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_host_array arrays[SQA_MAX_TENSORS] = {
        [SQA_SLOT_MERGED] = {stored, &run->merged.memory, run->merged.count},
        [SQA_SLOT_MERGED_LSE] = {SQA_ELEMENT_F32, &run->merged_lse.memory, run->merged_lse.count}};
    for (int i = 0; i < FILES; i++)
        arrays[inputs[i].slot] = (sqa_host_array){inputs[i].rank == 4 ? stored : SQA_ELEMENT_F32,
                                                  &run->files[i].memory, run->files[i].count};
    options.family = run->how.family;
    options.config = run->how.set;
    sqa_status status = sqa_memory_check(&run->problem, &run->context->device);
    if (!status)
        status = sqa_plan_build(&run->plan, run->context, &run->problem, &options);
    if (!status)
        status = sqa_run_tell_choice(&run->how, run->plan);
    return status ? status : sqa_host_call(run->context, run->plan, arrays, none);
}

/* Neither is kept before both are complete. */
static sqa_status write_outputs(merge_run *run)
{
    sqa_status status = sqa_run_write(&run->o_file, "--out", run->out, &run->merged);
    if (!status && run->lse)
        status = sqa_run_write(&run->lse_file, "--lse", run->lse, &run->merged_lse);
    if (!status && run->lse)
        status = sqa_output_keep(&run->lse_file);
    return status ? status : sqa_output_keep(&run->o_file);
}

static void note_files(const merge_run *run)
{
    char option[16];
    for (int i = 0; i < FILES; i++) {
        snprintf(option, sizeof option, "--%s", inputs[i].option);
        sqa_tensor_file_note(option, run->paths[i], &run->files[i]);
    }
}

static sqa_status run_all(merge_run *run)
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

int sqa_run_merge(int argc, char **argv)
{
    merge_run run = {.o_file = SQA_OUTPUT_INIT, .lse_file = SQA_OUTPUT_INIT};
    int code = SQA_EXIT_OK;
    if (!read_options(argc, argv, &run, &code))
        return code;
    sqa_status status = run_all(&run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    sqa_output_discard(&run.o_file);
    sqa_output_discard(&run.lse_file);
    sqa_plan_destroy(run.plan);
    sqa_context_destroy(run.context);
    sqa_npy_free(&run.merged);
    sqa_npy_free(&run.merged_lse);
    for (int i = 0; i < FILES; i++)
        sqa_npy_free(&run.files[i]);
    return code;
}
