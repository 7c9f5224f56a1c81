/* See form.h. Everything is checked before the device is opened, and no output is kept before all
 * are complete. */
#include "cli/run/form.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/memory_check.h"
#include "cli/run/host_call.h"
#include "cli/run/tensor_files.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "problem/names.h"
#include "runtime/context.h"
#include "runtime/plan.h"

#define EACH_FILE(run, i)                                                                          \
    int i = 0;                                                                                     \
    i < SQA_FORM_FILES && (run)->form->files[i].option;                                            \
    i++
#define EACH_KEY(run, i)                                                                           \
    int i = 0;                                                                                     \
    i < SQA_FORM_KEYS && (run)->form->keys[i].option;                                              \
    i++

enum { OPTION_TEXT = 24 };

/* "--name", or whose folder it is in. */
static const char *dashed(const sqa_form_file *file, char out[OPTION_TEXT])
{
    snprintf(out, OPTION_TEXT, "--%s", file->in_folder ? "weights" : file->option);
    return out;
}

static const sqa_shape_field *field_of(const sqa_form *form, const char *key)
{
    const sqa_shape_field *const *tables = sqa_operation_find(form->name)->fields;
    for (; *tables; tables++)
        for (const sqa_shape_field *field = *tables; field->name; field++)
            if (!strcmp(field->name, key))
                return field;
    return NULL;
}

static sqa_option option_of(sqa_form_run *run, int which)
{
    const sqa_form_key *key = &run->form->keys[which];
    const sqa_shape_field *field = field_of(run->form, key->key);
    sqa_option option = {key->option, NULL, field->meaning, .flag = NULL};
    if (field->kind == SQA_FIELD_FLAG) {
        option.flag = &run->flags[which];
        return option;
    }
    option.argument = field->kind == SQA_FIELD_WORD ? "NAME" : "X";
    option.text = &run->values[which];
    return option;
}

static bool read_options(int argc, char **argv, sqa_form_run *run, int *code)
{
    sqa_option options[2 + SQA_FORM_FILES + SQA_FORM_KEYS + SQA_RUN_HOW_OPTIONS + 1];
    size_t count = 0;
    memset(options, 0, sizeof options);
    options[count++] = (sqa_option){"op", "NAME", run->form->name, .text = &run->op};
    if (run->form->folder)
        options[count++] = (sqa_option){"weights", "DIR", run->form->folder, .text = &run->folder};
    for (EACH_FILE(run, i)) {
        const sqa_form_file *file = &run->form->files[i];
        if (file->in_folder)
            continue;
        options[count++] = (sqa_option){file->option, "FILE", file->meaning, .text = &run->paths[i],
                                        .needs = file->needs};
    }
    for (EACH_KEY(run, i))
        options[count++] = option_of(run, i);
    sqa_run_how_options(&run->how, options + count);
    return sqa_options_read(argc, argv, run->form->summary, options, code);
}

static sqa_status find_in_folder(sqa_form_run *run)
{
    sqa_status status = SQA_OK;
    for (EACH_FILE(run, i)) {
        const sqa_form_file *file = &run->form->files[i];
        sqa_text *path = &run->in_folder[i];
        if (!run->folder || !file->in_folder)
            continue;
        sqa_text_format(path, "%s/%s.npy", run->folder, file->option);
        if (!status)
            status = sqa_text_status(path);
        if (!status && (!file->is_optional || access(sqa_text_get(path), F_OK) == 0))
            run->paths[i] = sqa_text_get(path);
    }
    return status;
}

/* Of gradients, and of other outputs that are all optional, one at least. */
static sqa_status check_given(const sqa_form_run *run)
{
    const sqa_form_file *files = run->form->files;
    const char *missing = NULL;
    bool is_written = false;
    for (EACH_FILE(run, i))
        if (!run->paths[i] && !files[i].is_optional && !missing)
            missing = files[i].option;
    for (EACH_FILE(run, i))
        is_written = is_written || (files[i].is_written && run->paths[i]);
    for (EACH_FILE(run, i))
        if (files[i].is_written && !is_written && !missing)
            missing = files[i].option;
    if (run->form->folder && !run->folder)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--weights DIR is missing");
    if (missing)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s FILE.npy is missing", missing);
    return run->form->check ? run->form->check(run) : SQA_OK;
}

