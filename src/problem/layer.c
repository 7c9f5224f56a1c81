#include "problem/layer.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/checks.h"
#include "problem/groups.h"
#include "problem/names.h"

#define MOST_ROWS (1u << 30)

uint32_t sqa_layer_q_rows(const sqa_layer_pass *layer)
{
    const sqa_attention *a = &layer->attention;
    return a->mask & SQA_MASK_RAGGED ? a->q_total : a->batch * a->q_length;
}

uint32_t sqa_layer_kv_rows(const sqa_layer_pass *layer)
{
    const sqa_attention *a = &layer->attention;
    if (sqa_layer_has_cache(layer))
        return sqa_layer_q_rows(layer);
    return a->mask & SQA_MASK_RAGGED ? a->kv_total : a->batch * a->kv_length;
}

uint32_t sqa_layer_q_columns(const sqa_layer_pass *layer)
{
    return layer->attention.q_heads * layer->attention.head_dim;
}

uint32_t sqa_layer_k_columns(const sqa_layer_pass *layer)
{
    return layer->attention.kv_heads * layer->attention.head_dim;
}

uint32_t sqa_layer_v_columns(const sqa_layer_pass *layer)
{
    return layer->attention.kv_heads * layer->attention.value_dim;
}

uint32_t sqa_layer_o_columns(const sqa_layer_pass *layer)
{
    return layer->attention.out_heads * layer->attention.value_dim;
}

uint32_t sqa_layer_decay_columns(const sqa_layer_pass *layer)
{
    return layer->attention.kv_heads * sqa_linear_decay_dim(&layer->linear);
}

uint32_t sqa_layer_all_gradients(const sqa_layer_pass *layer)
{
    const struct {
        bool present;
        uint32_t gradients;
    } parts[] = {
        {true, SQA_LAYER_GRADIENT_X | SQA_LAYER_GRADIENT_WO},
        {layer->context_dim > 0, SQA_LAYER_GRADIENT_CONTEXT},
        {layer->fused_qkv, SQA_LAYER_GRADIENT_WQKV},
        {!layer->fused_qkv, SQA_LAYER_GRADIENT_WQ | SQA_LAYER_GRADIENT_WK | SQA_LAYER_GRADIENT_WV},
        {layer->biases, SQA_LAYER_GRADIENT_BO},
        {layer->biases && layer->fused_qkv, SQA_LAYER_GRADIENT_BQKV},
        {layer->biases && !layer->fused_qkv,
         SQA_LAYER_GRADIENT_BQ | SQA_LAYER_GRADIENT_BK | SQA_LAYER_GRADIENT_BV},
        {layer->attention.score & SQA_SCORE_BIAS, SQA_LAYER_GRADIENT_BIAS},
        {layer->attention.score & SQA_SCORE_SINKS, SQA_LAYER_GRADIENT_SINKS},
        {layer->attention.score & SQA_SCORE_SLOPES, SQA_LAYER_GRADIENT_SLOPES},
        {layer->gate, SQA_LAYER_GRADIENT_WG},
        {layer->gate && layer->biases, SQA_LAYER_GRADIENT_BG},
        {layer->qk_norm, SQA_LAYER_GRADIENT_Q_NORM | SQA_LAYER_GRADIENT_K_NORM},
        {layer->linear.decay && !layer->project_decay, SQA_LAYER_GRADIENT_DECAY},
        {layer->linear.delta && !layer->project_beta, SQA_LAYER_GRADIENT_BETA},
        {layer->project_decay, SQA_LAYER_GRADIENT_WDECAY},
        {layer->project_decay && layer->biases, SQA_LAYER_GRADIENT_BDECAY},
        {layer->project_beta, SQA_LAYER_GRADIENT_WBETA},
        {layer->project_beta && layer->biases, SQA_LAYER_GRADIENT_BBETA},
        {sqa_linear_starts(&layer->linear), SQA_LAYER_GRADIENT_STATE_IN},
        {sqa_linear_starts(&layer->linear) && layer->linear.normalise, SQA_LAYER_GRADIENT_SUMS_IN},
    };
    uint32_t all = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        all |= parts[i].present ? parts[i].gradients : 0;
    return all;
}

