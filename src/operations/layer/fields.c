#include "operations/layer/fields.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/field_values.h"

/* By the bits of sqa_layer_gradient. */
static const char *const names[SQA_LAYER_GRADIENTS] = {
    "x",     "context", "wq",   "wk",      "wv",     "wqkv",   "wo",     "bq",    "bk",
    "bv",    "bqkv",    "bo",   "bias",    "sinks",  "slopes", "wg",     "bg",    "qnorm",
    "knorm", "decay",   "beta", "statein", "sumsin", "wdecay", "bdecay", "wbeta", "bbeta"};

static int find_name(const char *text, size_t length)
{
    for (int i = 0; i < SQA_LAYER_GRADIENTS; i++)
        if (strlen(names[i]) == length && !strncmp(names[i], text, length))
            return i;
    return -1;
}

static sqa_status read_grads(const char *value, const sqa_shape_items *items, void *descriptor)
{
    uint32_t gradients = 0;
    (void)items;
    for (const char *at = value; at; at = strchr(at, '+') ? strchr(at, '+') + 1 : NULL) {
        const int name = find_name(at, strcspn(at, "+"));
        if (name < 0 || gradients & 1u << name)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "grads is '%.60s'; expected some of x, context, wq, wk, wv, wqkv, wo, "
                            "bq, bk, bv, bqkv, bo, bias, sinks, slopes, wg, bg, qnorm, "
                            "knorm, decay, beta, statein, sumsin, wdecay, bdecay, wbeta and "
                            "bbeta, such as wq+wo",
                            value);
        gradients |= 1u << name;
    }
    ((sqa_layer_shape *)descriptor)->backward.gradients = gradients;
    return SQA_OK;
}

static bool write_grads(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const uint32_t gradients = ((const sqa_layer_shape *)descriptor)->backward.gradients;
    size_t used = 0;
    value[0] = '\0';
    for (int i = 0; i < SQA_LAYER_GRADIENTS; i++)
        if (gradients & 1u << i)
            used += (size_t)snprintf(value + used, SQA_FIELD_VALUE - used, "%s%s", used ? "+" : "",
                                     names[i]);
    return gradients != 0;
}

#define AT(member) offsetof(sqa_layer_shape, layer.member)

const sqa_shape_field sqa_layer_size_fields[] = {
    {"dmodel", "d_model", "width of X and Y", SQA_FIELD_COUNT, .offset = AT(d_model), .least = 1,
     .most = SQA_MAX_MODEL_DIM},
    {"dcontext", "context_dim", "width of a context that K and V come from (X)", SQA_FIELD_COUNT,
     .offset = AT(context_dim), .least = 1, .most = SQA_MAX_MODEL_DIM, .optional = true},
    {"fused", "fused_qkv", "one matrix projects Q, K and V", SQA_FIELD_FLAG,
     .offset = AT(fused_qkv)},
    {"biases", "biases", "projections have biases", SQA_FIELD_FLAG, .offset = AT(biases)},
    {0},
};

/* Strides of what is no cache are not looked at. */
static bool write_cache(const sqa_attention_desc *desc, const sqa_strides *strides, uint32_t dim,
                        char value[SQA_FIELD_VALUE])
{
    return desc->paged.page_size &&
           sqa_field_write_view(strides, desc->kv_heads, desc->paged.page_size, dim, value);
}
SQA_KEY(kc, sqa_attention_desc, k, sqa_field_read_view,
        write_cache(desc, &desc->k, desc->head_dim, value))
SQA_KEY(vc, sqa_attention_desc, v, sqa_field_read_view,
        write_cache(desc, &desc->v, desc->value_dim ? desc->value_dim : desc->head_dim, value))

const sqa_shape_field sqa_layer_cache_fields[] = {
    {"kc", "k_cache_strides", "strides of the keys' cache, PAGE:HEAD:TOKEN in elements",
     SQA_FIELD_OWN, .together_with = "page", .read = read_kc, .write = write_kc},
    {"vc", "v_cache_strides", "strides of the values' cache, likewise", SQA_FIELD_OWN,
     .together_with = "page", .read = read_vc, .write = write_vc},
    {"hadamard", "hadamard", "Q, and K in the cache, go through Hadamard matrices", SQA_FIELD_FLAG,
     .offset = AT(hadamard), .together_with = "page"},
    {0},
};

SQA_FLOAT_KEY(ropebase, sqa_layer_shape, layer.rope_base, 10000.0f)
SQA_FLOAT_KEY(qkeps, sqa_layer_shape, layer.qk_norm_eps, 1e-5f)

static sqa_status read_ropedim(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    if (sqa_read_count(value, 0, SQA_MAX_HEAD_DIM,
                       &((sqa_layer_shape *)descriptor)->layer.rope_dim))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "ropedim is '%.60s'; expected an even number from 0 to %u", value,
                    SQA_MAX_HEAD_DIM);
}

static bool write_ropedim(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_layer_shape *shape = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u", shape->layer.rope_dim);
    return shape->layer.rope && shape->layer.rope_dim != shape->attention.head_dim / 2 * 2;
}

static const char *const rope_words[] = {"none", "interleaved", "half", NULL};

