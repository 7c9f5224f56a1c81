/* See what.h. Errors name the option. */
#include "cli/bench/what.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/operation_option.h"
#include "kernels/registry.h"
#include "operations/operations.h"
#include "trial/bench_rows.h"

sqa_status sqa_bench_each_word(const char *option, const char *list, size_t most,
                               sqa_status (*take)(const char *word, sqa_bench_options *out),
                               sqa_bench_options *out)
{
    for (size_t i = 0;; i++) {
        char word[32];
        size_t length = strcspn(list, ",");
        if (i == most || length >= sizeof word)
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s takes at most %zu words of 31 characters",
                            option, most);
        memcpy(word, list, length);
        word[length] = '\0';
        sqa_status status = take(word, out);
        if (status != SQA_OK || !list[length])
            return status;
        list += length + 1;
    }
}

static size_t find_pass(const sqa_bench_options *options, const char *name)
{
    size_t i = 0;
    while (i < options->pass_count && strcmp(options->passes[i].name, name) != 0)
        i++;
    return i;
}

static sqa_status take_pass(const char *word, sqa_bench_options *out)
{
    sqa_timed_pass pass;
    sqa_status status = sqa_timed_pass_find(word, &pass);
    if (status != SQA_OK)
        return status;
    if (find_pass(out, word) < out->pass_count)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--op names %s twice", word);
    out->passes[out->pass_count++] = pass;
    return SQA_OK;
}

sqa_status sqa_bench_read_passes(const char *list, sqa_bench_options *out)
{
    return sqa_bench_each_word("--op", list, SQA_BENCH_MOST, take_pass, out);
}

sqa_status sqa_bench_add_training(sqa_bench_options *out)
{
    const size_t asked = out->pass_count;
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < asked; i++) {
        const sqa_tuner_operation *operation =
            sqa_tuner_operation_find(out->passes[i].parts[0].operation->id);
        const sqa_timed_pass *pass = operation ? operation->passes : NULL;
        for (; pass && pass->name && status == SQA_OK; pass++)
            if (out->passes[i].part_count == 1 && find_pass(out, pass->name) == out->pass_count &&
                out->pass_count < SQA_BENCH_MOST)
                status = take_pass(pass->name, out);
    }
    return status;
}

static sqa_status add_shape(const char *keys, size_t first, size_t count, sqa_bench_options *out)
{
    sqa_bench_shape *shapes = realloc(out->shapes, (out->shape_count + 1) * sizeof *shapes);
    if (!shapes)
        return sqa_fail_memory("the shapes");
    out->shapes = shapes;
    sqa_bench_shape *shape = &shapes[out->shape_count];
    *shape = (sqa_bench_shape){.first = first, .count = count};
    if (snprintf(shape->keys, sizeof shape->keys, "%s", keys) >= (int)sizeof shape->keys)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--shape is longer than %zu characters",
                        sizeof shape->keys - 1);
    out->shape_count++;
    return SQA_OK;
}

/* Where op= of a shape is among the passes; as one more of them unless `listed` says that they
 * are those of --op. */
static sqa_status pass_of_shape(const char *name, bool listed, sqa_bench_options *out,
                                size_t *index)
{
    *index = find_pass(out, name);
    if (*index < out->pass_count)
        return SQA_OK;
    if (listed)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--shape says op=%s, which --op does not name", name);
    if (out->pass_count == SQA_BENCH_MOST)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--shape: more than %u operations", SQA_BENCH_MOST);
    return take_pass(name, out);
}

/* "op=NAME,keys" */
static sqa_status read_named_shape(const char *text, bool listed, sqa_bench_options *out)
{
    char name[32];
    size_t pass = 0;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text + 3, ","), text + 3);
    sqa_status status = pass_of_shape(name, listed, out, &pass);
    return status == SQA_OK ? add_shape(sqa_shape_keys(text), pass, 1, out) : status;
}

sqa_status sqa_bench_read_shapes(const sqa_option_list *shapes, sqa_bench_options *out)
{
    const bool listed = out->pass_count > 0;
    const char *usual = sqa_operation_at(0)->name;
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < shapes->count && status == SQA_OK; i++) {
        size_t pass = 0;
        if (!strncmp(shapes->items[i], "op=", 3)) {
            status = read_named_shape(shapes->items[i], listed, out);
            continue;
        }
        if (!listed)
            status = pass_of_shape(usual, false, out, &pass);
        if (status == SQA_OK)
            status = add_shape(shapes->items[i], pass, listed ? out->pass_count : 1, out);
    }
    return status;
}