sqa_layer_desc sqa_layer_desc_read(const sqa_layer_desc *desc)
{
    sqa_layer_desc read = SQA_LAYER_DESC_INIT;
    static const size_t bytes[SQA_LAYER_DESC_VERSION + 1] = {
        [1] = offsetof(sqa_layer_desc, linear),
        [2] = offsetof(sqa_layer_desc, hadamard),
        [3] = sizeof(sqa_layer_desc),
    };
    const bool known = desc->version <= SQA_LAYER_DESC_VERSION;
    memcpy(&read, desc, bytes[known ? desc->version : SQA_LAYER_DESC_VERSION]);
    read.version = desc->version;
    return read;
}

static sqa_status check_numbers(const sqa_layer_desc *desc)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } numbers[] = {
        {"desc.d_model", desc->d_model, 1, SQA_MAX_MODEL_DIM},
        {"desc.context_dim", desc->context_dim, 0, SQA_MAX_MODEL_DIM},
        {"desc.fused_qkv", desc->fused_qkv, 0, 1},
        {"desc.biases", desc->biases, 0, 1},
        {"desc.keep", desc->keep, 0, 1},
        {"desc.rope", (uint32_t)desc->rope, 0, SQA_LAYER_ROPE_HALF},
        {"desc.rope_offset", desc->rope_offset, 0, MOST_ROWS},
        {"desc.positions", desc->positions, 0, 1},
        {"desc.qk_norm", desc->qk_norm, 0, 1},
        {"desc.gate", desc->gate, 0, 1},
        {"desc.hadamard", desc->hadamard, 0, 1},
    };
    sqa_status status = sqa_check_version("desc.version", desc->version, SQA_LAYER_DESC_VERSION);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == SQA_OK; i++)
        status =
            sqa_check_range(numbers[i].name, numbers[i].value, numbers[i].least, numbers[i].most);
    if (status == SQA_OK && desc->fused_qkv && desc->context_dim > 0)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.fused_qkv: must be 0 with desc.context_dim");
    if (status == SQA_OK && !desc->attention)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.attention: must not be NULL");
    return status;
}

/* Lengths multiplied, which a product has to count. */
static sqa_status check_rows(const sqa_layer_pass *layer)
{
    const sqa_attention *a = &layer->attention;
    const bool cached = sqa_layer_has_cache(layer);
    if ((uint64_t)a->batch * a->q_length > MOST_ROWS ||
        (!cached && (uint64_t)a->batch * a->kv_length > MOST_ROWS))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.attention: a batch of %u with lengths of %u and %u; expected at most "
                        "2^30 rows",
                        a->batch, a->q_length, a->kv_length);
    if (!layer->context_dim && !cached &&
        (a->q_length != a->kv_length || sqa_layer_q_rows(layer) != sqa_layer_kv_rows(layer)))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.attention.kv_length: %u, of %u rows; without a context it is "
                        "q_length, %u, of %u rows",
                        a->kv_length, sqa_layer_kv_rows(layer), a->q_length,
                        sqa_layer_q_rows(layer));
    return SQA_OK;
}

/* What rope.h and norm.h check of themselves is checked here, by its name in the layer. */
static sqa_status set_positions(sqa_layer_pass *layer, const sqa_layer_desc *desc)
{
    const uint32_t dim = layer->attention.head_dim;
    const bool ragged = layer->attention.mask & SQA_MASK_RAGGED;
    if (!desc->rope)
        return desc->positions
                   ? sqa_fail(SQA_INVALID_ARGUMENT, "desc.positions: must be 0 without desc.rope")
                   : SQA_OK;
    if (desc->context_dim)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.rope: must be 0 with desc.context_dim");
    if (ragged && !desc->positions && !sqa_layer_has_cache(layer))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.positions: must be 1 with desc.rope in a ragged batch");
    if (desc->rope_offset && sqa_layer_has_cache(layer))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.rope_offset: %u; must be 0 with a cache, which says where rows stand",
                        desc->rope_offset);
    if (!isfinite(desc->rope_base) || desc->rope_base < 1.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.rope_base: must be finite, and 1 or more");
    if (desc->rope_dim != SQA_NOT_SET && (desc->rope_dim > dim || desc->rope_dim % 2 != 0))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.rope_dim: %u is not an even number within 0..%u, the head dimension",
                        desc->rope_dim, dim);
    layer->rope = desc->rope;
    layer->rope_base = desc->rope_base;
    layer->rope_dim = desc->rope_dim == SQA_NOT_SET ? dim / 2 * 2 : desc->rope_dim;
    layer->rope_offset = desc->positions ? 0 : desc->rope_offset;
    layer->positions = desc->positions;
    return SQA_OK;
}

