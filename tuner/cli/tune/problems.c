/* See problems.h. */
#include "cli/tune/problems.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "shape/shape.h"
#include "store/store.h"

/* The same text is the same problem. */
static bool has_problem(const sqa_tune_plan *plan, const sqa_attention_desc *desc)
{
    char text[SQA_SHAPE_TEXT], other[SQA_SHAPE_TEXT];
    sqa_shape_format(desc, text, sizeof text);
    for (size_t i = 0; i < plan->options.problem_count; i++) {
        sqa_shape_format(&plan->problems[i], other, sizeof other);
        if (!strcmp(text, other))
            return true;
    }
    return false;
}

static sqa_status add_problem(sqa_tune_plan *plan, const sqa_attention_desc *desc)
{
    if (has_problem(plan, desc))
        return SQA_OK;
    if (plan->options.problem_count == SQA_MAX_PROBLEMS)
        return sqa_fail(SQA_INVALID_ARGUMENT, "more than %d problems at once", SQA_MAX_PROBLEMS);
    plan->problems[plan->options.problem_count++] = *desc;
    return SQA_OK;
}

static sqa_status add_shape(sqa_tune_plan *plan, const char *text)
{
    sqa_attention_desc desc;
    sqa_status status = sqa_shape_parse(text, &desc);
    return status == SQA_OK ? add_problem(plan, &desc) : status;
}

/* Cuts off a comment and the blanks around what is left. */
static char *bare_line(char *line)
{
    line[strcspn(line, "#\r\n")] = '\0';
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        line[--length] = '\0';
    return line;
}

/* Says where, and then what. */
static sqa_status fail_line(const char *file, size_t number)
{
    char why[256];
    snprintf(why, sizeof why, "%s", sqa_last_error());
    return sqa_fail(SQA_INVALID_ARGUMENT, "--shapes: %s, line %zu: %s", file, number, why);
}

static sqa_status add_file(sqa_tune_plan *plan, const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--shapes: %s: %s", name, strerror(errno));
    char *line = NULL;
    size_t capacity = 0;
    sqa_status status = SQA_OK;
    for (size_t number = 1; status == SQA_OK && getline(&line, &capacity, file) > 0; number++) {
        const char *shape = bare_line(line);
        if (*shape && add_shape(plan, shape) != SQA_OK)
            status = fail_line(name, number);
    }
    free(line);
    fclose(file);
    return status;
}

static sqa_status add_preset(sqa_tune_plan *plan, const char *name)
{
    sqa_attention_desc descs[SQA_MAX_PROBLEMS];
    size_t count = 0;
    sqa_status status = sqa_tune_preset(name, descs, &count);
    for (size_t i = 0; i < count && status == SQA_OK; i++)
        status = add_problem(plan, &descs[i]);
    return status;
}

/* What no shape of this command says is left out. */
static sqa_status add_stored(void *user, const sqa_stored_trial *trial)
{
    sqa_attention_desc desc;
    return trial && sqa_shape_parse(trial->shape, &desc) == SQA_OK ? add_problem(user, &desc)
                                                                   : SQA_OK;
}

static sqa_status add_database(sqa_tune_plan *plan, const char *path)
{
    const sqa_store_filter best = {.best_only = true};
    sqa_store *store = NULL;
    size_t before = plan->options.problem_count;
    sqa_status status = sqa_store_open_read_only(&store, path);
    if (status == SQA_OK)
        status = sqa_store_each(store, &best, add_stored, plan);
    sqa_store_close(store);
    if (status == SQA_OK && plan->options.problem_count == before)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--like: %s has no results to go by", path);
    return status;
}

sqa_status sqa_tune_problems_read(const sqa_tune_words *words, sqa_tune_plan *plan)
{
    sqa_status status = SQA_OK;
    plan->options.problems = plan->problems;
    for (size_t i = 0; i < words->shapes.count && status == SQA_OK; i++)
        status = add_shape(plan, words->shapes.items[i]);
    for (size_t i = 0; i < words->shape_files.count && status == SQA_OK; i++)
        status = add_file(plan, words->shape_files.items[i]);
    if (status == SQA_OK && words->like)
        status = add_database(plan, words->like);
    bool others = words->shapes.count || words->shape_files.count || words->like;
    if (status == SQA_OK && (words->preset || !others))
        status = add_preset(plan, words->preset ? words->preset : "quick");
    if (status == SQA_OK && !plan->options.problem_count)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--shapes: no shape in any line");
    return status;
}
