/* Each rule with dimensions of its own, which are a program, and lengths, heads and layouts that
 * share it. */
#include "operations/linear/cases.h"

#include <stdio.h>
#include <string.h>

#include "operations/case_shapes.h"
#include "operations/linear/property_decays.h"
#include "operations/shape.h"
#include "problem/names.h"

/* A program: a rule and its dimensions. */
typedef struct program {
    sqa_grid_size least;
    const char *rule;
} program;

/* Of the first grid, which shows what compilers make of the kernels. */
static const program everyday[] = {
    {SQA_GRID_TINY, "d=16,causal,decay=token,state=in_out"},
    {SQA_GRID_QUICK, "d=64,causal"},
    {0},
};

static const program rules[] = {
    {SQA_GRID_TINY, "d=7,dv=9,causal,feature=elu1,normalise,state=out"},
    {SQA_GRID_TINY, "d=8,dv=21,causal,delta,decay=head"},
    {SQA_GRID_SAMPLE, "d=16,dv=40"},
    {SQA_GRID_QUICK, "d=40,dv=33,causal,decay=channel,state=in_place"},
    {SQA_GRID_QUICK, "d=21,dv=8,causal,delta,decay=channel,state=in_out,feature=relu"},
    {SQA_GRID_FULL, "d=1,dv=1,causal,decay=head,feature=elu1,normalise,state=in_place"},
    {SQA_GRID_QUICK, "d=72,dv=59,feature=elu1,normalise,state=in_out"},
    {SQA_GRID_FULL, "d=128,causal,decay=head,state=in_out"},
    {SQA_GRID_FULL, "d=80,dv=96,causal,delta,state=in_place"},
    {SQA_GRID_FULL, "d=111,dv=256,causal,decay=token,feature=relu,normalise"},
    {SQA_GRID_FULL, "d=512,dv=7,causal,decay=channel,feature=elu1"},
    {SQA_GRID_FULL, "d=3,dv=512,causal,delta,decay=token,state=out"},
    {SQA_GRID_FULL, "d=256,dv=512,causal,state=out"},
    {0},
};

/* Lengths and heads; a second length, without causal, of the keys; `totals` of a ragged batch. */
typedef struct extent {
    sqa_grid_size least;
    const char *heads;
    uint32_t queries, keys, q_total, kv_total;
    const char *layout;
} extent;

static const extent extents[] = {
    {SQA_GRID_TINY, "hq=2", 33, 31, 0, 0, ""},
    {SQA_GRID_TINY, "b=4,hq=2,hkv=1", 20, 26, 50, 60, ",layout=bshd"},
    {SQA_GRID_SAMPLE, "hq=2,hkv=4", 17, 65, 0, 0, ",layout=bshd"},
    {SQA_GRID_SAMPLE, "b=3,hq=3", 1, 2, 0, 0, ""},
    {SQA_GRID_SAMPLE, "hq=2", 0, 0, 0, 0, ""},
    {SQA_GRID_QUICK, "b=2,hq=6,hkv=2", 129, 63, 0, 0, ""},
    {SQA_GRID_QUICK, "hq=1", 257, 300, 0, 0, ",layout=bshd"},
    {SQA_GRID_QUICK, "b=7,hq=2,hkv=2", 64, 70, 140, 90, ""},
    {SQA_GRID_FULL, "b=2,hq=8,hkv=1", 1023, 1025, 0, 0, ""},
    {SQA_GRID_FULL, "b=1,hq=1", 3, 0, 0, 0, ""},
    {SQA_GRID_FULL, "b=0,hq=1", 3, 2, 0, 0, ""},
};

static sqa_status add_case(const char *operation, const char *rule, const extent *e,
                           sqa_dtype dtype, sqa_case_list *out)
{
    const bool causal = strstr(rule, "causal");
    char shape[SQA_SHAPE_TEXT], ragged[64] = "";
    sqa_problem problem;
    if (e->q_total)
        snprintf(ragged, sizeof ragged, ",ragged=%u:%u", e->q_total,
                 causal ? e->q_total : e->kv_total);
    snprintf(shape, sizeof shape, "%s,%s,nq=%u,nk=%u,%s,dtype=%s%s%s", operation, e->heads,
             e->queries, causal ? e->queries : e->keys, rule, sqa_dtype_name(dtype), ragged,
             e->layout);
    sqa_status status = sqa_problem_parse(shape, &problem);
    return status == SQA_OK ? sqa_case_list_add(out, &problem) : status;
}

