/* The block's cases, properties and presets. How its layer fares under every mask and score is in
 * the layer's cases. */
#include "operations/block/block.h"

#include <stdio.h>
#include <string.h>

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/shape.h"

/* Both kinds with every norm, gate and bias; odd sizes, ragged batches, empty ones. */
#define PARTS                                                                                      \
    {SQA_GRID_TINY, "variant=xsqa,h=8,n=19,d=8,dmodel=24,causal,mlp=40,act=silu,gated"},           \
        {SQA_GRID_TINY,                                                                            \
         "variant=xsqa,h=8,n=19,d=8,dmodel=24,causal,rope=half,qknorm,gate,mlp=40,act=silu,gated," \
         "kind=parallel"},                                                                         \
        {SQA_GRID_SAMPLE,                                                                          \
         "b=2,variant=sqa,h=8,n=9,d=4,dmodel=20,fused,biases,mlp=33,act=gelu_tanh,"                \
         "norm=layer,mlpbiases"},                                                                  \
        {SQA_GRID_SAMPLE, "b=2,hq=2,n=9,d=4,dmodel=13,mlp=21,act=gelu_erf,norm=layer,mlpbiases,"   \
                          "gated,kind=parallel"},                                                  \
        {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,n=12,d=8,dmodel=16,causal,ragged=23:23,mlp=16,gated,"    \
                          "mlpbiases,act=sigmoid"},                                                \
        {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,n=12,d=8,dmodel=16,ragged=23:23,mlp=16,kind=parallel,"   \
                          "act=relu,norm=layer,norm_eps=0.1"},                                     \
        {SQA_GRID_SAMPLE, "b=2,variant=rsqa,h=4,n=9,d=8,dv=5,dmodel=16,mlp=24,act=silu,sinks,"     \
                          "alibi=slopes"},                                                         \
        {SQA_GRID_SAMPLE, "b=2,hq=2,n=0,d=8,dmodel=16,mlp=8,norm=layer,mlpbiases"},                \
        {SQA_GRID_SAMPLE, "b=0,hq=2,n=3,d=8,dmodel=16,mlp=8,gated,kind=parallel"},                 \
        {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=9,d=5,dv=6,dmodel=12,mlp=16,gated,act=silu,causal,"    \
                          "linear,delta,decay=channel,wdecay,wbeta,state=in_out,feature=relu"},    \
        {SQA_GRID_QUICK, "hq=2,n=3,d=4,dmodel=1030,mlp=1030,act=silu,gated"},                      \
    {                                                                                              \
        SQA_GRID_FULL, "b=2,variant=sqa,h=16,n=129,d=16,dmodel=256,causal,mlp=1024,act=silu,gated" \
    }

static const sqa_case_shape shapes[] = {PARTS, {0}};
static const sqa_case_shape kept_shapes[] = {
    {SQA_GRID_TINY,
     "b=3,variant=sqa,h=8,nq=2,nk=17,d=8,dmodel=16,causal,page=4,rope=half,hadamard,mlp=24,"
     "act=silu,gated"},
    {SQA_GRID_SAMPLE, "variant=sqa,h=8,n=17,d=4,dmodel=20,biases,mlp=33,act=silu,gated,keep"},
    {SQA_GRID_TINY, "hq=4,n=17,d=4,dmodel=20,fused,mlp=33,act=gelu_tanh,kind=parallel,mlpbiases,"
                    "norm=layer,keep"},
    {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,n=12,d=8,dmodel=16,causal,ragged=23:23,mlp=16,keep"},
    {0}};
static const sqa_case_shape accumulate_shapes[] = {
    {SQA_GRID_TINY, "b=2,hq=4,hkv=2,n=9,d=4,dmodel=12,biases,mlp=20,act=silu,gated,mlpbiases,"
                    "norm=layer,accumulate"},
    {SQA_GRID_SAMPLE, "hq=4,n=9,d=4,dmodel=12,mlp=20,act=gelu_erf,kind=parallel,accumulate"},
    {0}};

#define LISTS(name, table, operation)                                                              \
    static sqa_status list_##name(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)         \
    {                                                                                              \
        return sqa_case_shapes_list(table, "op=" operation, size, dtype, out);                     \
    }
LISTS(blocks, shapes, "block")
LISTS(kept, kept_shapes, "block")
LISTS(gradients, shapes, "block_backward")
LISTS(sums, accumulate_shapes, "block_backward")

static const sqa_case_grid grids[] = {{"grid", list_blocks, NULL}, {"kept", list_kept, NULL}, {0}};
static const sqa_case_grid backward_grids[] = {
    {"grid", list_gradients, NULL}, {"accumulate", list_sums, NULL}, {0}};

#define USUAL "b=2,variant=sqa,h=8,n=20,d=8,dmodel=24,causal,mlp=40,act=silu,gated"

static sqa_problem kept(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=block," USUAL ",keep", dtype);
}

static sqa_problem gradients(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=block_backward," USUAL, dtype);
}

#define COMMON(problem)                                                                            \
    {"gap-values", "what lies between and beyond the rows changes no bit", true, problem,          \
     sqa_property_gap_values},                                                                     \
    {                                                                                              \
        "determinism", "two runs, and two plans, give the same bits", true, problem,               \
            sqa_property_determinism                                                               \
    }
static const sqa_property properties[] = {COMMON(kept)};
static const sqa_property backward_properties[] = {COMMON(gradients)};

#define SMALL "hq=2,n=33,d=8,dmodel=16,mlp=32,act=silu,gated"
#define LARGER "hq=4,n=129,d=16,dmodel=64,mlp=128,act=silu,gated"

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=block," SMALL : "op=block," LARGER, dtype);
}

static sqa_problem everyday_backward(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=block_backward," SMALL : "op=block_backward," LARGER,
                                  dtype);
}