static sqa_status check_files(const sqa_form_run *run)
{
    char buffer[4096], names[SQA_FORM_FILES][OPTION_TEXT];
    sqa_command_file files[1 + SQA_FORM_FILES] = {sqa_database_file(run->how.database, buffer)};
    size_t count = 1;
    for (EACH_FILE(run, i))
        files[count++] =
            (sqa_command_file){dashed(&run->form->files[i], names[i]), run->paths[i],
                               run->form->files[i].is_written ? SQA_FILE_WRITTEN : SQA_FILE_READ};
    return sqa_database_files_check(files, count);
}

static sqa_status read_files(sqa_form_run *run)
{
    sqa_status status = SQA_OK;
    for (EACH_FILE(run, i)) {
        const sqa_form_file *file = &run->form->files[i];
        const sqa_npy_wish wish = {file->kind, file->least_rank, (uint32_t)strlen(file->axes),
                                   file->dimensions};
        if (!status && run->paths[i] && !file->is_written)
            status = sqa_npy_read(&run->files[i], run->paths[i], &wish);
    }
    return status;
}

void sqa_form_sizes(const sqa_form_run *run, sqa_text *shape)
{
    static const struct {
        char axis;
        const char *key;
    } keys[] = {{'b', "b"}, {'h', "heads"}, {'n', "n"}, {'d', "d"}};
    const sqa_npy *file = &run->files[0];
    const char *axes = run->form->files[0].axes;
    const size_t skip = strlen(axes) - file->rank;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *at = strchr(axes, keys[i].axis);
        if (at)
            sqa_text_format(shape, ",%s=%llu", keys[i].key,
                            (size_t)(at - axes) < skip
                                ? 1ull
                                : (unsigned long long)file->shape[(size_t)(at - axes) - skip]);
    }
}

/* The storage is f16 where all files are, unless told otherwise. */
static sqa_status add_dtype(const sqa_form_run *run, sqa_text *shape)
{
    sqa_dtype dtype = SQA_DTYPE_F16;
    for (EACH_FILE(run, i)) {
        const sqa_form_file *file = &run->form->files[i];
        const bool counts = !file->is_written && !file->is_f32 && file->kind == SQA_NPY_FLOATS;
        if (counts && run->paths[i] && run->files[i].element != SQA_ELEMENT_F16)
            dtype = SQA_DTYPE_F32;
    }
    sqa_status status = sqa_run_how_dtype(&run->how, &dtype);
    if (!status)
        sqa_text_format(shape, ",dtype=%s", sqa_dtype_name(dtype));
    return status;
}

/* By itself first, so that what is wrong with it is said of the option. */
static sqa_status add_key(const sqa_form_run *run, int which, sqa_text *shape)
{
    const sqa_form_key *key = &run->form->keys[which];
    const sqa_operation_entry *entry = sqa_operation_find(run->form->name);
    alignas(max_align_t) char descriptor[SQA_DESCRIPTOR_BYTES];
    const char *value = run->values[which];
    char item[256], why[256];
    if (run->flags[which])
        sqa_text_format(shape, ",%s", key->key);
    if (!value)
        return SQA_OK;
    if (key->also && !strcmp(value, key->also))
        value = key->means;
    entry->start(descriptor);
    snprintf(item, sizeof item, "%s=%.200s%s%s", key->key, value, key->beside ? "," : "",
             key->beside ? key->beside : "");
    sqa_status status = sqa_fields_read(entry->fields, item, descriptor, entry->descriptor_bytes);
    if (!status) {
        sqa_text_format(shape, ",%s=%.200s", key->key, value);
        return SQA_OK;
    }
    snprintf(why, sizeof why, "%s", sqa_last_error());
    return sqa_fail(status, "--%s: %s", key->option, why);
}

static void add_flags(const sqa_form_run *run, sqa_text *shape)
{
    const char *separator = ",wanted=";
    for (EACH_FILE(run, i)) {
        const sqa_form_file *file = &run->form->files[i];
        if (run->paths[i] && file->key)
            sqa_text_format(shape, ",%s", file->key);
    }
    for (EACH_FILE(run, i)) {
        const sqa_form_file *file = &run->form->files[i];
        if (!run->paths[i] || !file->part)
            continue;
        sqa_text_format(shape, "%s%s", separator, file->part);
        separator = "+";
    }
}

