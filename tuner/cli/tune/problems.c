/* See problems.h. */
#include "cli/tune/problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/operation_option.h"
#include "operations/operations.h"
#include "operations/recipe.h"
#include "operations/shape.h"
#include "operations/tuner_operations.h"
#include "store/store.h"
#include "text/text_file.h"

static bool has_problem(const sqa_tune_plan *plan, const sqa_problem *problem)
{
    for (size_t i = 0; i < plan->options.problem_count; i++)
        if (!memcmp(&plan->problems[i], problem, sizeof *problem))
            return true;
    return false;
}

static sqa_status add_leaf(sqa_tune_plan *plan, const sqa_problem *problem)
{
    if (has_problem(plan, problem))
        return SQA_OK;
    if (plan->options.problem_count == SQA_MAX_PROBLEMS)
        return sqa_fail(SQA_INVALID_ARGUMENT, "more than %d problems at once", SQA_MAX_PROBLEMS);
    plan->problems[plan->options.problem_count++] = *problem;
    return SQA_OK;
}

/* Of a recipe, its stages: only what has kernel families can be tuned. */
static sqa_status add_problem(sqa_tune_plan *plan, const sqa_problem *problem)
{
    sqa_recipe *recipe = NULL;
    sqa_status status = sqa_recipe_of(problem, &recipe);
    for (uint32_t i = 0; status == SQA_OK && i < recipe->stage_count; i++)
        status = add_leaf(plan, &recipe->stages[i].problem);
    sqa_recipe_free(recipe);
    return status;
}

static sqa_status add_shape(sqa_tune_plan *plan, const char *text)
{
    sqa_problem problem;
    sqa_status status = sqa_shape_option(text, plan->operation, &problem);
    return status == SQA_OK ? add_problem(plan, &problem) : status;
}

/* Cuts off a comment and the blanks around what is left. */
static char *bare_line(char *line)
{
    line[strcspn(line, "#")] = '\0';
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

/* The shapes of a file, and how often each is in it. */
typedef struct used_shape {
    sqa_problem problem;
    uint32_t uses;
    size_t line; /* the first one that has it */
} used_shape;

typedef struct used_shapes {
    used_shape *items;
    size_t count;
} used_shapes;

static sqa_status count_shape(used_shapes *shapes, const sqa_problem *problem, size_t line)
{
    for (size_t i = 0; i < shapes->count; i++)
        if (!memcmp(&shapes->items[i].problem, problem, sizeof *problem)) {
            shapes->items[i].uses++;
            return SQA_OK;
        }
    used_shape *items = realloc(shapes->items, (shapes->count + 1) * sizeof *items);
    if (!items)
        return sqa_fail_memory("the shapes");
    shapes->items = items;
    items[shapes->count++] = (used_shape){*problem, 1, line};
    return SQA_OK;
}

/* The most used first; then in the file's order. */
static int compare_uses(const void *a, const void *b)
{
    const used_shape *x = a, *y = b;
    if (x->uses != y->uses)
        return x->uses < y->uses ? 1 : -1;
    return (x->line > y->line) - (x->line < y->line);
}

static sqa_status read_shapes(const sqa_tune_plan *plan, const char *name, used_shapes *out)
{
    char *text = NULL;
    sqa_status status = sqa_text_file_read("--shapes", name, &text);
    char *line = text;
    for (size_t number = 1; status == SQA_OK && *line; number++) {
        char *end = line + strcspn(line, "\n"), *next = end + (*end == '\n');
        sqa_problem problem;
        *end = '\0';
        const char *shape = bare_line(line);
        if (*shape)
            status = sqa_shape_option(shape, plan->operation, &problem) == SQA_OK
                         ? count_shape(out, &problem, number)
                         : fail_line(name, number);
        line = next;
    }
    free(text);
    return status;
}

/* What a program recorded ($SQA_CL_RECORD) may be more than is tuned at once: what it uses
 * most comes first. */
static sqa_status add_file(sqa_tune_plan *plan, const char *name)
{
    used_shapes shapes = {NULL, 0};
    sqa_status status = read_shapes(plan, name, &shapes);
    if (status == SQA_OK && shapes.count)
        qsort(shapes.items, shapes.count, sizeof *shapes.items, compare_uses);
    for (size_t i = 0; i < shapes.count && status == SQA_OK; i++) {
        if (plan->options.problem_count == SQA_MAX_PROBLEMS) {
            fprintf(stderr, "sqa tune: %s: %zu shapes; the most used %zu are tuned\n", name,
                    shapes.count, i);
            break;
        }
        status = add_problem(plan, &shapes.items[i].problem);
    }
    free(shapes.items);
    return status;
}

static sqa_status add_preset(sqa_tune_plan *plan, const char *name)
{
    sqa_case_list list = {NULL, 0};
    sqa_status status = sqa_preset_list(name, &list);
    for (size_t i = 0; i < list.count && status == SQA_OK; i++)
        if (!plan->operation || list.cases[i].operation == plan->operation->id)
            status = add_problem(plan, &list.cases[i]);
    sqa_case_list_free(&list);
    return status;
}

/* A row that cannot be read is left out. */
static sqa_status add_stored(void *user, const sqa_stored_trial *trial)
{
    const sqa_tune_plan *plan = user;
    sqa_problem problem;
    if (!trial || sqa_stored_shape_read(trial->shape, &problem) != SQA_OK)
        return SQA_OK;
    if (plan->operation && plan->operation->id != problem.operation)
        return SQA_OK;
    return add_problem(user, &problem);
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

/* The first of the operation; where none is asked for, of the first operation. */
static const char *default_preset(const sqa_tune_plan *plan)
{
    const sqa_operation_entry *entry = plan->operation ? plan->operation : sqa_operation_at(0);
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(entry->id);
    return operation && operation->preset ? operation->preset_names[0] : "";
}

sqa_status sqa_tune_problems_read(const sqa_tune_words *words, sqa_tune_plan *plan)
{
    plan->options.problems = plan->problems;
    sqa_status status = sqa_operation_option(words->operation, &plan->operation);
    for (size_t i = 0; i < words->shapes.count && status == SQA_OK; i++)
        status = add_shape(plan, words->shapes.items[i]);
    for (size_t i = 0; i < words->shape_files.count && status == SQA_OK; i++)
        status = add_file(plan, words->shape_files.items[i]);
    if (status == SQA_OK && words->like)
        status = add_database(plan, words->like);
    bool others = words->shapes.count || words->shape_files.count || words->like;
    if (!words->preset && !others)
        plan->preset = default_preset(plan);
    if (status == SQA_OK && (words->preset || plan->preset))
        status = add_preset(plan, words->preset ? words->preset : plan->preset);
    if (status == SQA_OK && !plan->options.problem_count)
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "no problem: no shape in any line, or none of the operation asked for");
    return status;
}
