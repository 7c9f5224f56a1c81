/* Block selection's cases, as shapes, and its properties. */
#include "operations/select_blocks/select_blocks.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "conformance/common_properties.h"
#include "operations/attention/slots.h"
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

#define PADDED                                                                                     \
    "op=select_blocks,b=2,hq=2,hkv=1,nq=40,nk=70,d=8,causal,blocks=8x8/h,topk=3,localblocks=1,"    \
    "q=1900:850:21,k=1700:1650:23"

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(PADDED, dtype);
}

/* Numbers as large and as small as they come. */
static const struct {
    const char *what, *scale;
    float q, k; /* random ones times these */
} number_cases[] = {
    {"large K", "", 1.0f, FLT_MAX / 64},
    {"large Q and K, a small scale", ",scale=1e-39", 1e19f, 1e19f},
    {"the largest Q and K", ",scale=1e-39", FLT_MAX, 1e-4f},
    {"the largest K", ",scale=1e-39", 1e-4f, FLT_MAX},
    {"a large negative scale", ",scale=-3.4e38", 1.0f, 1.0f},
    {"a subnormal scale", ",scale=1e-42", 1.0f, 1.0f},
};

static sqa_status check_numbers(const sqa_property_run *run, const sqa_problem *problem, float q,
                                float k, char finding[SQA_FINDING_TEXT])
{
    sqa_host_tensors test;
    sqa_status status = sqa_host_tensors_create(&test, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    sqa_host_tensor_multiply(&test.of[SQA_SLOT_Q], q);
    sqa_host_tensor_multiply(&test.of[SQA_SLOT_K], k);
    status = sqa_property_judge(run, &test, finding);
    sqa_host_tensors_free(&test);
    return status;
}

static sqa_status numbers(const sqa_property_run *run, const sqa_problem *problem,
                          char message[SQA_FINDING_TEXT])
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof number_cases / sizeof *number_cases; i++) {
        char shape[SQA_SHAPE_TEXT], finding[SQA_FINDING_TEXT] = "";
        snprintf(shape, sizeof shape, PADDED "%s", number_cases[i].scale);
        const sqa_problem scaled = sqa_case_shape_problem(shape, problem->of.attention.dtype);
        status = check_numbers(run, &scaled, number_cases[i].q, number_cases[i].k, finding);
        if (finding[0])
            snprintf(message, SQA_FINDING_TEXT, "%s: %.200s", number_cases[i].what, finding);
        if (status != SQA_OK || finding[0])
            break;
    }
    return status;
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the vectors changes no bit", true, padded,
     sqa_property_gap_values},
    {"numbers", "numbers at the ends of their ranges are chosen from as fp64 does", true, padded,
     numbers},
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
