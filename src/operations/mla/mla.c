/* Multi-head latent attention (include/sqa_cl/mla.h): a recipe of products, norms, RoPE and
 * attention. */
#include <string.h>

#include "operations/attention/slots.h"
#include "operations/entries.h"
#include "operations/mla/slots.h"
#include "operations/problem_class.h"
#include "operations/tensors.h"
#include "operations/tolerances.h"

static const sqa_shape_field *const fields[] = {sqa_mla_fields, NULL};

sqa_status sqa_problem_from_mla(sqa_problem *out, const sqa_mla_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_MLA_LAYER;
    sqa_status status = sqa_mla_from_desc(&problem.of.mla, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static void start(void *descriptor)
{
    *(sqa_mla_desc *)descriptor = (sqa_mla_desc)SQA_MLA_DESC_INIT;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_mla(out, descriptor);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_mla_to_desc(&problem->of.mla, descriptor);
}

#define NUMBER_OF(name, expression)                                                                \
    static uint32_t name(const sqa_problem *problem)                                               \
    {                                                                                              \
        const sqa_mla_pass *m = &problem->of.mla;                                                  \
        return expression;                                                                         \
    }
NUMBER_OF(dtype_of, sqa_stored_word(m->dtype, m->kv_dtype))
NUMBER_OF(form_of, m->absorbed)
NUMBER_OF(rank_of, m->kv_lora_rank)
NUMBER_OF(nope_of, m->nope_dim)
NUMBER_OF(rope_of, m->rope_dim)
NUMBER_OF(value_dim_of, m->value_dim)
NUMBER_OF(heads_of, sqa_bucket(m->heads))
NUMBER_OF(rows_of, sqa_bucket(sqa_mla_rows(m)))
NUMBER_OF(kv_of, sqa_bucket(m->absorbed ? m->capacity : m->length))

static const char *const forms[] = {"full", "absorbed", NULL};

static const sqa_class_part class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_stored_words, dtype_of},
    {"form", SQA_CLASS_WORD, 0, 0, forms, form_of},
    {"rank", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, rank_of},
    {"nope", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, nope_of},
    {"rope", SQA_CLASS_COUNT, 2, SQA_MAX_HEAD_DIM, NULL, rope_of},
    {"dv", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, value_dim_of},
    {"heads", SQA_CLASS_BUCKET, 0, 63, NULL, heads_of},
    {"kv", SQA_CLASS_BUCKET, 0, 63, NULL, kv_of},
    {"rows", SQA_CLASS_BUCKET, 0, 63, NULL, rows_of},
    {0},
};

/* As attention to the cache has them. */
static sqa_problem attention_of(const sqa_problem *problem)
{
    const sqa_mla_pass *m = &problem->of.mla;
    sqa_problem out;
    memset(&out, 0, sizeof out);
    out.of.attention.batch = m->batch;
    out.of.attention.q_length = m->length;
    out.of.attention.q_total = m->total;
    out.of.attention.kv_length = sqa_mla_has_cache(m) ? m->capacity : m->length;
    out.of.attention.paged = m->paged;
    return out;
}

#define FILL(name)                                                                                 \
    static void fill_##name(const sqa_problem *problem, uint64_t count, bool shuffled,             \
                            sqa_random *random, void *out)                                         \
    {                                                                                              \
        const sqa_problem attention = attention_of(problem);                                       \
        sqa_fill_##name(&attention, count, shuffled, random, out);                                 \
    }
FILL(q_starts)
FILL(kv_lengths)
FILL(block_table)

#define SLOT(tensor, how) .name = #tensor, .use = how, .member = offsetof(sqa_mla_tensors, tensor)
#define INPUT(tensor) SLOT(tensor, SQA_SLOT_INPUT)
#define WEIGHT .low = -0.25f, .high = 0.25f

static const sqa_tensor_slot slots[SQA_MLA_SLOTS] = {
    [SQA_MLA_X] = {INPUT(x), SQA_UNIT_INPUT},
    [SQA_MLA_WDQ] = {INPUT(wdq), WEIGHT},
    [SQA_MLA_Q_NORM] = {INPUT(q_norm), .low = 0.5f, .high = 1.5f},
    [SQA_MLA_WUQ] = {INPUT(wuq), WEIGHT},
    [SQA_MLA_WDKV] = {INPUT(wdkv), WEIGHT},
    [SQA_MLA_KV_NORM] = {INPUT(kv_norm), .low = 0.5f, .high = 1.5f},
    [SQA_MLA_WUK] = {INPUT(wuk), WEIGHT},
    [SQA_MLA_WUV] = {INPUT(wuv), WEIGHT},
    [SQA_MLA_WO] = {INPUT(wo), WEIGHT},
    [SQA_MLA_BLOCK_TABLE] = {INPUT(block_table), .fill = fill_block_table},
    [SQA_MLA_KV_LENGTHS] = {INPUT(kv_lengths), .fill = fill_kv_lengths},
    [SQA_MLA_CU_SEQLENS] = {INPUT(cu_seqlens), .fill = fill_q_starts},
    [SQA_MLA_CACHE] = {SLOT(cache, SQA_SLOT_OUTPUT), SQA_UNIT_INPUT},
    [SQA_MLA_Y] = {SLOT(y, SQA_SLOT_OUTPUT)},
};

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_mla_pass *m = &problem->of.mla;
    const uint32_t rows = sqa_mla_rows(m), latent = sqa_mla_latent(m), model = m->d_model;
    const bool cached = sqa_mla_has_cache(m), down = m->q_lora_rank > 0;
    const sqa_element own = (sqa_element)m->dtype, kept = (sqa_element)m->kv_dtype;
    const struct {
        bool present;
        sqa_element element;
        uint32_t matrices, rows, columns;
    } all[SQA_MLA_SLOTS] = {
        [SQA_MLA_X] = {true, own, 1, rows, model},
        [SQA_MLA_WDQ] = {down, own, 1, model, m->q_lora_rank},
        [SQA_MLA_Q_NORM] = {down, own, 1, 1, m->q_lora_rank},
        [SQA_MLA_WUQ] = {true, own, 1, down ? m->q_lora_rank : model, m->heads * sqa_mla_query(m)},
        [SQA_MLA_WDKV] = {true, own, 1, model, latent},
        [SQA_MLA_KV_NORM] = {true, own, 1, 1, m->kv_lora_rank},
        [SQA_MLA_WUK] = {true, own, 1, m->kv_lora_rank, m->heads * m->nope_dim},
        [SQA_MLA_WUV] = {true, own, 1, m->kv_lora_rank, m->heads * m->value_dim},
        [SQA_MLA_WO] = {true, own, 1, m->heads * m->value_dim, model},
        [SQA_MLA_BLOCK_TABLE] = {cached, SQA_ELEMENT_INT, 1, 1, m->batch * sqa_mla_table_row(m)},
        [SQA_MLA_KV_LENGTHS] = {cached || m->ragged, SQA_ELEMENT_INT, 1, 1, m->batch},
        [SQA_MLA_CU_SEQLENS] = {m->ragged, SQA_ELEMENT_INT, 1, 1, m->batch + 1},
        [SQA_MLA_CACHE] = {cached, kept, m->paged.pages, m->paged.page_size, latent},
        [SQA_MLA_Y] = {true, own, 1, rows, model},
    };
    if (slot >= SQA_MLA_SLOTS || !all[slot].present)
        return false;
    const int64_t matrix = (int64_t)all[slot].rows * all[slot].columns;
    *out = (sqa_tensor_shape){all[slot].element,  {matrix, matrix, all[slot].columns},
                              all[slot].matrices, 1,
                              all[slot].rows,     all[slot].columns};
    return true;
}