/* Serial beside parallel, of the dense model of arXiv 2510.01817, table 3 (d_model 256, 16 heads
 * of 16), with a gated perceptron as wide as is usual (8/3 of d_model, in whole 64s). */
static sqa_status add_preset(const char *name, const char *operation, sqa_case_list *out)
{
    static const char *const kinds[] = {"serial", "parallel"};
    sqa_status status = SQA_OK;
    for (size_t i = 0; !strcmp(name, "block") && i < 2 && status == SQA_OK; i++) {
        char text[SQA_SHAPE_TEXT];
        sqa_problem problem;
        snprintf(text, sizeof text,
                 "op=%s,variant=sqa,h=16,n=4096,d=16,dmodel=256,causal,mlp=704,act=silu,gated,"
                 "kind=%s",
                 operation, kinds[i]);
        status = sqa_problem_parse(text, &problem);
        if (status == SQA_OK)
            status = sqa_case_list_add(out, &problem);
    }
    return status;
}

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return add_preset(name, "block", out);
}

static sqa_status backward_preset(const char *name, sqa_case_list *out)
{
    return add_preset(name, "block_backward", out);
}

static const char *const preset_names[] = {"block", NULL};

/* What the forward pass keeps is what the backward pass takes. */
static const sqa_timed_pass passes[] = {
    {"block+block_backward",
     {{&sqa_operation_block, "keep"}, {&sqa_operation_block_backward, ""}},
     2,
     0},
    {0},
};

const sqa_tuner_operation sqa_tuner_block = {
    .entry = &sqa_operation_block,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .passes = passes,
    .everyday = everyday,
};

const sqa_tuner_operation sqa_tuner_block_backward = {
    .entry = &sqa_operation_block_backward,
    .grids = backward_grids,
    .properties = backward_properties,
    .property_count = sizeof backward_properties / sizeof *backward_properties,
    .preset_names = preset_names,
    .preset = backward_preset,
    .everyday = everyday_backward,
};