static sqa_status set_norm(sqa_layer_pass *layer, const sqa_layer_desc *desc)
{
    if (!desc->qk_norm)
        return SQA_OK;
    layer->qk_norm = 1;
    layer->qk_norm_eps = desc->qk_norm_eps;
    return isfinite(desc->qk_norm_eps) && desc->qk_norm_eps > 0.0f
               ? SQA_OK
               : sqa_fail(SQA_INVALID_ARGUMENT, "desc.qk_norm_eps: must be finite, and above 0");
}

sqa_layer_rows sqa_layer_rows_of(const sqa_layer_pass *layer, bool keys)
{
    const sqa_attention *a = &layer->attention;
    keys = keys && !sqa_layer_has_cache(layer);
    if (a->mask & SQA_MASK_RAGGED)
        return (sqa_layer_rows){1, keys ? a->kv_total : a->q_total};
    return (sqa_layer_rows){a->batch, keys ? a->kv_length : a->q_length};
}

/* Of Q, K and V side by side; lengths of all three are the same. */
static sqa_strides fused_strides(const sqa_layer_pass *layer, uint32_t dim)
{
    const int64_t row = (int64_t)sqa_layer_q_columns(layer) + sqa_layer_k_columns(layer) +
                        sqa_layer_v_columns(layer);
    return (sqa_strides){row * layer->attention.q_length, dim, row};
}

/* Rows of all heads, or with fused_qkv of Q, K and V. */
sqa_strides sqa_layer_projected_strides(const sqa_layer_pass *layer, uint32_t number)
{
    const sqa_attention *a = &layer->attention;
    const bool keys = number > 0 && !sqa_layer_has_cache(layer);
    const uint32_t dim = number == 2 ? a->value_dim : a->head_dim;
    return layer->fused_qkv ? fused_strides(layer, dim)
                            : sqa_strides_bshd(number ? a->kv_heads : a->q_heads,
                                               keys ? a->kv_length : a->q_length, dim);
}

sqa_strides sqa_layer_strides(const sqa_layer_pass *layer, uint32_t number)
{
    sqa_layer_pass apart = *layer;
    apart.fused_qkv = layer->fused_qkv && (number == 2 || !layer->qk_norm);
    return sqa_layer_projected_strides(&apart, number);
}

static sqa_status set_strides(sqa_layer_pass *layer)
{
    const sqa_attention *a = &layer->attention;
    sqa_attention_desc desc;
    sqa_attention_to_desc(a, &desc);
    desc.q = sqa_layer_strides(layer, 0);
    desc.o = sqa_strides_bshd(a->out_heads, a->q_length, a->value_dim);
    if (!sqa_layer_has_cache(layer)) {
        desc.k = sqa_layer_strides(layer, 1);
        desc.v = sqa_layer_strides(layer, 2);
    }
    sqa_status status = sqa_attention_from_desc(&layer->attention, &desc);
    if (layer->is_linear)
        memcpy(&layer->linear.attention, &layer->attention, sizeof layer->attention);
    return status;
}

static bool is_packed(const sqa_strides *strides)
{
    return !strides->batch && !strides->head && !strides->sequence;
}

/* What decay and beta that follow from X need. */
static sqa_status check_projected(const sqa_layer_desc *desc, const sqa_linear_options *linear)
{
    const struct {
        const char *field, *needs;
        uint32_t value;
        bool allowed;
    } fields[] = {
        {"desc.project_decay", "desc.linear->decay SQA_DECAY_TOKEN or SQA_DECAY_CHANNEL, packed",
         desc->project_decay,
         linear && linear->decay >= SQA_DECAY_TOKEN && is_packed(&linear->decay_strides)},
        {"desc.project_beta", "desc.linear->delta, and beta packed", desc->project_beta,
         linear && linear->delta && is_packed(&linear->beta_strides)},
    };
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && status == SQA_OK; i++) {
        status = sqa_check_range(fields[i].field, fields[i].value, 0, 1);
        if (status == SQA_OK && fields[i].value && !fields[i].allowed)
            status = sqa_fail(SQA_INVALID_ARGUMENT, "%s: 1 needs %s; expected 0", fields[i].field,
                              fields[i].needs);
        if (status == SQA_OK && fields[i].value && desc->context_dim)
            status = sqa_fail(SQA_INVALID_ARGUMENT, "%s: must be 0 with desc.context_dim",
                              fields[i].field);
    }
    return status;
}

