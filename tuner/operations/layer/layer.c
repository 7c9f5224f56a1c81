/* The attention layer's cases, properties and presets. How its stages fare on their own is in
 * those of their operations. */
#include "operations/layer/layer.h"

#include <stdio.h>
#include <string.h>

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/shape.h"

/* Every variant, separate and fused, with and without biases and a context, under every kind of
 * mask and score; heads of odd sizes. */
#define PARTS                                                                                      \
    {SQA_GRID_TINY, "variant=xsqa,h=8,n=19,d=8,dmodel=24,causal"},                                 \
        {SQA_GRID_TINY, "b=2,variant=sqa,h=8,n=17,d=4,dmodel=20,fused,biases"},                    \
        {SQA_GRID_TINY, "b=2,hq=4,hkv=2,nq=9,nk=21,d=5,dv=7,dmodel=13,dcontext=11,biases"},        \
        {SQA_GRID_TINY, "b=2,hq=4,hkv=2,n=11,d=6,dmodel=12,causal,rope=half,qknorm,gate,biases"},  \
        {SQA_GRID_TINY, "b=2,hq=2,hkv=4,n=9,d=8,dv=5,dmodel=10,fused,rope=interleaved,ropedim=6"}, \
        {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=9,d=7,dmodel=12,fused,qknorm,gate,rope=half"},         \
        {SQA_GRID_SAMPLE, "b=2,hq=2,n=9,d=8,dmodel=12,rope=half,positions,ropebase=500,biases"},   \
        {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,n=12,d=8,dmodel=16,causal,ragged=23:23,fused,qknorm,"    \
                          "qkeps=0.01,rope=interleaved,positions"},                                \
        {SQA_GRID_SAMPLE, "b=2,hq=4,nq=9,nk=7,d=8,dmodel=12,dcontext=5,qknorm,gate,biases"},       \
        {SQA_GRID_SAMPLE, "hq=2,n=9,d=8,dmodel=12,rope=half,ropedim=0,ropeoffset=7,gate"},         \
        {SQA_GRID_SAMPLE, "variant=mha,h=4,n=20,d=8,dmodel=32,causal,fused"},                      \
        {SQA_GRID_SAMPLE, "variant=gqa,h=8,n=20,d=8,dmodel=32,biases,alibi=geometric"},            \
        {SQA_GRID_SAMPLE, "variant=mqa,h=4,n=20,d=8,dmodel=32,causal,softcap=3"},                  \
        {SQA_GRID_SAMPLE, "b=2,variant=ssqa,h=8,n=20,d=8,dmodel=32,window=4:0,causal,fused"},      \
        {SQA_GRID_SAMPLE, "variant=xsmqa,h=8,n=20,d=8,dmodel=32,biases,keymask"},                  \
        {SQA_GRID_SAMPLE, "variant=lsqa,h=8,n=20,d=8,dmodel=32,causal,sinks"},                     \
        {SQA_GRID_SAMPLE, "b=2,variant=rsqa,h=8,n=20,d=8,dv=5,dmodel=32,fused,biases,causal"},     \
        {SQA_GRID_SAMPLE, "b=2,variant=rsqa,h=8,nq=7,nk=20,d=4,dmodel=9,dcontext=30"},             \
        {SQA_GRID_SAMPLE, "b=2,hq=4,n=20,d=8,dmodel=16,bias=f32/h,alibi=slopes,sinks,biases"},     \
        {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=20,d=8,dmodel=16,causal,dropout=0.3,fused"},           \
        {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,n=12,d=8,dmodel=16,causal,ragged=23:23,biases"},         \
        {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,nq=9,nk=12,d=8,dmodel=16,dcontext=8,ragged=14:25"},      \
        {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=33,d=8,dmodel=16,blocks=8x8@0.5/k,mask=q"},            \
        {SQA_GRID_SAMPLE, "b=2,hq=2,nq=5,nk=0,d=8,dmodel=16,dcontext=8,biases"},                   \
        {SQA_GRID_SAMPLE, "b=2,hq=2,nq=0,nk=5,d=8,dmodel=16,dcontext=8,biases"},                   \
        {SQA_GRID_SAMPLE, "b=0,hq=2,n=5,d=8,dmodel=16,fused,biases"},                              \
        {SQA_GRID_TINY, "hq=4,hkv=2,n=256,d=4,dv=3,dmodel=6,fused,causal"},                        \
        {SQA_GRID_TINY, "b=3,hq=4,hkv=2,n=70,d=5,dv=6,dmodel=10,fused,causal,ragged=90:90,linear," \
                        "delta,decay=channel,state=in_out,feature=relu,qknorm,rope=half,"          \
                        "positions,gate,biases"},                                                  \
        {SQA_GRID_SAMPLE, "b=2,hq=2,hkv=4,n=50,d=7,dv=9,dmodel=12,causal,linear,decay=token,"      \
                          "state=in_out"},                                                         \
        {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=50,d=7,dv=9,dmodel=12,causal,linear,delta,"            \
                          "decay=token,wdecay,wbeta,state=in_out,biases,gate"},                    \
        {SQA_GRID_TINY, "b=3,hq=2,n=30,d=5,dv=6,dmodel=10,fused,causal,linear,decay=channel,"      \
                        "wdecay,ragged=40:40"},                                                    \
        {SQA_GRID_SAMPLE, "b=2,hq=4,nq=9,nk=40,d=16,dv=8,dmodel=12,dcontext=5,linear,"             \
                          "feature=elu1,normalise,state=in_out,biases"},                           \
        {SQA_GRID_QUICK, "b=2,hq=4,hkv=2,n=40,d=16,dmodel=12,causal,linear,decay=head,"            \
                         "feature=elu1,normalise,qknorm"},                                         \
        {SQA_GRID_SAMPLE, "b=2,hq=2,n=256,d=4,dmodel=6,ragged=300:300"},                           \
        {SQA_GRID_QUICK, "hq=1,n=1,d=1,dmodel=1,biases"},                                          \
        {SQA_GRID_QUICK, "hq=3,n=3,d=512,dv=8,dmodel=1030"},                                       \
        {SQA_GRID_QUICK, "variant=xsqa,h=16,n=130,d=16,dmodel=64,causal"},                         \
    {                                                                                              \
        SQA_GRID_FULL, "b=2,variant=sqa,h=16,n=257,d=16,dmodel=256,causal,biases"                  \
    }

static const sqa_case_shape shapes[] = {PARTS, {0}};

/* New tokens on top of a cache: every variant, one and several at once, ragged and not. */
static const sqa_case_shape cached_shapes[] = {
    {SQA_GRID_TINY, "b=3,variant=sqa,h=8,nq=5,nk=23,d=8,dmodel=20,causal,page=4,rope=half"},
    {SQA_GRID_TINY, "b=4,hq=4,hkv=2,nq=3,nk=19,d=6,dmodel=12,causal,ragged=7:0,page=5,"
                    "rope=interleaved,qknorm,gate,biases,hadamard"},
    {SQA_GRID_TINY,
     "b=3,variant=rsqa,h=8,nq=1,nk=33,d=8,dv=5,dmodel=16,fused,page=33,kc=1400:8:40"},
    {SQA_GRID_SAMPLE, "b=4,variant=gqa,h=8,nq=6,nk=21,d=8,dmodel=16,fused,biases,causal,"
                      "ragged=13:0,page=64,rope=half,ropedim=4,ropebase=500,window=4:0"},
    {SQA_GRID_SAMPLE, "b=3,hq=2,nq=5,nk=20,d=8,dmodel=12,rope=half,positions,page=16,sinks,"
                      "hadamard"},
    {SQA_GRID_SAMPLE, "b=3,variant=mqa,h=4,nq=9,nk=7,d=8,dmodel=12,causal,page=4,rope=half"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,nq=5,nk=0,d=8,dmodel=16,page=4,biases"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,nq=0,nk=9,d=8,dmodel=16,page=4,rope=half,hadamard"},
    {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,nq=4,nk=40,d=7,dmodel=12,fused,qknorm,gate,rope=half,causal,"
                      "page=1,kv=f16,dtype=f32"},
    {SQA_GRID_SAMPLE, "b=2,variant=xsqa,h=16,nq=1,nk=130,d=8,dmodel=16,causal,page=16,kv=bf16,"
                      "dtype=f32"},
    {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,nq=3,nk=21,d=64,dv=32,dmodel=12,qknorm,rope=half,causal,"
                      "ragged=7:0,page=5,kv=int8,dtype=f32"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,hkv=1,nq=2,nk=21,d=32,dmodel=12,fused,rope=interleaved,"
                      "ropedim=16,causal,page=4,kv=int4,dtype=f32,hadamard"},
    {SQA_GRID_TINY, "b=2,hq=2,hkv=1,nq=260,nk=300,d=8,dmodel=5,causal,page=16,rope=half"},
    {0}};

static const sqa_case_shape kept_shapes[] = {
    {SQA_GRID_TINY, "b=2,variant=sqa,h=8,n=17,d=4,dmodel=20,fused,biases,keep"},
    {SQA_GRID_TINY, "b=2,hq=2,hkv=6,nq=9,nk=21,d=5,dv=7,dmodel=13,dcontext=11,biases,keep"},
    {SQA_GRID_TINY, "b=2,hq=4,hkv=2,n=9,d=6,dmodel=12,causal,rope=half,qknorm,gate,keep"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=9,d=6,dmodel=12,fused,rope=half,qknorm,gate,biases,keep"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=9,d=6,dmodel=12,fused,rope=interleaved,ropeoffset=9,keep"},
    {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,n=12,d=8,dmodel=16,causal,ragged=23:23,biases,keep"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,nq=0,nk=5,d=8,dmodel=16,dcontext=8,biases,keep"},
    {SQA_GRID_TINY, "b=3,hq=4,hkv=2,n=1,d=5,dv=6,dmodel=10,fused,causal,linear,delta,"
                    "decay=channel,state=in_place,feature=relu,qknorm,keep"},
    {SQA_GRID_SAMPLE, "b=3,hq=4,hkv=2,n=1,d=5,dv=6,dmodel=10,fused,biases,causal,linear,delta,"
                      "decay=channel,wdecay,wbeta,state=in_place,keep"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,hkv=4,nq=256,nk=9,d=4,dmodel=6,dcontext=5,gate,keep"},
    {0}};
/* Gradients left out, and added up; of scores. */
static const sqa_case_shape gradient_shapes[] = {
    {SQA_GRID_TINY, "b=2,hq=4,hkv=2,n=9,d=4,dmodel=12,biases,accumulate"},
    {SQA_GRID_TINY, "b=2,hq=4,hkv=2,n=9,d=4,dmodel=12,grads=wo"},
    {SQA_GRID_SAMPLE, "hq=4,hkv=2,n=9,d=4,dmodel=12,fused,biases,grads=bo+bqkv,accumulate"},
    {SQA_GRID_SAMPLE, "hq=4,hkv=2,n=9,d=4,dmodel=12,biases,grads=x"},
    {SQA_GRID_SAMPLE, "hq=4,hkv=2,n=9,d=4,dmodel=12,biases,grads=wk+bv"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,nq=9,nk=7,d=4,dmodel=12,dcontext=5,grads=context,causal"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,nq=9,nk=7,d=4,dmodel=12,dcontext=5,grads=x+wv"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,n=9,d=4,dmodel=12,qknorm,rope=half,grads=qnorm,accumulate"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,n=9,d=4,dmodel=12,fused,qknorm,grads=knorm+wqkv,accumulate"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,n=9,d=4,dmodel=12,gate,biases,grads=wg+bg,accumulate"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,n=9,d=4,dmodel=12,gate,fused,grads=wo"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,nq=9,nk=7,d=4,dmodel=12,dcontext=5,gate,grads=x"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,n=9,d=4,dmodel=12,sinks,grads=sinks,accumulate"},
    {SQA_GRID_TINY, "b=2,hq=4,hkv=2,n=9,d=5,dv=6,dmodel=12,causal,linear,delta,decay=channel,"
                    "state=in_out,feature=relu,grads=wq+beta,accumulate"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,hkv=2,n=9,d=5,dv=6,dmodel=12,causal,linear,delta,decay=token,"
                      "wdecay,wbeta,biases,grads=wdecay+bdecay+bbeta,accumulate"},
    {SQA_GRID_SAMPLE, "b=2,hq=2,nq=9,nk=256,d=4,dmodel=6,dcontext=5,sinks,accumulate"},
    {SQA_GRID_SAMPLE, "b=2,hq=4,n=9,d=4,dmodel=12,sinks,bias=f32/hq,fused,accumulate"},
    {0}};

#define LISTS(name, table, operation)                                                              \
    static sqa_status list_##name(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)         \
    {                                                                                              \
        return sqa_case_shapes_list(table, "op=" operation, size, dtype, out);                     \
    }
LISTS(layers, shapes, "layer")
LISTS(cached, cached_shapes, "layer")
LISTS(kept, kept_shapes, "layer")
LISTS(gradients, shapes, "layer_backward")
LISTS(some_gradients, gradient_shapes, "layer_backward")

static const sqa_case_grid grids[] = {
    {"grid", list_layers, NULL}, {"kept", list_kept, NULL}, {"cached", list_cached, NULL}, {0}};
static const sqa_case_grid backward_grids[] = {
    {"grid", list_gradients, NULL}, {"gradients", list_some_gradients, NULL}, {0}};

static sqa_problem kept(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(
        "op=layer,b=2,variant=sqa,h=8,n=20,d=8,dmodel=24,causal,biases,keep", dtype);
}

static sqa_problem gradients(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(
        "op=layer_backward,b=2,variant=sqa,h=8,n=20,d=8,dmodel=24,causal,biases", dtype);
}

#define COMMON(problem)                                                                            \
    {"gap-values", "what lies between and beyond the rows changes no bit", true, problem,          \
     sqa_property_gap_values},                                                                     \
    {                                                                                              \
        "determinism", "two runs, and two plans, give the same bits", true, problem,               \
            sqa_property_determinism                                                               \
    }
static const sqa_property properties[] = {COMMON(kept)};
static const sqa_property backward_properties[] = {COMMON(gradients)};

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(
        small ? "op=layer,hq=2,n=33,d=8,dmodel=16" : "op=layer,hq=4,n=129,d=16,dmodel=64", dtype);
}

static sqa_problem everyday_backward(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(small ? "op=layer_backward,hq=2,n=33,d=8,dmodel=16"
                                        : "op=layer_backward,hq=4,n=129,d=16,dmodel=64",
                                  dtype);
}

/* Layers of the dense model of arXiv 2510.01817, table 3 (d_model 256, 16 heads of 16), at one
 * length that stands for those about it: their stages together are what one run can tune. */
static sqa_status add_preset(const char *name, const char *operation, sqa_case_list *out)
{
    static const char *const variants[] = {"mha", "sqa", "ssqa", "xsqa"};
    sqa_status status = SQA_OK;
    if (strcmp(name, "layer") != 0)
        return SQA_OK;
    for (size_t i = 0; i < sizeof variants / sizeof *variants && status == SQA_OK; i++) {
        char text[SQA_SHAPE_TEXT];
        sqa_problem problem;
        snprintf(text, sizeof text, "op=%s,variant=%s,h=16,n=4096,d=16,dmodel=256,causal",
                 operation, variants[i]);
        status = sqa_problem_parse(text, &problem);
        if (status == SQA_OK)
            status = sqa_case_list_add(out, &problem);
    }
    return status;
}

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return add_preset(name, "layer", out);
}

static sqa_status backward_preset(const char *name, sqa_case_list *out)
{
    return add_preset(name, "layer_backward", out);
}

static const char *const preset_names[] = {"layer", NULL};

/* What the forward pass keeps is what the backward pass takes. */
static const sqa_timed_pass passes[] = {
    {"layer+layer_backward",
     {{&sqa_operation_layer, "keep"}, {&sqa_operation_layer_backward, ""}},
     2,
     0},
    {0},
};

const sqa_tuner_operation sqa_tuner_layer = {
    .entry = &sqa_operation_layer,
    .grids = grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .passes = passes,
    .everyday = everyday,
};

const sqa_tuner_operation sqa_tuner_layer_backward = {
    .entry = &sqa_operation_layer_backward,
    .grids = backward_grids,
    .properties = backward_properties,
    .property_count = sizeof backward_properties / sizeof *backward_properties,
    .preset_names = preset_names,
    .preset = backward_preset,
    .everyday = everyday_backward,
};