/* A preset is of the operation that a pass ends with. */
static sqa_status add_problem(const sqa_problem *problem, size_t passes, sqa_bench_options *out)
{
    char text[SQA_SHAPE_TEXT];
    sqa_status status = SQA_OK;
    sqa_problem_format(problem, text, sizeof text);
    for (size_t i = 0; i < passes && status == SQA_OK; i++) {
        const sqa_timed_pass *pass = &out->passes[i];
        if (pass->parts[pass->part_count - 1].operation->id == problem->operation)
            status = add_shape(sqa_shape_keys(text), i, 1, out);
    }
    return status;
}

static sqa_status add_problems(const sqa_case_list *list, const char *name, bool listed,
                               sqa_bench_options *out)
{
    sqa_status status = SQA_OK;
    size_t pass;
    for (size_t i = 0; i < list->count && status == SQA_OK; i++) {
        if (!listed)
            status = pass_of_shape(sqa_operation_of(&list->cases[i])->name, false, out, &pass);
        if (status == SQA_OK)
            status = add_problem(&list->cases[i], out->pass_count, out);
    }
    if (status == SQA_OK && !out->shape_count)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--preset %s has nothing for --op %s", name,
                          out->passes[0].name);
    return status;
}

sqa_status sqa_bench_read_preset(const char *name, sqa_bench_options *out)
{
    sqa_case_list list = {NULL, 0};
    sqa_status status = sqa_preset_list(name, &list);
    if (status == SQA_OK)
        status = add_problems(&list, name, out->pass_count > 0, out);
    sqa_case_list_free(&list);
    return status;
}

static sqa_status add_default_preset(size_t index, sqa_bench_options *out)
{
    const sqa_timed_pass *pass = &out->passes[index];
    const sqa_tuner_operation *operation =
        sqa_tuner_operation_find(pass->parts[pass->part_count - 1].operation->id);
    sqa_case_list list = {NULL, 0};
    if (!operation || !operation->preset)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--op %s has no preset; expected --shape",
                        pass->name);
    sqa_status status = operation->preset(operation->preset_names[0], &list);
    for (size_t i = 0; i < list.count && status == SQA_OK; i++)
        status = add_problem(&list.cases[i], out->pass_count, out);
    sqa_case_list_free(&list);
    return status;
}

sqa_status sqa_bench_read_default_presets(sqa_bench_options *out)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < out->pass_count && status == SQA_OK; i++)
        if (!sqa_bench_has_variants(&out->passes[i]))
            status = add_default_preset(i, out);
    return status;
}

/* Of every operation that is measured. */
static sqa_status take_family(const char *word, sqa_bench_options *out)
{
    const sqa_kernel_family *family = NULL;
    for (size_t i = 0; i < out->pass_count; i++)
        for (size_t p = 0; p < out->passes[i].part_count; p++) {
            sqa_status status = sqa_family_option(word, out->passes[i].parts[p].operation, &family);
            if (status != SQA_OK)
                return status;
        }
    for (size_t i = 0; i < out->family_count; i++)
        if (!strcmp(out->families[i], word))
            return sqa_fail(SQA_INVALID_ARGUMENT, "--family names %s twice", word);
    out->families[out->family_count++] = family->name;
    return SQA_OK;
}

static sqa_status take_all_families(sqa_bench_options *out)
{
    const sqa_operation id = out->passes[0].parts[0].operation->id;
    sqa_status status = SQA_OK;
    out->any_family = true;
    for (size_t i = 0; i < sqa_family_count() && status == SQA_OK; i++)
        if (sqa_family_at(i)->operation == id && out->family_count < SQA_BENCH_MOST)
            status = take_family(sqa_family_at(i)->name, out);
    if (status == SQA_OK && !out->family_count)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--family is 'all'; %s has no kernels of its own",
                          out->passes[0].name);
    return status;
}

sqa_status sqa_bench_read_families(const char *list, sqa_bench_options *out)
{
    return strcmp(list, "all") != 0
               ? sqa_bench_each_word("--family", list, SQA_BENCH_MOST, take_family, out)
               : take_all_families(out);
}