/* As their projections leave them, token by token. */
static void lay_out_projected(sqa_layer_pass *layer)
{
    sqa_linear *linear = &layer->linear;
    const uint32_t heads = linear->attention.kv_heads;
    const uint32_t tokens = sqa_linear_tokens(linear);
    const bool ragged = linear->attention.mask & SQA_MASK_RAGGED;
    if (layer->project_decay)
        linear->decay_strides = sqa_strides_bshd(heads, tokens, sqa_linear_decay_dim(linear));
    if (layer->project_beta)
        linear->beta_strides = sqa_strides_bshd(heads, tokens, 1);
    if (ragged)
        linear->decay_strides.batch = linear->beta_strides.batch = 0;
}

/* The attention, as softmax or linear attention reads its descriptor. */
static sqa_status set_attention(sqa_layer_pass *layer, const sqa_attention_desc *desc,
                                const sqa_linear_options *linear, bool backward)
{
    if (!linear)
        return sqa_attention_from_desc(&layer->attention, desc);
    if (backward && linear->state == SQA_STATE_IN_PLACE)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.linear.state: SQA_STATE_IN_PLACE leaves no first state for "
                        "gradients; expected 0..3");
    sqa_status status = sqa_linear_from_desc(&layer->linear, desc, linear);
    layer->is_linear = 1;
    lay_out_projected(layer);
    memcpy(&layer->attention, &layer->linear.attention, sizeof layer->attention);
    return status;
}

static sqa_status set_gradients(sqa_layer_pass *layer, const sqa_layer_backward_options *backward)
{
    const uint32_t all = sqa_layer_all_gradients(layer);
    sqa_status status = sqa_check_version("backward.version", backward->version,
                                          SQA_LAYER_BACKWARD_OPTIONS_VERSION);
    if (status == SQA_OK)
        status = sqa_check_range("backward.accumulate", backward->accumulate, 0, 1);
    if (status == SQA_OK && backward->gradients & ~all)
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "backward.gradients: %u; expected some of the bits %u, which are what "
                          "this layer has gradients of",
                          backward->gradients, all);
    layer->gradients = backward->gradients ? backward->gradients : all;
    layer->accumulate = backward->accumulate;
    return status;
}

/* What a cache rules out, and what only one allows. */
static sqa_status check_cache(const sqa_layer_pass *layer, const sqa_layer_desc *desc,
                              bool backward)
{
    const sqa_attention *a = &layer->attention;
    if (a->kv_dtype != a->dtype && !sqa_layer_has_cache(layer))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.attention.kv_dtype: %s; must be dtype (%s) without a cache "
                        "(desc.attention.paged)",
                        sqa_kv_dtype_name(a->kv_dtype), sqa_dtype_name(a->dtype));
    if (a->kv_dtype != a->dtype && a->dtype != SQA_DTYPE_F32 &&
        !sqa_dtype_is_quantised(a->kv_dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.attention.kv_dtype: %s; expected %s, int8 or int4 in the cache of a "
                        "layer of that",
                        sqa_kv_dtype_name(a->kv_dtype), sqa_dtype_name(a->dtype));
    if (!sqa_layer_has_cache(layer))
        return desc->hadamard
                   ? sqa_fail(SQA_INVALID_ARGUMENT, "desc.hadamard: must be 0 without a cache "
                                                    "(desc.attention.paged)")
                   : SQA_OK;
    if (backward || desc->keep)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.attention.paged: a layer with a cache has no gradients, and keeps "
                        "nothing for any");
    if (desc->context_dim)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.context_dim: must be 0 with a cache (desc.attention.paged)");
    sqa_status status = sqa_check_range("desc.attention.batch", a->batch, 0, 65535);
    if (status == SQA_OK)
        status = sqa_check_no_overlap("desc.attention.k", &a->k, a->paged.pages, a->kv_heads,
                                      a->paged.page_size, a->head_dim);
    return status == SQA_OK ? sqa_check_no_overlap("desc.attention.v", &a->v, a->paged.pages,
                                                   a->kv_heads, a->paged.page_size, a->value_dim)
                            : status;
}

