/* Activations' cases and properties, and those of their gradients. */
#include "operations/activation/activation.h"

#include <string.h>

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/shape.h"

/* Ends within vectors of all sizes; a program each. */
static const sqa_case_shape forward_cases[] = {
    {SQA_GRID_TINY, "n=3,d=37,act=silu,gated"},
    {SQA_GRID_TINY, "n=2,d=1,act=gelu_erf,residual"},
    {SQA_GRID_SAMPLE, "n=5,d=7"},
    {SQA_GRID_SAMPLE, "n=0,d=7"},
    {SQA_GRID_SAMPLE, "n=7,d=0"},
    {SQA_GRID_SAMPLE, "b=0,n=7,d=8"},
    {SQA_GRID_SAMPLE,
     "b=2,n=3,d=65,act=gelu_tanh,gated,residual,sa=300:70,sb=0:66,sy=210:70,sr=0:0"},
    {SQA_GRID_SAMPLE, "b=3,n=4,d=130,act=sigmoid,gated,sa=1000:131"},
    {SQA_GRID_SAMPLE, "n=3,d=2049,act=relu"},
    {SQA_GRID_SAMPLE, "b=2,n=3,d=71,act=silu,gated,residual,dropout=0.25,sa=300:72"},
    {SQA_GRID_QUICK, "n=19,d=300,dropout=0.5"},
    {SQA_GRID_QUICK, "n=1000,d=5,act=silu,gated"},
    {SQA_GRID_QUICK, "n=17,d=1027,act=silu,gated"},
    {SQA_GRID_QUICK, "n=33,d=256,residual"},
    {SQA_GRID_QUICK, "n=9,d=515,gated"},
    {SQA_GRID_QUICK, "n=9,d=515,act=gelu_erf"},
    {SQA_GRID_QUICK, "n=9,d=515,act=gelu_tanh,residual"},
    {SQA_GRID_QUICK, "n=9,d=515,act=sigmoid,residual"},
    {SQA_GRID_SAMPLE, "b=2,n=5,d=77,act=logsigmoid,wide,sa=900:80"},
    {SQA_GRID_FULL, "b=3,n=511,d=4099,act=silu,gated"},
    {0},
};

static const sqa_case_shape backward_cases[] = {
    {SQA_GRID_TINY, "n=3,d=37,act=silu,gated"},
    {SQA_GRID_TINY, "n=2,d=1,act=gelu_erf,accumulate"},
    {SQA_GRID_SAMPLE, "n=5,d=7"},
    {SQA_GRID_SAMPLE, "n=0,d=7"},
    {SQA_GRID_SAMPLE, "n=7,d=0"},
    {SQA_GRID_SAMPLE, "b=2,n=3,d=65,act=gelu_tanh,gated,accumulate,sa=300:70,sb=400:66,sy=0:70"},
    {SQA_GRID_SAMPLE, "b=3,n=4,d=130,act=sigmoid,gated,wanted=b,sa=0:131"},
    {SQA_GRID_SAMPLE, "b=2,n=5,d=77,act=logsigmoid,wide,sa=900:80"},
    {SQA_GRID_SAMPLE, "b=3,n=4,d=130,act=sigmoid,gated,wanted=a,sb=0:131"},
    {SQA_GRID_SAMPLE, "n=3,d=2049,act=relu"},
    {SQA_GRID_SAMPLE, "b=2,n=3,d=71,act=silu,gated,dropout=0.25,sy=300:72"},
    {SQA_GRID_QUICK, "n=1000,d=5,act=silu,gated"},
    {SQA_GRID_QUICK, "n=17,d=1027,act=silu,gated"},
    {SQA_GRID_QUICK, "n=9,d=515,gated"},
    {SQA_GRID_QUICK, "n=9,d=515,act=gelu_erf"},
    {SQA_GRID_QUICK, "n=9,d=515,act=gelu_tanh"},
    {SQA_GRID_FULL, "b=3,n=511,d=4099,act=silu,gated"},
    {0},
};

static sqa_status list_forward(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(forward_cases, "op=activation", size, dtype, out);
}

static sqa_status list_backward(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(backward_cases, "op=activation_backward", size, dtype, out);
}

static const sqa_case_grid forward_grids[] = {{"grid", list_forward, NULL}, {0}};
static const sqa_case_grid backward_grids[] = {{"grid", list_backward, NULL}, {0}};

#define PADDED "b=2,n=5,d=53,act=silu,gated,sa=400:60,sb=500:57,sy=330:64"

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=activation," PADDED, dtype);
}

static sqa_problem padded_backward(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=activation_backward," PADDED, dtype);
}

static const char gaps[] = "what lies between and beyond the rows changes no bit";
static const char same[] = "two runs, and two plans, give the same bits";

static const sqa_property forward_properties[] = {
    {"gap-values", gaps, true, padded, sqa_property_gap_values},
    {"determinism", same, true, padded, sqa_property_determinism},
};
static const sqa_property backward_properties[] = {
    {"gap-values", gaps, true, padded_backward, sqa_property_gap_values},
    {"determinism", same, true, padded_backward, sqa_property_determinism},
};

/* A SwiGLU layer's, d_model 1024, 1024 tokens. */
static const char *const preset_names[] = {"layer", NULL};

static sqa_status add(const char *name, const char *shape, sqa_case_list *out)
{
    sqa_problem problem;
    if (strcmp(name, preset_names[0]) != 0)
        return SQA_OK;
    sqa_status status = sqa_problem_parse(shape, &problem);
    return status == SQA_OK ? sqa_case_list_add(out, &problem) : status;
}

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return add(name, "op=activation,n=1024,d=2816,act=silu,gated", out);
}

static sqa_status preset_backward(const char *name, sqa_case_list *out)
{
    return add(name, "op=activation_backward,n=1024,d=2816,act=silu,gated", out);
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=activation,n=4,d=100,act=silu,gated"
                                        : "op=activation,n=64,d=1000,act=silu,gated",
                                  dtype);
}

static sqa_problem everyday_backward(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=activation_backward,n=4,d=100,act=silu,gated"
                                        : "op=activation_backward,n=64,d=1000,act=silu,gated",
                                  dtype);
}

const sqa_tuner_operation sqa_tuner_activation = {
    .entry = &sqa_operation_activation,
    .grids = forward_grids,
    .properties = forward_properties,
    .property_count = sizeof forward_properties / sizeof *forward_properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};

const sqa_tuner_operation sqa_tuner_activation_backward = {
    .entry = &sqa_operation_activation_backward,
    .grids = backward_grids,
    .properties = backward_properties,
    .property_count = sizeof backward_properties / sizeof *backward_properties,
    .preset_names = preset_names,
    .preset = preset_backward,
    .everyday = everyday_backward,
};
