/* The matrix product's properties, and the products that people mean by a name. */
#include "operations/matmul/matmul.h"

#include "conformance/common_properties.h"
#include "operations/case_shapes.h"
#include "operations/entries.h"
#include "operations/matmul/cases.h"

#define PADDED "op=matmul,b=2,m=37,n=53,k=41,sa=1700:45,sc=2100:56,sb=2400:"

static sqa_problem padded(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(PADDED "57", dtype);
}

static sqa_problem padded_all(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self, (void)small;
    return sqa_case_shape_problem(PADDED "45,tb,bias,act=silu,gated,residual,sr=0:60", dtype);
}

static const sqa_property properties[] = {
    {"gap-values", "what lies between and beyond the rows changes no bit", true, padded,
     sqa_property_gap_values},
    {"gap-values-all", "nor with bias, gate and residual", false, padded_all,
     sqa_property_gap_values},
    {"determinism", "two runs, and two plans, give the same bits", true, padded,
     sqa_property_determinism},
};

/* The products of a transformer layer (d_model 1024, 1024 tokens), forward and backward, and
 * of one token; squares. */
static const sqa_named_shape presets[] = {
    {"layer", "op=matmul,m=1024,n=1024,k=1024,tb"},
    {"layer", "op=matmul,m=1024,n=1024,k=1024"},
    {"layer", "op=matmul,m=1024,n=1024,k=1024,ta,beta=1"},
    {"layer", "op=matmul,m=1024,n=256,k=1024,tb"},
    {"layer", "op=matmul,m=1024,n=4096,k=1024,tb,bias,act=gelu_tanh"},
    {"layer", "op=matmul,m=1024,n=2816,k=1024,tb,gated,act=silu"},
    {"layer", "op=matmul,m=1024,n=1024,k=4096,tb,bias,residual"},
    {"token", "op=matmul,m=1,n=1024,k=1024,tb"},
    {"token", "op=matmul,m=1,n=4096,k=1024,tb,bias,act=gelu_tanh"},
    {"token", "op=matmul,m=1,n=4096,k=4096"},
    {"squares", "op=matmul,m=256,n=256,k=256"},
    {"squares", "op=matmul,m=1024,n=1024,k=1024"},
    {"squares", "op=matmul,m=4096,n=4096,k=4096"},
    {0},
};

static const char *const preset_names[] = {"layer", "token", "squares", NULL};

static sqa_status preset(const char *name, sqa_case_list *out)
{
    return sqa_named_shapes_list(presets, name, out);
}

static sqa_problem everyday(bool small, sqa_dtype dtype)
{
    return sqa_case_shape_problem(
        small ? "op=matmul,m=40,n=40,k=40" : "op=matmul,m=200,n=200,k=200", dtype);
}

const sqa_tuner_operation sqa_tuner_matmul = {
    .entry = &sqa_operation_matmul,
    .grids = sqa_matmul_grids,
    .properties = properties,
    .property_count = sizeof properties / sizeof *properties,
    .preset_names = preset_names,
    .preset = preset,
    .everyday = everyday,
};
