/* See bench_check.h. */
#include "trial/bench_check.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "conformance/check.h"
#include "operations/operations.h"
#include "operations/recipe.h"
#include "trial/bench_rows.h"

#define CHECK_SEED 0xbe7c4u

typedef struct checker {
    sqa_context *context;
    cl_command_queue queue;
    sqa_bench_row *row;
    const sqa_plan_options *options;
} checker;

static sqa_status check_problem(const checker *by, const sqa_problem *problem)
{
    sqa_bench_row *row = by->row;
    sqa_judgement judgement;
    char name[128];
    sqa_status status =
        sqa_check(by->context, by->queue, problem, by->options, CHECK_SEED, false, &judgement);
    if (status != SQA_OK)
        return status;
    row->max_error = fmax(row->max_error, judgement.max_error);
    sqa_bench_row_name(row, name, sizeof name);
    if (!judgement.passed)
        return sqa_fail(SQA_WRONG_RESULT, "%s: %s with %s %s: %s", sqa_operation_of(problem)->name,
                        name, row->family, row->config, judgement.message);
    return SQA_OK;
}

/* Whether a stage before is the same, as the projections of K and V are. */
static bool is_checked(const sqa_recipe *recipe, uint32_t stage)
{
    for (uint32_t i = 0; i < stage; i++)
        if (!memcmp(&recipe->stages[i].problem, &recipe->stages[stage].problem,
                    sizeof(sqa_problem)))
            return true;
    return false;
}

static sqa_status check_stages(const checker *by, const sqa_problem *problem)
{
    sqa_recipe *recipe = NULL;
    sqa_status status = sqa_recipe_of(problem, &recipe);
    for (uint32_t i = 0; status == SQA_OK && i < recipe->stage_count; i++)
        if (!is_checked(recipe, i))
            status = check_problem(by, &recipe->stages[i].problem);
    sqa_recipe_free(recipe);
    return status;
}

sqa_status sqa_bench_check(sqa_context *context, cl_command_queue queue, sqa_bench_row *row,
                           const sqa_plan_options *options)
{
    const checker by = {context, queue, row, options};
    const bool by_stages = sqa_bench_is_layer(row->pass);
    sqa_status status = SQA_OK;
    for (size_t p = 0; p < row->pass->part_count && status == SQA_OK; p++)
        status = by_stages ? check_stages(&by, &row->parts[p]) : check_problem(&by, &row->parts[p]);
    return status;
}