static sqa_status list(const char *operation, const program *of, sqa_grid_size size,
                       sqa_dtype dtype, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (; of->rule; of++)
        for (size_t i = 0; i < sizeof extents / sizeof *extents && status == SQA_OK; i++)
            if (of->least <= size && extents[i].least <= size)
                status = add_case(operation, of->rule, &extents[i], dtype, out);
    return status;
}

static sqa_status list_everyday(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return list("op=linear", everyday, size, dtype, out);
}

static sqa_status list_rules(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return list("op=linear", rules, size, dtype, out);
}

/* Strides of every tensor, and lengths at which rounding would show. */
static const sqa_case_shape edges[] = {
    {SQA_GRID_TINY, "hq=1,nq=0,nk=5,d=16,state=in_out"},
    {SQA_GRID_TINY, "hq=1,nq=5,nk=0,d=16,state=in_out"},
    {SQA_GRID_QUICK, "b=2,hq=2,n=40,d=64,causal,q=9000:4200:100,k=6000:3000:70,v=7000:3500:66,"
                     "o=7200:3600:80"},
    {SQA_GRID_QUICK, "b=2,hq=2,n=40,d=16,causal,delta,decay=token,state=in_out,sdecay=200:1:3,"
                     "sbeta=300:2:5"},
    {SQA_GRID_QUICK, "b=2,hq=2,n=40,d=40,dv=33,causal,decay=channel,state=in_place,"
                     "sdecay=4000:41:90"},
    {SQA_GRID_FULL, "hq=1,n=8192,d=16,causal,decay=head,state=out"},
    {SQA_GRID_FULL, "hq=1,n=8192,d=16,causal,decay=token,state=out"},
    {SQA_GRID_FULL, "hq=1,n=8192,d=16,causal,decay=channel,state=out"},
    {SQA_GRID_FULL, "hq=1,n=8192,d=16,causal,feature=elu1,normalise,state=out"},
    {SQA_GRID_FULL, "hq=1,n=8192,d=16,causal,state=out"},
    {0},
};

static sqa_status list_edges(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(edges, "op=linear", size, dtype, out);
}

/* Under decays of every strength; of the programs above, some in batches with empty sequences. */
static const sqa_case_shape decays[] = {
    {SQA_GRID_TINY, "hq=2,n=50,d=16,causal,decay=token,state=in_out"},
    {SQA_GRID_TINY, "b=5,hq=2,hkv=1,n=30,d=16,causal,decay=token,state=in_out,ragged=60:60"},
    {SQA_GRID_SAMPLE, "hq=2,n=700,d=16,causal,decay=token,state=in_out"},
    {SQA_GRID_QUICK, "hq=2,n=300,d=40,dv=33,causal,decay=channel,state=in_place"},
    {SQA_GRID_QUICK, "b=6,hq=1,n=90,d=40,dv=33,causal,decay=channel,state=in_place,ragged=200:200"},
    {SQA_GRID_QUICK, "hq=4,n=300,d=8,dv=21,causal,delta,decay=head"},
    {SQA_GRID_QUICK, "hq=1,n=500,d=21,dv=8,causal,delta,decay=channel,state=in_out,feature=relu"},
    {SQA_GRID_FULL, "hq=4,n=65536,d=16,causal,decay=head,state=out"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,decay=token,state=out"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,decay=channel,state=out"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,decay=token,feature=elu1,normalise,state=out"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,decay=token,delta,state=out"},
    {SQA_GRID_FULL, "b=7,hq=1,n=40000,d=64,causal,decay=token,state=in_out,ragged=65536:65536"},
    {0},
};

static sqa_status list_decays(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(decays, "op=linear", size, dtype, out);
}

const sqa_case_grid sqa_linear_grids[] = {{"everyday", list_everyday, NULL},
                                          {"rules", list_rules, NULL},
                                          {"edges", list_edges, NULL},
                                          {"decays", list_decays, sqa_property_linear_decays},
                                          {0}};

