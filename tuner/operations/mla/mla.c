/* Cases and properties of multi-head latent attention, and the ones that people mean by a name. */
#include "operations/mla/mla.h"

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"

#define SMALL "rank=12,nope=8,rope=4,dv=6"

/* Prompts in full, with a cache and without; absorbed, tokens on top of one. */
static const sqa_case_shape cases[] = {
    {SQA_GRID_TINY, "b=2,heads=3,n=9,dmodel=20," SMALL},
    {SQA_GRID_TINY, "b=3,heads=3,n=5,nk=17,dmodel=20,qrank=10," SMALL ",page=4,total=9"},
    {SQA_GRID_TINY, "b=3,heads=3,n=2,nk=17,dmodel=20,qrank=10," SMALL ",page=4,absorbed"},
    {SQA_GRID_SAMPLE, "b=4,heads=3,n=4,nk=33,dmodel=20," SMALL ",page=33,pairs=half,absorbed,"
                      "total=11,kv=f16,dtype=f32"},
    {SQA_GRID_SAMPLE, "b=3,heads=3,n=2,nk=17,dmodel=20,rank=64,nope=8,rope=32,dv=6,page=4,"
                      "absorbed,kv=int8,dtype=f32"},
    {SQA_GRID_SAMPLE, "b=2,heads=2,n=4,nk=17,dmodel=20,rank=32,nope=8,rope=32,dv=6,page=4,"
                      "total=7,kv=int4,dtype=f32"},
    {SQA_GRID_SAMPLE, "b=2,heads=5,n=7,nk=9,dmodel=13," SMALL ",page=1,base=100,absorbed,eps=0.1"},
    {SQA_GRID_SAMPLE, "b=2,heads=1,n=9,nk=7,dmodel=13," SMALL ",page=5,absorbed,scale=0.5"},
    {SQA_GRID_SAMPLE, "b=3,heads=2,n=7,dmodel=13," SMALL ",total=12,pairs=half"},
    {SQA_GRID_SAMPLE, "b=2,heads=2,n=0,nk=9,dmodel=13," SMALL ",page=4,absorbed"},
    {SQA_GRID_SAMPLE, "b=2,heads=2,n=3,nk=0,dmodel=13," SMALL ",page=4,absorbed"},
    {SQA_GRID_SAMPLE, "b=0,heads=2,n=3,dmodel=13," SMALL},
    {SQA_GRID_QUICK,
     "heads=2,n=1,nk=130,dmodel=64,rank=128,nope=32,rope=16,dv=32,page=16,absorbed"},
    {SQA_GRID_FULL, "heads=4,n=2,nk=300,dmodel=256,qrank=96,page=64,absorbed"},
    {SQA_GRID_FULL, "heads=4,n=130,dmodel=256,qrank=96"},
    {0},
};

static sqa_status list_cases(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(cases, "op=mla_layer", size, dtype, out);
}

static const sqa_case_grid grids[] = {{"grid", list_cases, NULL}, {0}};

static sqa_problem cached(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(
        "op=mla_layer,b=3,heads=3,n=2,nk=17,dmodel=20," SMALL ",page=4,absorbed", dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the rows changes no bit", true, cached,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, cached,
     sqa_property_determinism},
};

/* DeepSeek-V2-Lite's attention: a token of eight sequences, and a prompt. */
static const sqa_named_shape presets[] = {
    {"mla", "op=mla_layer,b=8,heads=16,n=1,nk=4096,dmodel=2048,page=64,absorbed"},
    {"mla", "op=mla_layer,heads=16,n=1024,dmodel=2048"},
    {0},
};

static const char *const preset_names[] = {"mla", NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return sqa_named_shapes_list(presets, name, out);
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(
        small ? "op=mla_layer,heads=2,n=5,dmodel=16," SMALL
              : "op=mla_layer,heads=4,n=65,dmodel=64,rank=64,nope=16,rope=8,dv=16",
        dtype);
}

const sqa_tuner_operation sqa_tuner_mla_layer = {
    .entry = &sqa_operation_mla_layer,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};
