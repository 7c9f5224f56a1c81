/* Cases and properties of rotary position embedding, and the ones that people mean by a name. */
#include "operations/rope/rope.h"

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"

/* Those of one program stand together. */
static const sqa_case_shape cases[] = {
    {SQA_GRID_TINY, "heads=2,n=5,d=8"},
    {SQA_GRID_TINY, "b=2,heads=3,n=17,d=8,offset=1000000,x=700:8:24"},
    {SQA_GRID_SAMPLE, "heads=5,n=131,d=8,offset=1073741824,y=9000:1500:9"},
    {SQA_GRID_TINY, "b=2,heads=2,n=9,d=7,rotary=4,pairs=half,positions=11"},
    {SQA_GRID_SAMPLE, "b=3,heads=1,n=70,d=7,rotary=4,pairs=half,positions=0"},
    {SQA_GRID_SAMPLE, "heads=2,n=33,d=64,pairs=half,base=500000,offset=131072,inverse"},
    {SQA_GRID_SAMPLE, "b=2,heads=8,n=37,d=64,pairs=half,base=500000,inverse,x=20000:64:520"},
    {SQA_GRID_SAMPLE, "heads=2,n=33,d=64,positions=40,b=2"},
    {SQA_GRID_TINY, "b=3,heads=2,n=9,d=8,atend=0"},
    {SQA_GRID_SAMPLE, "heads=2,n=33,d=8,atend=6,inverse"},
    {SQA_GRID_SAMPLE, "heads=3,n=70,d=7,rotary=4,pairs=half,atend=1"},
    {SQA_GRID_TINY, "b=2,heads=2,n=9,d=12,rotary=8,pairs=half,positions=0,hadamard"},
    {SQA_GRID_SAMPLE, "heads=3,n=17,d=64,offset=131072,inverse,hadamard,x=0:64:200"},
    {SQA_GRID_QUICK, "heads=2,n=5,d=7,rotary=0,hadamard"},
    {SQA_GRID_QUICK, "heads=2,n=33,d=128,rotary=96,x=0:0:130,b=2"},
    {SQA_GRID_QUICK, "heads=1,n=5,d=1"},
    {SQA_GRID_QUICK, "heads=3,n=5,d=20,rotary=0"},
    {SQA_GRID_QUICK, "heads=1,n=7,d=512,pairs=half,base=1"},
    {SQA_GRID_QUICK, "heads=65,n=3,d=80,rotary=20"},
    {SQA_GRID_SAMPLE, "b=0,heads=3,n=5,d=8"},
    {SQA_GRID_SAMPLE, "heads=3,n=0,d=8"},
    {SQA_GRID_FULL, "b=2,heads=16,n=1025,d=64,pairs=half"},
    {SQA_GRID_FULL, "b=2,heads=16,n=1025,d=128,offset=99999999,y=3000000:128:2100"},
    {0},
};

static sqa_status list_cases(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(cases, "op=rope", size, dtype, out);
}

static const sqa_case_grid grids[] = {{"grid", list_cases, NULL}, {0}};

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=rope,b=2,heads=3,n=17,d=8,x=700:11:40,y=800:11:45", dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the rows changes no bit", true, padded,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded,
     sqa_property_determinism},
};

/* Queries of a transformer layer (d_model 1024), as projections leave them, and of one token. */
static const sqa_named_shape presets[] = {
    {"layer", "op=rope,heads=16,n=1024,d=64,pairs=half,x=1048576:64:1024,y=1048576:64:1024"},
    {"layer", "op=rope,heads=8,n=1024,d=128,pairs=half,x=1048576:128:1024,y=1048576:128:1024"},
    {"token", "op=rope,heads=16,n=1,d=64,pairs=half"},
    {0},
};

static const char *const preset_names[] = {"layer", "token", NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return sqa_named_shapes_list(presets, name, out);
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(
        small ? "op=rope,heads=2,n=9,d=8" : "op=rope,heads=8,n=130,d=64,pairs=half", dtype);
}

const sqa_tuner_operation sqa_tuner_rope = {
    .entry = &sqa_operation_rope,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};
