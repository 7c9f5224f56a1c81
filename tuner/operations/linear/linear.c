/* Linear attention's properties, and the problems that people mean by a name. */
#include "operations/linear/linear.h"

#include <string.h>

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/linear/cases.h"
#include "operations/linear/property_hidden.h"
#include "operations/linear/property_parts.h"
#include "operations/shape.h"

#define PADDED                                                                                     \
    "op=linear,b=2,hq=4,hkv=2,n=37,d=16,causal,q=3300:810:21,k=1700:850:23,v=1500:740:19,"         \
    "o=3400:830:20"

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(PADDED ",decay=token,sdecay=300:1:3,state=in_out", dtype);
}

static sqa_problem padded_delta(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(PADDED ",decay=channel,delta,sbeta=300:130:3", dtype);
}

static sqa_problem in_parts(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return sqa_case_shape_problem(
        small ? "op=linear,b=2,hq=2,hkv=1,n=40,d=16,causal,decay=token,state=in_out"
              : "op=linear,b=2,hq=2,hkv=1,n=150,d=16,causal,decay=token,state=in_out",
        dtype);
}

static sqa_problem sums_in_parts(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(
        "op=linear,b=2,hq=2,n=90,d=7,dv=9,causal,decay=channel,feature=elu1,normalise,state=in_out",
        dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the rows changes no bit", true, padded,
     sqa_property_gap_values},
    {"gap-values-delta", "nor with the delta rule", false, padded_delta, sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded,
     sqa_property_determinism},
    {"hidden", "NaN in a token changes no bit of rows that do not see it", true, padded,
     sqa_property_linear_hidden},
    {"hidden-delta", "nor with the delta rule", true, padded_delta, sqa_property_linear_hidden},
    {"parts", "parts of a sequence, one from the other's state, give what the whole does", true,
     in_parts, sqa_property_linear_parts},
    {"parts-sums", "nor do parts differ with normalised weights", false, sums_in_parts,
     sqa_property_linear_parts},
};

/* Training and reading a prompt, and a token of each of many sequences. */
static const struct {
    const char *preset, *shape;
} presets[] = {
    {"linear", "op=linear,hq=8,n=4096,d=64,causal"},
    {"linear", "op=linear,hq=8,n=4096,d=64,causal,decay=token"},
    {"linear", "op=linear,hq=8,n=4096,d=64,causal,delta,decay=token"},
    {"linear", "op=linear,b=16,hq=8,n=1,d=64,causal,decay=token,state=in_place"},
};

static const char *const preset_names[] = {"linear", NULL}, *const no_names[] = {NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof presets / sizeof *presets && status == SQA_OK; i++) {
        sqa_problem problem;
        if (strcmp(name, presets[i].preset) != 0)
            continue;
        status = sqa_problem_parse(presets[i].shape, &problem);
        if (status == SQA_OK)
            status = sqa_case_list_add(out, &problem);
    }
    return status;
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=linear,hq=1,n=40,d=16,causal,decay=token,state=in_out"
                                        : "op=linear,hq=2,n=200,d=64,causal,decay=token,state=out",
                                  dtype);
}

const sqa_tuner_operation sqa_tuner_linear = {
    .entry = &sqa_operation_linear_forward,
    .instead_of = &sqa_operation_forward,
    .grids = sqa_linear_grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};

static sqa_problem padded_backward(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(
        "op=linear_backward,b=2,hq=4,hkv=2,n=37,d=7,dv=9,causal,q=1300:310:8,k=800:390:10,"
        "v=900:440:11,o=1500:370:10,decay=token,sdecay=300:1:3,state=in_out",
        dtype);
}

/* Of the first cases' program. */
static sqa_problem gradients_in_parts(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return sqa_case_shape_problem(
        small ? "op=linear_backward,b=2,hq=2,hkv=1,n=40,d=7,dv=9,causal,decay=token,state=in_out"
              : "op=linear_backward,b=2,hq=2,hkv=1,n=150,d=7,dv=9,causal,decay=token,state=in_out",
        dtype);
}

static sqa_problem everyday_backward(bool small, sqa_dtype dtype)
{
    (void)small;
    return sqa_case_shape_problem("op=linear_backward,hq=1,n=40,d=7,dv=9,causal,decay=token,"
                                  "state=in_out",
                                  dtype);
}

static const sqa_property backward_properties[] = {
    {"gap-values", "what lies between and beyond the rows changes no bit", true, padded_backward,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded_backward,
     sqa_property_determinism},
    {"hidden", "NaN in a token changes no bit of gradients that do not see it", true,
     padded_backward, sqa_property_linear_hidden_gradients},
    {"parts", "gradients of parts, one from that of the other's state, are those of the whole",
     true, gradients_in_parts, sqa_property_linear_parts},
};

const sqa_tuner_operation sqa_tuner_linear_backward = {
    .entry = &sqa_operation_linear_backward,
    .instead_of = &sqa_operation_backward,
    .grids = sqa_linear_backward_grids,
    .properties = backward_properties,
    .property_count = sizeof backward_properties / sizeof *backward_properties,
    .preset_names = no_names,
    .everyday = everyday_backward,
};
