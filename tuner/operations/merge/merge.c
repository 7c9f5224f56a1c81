/* Merging's cases, properties, and the merges that people mean by a name. */
#include "operations/merge/merge.h"

#include <string.h>

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/shape.h"

static const sqa_case_shape shapes[] = {
    {SQA_GRID_TINY, "heads=3,n=5,d=7"},
    {SQA_GRID_TINY, "b=2,heads=2,n=3,d=16,oa=200:50:16,ob=0:0:17,o=120:54:18"},
    {SQA_GRID_SAMPLE, "heads=1,n=1,d=1"},
    {SQA_GRID_SAMPLE, "b=8,heads=32,n=1,d=128"},
    {SQA_GRID_SAMPLE, "b=2,heads=8,n=129,d=64,o=66048:64:512"},
    {SQA_GRID_SAMPLE, "heads=5,n=33,d=512"},
    {SQA_GRID_SAMPLE, "b=3,heads=4,n=0,d=16"},
    {SQA_GRID_SAMPLE, "b=0,heads=4,n=9,d=16"},
    {SQA_GRID_QUICK, "b=2,heads=3,n=1023,d=21"},
    {SQA_GRID_QUICK, "b=5,heads=1,n=257,d=111,oa=0:0:111"},
    {SQA_GRID_FULL, "b=4,heads=16,n=4099,d=96"},
    {0},
};

static sqa_status list_grid(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(shapes, "op=merge", size, dtype, out);
}

static const sqa_case_grid grids[] = {{"grid", list_grid, NULL}, {0}};

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(
        "op=merge,b=2,heads=3,n=9,d=21,oa=800:250:24,ob=700:230:25,o=900:260:28", dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the rows changes no bit", true, padded,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded,
     sqa_property_determinism},
};

/* A prefix that a batch of eight shares, for a token each; two halves of a long prompt. */
static const char *const preset_shapes[] = {"op=merge,b=8,heads=32,n=1,d=128",
                                            "op=merge,heads=32,n=4096,d=128"};
static const char *const preset_names[] = {"merge", NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    if (strcmp(name, preset_names[0]) != 0)
        return SQA_OK;
    for (size_t i = 0; i < sizeof preset_shapes / sizeof *preset_shapes && status == SQA_OK; i++) {
        const sqa_problem problem = sqa_case_shape_problem(preset_shapes[i], SQA_DTYPE_F32);
        status = sqa_case_list_add(out, &problem);
    }
    return status;
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(
        small ? "op=merge,heads=2,n=9,d=16" : "op=merge,heads=8,n=100,d=64", dtype);
}

const sqa_tuner_operation sqa_tuner_merge = {
    .entry = &sqa_operation_merge,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};
