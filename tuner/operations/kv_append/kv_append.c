/* Cases and properties of appending to a cache, and the ones that people mean by a name. */
#include "operations/kv_append/kv_append.h"

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"

/* Those of one program stand together. */
static const sqa_case_shape cases[] = {
    {SQA_GRID_TINY, "hkv=2,n=5,nk=21,d=8,page=4"},
    {SQA_GRID_TINY, "b=9,hkv=3,n=3,nk=17,d=8,page=16,kc=500:8:24,k=700:8:24"},
    {SQA_GRID_SAMPLE, "b=6,hkv=1,n=40,nk=131,d=8,page=1,pages=800"},
    {SQA_GRID_SAMPLE, "b=4,hkv=2,n=33,nk=33,d=8,page=33"},
    {SQA_GRID_SAMPLE, "b=3,hkv=2,n=7,nk=5,d=8,page=64"},
    {SQA_GRID_TINY, "b=7,hkv=2,n=4,nk=40,d=7,dv=3,page=5,total=20,rotary=4,pairs=half"},
    {SQA_GRID_TINY, "b=7,hkv=2,n=4,nk=40,d=7,dv=3,page=5,total=20,atend,rotary=4,pairs=half"},
    {SQA_GRID_SAMPLE, "b=9,hkv=2,n=4,nk=40,d=8,page=5,atend,kv=f16"},
    {SQA_GRID_SAMPLE, "b=3,hkv=2,n=4,nk=40,d=8,page=8,rotary=8,kv=bf16"},
    {SQA_GRID_SAMPLE, "b=3,hkv=5,n=9,nk=9,d=7,dv=3,page=256,total=27,rotary=4,pairs=half"},
    {SQA_GRID_SAMPLE, "b=2,hkv=2,n=33,nk=900,d=64,dv=40,page=16,rotary=64,base=500000"},
    {SQA_GRID_SAMPLE, "b=0,hkv=3,n=5,nk=50,d=8,page=4"},
    {SQA_GRID_SAMPLE, "hkv=3,n=0,nk=50,d=8,page=4"},
    {SQA_GRID_TINY, "b=2,hkv=3,n=5,nk=21,d=64,dv=32,page=4,kv=int8"},
    {SQA_GRID_SAMPLE,
     "b=9,hkv=2,n=3,nk=17,d=64,dv=32,page=16,kc=9600:96:192,vc=32768:32:64,kv=int8"},
    {SQA_GRID_SAMPLE,
     "b=3,hkv=2,n=7,nk=40,d=64,dv=96,page=5,total=15,rotary=64,pairs=half,kv=int4"},
    {SQA_GRID_SAMPLE, "b=3,hkv=2,n=7,nk=40,d=96,page=5,rotary=50,kv=int4"},
    {SQA_GRID_TINY, "b=3,hkv=2,n=3,nk=20,d=12,dv=5,page=4,rotary=8,pairs=half,hadamard"},
    {SQA_GRID_SAMPLE, "b=3,hkv=2,n=7,nk=40,d=96,dv=32,page=5,rotary=50,hadamard,kv=int4"},
    {SQA_GRID_SAMPLE, "b=2,hkv=2,n=7,nk=40,d=64,page=5,rotary=64,pairs=half,hadamard,kv=int8"},
    {SQA_GRID_SAMPLE, "b=2,hkv=2,n=7,nk=40,d=40,dv=21,page=5,rotary=40,kv=f16"},
    {SQA_GRID_SAMPLE, "b=2,hkv=2,n=7,nk=40,d=40,dv=21,page=5,kv=bf16"},
    {SQA_GRID_QUICK, "b=5,hkv=2,n=2,nk=64,d=1,dv=512,page=64,total=9"},
    {SQA_GRID_FULL, "b=8,hkv=8,n=1,nk=8192,d=128,page=16,rotary=128,pairs=half"},
    {SQA_GRID_FULL, "hkv=8,n=2048,nk=8192,d=128,page=64,rotary=128,pairs=half"},
    {0},
};

static sqa_status list_cases(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(cases, "op=kv_append", size, dtype, out);
}

static const sqa_case_grid grids[] = {{"grid", list_cases, NULL}, {0}};

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=kv_append,b=4,hkv=3,n=3,nk=17,d=8,page=5,k=700:11:40,"
                                  "v=800:11:45,kc=500:11:50,vc=600:9:51",
                                  dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the rows changes no bit", true, padded,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded,
     sqa_property_determinism},
};

/* A token of eight sequences, and a prompt. */
static const sqa_named_shape presets[] = {
    {"cache", "op=kv_append,b=8,hkv=8,n=1,nk=8192,d=128,page=16,rotary=128,pairs=half"},
    {"cache", "op=kv_append,hkv=8,n=2048,nk=8192,d=128,page=16,rotary=128,pairs=half"},
    {0},
};

static const char *const preset_names[] = {"cache", NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return sqa_named_shapes_list(presets, name, out);
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=kv_append,b=2,hkv=2,n=3,nk=9,d=8,page=4"
                                        : "op=kv_append,b=4,hkv=8,n=16,nk=128,d=64,page=16,"
                                          "rotary=64,pairs=half",
                                  dtype);
}

const sqa_tuner_operation sqa_tuner_kv_append = {
    .entry = &sqa_operation_kv_append,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};