/* Of the backward pass, which keeps no state in place. */
static const program backward_everyday[] = {
    {SQA_GRID_TINY, "d=7,dv=9,causal,decay=token,state=in_out"},
    {SQA_GRID_FULL, "d=64,causal"},
    {0},
};

static const program backward_rules[] = {
    {SQA_GRID_TINY, "d=5,dv=6,causal,delta,decay=channel,state=in_out,feature=relu"},
    {SQA_GRID_QUICK, "d=16,dv=40,feature=elu1,normalise,state=in_out"},
    {SQA_GRID_QUICK, "d=16,causal,decay=head,feature=elu1,normalise"},
    {SQA_GRID_FULL, "d=8,causal,decay=head,feature=relu,normalise,state=in"},
    {SQA_GRID_FULL, "d=8,dv=5,causal,decay=token,feature=elu1,normalise,state=in"},
    {SQA_GRID_FULL, "d=16,causal"},
    {SQA_GRID_FULL, "d=9,dv=16,causal,delta,decay=head,state=out"},
    {SQA_GRID_FULL, "d=16,causal,decay=channel,feature=elu1,normalise,state=in_out"},
    {0},
};

static sqa_status list_backward_everyday(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return list("op=linear_backward", backward_everyday, size, dtype, out);
}

static sqa_status list_backward(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return list("op=linear_backward", backward_rules, size, dtype, out);
}

/* Of the rules' programs. Of 12 tokens the decay is one that leaves a row little but its own. */
static const sqa_case_shape backward_edges[] = {
    {SQA_GRID_QUICK, "hq=1,n=12,d=16,causal,decay=head,feature=elu1,normalise"},
    {SQA_GRID_QUICK, "b=0,hq=2,n=3,d=16,causal,decay=head,feature=elu1,normalise"},
    {SQA_GRID_QUICK, "hq=1,nq=0,nk=5,d=16,dv=40,feature=elu1,normalise,state=in_out"},
    {SQA_GRID_QUICK, "hq=1,nq=5,nk=0,d=16,dv=40,feature=elu1,normalise,state=in_out"},
    {SQA_GRID_TINY, "b=2,hq=2,n=40,d=5,dv=6,causal,delta,decay=channel,state=in_out,feature=relu,"
                    "q=900:430:10,k=0:0:9,v=0:350:8,o=720:360:9,sdecay=900:400:9,sbeta=300:2:5"},
    {0},
};

static sqa_status list_backward_edges(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(backward_edges, "op=linear_backward", size, dtype, out);
}

static const sqa_case_shape backward_decays[] = {
    {SQA_GRID_TINY, "hq=2,n=50,d=7,dv=9,causal,decay=token,state=in_out"},
    {SQA_GRID_SAMPLE, "b=6,hq=2,hkv=1,n=90,d=7,dv=9,causal,decay=token,state=in_out,"
                      "ragged=200:200"},
    {SQA_GRID_SAMPLE, "hq=1,n=700,d=7,dv=9,causal,decay=token,state=in_out"},
    {SQA_GRID_QUICK, "hq=2,n=300,d=5,dv=6,causal,delta,decay=channel,state=in_out,feature=relu"},
    {SQA_GRID_QUICK, "hq=4,n=300,d=16,causal,decay=head,feature=elu1,normalise"},
    {SQA_GRID_FULL, "hq=4,n=32768,d=16,causal,decay=head,feature=elu1,normalise"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,decay=channel,feature=elu1,normalise,state=in_out"},
    {SQA_GRID_FULL, "hq=4,n=32768,d=16,causal,decay=head,state=in_out"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,decay=token,state=in_out"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,decay=channel,state=in_out"},
    {SQA_GRID_FULL, "hq=1,n=65536,d=16,causal,delta,decay=token,state=in_out"},
    {SQA_GRID_FULL, "b=7,hq=1,n=40000,d=64,causal,decay=token,state=in_out,ragged=65536:65536"},
    {0},
};

static sqa_status list_backward_decays(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(backward_decays, "op=linear_backward", size, dtype, out);
}

const sqa_case_grid sqa_linear_backward_grids[] = {
    {"everyday", list_backward_everyday, NULL},
    {"rules", list_backward, NULL},
    {"edges", list_backward_edges, NULL},
    {"decays", list_backward_decays, sqa_property_linear_decays},
    {0}};
