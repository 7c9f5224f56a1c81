/* Backward attention's cases and properties, put together. */
#include "operations/backward/backward.h"

#include <string.h>

#include "conformance/common_properties.h"
#include "operations/backward/cases.h"
#include "operations/backward/fields.h"
#include "operations/backward/properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/forward/presets.h"

/* Gaps between all vectors. */
#define PADDED "q=1900:850:21,k=1700:1650:23,v=900:850:12,o=1000:450:11"

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=backward,b=2,hq=2,hkv=1,nq=40,nk=70,d=8,causal,bias=f32/h,"
                                  "sinks,grads=q+k+v+bias+sinks," PADDED,
                                  dtype);
}

static sqa_problem padded_core(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=backward_core,b=2,hq=2,hkv=1,nq=40,nk=70,d=8,causal," PADDED,
                                  dtype);
}

static sqa_problem dropped_core(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return sqa_case_shape_problem(
        small ? "op=backward_core,hq=4,hkv=2,nq=9,nk=21,d=21,dv=9,window=7:5,dropout=0.4"
              : "op=backward_core,b=2,hq=4,hkv=2,nq=37,nk=133,d=133,dv=37,window=50:21,dropout=0.4",
        dtype);
}

static sqa_problem wide_core(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return sqa_case_shape_problem(small ? "op=backward_core,hq=4,hkv=2,nq=9,nk=21,d=8"
                                        : "op=backward_core,b=2,hq=4,hkv=2,nq=37,nk=133,d=40,dv=21",
                                  dtype);
}

static sqa_problem wide_scores(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return sqa_case_shape_problem(
        small ? "op=backward_scores,hq=4,hkv=2,nq=9,nk=21,d=8,sinks,grads=sinks"
              : "op=backward_scores,b=2,hq=4,hkv=2,nq=37,nk=133,d=40,dv=21,sinks,grads=sinks",
        dtype);
}

#define NUMBERS(problem)                                                                           \
    {                                                                                              \
        "numbers",                                                                                 \
            "parameters, values and weights at the ends of their ranges give what fp64 gives",     \
            false, problem, sqa_backward_numbers                                                   \
    }

static sqa_problem padded_delta(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=backward_delta,b=2,heads=2,rows=40,d=8,o=1000:450:11", dtype);
}

static sqa_problem padded_scores(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=backward_scores,b=2,hq=2,hkv=1,nq=40,nk=70,d=8,causal,"
                                  "bias=f32/h,sinks,grads=bias+sinks," PADDED,
                                  dtype);
}

#define COMMON(problem)                                                                            \
    {"gap-values", "what lies between and beyond the vectors changes no bit", true, problem,       \
     sqa_property_gap_values},                                                                     \
    {                                                                                              \
        "determinism", "two runs, and two plans, give the same bits", true, problem,               \
            sqa_property_determinism                                                               \
    }

static sqa_problem one_pair(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=backward,hq=1,n=1,d=8,dv=5", dtype);
}

static const sqa_property properties[] = {
    COMMON(padded),
    {"one-pair", "one query and one key give dQ = dK = 0 and dV = dO", false, one_pair,
     sqa_backward_one_pair},
};
static const sqa_property delta_properties[] = {COMMON(padded_delta)};
static const sqa_property core_properties[] = {
    COMMON(padded_core),
    {"left-out", "a gradient has the same bits whichever others there are", false, padded_core,
     sqa_backward_left_out},
    {"dropout", "what is dropped is what the seed and a pair's numbers say, in dQ and in dV", true,
     dropped_core, sqa_backward_drops},
    NUMBERS(wide_core),
};
static const sqa_property scores_properties[] = {COMMON(padded_scores), NUMBERS(wide_scores)};

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=backward,hq=1,n=33,d=8" : "op=backward,hq=1,n=129",
                                  dtype);
}

static sqa_problem everyday_delta(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=backward_delta,heads=1,rows=33,d=8"
                                        : "op=backward_delta,heads=1,rows=129",
                                  dtype);
}

static sqa_problem everyday_core(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(
        small ? "op=backward_core,hq=1,n=33,d=8" : "op=backward_core,hq=1,n=129", dtype);
}

static sqa_problem everyday_scores(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=backward_scores,hq=1,n=33,d=8,bias=f32/hq,grads=bias"
                                        : "op=backward_scores,hq=1,n=129,bias=f32/hq,grads=bias",
                                  dtype);
}

/* Of the preset's forward passes, the backward ones. */
static sqa_status preset(const char *name, sqa_case_list *out)
{
    sqa_case_list forward = {NULL, 0};
    sqa_status status = strcmp(name, "train") ? SQA_OK : sqa_forward_preset(name, &forward);
    for (size_t i = 0; i < forward.count && status == SQA_OK; i++) {
        sqa_attention_desc desc;
        sqa_problem problem;
        sqa_problem_to_desc(&forward.cases[i], &desc);
        status = sqa_problem_from_backward(&problem, &desc, NULL);
        if (status == SQA_OK)
            status = sqa_case_list_add(out, &problem);
    }
    sqa_case_list_free(&forward);
    return status;
}

static const char *const preset_names[] = {"train", NULL}, *const no_presets[] = {NULL};

/* A step of training: what the forward pass keeps is what the backward pass takes. */
static const sqa_timed_pass passes[] = {
    {"forward+backward", {{&sqa_operation_forward, "lse"}, {&sqa_operation_backward, ""}}, 2, 0},
    {0},
};

const sqa_tuner_operation sqa_tuner_backward = {
    .entry = &sqa_operation_backward,
    .grids = sqa_backward_grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .passes = passes,
    .everyday = everyday,
};

const sqa_tuner_operation sqa_tuner_backward_delta = {
    .entry = &sqa_operation_backward_delta,
    .grids = sqa_backward_delta_grids,
    .properties = delta_properties,
    .property_count = sizeof delta_properties / sizeof *delta_properties,
    .preset_names = no_presets,
    .everyday = everyday_delta,
};

const sqa_tuner_operation sqa_tuner_backward_core = {
    .entry = &sqa_operation_backward_core,
    .grids = sqa_backward_core_grids,
    .properties = core_properties,
    .property_count = sizeof core_properties / sizeof *core_properties,
    .preset_names = no_presets,
    .everyday = everyday_core,
};

const sqa_tuner_operation sqa_tuner_backward_scores = {
    .entry = &sqa_operation_backward_scores,
    .grids = sqa_backward_scores_grids,
    .properties = scores_properties,
    .property_count = sizeof scores_properties / sizeof *scores_properties,
    .preset_names = no_presets,
    .everyday = everyday_scores,
};
