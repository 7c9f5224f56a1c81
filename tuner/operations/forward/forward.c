/* Forward attention's cases and properties, put together. */
#include "operations/forward/forward.h"

#include "base/status.h"
#include "operations/entries.h"
#include "operations/forward/grid.h"
#include "operations/forward/layout.h"
#include "operations/forward/pattern_grid.h"
#include "operations/forward/presets.h"
#include "operations/forward/properties.h"
#include "problem/groups.h"

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

/* What K and V are stored as unlike Q and O: each of the two other ways that there are or, where
 * many configurations are tried or time is short, one; both quantised ways of f32, the dtype that
 * they are most used with, and one of the others. */
static int list_kept(sqa_grid_size size, sqa_dtype dtype, sqa_dtype out[4])
{
    enum { DTYPES = 3 };
    const int ways = size == SQA_GRID_FULL ? DTYPES - 1 : 1;
    int count = 0;
    for (int way = 1; way <= ways; way++)
        out[count++] = (sqa_dtype)(((int)dtype + way) % DTYPES);
    if (size == SQA_GRID_FULL || dtype != SQA_DTYPE_BF16)
        out[count++] = SQA_DTYPE_INT8;
    if (size == SQA_GRID_FULL || dtype != SQA_DTYPE_F16)
        out[count++] = SQA_DTYPE_INT4;
    return count;
}

/* One program for a few shapes, another one for pages. */
static sqa_status list_storage(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    static const struct {
        uint32_t q_heads, kv_heads, q_length, kv_length, page;
    } shapes[] = {{6, 2, 1, 257, 0},
                  {2, 2, 13, 33, 0},
                  {4, 1, 70, 1, 0},
                  {2, 6, 65, 129, 0},
                  {4, 2, 3, 77, 5}};
    const size_t count = size == SQA_GRID_TINY ? 1 : sizeof shapes / sizeof *shapes;
    sqa_dtype kept[4];
    const int ways = list_kept(size, dtype, kept);
    sqa_status status = SQA_OK;
    for (int way = 0; way < ways; way++)
        for (size_t i = 0; i < count && status == SQA_OK; i++) {
            sqa_grid_case test = {.desc = SQA_ATTENTION_DESC_INIT};
            const bool quantised = sqa_dtype_is_quantised(kept[way]);
            if (shapes[i].page && (!quantised || dtype != SQA_DTYPE_F32))
                continue;
            test.desc.batch = 2;
            test.desc.q_heads = shapes[i].q_heads;
            test.desc.kv_heads = shapes[i].kv_heads;
            test.desc.q_length = shapes[i].q_length;
            test.desc.kv_length = shapes[i].kv_length;
            test.desc.head_dim = quantised ? 64 : 40;
            test.desc.value_dim = quantised ? 96 : 21;
            test.desc.write_lse = 1;
            test.desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
            test.desc.kv_dtype = (int32_t)kept[way];
            if (shapes[i].page)
                test.desc.paged = (sqa_paged){shapes[i].page, 40};
            status = add_case(out, &test, dtype);
        }
    return status;
}

static const sqa_case_grid grids[] = {
    {"grid", list_grid, NULL},
    {"patterns", list_patterns, sqa_pattern_hides},
    {"storage", list_storage, NULL},
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