static sqa_status make_problem(sqa_form_run *run)
{
    sqa_text shape = SQA_TEXT_INIT;
    sqa_text_format(&shape, "op=%s", run->form->name);
    (run->form->sizes ? run->form->sizes : sqa_form_sizes)(run, &shape);
    add_flags(run, &shape);
    sqa_status status = add_dtype(run, &shape);
    for (EACH_KEY(run, i))
        if (!status)
            status = add_key(run, i, &shape);
    if (!status)
        status = sqa_text_status(&shape);
    if (!status)
        status = sqa_problem_parse(sqa_text_get(&shape), &run->problem);
    sqa_text_free(&shape);
    return status;
}

/* The shape of `like`, but for as many of the first size as make the tensor. */
static sqa_npy folded_shape(const sqa_npy *like, const sqa_tensor_shape *t)
{
    const uint64_t all = (uint64_t)t->batch * t->heads * t->length * t->dim;
    uint64_t rest = 1;
    sqa_npy out = {.rank = like->rank, .count = 1};
    memcpy(out.shape, like->shape, sizeof out.shape);
    for (uint32_t i = 1; i < out.rank; i++)
        rest *= out.shape[i];
    if (rest)
        out.shape[0] = all / rest;
    return out;
}

/* The shape of a tensor's file of that rank, or of all axes where it cannot have so few. */
static sqa_npy file_shape(const sqa_form_file *file, const sqa_tensor_shape *t, uint32_t rank)
{
    const struct {
        char axis;
        uint32_t size;
        int64_t stride;
    } sizes[] = {{'b', t->batch, t->strides.batch},
                 {'h', t->heads, t->strides.head},
                 {'n', t->length, t->strides.sequence},
                 {'d', t->dim, 1}};
    const uint32_t most = (uint32_t)strlen(file->axes);
    uint64_t all[SQA_NPY_MAX_RANK] = {0};
    sqa_npy out = {.rank = rank < most ? rank : most, .count = 1};
    for (uint32_t i = 0; i < most; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            if (sizes[j].axis != file->axes[i])
                continue;
            all[i] = sizes[j].size;
            if (i + out.rank < most && sizes[j].size != 1 && sizes[j].stride != 0)
                out.rank = most - i;
        }
    memcpy(out.shape, all + (most - out.rank), out.rank * sizeof *all);
    return out;
}

static sqa_status check_shapes(const sqa_form_run *run)
{
    for (EACH_FILE(run, i)) {
        const sqa_npy *file = &run->files[i];
        sqa_tensor_shape t;
        char own[128], wanted[128];
        if (!run->paths[i] || run->form->files[i].is_written ||
            !sqa_tensor_shape_of(&run->problem, run->form->files[i].slot, &t))
            continue;
        const sqa_npy expected = run->form->files[i].folds
                                     ? folded_shape(file, &t)
                                     : file_shape(&run->form->files[i], &t, file->rank);
        if (file->rank == expected.rank &&
            !memcmp(file->shape, expected.shape, expected.rank * sizeof *expected.shape))
            continue;
        sqa_npy_shape_text(file, own, sizeof own);
        sqa_npy_shape_text(&expected, wanted, sizeof wanted);
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: shape %s; expected %s", run->paths[i], own,
                        wanted);
    }
    return SQA_OK;
}

static void note_files(const sqa_form_run *run)
{
    char option[OPTION_TEXT];
    for (EACH_FILE(run, i))
        if (run->paths[i])
            sqa_tensor_file_note(dashed(&run->form->files[i], option), run->paths[i],
                                 &run->files[i]);
}

static sqa_status make_output(sqa_form_run *run, int which, const sqa_tensor_shape *t)
{
    const sqa_form_file *file = &run->form->files[which];
    const uint32_t most = (uint32_t)strlen(file->axes);
    const uint32_t lacks = (uint32_t)strlen(run->form->files[0].axes) - run->files[0].rank;
    const uint32_t rank = most > lacks ? most - lacks : 0;
    sqa_npy *out = &run->files[which];
    *out = file->folds ? folded_shape(&run->files[0], t)
                       : file_shape(file, t, rank > file->least_rank ? rank : file->least_rank);
    for (uint32_t i = 0; i < out->rank; i++) {
        if (out->shape[i] && out->count > SIZE_MAX / sizeof(float) / out->shape[i])
            return sqa_fail_memory("the output");
        out->count *= (size_t)out->shape[i];
    }
    out->element = t->element == SQA_ELEMENT_F16 ? SQA_ELEMENT_F16 : SQA_ELEMENT_F32;
    out->data = calloc(out->count ? out->count : 1, sizeof(float));
    return out->data ? SQA_OK : sqa_fail_memory("the output");
}

