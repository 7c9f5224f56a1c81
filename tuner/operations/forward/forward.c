/* Forward attention's cases and properties, put together. */
#include "operations/forward/forward.h"

#include "base/status.h"
#include "operations/entries.h"
#include "operations/forward/grid.h"
#include "operations/forward/layout.h"
#include "operations/forward/pattern_grid.h"
#include "operations/forward/presets.h"
#include "operations/forward/properties.h"

static sqa_status add_case(sqa_case_list *list, const sqa_grid_case *test, sqa_dtype dtype)
{
    sqa_attention_desc desc = test->desc;
    sqa_problem problem;
    desc.dtype = dtype;
    sqa_status status = sqa_problem_from_desc(&problem, &desc);
    return status == SQA_OK ? sqa_case_list_add(list, &problem) : status;
}

static sqa_status list_grid(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sqa_grid_count(size) && status == SQA_OK; i++) {
        const sqa_grid_case test = sqa_grid_case_at(size, i);
        status = add_case(out, &test, dtype);
    }
    return status;
}

static sqa_status list_patterns(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    sqa_pattern_grid grid;
    sqa_status status = sqa_pattern_grid_create(&grid, size);
    for (size_t i = 0; i < grid.count && status == SQA_OK; i++)
        status = add_case(out, &grid.cases[i].test, dtype);
    sqa_pattern_grid_free(&grid);
    return status;
}

static const sqa_case_grid grids[] = {
    {"grid", list_grid, NULL},
    {"patterns", list_patterns, sqa_pattern_hides},
    {0},
};

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem;
    desc.q_length = desc.kv_length = small ? 33 : 129;
    desc.head_dim = small ? 8 : 64;
    desc.write_lse = 1;
    desc.dtype = dtype;
    (void)sqa_problem_from_desc(&problem, &desc); /* is valid */
    return problem;
}

static sqa_status lay_out(const char *name, sqa_problem *problem)
{
    sqa_layout layout;
    sqa_attention_desc desc;
    if (!sqa_layout_from_name(name, &layout))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--layout: '%.40s' is not one of bhsd, bshd, padded, mixed, qkv, shared",
                        name);
    sqa_problem_to_desc(problem, &desc);
    sqa_layout_apply(layout, &desc);
    return sqa_problem_from_desc(problem, &desc);
}

/* A step of generating text: a new token over all that came before. */
static const sqa_timed_pass passes[] = {
    {"decode", {{&sqa_operation_forward, ""}}, 1, .queries = 1},
    {0},
};

const sqa_tuner_operation sqa_tuner_forward = {
    .entry = &sqa_operation_forward,
    .grids = grids,
    .properties = sqa_forward_properties,
    .property_count = SQA_FORWARD_PROPERTIES,
    .preset_names = sqa_forward_preset_names,
    .preset = sqa_forward_preset,
    .passes = passes,
    .everyday = everyday,
    .lay_out = lay_out,
};