const sqa_shape_field sqa_layer_position_fields[] = {
    {"rope", "rope", "positions of Q and K: none (default), interleaved or half", SQA_FIELD_WORD,
     .offset = AT(rope), .words = rope_words},
    {"ropebase", "rope_base", "base of the frequencies (10000)", SQA_FIELD_OWN, .number = true,
     .together_with = "rope", .read = read_ropebase, .write = write_ropebase},
    {"ropedim", "rope_dim", "elements of a head that are turned (all)", SQA_FIELD_OWN,
     .number = true, .together_with = "rope", .read = read_ropedim, .write = write_ropedim},
    {"ropeoffset", "rope_offset", "position of the first row (0)", SQA_FIELD_COUNT,
     .offset = AT(rope_offset), .most = 1u << 30, .optional = true, .together_with = "rope"},
    {"positions", "positions", "a tensor of positions", SQA_FIELD_FLAG, .offset = AT(positions),
     .together_with = "rope"},
    {"qknorm", "qk_norm", "heads of Q and K are normalised", SQA_FIELD_FLAG, .offset = AT(qk_norm)},
    {"qkeps", "qk_norm_eps", "of the norm, above 0 (1e-5)", SQA_FIELD_OWN, .number = true,
     .together_with = "qknorm", .read = read_qkeps, .write = write_qkeps},
    {"gate", "gate", "O is gated on its way to Wo", SQA_FIELD_FLAG, .offset = AT(gate)},
    {0},
};

const sqa_shape_field sqa_layer_kind_fields[] = {
    {"linear", "linear", "attention is linear", SQA_FIELD_FLAG,
     .offset = offsetof(sqa_layer_shape, is_linear)},
    {"wdecay", "project_decay", "decays follow from X", SQA_FIELD_FLAG, .offset = AT(project_decay),
     .together_with = "linear"},
    {"wbeta", "project_beta", "betas follow from X", SQA_FIELD_FLAG, .offset = AT(project_beta),
     .together_with = "linear"},
    {0},
};

const sqa_shape_field sqa_layer_keep_fields[] = {
    {"keep", "keep", "writes what a backward pass reads", SQA_FIELD_FLAG, .offset = AT(keep)},
    {0},
};

const sqa_shape_field sqa_layer_gradient_fields[] = {
    {"grads", "gradients", "of what: x, context, wq, wo, bias ..., such as wq+wo (all)",
     SQA_FIELD_OWN, .read = read_grads, .write = write_grads},
    {"accumulate", "accumulate", "gradients of parameters are added to what is there",
     SQA_FIELD_FLAG, .offset = offsetof(sqa_layer_shape, backward.accumulate)},
    {0},
};

const sqa_shape_field_need sqa_layer_needs[] = {
    {"hq,variant", "the heads are missing; expected hq=1..65535 or variant=NAME,h=H"},
    {"n,nq", "the length is missing; expected n or nq from 0 to 1073741824"},
    {"dmodel", "dmodel is missing; expected a number from 1 to 16777216"},
    {0},
};

static sqa_status make(sqa_problem *out, sqa_operation operation, const sqa_layer_desc *desc,
                       const sqa_layer_backward_options *backward)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = operation;
    sqa_status status = sqa_layer_from_desc(&problem.of.layer, desc, backward);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

sqa_status sqa_problem_from_layer(sqa_problem *out, const sqa_layer_desc *desc)
{
    return make(out, SQA_OPERATION_LAYER, desc, NULL);
}

sqa_status sqa_problem_from_layer_backward(sqa_problem *out, const sqa_layer_desc *desc,
                                           const sqa_layer_backward_options *backward)
{
    static const sqa_layer_backward_options usual = SQA_LAYER_BACKWARD_OPTIONS_INIT;
    return make(out, SQA_OPERATION_LAYER_BACKWARD, desc, backward ? backward : &usual);
}

void sqa_layer_start(void *descriptor)
{
    *(sqa_layer_shape *)descriptor =
        (sqa_layer_shape){SQA_ATTENTION_DESC_INIT, SQA_LINEAR_OPTIONS_INIT, SQA_LAYER_DESC_INIT, 0,
                          SQA_LAYER_BACKWARD_OPTIONS_INIT};
}

static_assert(offsetof(sqa_layer_shape, linear) == offsetof(sqa_linear_desc, options),
              "the keys of linear attention are written there");

static bool has_linear_keys(const sqa_linear_options *o)
{
    const sqa_strides *d = &o->decay_strides, *b = &o->beta_strides;
    return o->feature || o->decay || o->delta || o->normalise || o->state || d->batch || d->head ||
           d->sequence || b->batch || b->head || b->sequence;
}

sqa_status sqa_layer_shape_desc(const sqa_layer_shape *shape, sqa_layer_desc *out)
{
    *out = shape->layer;
    out->attention = &shape->attention;
    out->linear = shape->is_linear ? &shape->linear : NULL;
    if (!shape->is_linear && has_linear_keys(&shape->linear))
        return sqa_fail(SQA_INVALID_ARGUMENT, "feature, decay, delta, normalise, state, sdecay and "
                                              "sbeta of a layer go with linear only");
    return SQA_OK;
}

sqa_status sqa_layer_settle(const void *descriptor, sqa_problem *out)
{
    sqa_layer_desc desc;
    sqa_status status = sqa_layer_shape_desc(descriptor, &desc);
    return status == SQA_OK ? sqa_problem_from_layer(out, &desc) : status;
}

sqa_status sqa_layer_backward_settle(const void *descriptor, sqa_problem *out)
{
    sqa_layer_desc desc;
    sqa_status status = sqa_layer_shape_desc(descriptor, &desc);
    return status == SQA_OK ? sqa_problem_from_layer_backward(
                                  out, &desc, &((const sqa_layer_shape *)descriptor)->backward)
                            : status;
}

void sqa_layer_describe(const sqa_problem *problem, void *descriptor)
{
    sqa_layer_shape *shape = descriptor;
    sqa_layer_to_desc(&problem->of.layer, &shape->layer, &shape->attention, &shape->linear,
                      &shape->backward);
    shape->is_linear = problem->of.layer.is_linear;
}