sqa_status sqa_layer_from_desc(sqa_layer_pass *out, const sqa_layer_desc *given,
                               const sqa_layer_backward_options *backward)
{
    static const sqa_strides packed = {0, 0, 0};
    sqa_layer_pass layer;
    memset(&layer, 0, sizeof layer);
    if (!given)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    const sqa_layer_desc read = sqa_layer_desc_read(given), *desc = &read;
    sqa_status status = check_numbers(desc);
    if (status != SQA_OK)
        return status;
    sqa_attention_desc attention = sqa_attention_desc_read(desc->attention);
    const bool paged = attention.paged.page_size > 0;
    attention.q = attention.o = packed;
    if (!paged)
        attention.k = attention.v = packed;
    const sqa_linear_options *linear = desc->linear;
    attention.write_lse = !linear && (backward || desc->keep);
    if (desc->version >= 3)
        status = check_projected(desc, linear);
    if (status != SQA_OK)
        return status;
    layer.project_decay = desc->version >= 3 ? desc->project_decay : 0;
    layer.project_beta = desc->version >= 3 ? desc->project_beta : 0;
    status = set_attention(&layer, &attention, linear, backward);
    layer.d_model = desc->d_model;
    layer.context_dim = desc->context_dim;
    layer.fused_qkv = desc->fused_qkv;
    layer.biases = desc->biases;
    layer.keep = backward || desc->keep;
    layer.gate = desc->gate;
    layer.hadamard = desc->hadamard;
    if (status == SQA_OK)
        status = check_cache(&layer, desc, backward);
    if (status == SQA_OK)
        status = sqa_check_full_products("desc.attention.products", &layer.attention);
    if (status == SQA_OK)
        status = set_positions(&layer, desc);
    if (status == SQA_OK)
        status = set_norm(&layer, desc);
    if (status == SQA_OK)
        status = check_rows(&layer);
    if (status == SQA_OK)
        status = set_strides(&layer);
    if (status == SQA_OK && backward)
        status = set_gradients(&layer, backward);
    if (status == SQA_OK)
        memcpy(out, &layer, sizeof layer);
    return status;
}

void sqa_layer_to_desc(const sqa_layer_pass *layer, sqa_layer_desc *desc,
                       sqa_attention_desc *attention, sqa_linear_options *linear,
                       sqa_layer_backward_options *backward)
{
    *desc = (sqa_layer_desc)SQA_LAYER_DESC_INIT;
    *backward = (sqa_layer_backward_options)SQA_LAYER_BACKWARD_OPTIONS_INIT;
    *linear = (sqa_linear_options)SQA_LINEAR_OPTIONS_INIT;
    sqa_attention_to_desc(&layer->attention, attention);
    if (layer->is_linear)
        sqa_linear_to_desc(&layer->linear, attention, linear);
    if (layer->project_decay)
        linear->decay_strides = (sqa_strides){0, 0, 0};
    if (layer->project_beta)
        linear->beta_strides = (sqa_strides){0, 0, 0};
    desc->project_decay = layer->project_decay;
    desc->project_beta = layer->project_beta;
    desc->attention = attention;
    desc->linear = layer->is_linear ? linear : NULL;
    desc->d_model = layer->d_model;
    desc->context_dim = layer->context_dim;
    desc->fused_qkv = layer->fused_qkv;
    desc->biases = layer->biases;
    desc->keep = layer->keep;
    desc->rope = layer->rope;
    if (layer->rope) {
        desc->rope_base = layer->rope_base;
        desc->rope_dim = layer->rope_dim;
    }
    desc->rope_offset = layer->rope_offset;
    desc->positions = layer->positions;
    desc->qk_norm = layer->qk_norm;
    if (layer->qk_norm)
        desc->qk_norm_eps = layer->qk_norm_eps;
    desc->gate = layer->gate;
    desc->hadamard = layer->hadamard;
    if (layer->gradients != sqa_layer_all_gradients(layer))
        backward->gradients = layer->gradients;
    backward->accumulate = layer->accumulate;
}
