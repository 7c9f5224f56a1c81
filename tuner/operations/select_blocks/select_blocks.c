/* Block selection's cases, as shapes, and its properties. */
#include "operations/select_blocks/select_blocks.h"

#include <string.h>

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/shape.h"

static const sqa_case_shape shapes[] = {
    /* Plain; the last blocks are not full. Strides are of every kind below. */
    {SQA_GRID_TINY, "hq=1,nq=40,nk=90,d=8,blocks=16x8/h,topk=4"},
    {SQA_GRID_SAMPLE,
     "hq=2,nq=33,nk=127,d=8,blocks=8x4/h,topk=5,sinkblocks=1,localblocks=1,layout=bshd"},
    /* Causal, both alignments, more and fewer queries than keys. */
    {SQA_GRID_TINY, "hq=1,n=64,d=8,causal,blocks=8x8/h,topk=3,localblocks=1"},
    {SQA_GRID_SAMPLE, "hq=1,nq=30,nk=100,d=8,causal,blocks=4x8/h,topk=5,sinkblocks=1,"
                      "localblocks=2,q=400:390:13,k=1400:1350:13"},
    {SQA_GRID_SAMPLE, "hq=1,nq=100,nk=30,d=8,causal,blocks=8x4/h,topk=4,sinkblocks=1,"
                      "localblocks=1,q=800:8:8,k=408:397:13"},
    {SQA_GRID_SAMPLE,
     "hq=1,nq=100,nk=30,d=8,causal,align=top-left,blocks=8x4/h,topk=4,localblocks=2"},
    {SQA_GRID_SAMPLE,
     "hq=1,nq=30,nk=100,d=8,causal,align=top-left,blocks=4x8/h,topk=3,sinkblocks=2,localblocks=1"},
    /* Local blocks without a causal mask, by either alignment. */
    {SQA_GRID_SAMPLE, "hq=1,nq=30,nk=100,d=8,blocks=8x8/h,topk=4,sinkblocks=1,localblocks=2"},
    {SQA_GRID_SAMPLE, "hq=1,nq=100,nk=30,d=8,align=top-left,blocks=8x4/h,topk=4,localblocks=2"},
    {SQA_GRID_SAMPLE, "hq=1,nq=100,nk=30,d=8,blocks=8x4/h,topk=4,sinkblocks=1,localblocks=2"},
    /* Heads: GQA and MQA in each way, rSQA in each way; batches. */
    {SQA_GRID_TINY, "b=2,hq=6,hkv=2,nq=40,nk=70,d=8,causal,blocks=8x8/h,topk=3,localblocks=1,"
                    "q=3200:8:80,k=5600:8:80"},
    {SQA_GRID_SAMPLE,
     "b=2,hq=6,hkv=2,nq=40,nk=70,d=8,causal,blocks=8x8/k,topk=3,localblocks=1,layout=bshd"},
    {SQA_GRID_SAMPLE, "b=3,hq=6,hkv=2,nq=40,nk=70,d=8,blocks=8x8,topk=3,q=3173:527:13,"
                      "k=1845:917:13"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=1,nq=40,nk=70,d=8,blocks=8x8/k,topk=3"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,hkv=6,nq=40,nk=70,d=8,causal,blocks=8x8/h,topk=3"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,hkv=6,nq=40,nk=70,d=8,blocks=8x8,topk=3,sinkblocks=1,"
                      "q=640:320:8,k=0:560:8"},
    /* Extremes: a single query, one block of everything, all blocks, single keys. */
    {SQA_GRID_SAMPLE,
     "hq=1,nq=1,nk=200,d=8,causal,blocks=64x4/h,topk=8,sinkblocks=1,localblocks=1"},
    {SQA_GRID_SAMPLE, "hq=1,nq=20,nk=30,d=8,causal,blocks=64x64/h,topk=1"},
    {SQA_GRID_SAMPLE,
     "hq=1,nq=40,nk=60,d=8,causal,blocks=8x4/h,topk=99,sinkblocks=20,localblocks=30"},
    {SQA_GRID_SAMPLE, "hq=1,nq=12,nk=300,d=8,causal,blocks=3x1/h,topk=7"},
    {SQA_GRID_SAMPLE, "hq=1,nq=70,nk=24,d=8,causal,blocks=1x5/h,topk=2,localblocks=1"},
    {SQA_GRID_SAMPLE, "hq=2,nq=0,nk=24,d=8,blocks=4x4/h,topk=2"},
    {SQA_GRID_SAMPLE, "hq=2,nq=24,nk=0,d=8,blocks=4x4/h,topk=2"},
    /* Dimensions. */
    {SQA_GRID_QUICK, "hq=2,hkv=1,nq=50,nk=80,d=7,causal,blocks=8x8/h,topk=4,localblocks=1"},
    {SQA_GRID_QUICK, "hq=4,hkv=2,nq=50,nk=80,d=1,blocks=8x8/k,topk=4"},
    {SQA_GRID_QUICK,
     "hq=2,nq=130,nk=513,d=64,causal,blocks=64x64/h,topk=4,sinkblocks=1,localblocks=2"},
    {SQA_GRID_QUICK,
     "hq=2,hkv=1,nq=20,nk=40,d=512,causal,blocks=8x4/k,topk=3,localblocks=1,layout=bshd"},
    {SQA_GRID_FULL, "hq=4,hkv=2,nq=1023,nk=1025,d=80,causal,blocks=32x16/k,topk=9,localblocks=2"},
    {SQA_GRID_FULL, "hq=3,nq=257,nk=1023,d=59,blocks=16x32/h,topk=5"},
    {SQA_GRID_FULL,
     "b=2,hq=8,hkv=1,nq=129,nk=257,d=128,causal,align=top-left,blocks=64x16,topk=6,sinkblocks=1"},
    {SQA_GRID_FULL, "hq=1,hkv=8,nq=63,nk=127,d=256,blocks=8x8/h,topk=7,sinkblocks=1,localblocks=1"},
    {0},
};

