/* Which tensors attention has, and of what shape. */
#include "operations/attention/slots.h"

/* A packed vector of `count` elements. */
static sqa_tensor_shape vector(sqa_element element, uint32_t count)
{
    return (sqa_tensor_shape){element, {count, count, count}, 1, 1, 1, count};
}

/* The rows of all sequences are one sequence as far as memory goes. */
typedef struct extents {
    uint32_t batch, queries, keys;
} extents;

static extents extents_of(const sqa_attention *a)
{
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    return (extents){ragged && a->batch > 1 ? 1 : a->batch, ragged ? a->q_total : a->q_length,
                     sqa_attention_kv_rows(a)};
}

static bool row_tensor(const sqa_attention *a, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_element stored = (sqa_element)a->dtype, kept = (sqa_element)a->kv_dtype;
    const extents e = extents_of(a);
    const uint32_t entries = sqa_attention_kv_entries(a);
    const sqa_strides lse = {(int64_t)a->out_heads * e.queries, e.queries, 1};
    switch (slot) {
    case SQA_SLOT_Q:
        *out = (sqa_tensor_shape){stored, a->q, e.batch, a->q_heads, e.queries, a->head_dim};
        return true;
    case SQA_SLOT_K:
        *out = (sqa_tensor_shape){kept, a->k, entries, a->kv_heads, e.keys, a->head_dim};
        return true;
    case SQA_SLOT_V:
        *out = (sqa_tensor_shape){kept, a->v, entries, a->kv_heads, e.keys, a->value_dim};
        return true;
    case SQA_SLOT_O:
        *out = (sqa_tensor_shape){stored, a->o, e.batch, a->out_heads, e.queries, a->value_dim};
        return true;
    case SQA_SLOT_LSE:
        *out = (sqa_tensor_shape){SQA_ELEMENT_F32, lse, e.batch, a->out_heads, e.queries, 1};
        return a->write_lse;
    default: return false;
    }
}

static bool score_tensor(const sqa_attention *a, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_strides key_mask = {a->kv_length, 0, 0};
    switch (slot) {
    case SQA_SLOT_BIAS:
        *out = (sqa_tensor_shape){
            (sqa_element)a->bias_dtype, a->bias, a->batch, a->out_heads, a->q_length, a->kv_length};
        return a->score & SQA_SCORE_BIAS;
    case SQA_SLOT_MASK:
        *out = (sqa_tensor_shape){SQA_ELEMENT_BYTE, a->pair_mask, a->batch,
                                  a->out_heads,     a->q_length,  a->kv_length};
        return a->mask & SQA_MASK_PAIR;
    case SQA_SLOT_KEY_MASK:
        *out = (sqa_tensor_shape){SQA_ELEMENT_BYTE, key_mask, a->batch, 1, 1, a->kv_length};
        return a->mask & SQA_MASK_KEY;
    case SQA_SLOT_SINKS:
        *out = vector(SQA_ELEMENT_F32, a->out_heads);
        return a->score & SQA_SCORE_SINKS;
    case SQA_SLOT_SLOPES:
        *out = vector(SQA_ELEMENT_F32, a->out_heads);
        return a->score & SQA_SCORE_SLOPES;
    default: return false;
    }
}

static bool index_tensor(const sqa_attention *a, uint32_t slot, sqa_tensor_shape *out)
{
    switch (slot) {
    case SQA_SLOT_GLOBALS:
        *out = vector(SQA_ELEMENT_INT, a->globals.count);
        return a->mask & SQA_MASK_GLOBALS && a->globals.listed;
    case SQA_SLOT_BLOCK_OFFSETS:
        *out = vector(SQA_ELEMENT_INT, (uint32_t)sqa_attention_block_lists(a) + 1);
        return a->mask & SQA_MASK_BLOCKS;
    case SQA_SLOT_BLOCK_INDICES:
        *out = vector(SQA_ELEMENT_INT, a->blocks.entries);
        return a->mask & SQA_MASK_BLOCKS;
    case SQA_SLOT_CU_SEQLENS_Q:
    case SQA_SLOT_CU_SEQLENS_KV:
        *out = vector(SQA_ELEMENT_INT, a->batch + 1);
        return a->mask & SQA_MASK_RAGGED &&
               !(slot == SQA_SLOT_CU_SEQLENS_KV && a->mask & SQA_MASK_PAGED);
    case SQA_SLOT_BLOCK_TABLE:
        *out = vector(SQA_ELEMENT_INT, a->batch * sqa_attention_table_row(a));
        return a->mask & SQA_MASK_PAGED;
    case SQA_SLOT_KV_LENGTHS:
        *out = vector(SQA_ELEMENT_INT, a->batch);
        return a->mask & SQA_MASK_PAGED;
    case SQA_SLOT_DROPOUT_SEED:
        *out = vector(SQA_ELEMENT_INT, 2);
        return a->score & SQA_SCORE_DROPOUT;
    default: return false;
    }
}

bool sqa_attention_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_attention *attention = &problem->of.attention;
    return slot <= SQA_SLOT_LSE      ? row_tensor(attention, slot, out)
           : slot <= SQA_SLOT_SLOPES ? score_tensor(attention, slot, out)
                                     : index_tensor(attention, slot, out);
}

/* Without keys no kernel looks at Q. */
bool sqa_attention_is_touched(const sqa_problem *problem, uint32_t slot)
{
    const bool per_key = slot == SQA_SLOT_Q || slot == SQA_SLOT_K || slot == SQA_SLOT_V ||
                         slot == SQA_SLOT_BIAS || slot == SQA_SLOT_MASK ||
                         slot == SQA_SLOT_KEY_MASK || slot == SQA_SLOT_DROPOUT_SEED ||
                         slot == SQA_SLOT_BLOCK_TABLE;
    return problem->of.attention.kv_length > 0 || !per_key;
}

bool sqa_attention_is_nothing(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return a->batch == 0 || a->q_length == 0 || (a->q_total == 0 && a->mask & SQA_MASK_RAGGED);
}
