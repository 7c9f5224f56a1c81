#include "operations/backward/cases.h"

#include "operations/backward/fields.h"
#include "operations/backward/properties.h"
#include "operations/backward/stages.h"
#include "operations/case_shapes.h"
#include "operations/forward/pattern_grid.h"

#define CORE (SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V)

/* A stage of a backward pass; NULL: all of it. */
typedef sqa_status (*stage_of)(const sqa_problem *problem, sqa_problem *out);

/* What is asked for of dQ, dK and dV; what all cases of one program agree on, since a program
 * takes longer to compile than to run. */
static const struct {
    uint32_t gradients, accumulate;
} kinds[] = {
    {CORE, 0},           {SQA_GRADIENT_Q, 0}, {SQA_GRADIENT_K | SQA_GRADIENT_V, 0}, {CORE, 1},
    {SQA_GRADIENT_V, 1}, {CORE, 0},           {SQA_GRADIENT_Q | SQA_GRADIENT_K, 0}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static uint32_t gradients_of_scores(const sqa_attention_desc *desc)
{
    return (desc->bias.present ? SQA_GRADIENT_BIAS : 0u) | (desc->sinks ? SQA_GRADIENT_SINKS : 0u) |
           (desc->alibi == SQA_ALIBI_SLOPES ? SQA_GRADIENT_SLOPES : 0u);
}

/* Appends the stage of the pass whose gradients of dQ, dK and dV are of a kind; of scores, a
 * case that has none is left out. */
static sqa_status add_case(const sqa_grid_case *test, uint32_t kind, sqa_dtype dtype,
                           stage_of stage, sqa_case_list *out)
{
    sqa_attention_desc desc = test->desc;
    sqa_backward_options options = SQA_BACKWARD_OPTIONS_INIT;
    sqa_problem pass, problem;
    const bool scores = stage == sqa_backward_scores_of;
    desc.dtype = dtype;
    options.gradients = gradients_of_scores(&desc) | (scores ? 0 : kinds[kind].gradients);
    options.accumulate = kinds[kind].accumulate;
    if (options.gradients == 0)
        return SQA_OK;
    sqa_status status = sqa_problem_from_backward(&pass, &desc, &options);
    if (status == SQA_OK && stage)
        status = stage(&pass, &problem);
    return status == SQA_OK ? sqa_case_list_add(out, stage ? &problem : &pass) : status;
}

static sqa_status add_grid(sqa_grid_size size, sqa_dtype dtype, stage_of stage, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sqa_grid_count(size) && status == SQA_OK; i++) {
        const sqa_grid_case test = sqa_grid_case_at(size, i);
        const uint32_t kind = (test.desc.head_dim + test.desc.value_dim) / 7 % KINDS;
        status = add_case(&test, kind, dtype, stage, out);
    }
    return status;
}

static sqa_status add_patterns(sqa_grid_size size, sqa_dtype dtype, stage_of stage,
                               sqa_case_list *out)
{
    sqa_pattern_grid grid;
    sqa_status status = sqa_pattern_grid_create(&grid, size);
    for (size_t i = 0; i < grid.count && status == SQA_OK; i++) {
        const sqa_grid_case test = sqa_pattern_without_pages(&grid.cases[i]);
        status = add_case(&test, grid.cases[i].program % 5 % KINDS, dtype, stage, out);
    }
    sqa_pattern_grid_free(&grid);
    return status;
}

static sqa_status list_core(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return add_grid(size, dtype, sqa_backward_core_of, out);
}

static sqa_status list_core_patterns(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return add_patterns(size, dtype, sqa_backward_core_of, out);
}

static sqa_status list_scores(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return add_patterns(size, dtype, sqa_backward_scores_of, out);
}

/* How the stages fare alone is in their own grids; here is whether they fit together. */
static sqa_status list_passes(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    const sqa_grid_size fewer = size == SQA_GRID_QUICK ? SQA_GRID_SAMPLE : size;
    sqa_status status = add_grid(fewer, dtype, NULL, out);
    return status == SQA_OK ? add_patterns(fewer, dtype, NULL, out) : status;
}

static const sqa_case_shape delta_shapes[] = {
    {SQA_GRID_TINY, "heads=2,rows=17,d=8"},
    {SQA_GRID_TINY, "b=2,heads=3,rows=5,d=7,o=200:50:9,grad_o=0:7:30"},
    {SQA_GRID_SAMPLE, "b=0,heads=2,rows=5,d=8"},
    {SQA_GRID_SAMPLE, "heads=2,rows=0,d=8"},
    {SQA_GRID_SAMPLE, "b=3,heads=2,rows=129,d=64,o=20000:64:128"},
    {SQA_GRID_QUICK, "heads=8,rows=1025,d=64"},
    {SQA_GRID_QUICK, "b=2,heads=1,rows=333,d=1"},
    {SQA_GRID_QUICK, "heads=2,rows=65,d=512"},
    {SQA_GRID_FULL, "b=4,heads=9,rows=3001,d=80"},
    {0},
};

static sqa_status list_deltas(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(delta_shapes, "op=backward_delta", size, dtype, out);
}

const sqa_case_grid sqa_backward_grids[] = {{"passes", list_passes, NULL}, {0}};
const sqa_case_grid sqa_backward_delta_grids[] = {{"grid", list_deltas, NULL}, {0}};
const sqa_case_grid sqa_backward_core_grids[] = {
    {"grid", list_core, NULL}, {"patterns", list_core_patterns, sqa_backward_hides}, {0}};
const sqa_case_grid sqa_backward_scores_grids[] = {{"patterns", list_scores, NULL}, {0}};