static sqa_status list_grid(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(shapes, "op=select_blocks", size, dtype, out);
}

static const sqa_case_grid grids[] = {{"grid", list_grid, NULL}, {0}};

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(
        "op=select_blocks,b=2,hq=2,hkv=1,nq=40,nk=70,d=8,causal,blocks=8x8/h,topk=3,"
        "localblocks=1,q=1900:850:21,k=1700:1650:23",
        dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the vectors changes no bit", true, padded,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded,
     sqa_property_determinism},
};

/* Of the block-sparse models that choose their blocks: MoBA's and NSA's sizes. */
static const char *const preset_names[] = {"sparse", NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    static const char *const sizes[] = {
        "op=select_blocks,hq=8,hkv=2,n=4096,d=64,causal,blocks=64x64/k,topk=16,sinkblocks=1,"
        "localblocks=2",
        "op=select_blocks,hq=16,hkv=4,n=8192,d=128,causal,blocks=64x64/k,topk=16,sinkblocks=1,"
        "localblocks=2",
        "op=select_blocks,hq=8,n=8192,d=64,causal,blocks=64x512/h,topk=3,localblocks=1",
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == SQA_OK; i++) {
        sqa_problem problem;
        if (strcmp(name, preset_names[0]) != 0)
            continue;
        status = sqa_problem_parse(sizes[i], &problem);
        if (status == SQA_OK)
            status = sqa_case_list_add(out, &problem);
    }
    return status;
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=select_blocks,hq=2,n=64,d=8,blocks=8x8/h,topk=3"
                                        : "op=select_blocks,hq=2,n=512,d=64,blocks=64x64/h,topk=3",
                                  dtype);
}

const sqa_tuner_operation sqa_tuner_select_blocks = {
    .entry = &sqa_operation_select_blocks,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};
