/* Cases and properties of normalisation and its gradients, and the ones that people mean by a
 * name. Gradients of rows of one or two elements are differences of equal numbers, and are left
 * out. */
#include "operations/norm/norm.h"

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"

/* Those of one program stand together. */
static const sqa_case_shape cases[] = {
    {SQA_GRID_TINY, "n=5,d=8,weight"},
    {SQA_GRID_TINY, "b=2,heads=3,n=7,d=33,weight,x=900:40:130"},
    {SQA_GRID_SAMPLE, "n=37,d=1025,weight,y=0:0:1030"},
    {SQA_GRID_SAMPLE, "n=3,d=16384,weight"},
    {SQA_GRID_TINY, "n=9,d=70,kind=layer,weight,bias"},
    {SQA_GRID_SAMPLE, "b=2,heads=4,n=65,d=64,kind=layer,weight,bias,x=17000:64:260"},
    {SQA_GRID_SAMPLE, "n=2,d=5000,kind=layer,weight,bias,eps=0.1"},
    {SQA_GRID_SAMPLE, "n=0,d=5,kind=layer,weight,bias"},
    {SQA_GRID_QUICK, "heads=2,n=17,d=1"},
    {SQA_GRID_QUICK, "n=17,d=129"},
    {SQA_GRID_QUICK, "n=33,d=7,kind=layer"},
    {SQA_GRID_QUICK, "n=33,d=80,kind=layer,bias"},
    {SQA_GRID_FULL, "n=1025,d=4096,weight"},
    {SQA_GRID_FULL, "n=1025,d=1024,kind=layer,weight,bias"},
    {0},
};

static const sqa_case_shape backward_cases[] = {
    {SQA_GRID_TINY, "n=5,d=8,weight"},
    {SQA_GRID_TINY, "b=2,heads=3,n=7,d=33,weight,x=900:40:130,dx=3000:990:140"},
    {SQA_GRID_SAMPLE, "n=37,d=1025,weight,dy=0:0:1030"},
    {SQA_GRID_SAMPLE, "n=3,d=16384,weight"},
    {SQA_GRID_TINY, "n=9,d=70,kind=layer,weight,bias"},
    {SQA_GRID_SAMPLE, "b=3,heads=4,n=65,d=64,kind=layer,weight,bias,x=17000:64:260"},
    {SQA_GRID_SAMPLE, "n=700,d=20,kind=layer,weight,bias,eps=0.1"},
    {SQA_GRID_SAMPLE, "n=0,d=5,kind=layer,weight,bias"},
    {SQA_GRID_TINY, "n=19,d=70,kind=layer,weight,bias,add=x+weight+bias"},
    {SQA_GRID_QUICK, "n=17,d=129"},
    {SQA_GRID_QUICK, "n=33,d=7,kind=layer,add=x"},
    {SQA_GRID_QUICK, "n=33,d=80,kind=layer,bias,wanted=bias"},
    {SQA_GRID_QUICK, "n=33,d=80,kind=layer,weight,bias,wanted=weight,add=weight"},
    {SQA_GRID_QUICK, "n=33,d=80,kind=layer,weight,bias,wanted=x+bias,add=bias"},
    {SQA_GRID_QUICK, "n=33,d=80,weight,wanted=x"},
    {SQA_GRID_FULL, "n=4097,d=1024,weight"},
    {SQA_GRID_FULL, "n=1025,d=1024,kind=layer,weight,bias"},
    {0},
};

static sqa_status list_cases(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(cases, "op=norm", size, dtype, out);
}

static sqa_status list_backward(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(backward_cases, "op=norm_backward", size, dtype, out);
}

static const sqa_case_grid grids[] = {{"grid", list_cases, NULL}, {0}};
static const sqa_case_grid backward_grids[] = {{"grid", list_backward, NULL}, {0}};

#define PADDED ",b=2,heads=3,n=7,d=70,kind=layer,weight,bias,x=1700:77:235,"

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=norm" PADDED "y=1900:77:241", dtype);
}

static sqa_problem padded_backward(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=norm_backward" PADDED "dy=1900:77:241,dx=1800:75:230", dtype);
}

#define PROPERTIES(problem)                                                                        \
    {"gap-values", "what lies between and beyond the rows changes no bit", true, problem,          \
     sqa_property_gap_values},                                                                     \
    {                                                                                              \
        "determinism", "two runs, and two plans, give the same bits", true, problem,               \
            sqa_property_determinism                                                               \
    }

static const sqa_property properties[] = {PROPERTIES(padded)};
static const sqa_property backward_properties[] = {PROPERTIES(padded_backward)};

/* Those of a transformer layer (d_model 1024, 1024 tokens): before it, and of queries. */
static const sqa_named_shape presets[] = {
    {"layer", "op=norm,n=1024,d=1024,weight"},
    {"layer", "op=norm,n=1024,d=1024,kind=layer,weight,bias"},
    {"layer", "op=norm,heads=16,n=1024,d=64,weight,x=1048576:64:1024,y=1048576:64:1024"},
    {"token", "op=norm,n=1,d=1024,weight"},
    {0},
};

static const sqa_named_shape backward_presets[] = {
    {"layer", "op=norm_backward,n=1024,d=1024,weight"},
    {"layer", "op=norm_backward,n=1024,d=1024,kind=layer,weight,bias"},
    {"layer", "op=norm_backward,heads=16,n=1024,d=64,weight,x=1048576:64:1024,"
              "dy=1048576:64:1024,dx=1048576:64:1024"},
    {0},
};

static const char *const preset_names[] = {"layer", "token", NULL};
static const char *const backward_preset_names[] = {"layer", NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return sqa_named_shapes_list(presets, name, out);
}

static sqa_status backward_preset(const char *name, sqa_case_list *out)
{
    return sqa_named_shapes_list(backward_presets, name, out);
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=norm,n=9,d=40,weight" : "op=norm,n=130,d=256,weight",
                                  dtype);
}

static sqa_problem everyday_backward(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(
        small ? "op=norm_backward,n=9,d=40,weight" : "op=norm_backward,n=130,d=256,weight", dtype);
}

const sqa_tuner_operation sqa_tuner_norm = {
    .entry = &sqa_operation_norm,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};

const sqa_tuner_operation sqa_tuner_norm_backward = {
    .entry = &sqa_operation_norm_backward,
    .grids = backward_grids,
    .properties = backward_properties,
    .property_count = sizeof backward_properties / sizeof *backward_properties,
    .preset_names = backward_preset_names,
    .preset = backward_preset,
    .everyday = everyday_backward,
};