/* Without room nobody looks for pages. */
static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    const bool of_pages = slot == SQA_MLA_BLOCK_TABLE || slot == SQA_MLA_CACHE;
    return !of_pages || problem->of.mla.capacity > 0;
}

static bool is_updated(const sqa_problem *problem, uint32_t slot)
{
    (void)problem;
    return slot == SQA_MLA_CACHE;
}

static bool is_nothing(const sqa_problem *problem)
{
    return sqa_mla_rows(&problem->of.mla) == 0 || problem->of.mla.batch == 0 ||
           problem->of.mla.length == 0;
}

/* Of the products, and of attention to half of its own rows, or to all of a cache. */
static double flop(const sqa_problem *problem)
{
    const sqa_mla_pass *m = &problem->of.mla;
    const double rows = sqa_mla_rows(m), heads = m->heads, model = m->d_model;
    const double q = heads * sqa_mla_query(m), v = heads * m->value_dim, rank = m->kv_lora_rank;
    const double to_q = m->q_lora_rank ? (model + q) * m->q_lora_rank : model * q;
    const double up = heads * rank * (m->nope_dim + m->value_dim);
    const double pair = m->absorbed ? sqa_mla_latent(m) + rank : sqa_mla_query(m) + m->value_dim;
    const double keys = m->absorbed ? m->capacity : 0.5 * m->length;
    return 2.0 * rows * (to_q + model * sqa_mla_latent(m) + up + heads * keys * pair + v * model);
}

/* Half a dozen roundings between X and Y are each one of the f16 and bf16 tolerances of others; of
 * a latent it is two. Quantised numbers may be off by a step where rounding before decides. */
static const sqa_tolerance tolerances[] = {
    {SQA_MLA_Y, SQA_ELEMENT_F32, .rms = 1e-5, .max = 4e-5, .max_of = SQA_MLA_Y},
    {SQA_MLA_Y, SQA_ELEMENT_F16, .rms = 2.5e-3, .max = 8e-3, .max_of = SQA_MLA_Y},
    {SQA_MLA_Y, SQA_ELEMENT_BF16, .rms = 2e-2, .max = 6.4e-2, .max_of = SQA_MLA_Y},
    {SQA_MLA_CACHE, SQA_ELEMENT_F32, .rms = 1e-5, .max = 2e-5, .max_of = SQA_MLA_CACHE},
    {SQA_MLA_CACHE, SQA_ELEMENT_F16, .rms = 8e-4, .max = 2e-3, .max_of = SQA_MLA_CACHE},
    {SQA_MLA_CACHE, SQA_ELEMENT_BF16, .rms = 6e-3, .max = 1.6e-2, .max_of = SQA_MLA_CACHE},
    {SQA_MLA_CACHE, SQA_ELEMENT_INT8, .rms = 4e-3, .max = 8e-3, .max_of = SQA_MLA_CACHE},
    {SQA_MLA_CACHE, SQA_ELEMENT_INT4, .rms = 4e-2, .max = 0.135, .max_of = SQA_MLA_CACHE},
};

const sqa_operation_entry sqa_operation_mla_layer = {
    .id = SQA_OPERATION_MLA_LAYER,
    .name = "mla_layer",
    .summary = "multi-head latent attention with its projections, in full or absorbed",
    .fields = fields,
    .needs = sqa_mla_needs,
    .descriptor_bytes = sizeof(sqa_mla_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = class_parts,
    .tensors = {SQA_MLA_TENSORS_VERSION, offsetof(sqa_mla_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_MLA_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_updated = is_updated,
    .is_nothing = is_nothing,
    .flop = flop,
    .groups = sqa_mla_groups,
    .tolerances = tolerances,
    .tolerance_count = sizeof tolerances / sizeof *tolerances,
    .recipe = sqa_mla_recipe,
};
