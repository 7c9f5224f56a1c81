/* The cases of attention to selected blocks. How its stages fare on their own is in the
 * cases of their operations. */
#include "operations/selected_forward/selected_forward.h"

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"

static const sqa_case_shape shapes[] = {
    {SQA_GRID_TINY, "hq=2,nq=40,nk=90,d=8,blocks=16x8/h,topk=4,lse"},
    {SQA_GRID_TINY, "b=2,hq=6,hkv=2,nq=40,nk=70,d=8,causal,blocks=8x8/k,topk=3,localblocks=1"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,hkv=6,nq=40,nk=70,d=8,dv=5,blocks=8x8,topk=3,sinkblocks=1,lse"},
    {SQA_GRID_SAMPLE, "hq=4,hkv=1,nq=100,nk=30,d=8,align=top-left,blocks=8x4/h,topk=4,"
                      "localblocks=2,layout=bshd"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,nq=65,nk=67,d=8,causal,softcap=3,bias=f32/h,keymask,sinks,"
                      "blocks=8x8/k,topk=5,localblocks=1,lse"},
    {SQA_GRID_SAMPLE, "hq=2,nq=65,nk=90,d=8,window=20:20,blocks=8x8/h,topk=6,sinkblocks=1"},
    {SQA_GRID_SAMPLE, "hq=2,nq=0,nk=24,d=8,blocks=4x4/h,topk=2"},
    {SQA_GRID_SAMPLE, "hq=2,nq=24,nk=0,d=8,blocks=4x4/h,topk=2,lse"},
    {SQA_GRID_QUICK, "hq=4,hkv=2,nq=257,nk=513,d=64,causal,blocks=64x64/k,topk=4,sinkblocks=1,"
                     "localblocks=2,lse"},
    {SQA_GRID_FULL, "hq=8,hkv=2,nq=1023,nk=1025,d=80,causal,blocks=32x16/k,topk=9,localblocks=2"},
    {0},
};

static sqa_status list_grid(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(shapes, "op=selected_forward", size, dtype, out);
}

static const sqa_case_grid grids[] = {{"grid", list_grid, NULL}, {0}};

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem("op=selected_forward,b=2,hq=2,hkv=1,nq=40,nk=70,d=8,causal,"
                                  "blocks=8x8/h,topk=3,localblocks=1,lse,q=1900:850:21,"
                                  "k=1700:1650:23,v=900:850:12,o=1000:450:11",
                                  dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the vectors changes no bit", true, padded,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded,
     sqa_property_determinism},
};

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small
                                      ? "op=selected_forward,hq=2,n=64,d=8,blocks=8x8/h,topk=3"
                                      : "op=selected_forward,hq=2,n=512,d=64,blocks=64x64/h,topk=3",
                                  dtype);
}

static const char *const no_presets[] = {NULL};

const sqa_tuner_operation sqa_tuner_selected_forward = {
    .entry = &sqa_operation_selected_forward,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = no_presets,
    .everyday = everyday,
};