/* The numbers that are read for an output that is updated become the output's. */
static bool take_input(sqa_form_run *run, int which, const sqa_tensor_shape *t)
{
    for (int i = 0; i < which; i++) {
        sqa_npy *from = &run->files[i];
        if (run->form->files[i].slot != run->form->files[which].slot)
            continue;
        run->files[which] = *from;
        run->files[which].element =
            t->element == SQA_ELEMENT_F16 ? SQA_ELEMENT_F16 : SQA_ELEMENT_F32;
        *from = (sqa_npy){0};
        return true;
    }
    return false;
}

/* All that the operation writes, whether a file wants it or not. */
static sqa_status make_outputs(sqa_form_run *run)
{
    sqa_status status = SQA_OK;
    sqa_tensor_shape t;
    for (EACH_FILE(run, i))
        if (!status && run->form->files[i].is_written &&
            sqa_tensor_shape_of(&run->problem, run->form->files[i].slot, &t) &&
            !take_input(run, i, &t))
            status = make_output(run, i, &t);
    return status;
}

static sqa_status compute(sqa_form_run *run)
{
    const cl_mem none[SQA_MAX_TENSORS] = {NULL};
    sqa_host_array arrays[SQA_MAX_TENSORS] = {{0}};
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    for (EACH_FILE(run, i)) {
        sqa_tensor_shape t;
        const uint32_t slot = run->form->files[i].slot;
        if (sqa_tensor_shape_of(&run->problem, slot, &t))
            arrays[slot] = (sqa_host_array){t.element, &run->files[i].memory, run->files[i].count};
    }
    options.family = run->how.family;
    options.config = run->how.set;
    sqa_status status = sqa_memory_check(&run->problem, &run->context->device);
    if (!status)
        status = sqa_plan_build(&run->plan, run->context, &run->problem, &options);
    if (!status)
        status = sqa_run_tell_choice(&run->how, run->plan);
    return status ? status : sqa_host_call(run->context, run->plan, arrays, none);
}

static sqa_status write_outputs(sqa_form_run *run)
{
    char option[OPTION_TEXT];
    sqa_status status = SQA_OK;
    for (EACH_FILE(run, i))
        if (!status && run->form->files[i].is_written && run->paths[i])
            status = sqa_run_write(&run->outputs[i], dashed(&run->form->files[i], option),
                                   run->paths[i], &run->files[i]);
    for (EACH_FILE(run, i))
        if (!status && run->form->files[i].is_written && run->paths[i])
            status = sqa_output_keep(&run->outputs[i]);
    return status;
}

static sqa_status run_all(sqa_form_run *run)
{
    sqa_status status = find_in_folder(run);
    if (!status)
        status = check_given(run);
    if (!status)
        status = check_files(run);
    if (!status)
        status = read_files(run);
    if (!status)
        status = make_problem(run);
    if (!status)
        status = check_shapes(run);
    if (!status && run->form->inspect)
        status = run->form->inspect(run);
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

int sqa_run_form(const sqa_form *form, int argc, char **argv)
{
    static const sqa_output closed = SQA_OUTPUT_INIT;
    sqa_form_run run = {.form = form};
    int code = SQA_EXIT_OK;
    for (int i = 0; i < SQA_FORM_FILES; i++) {
        run.outputs[i] = closed;
        run.in_folder[i] = (sqa_text)SQA_TEXT_INIT;
    }
    if (!read_options(argc, argv, &run, &code))
        return code;
    sqa_status status = run_all(&run);
    code = status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
    sqa_plan_destroy(run.plan);
    sqa_context_destroy(run.context);
    for (int i = 0; i < SQA_FORM_FILES; i++) {
        sqa_output_discard(&run.outputs[i]);
        sqa_npy_free(&run.files[i]);
        sqa_text_free(&run.in_folder[i]);
    }
    return code;
}
