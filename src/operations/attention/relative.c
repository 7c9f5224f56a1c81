/* Small siblings of an attention: for checks and warm-ups of its program. */
#include <math.h>

#include "operations/attention/slots.h"

/* At most so long, or just so long. */
static const struct {
    uint32_t q_length, kv_length;
    bool at_most;
} lengths[SQA_RELATIVE_COUNT] = {
    [SQA_RELATIVE_SMALL] = {300, 300, true},
    [SQA_RELATIVE_TAILS] = {131, 293, false},
    [SQA_RELATIVE_SHORT] = {67, 35, false},
};

static uint32_t length_of(uint32_t own, uint32_t asked, bool at_most)
{
    return at_most && own < asked ? own : asked;
}

static void shorten_blocks(sqa_attention *small)
{
    sqa_blocks *blocks = &small->blocks;
    if (!(small->mask & SQA_MASK_BLOCKS))
        return;
    blocks->batch = 1;
    blocks->heads = 1;
    if (blocks->query_size > small->q_length)
        blocks->query_size = small->q_length;
    if (blocks->key_size > small->kv_length && small->kv_length > 0)
        blocks->key_size = small->kv_length;
    blocks->entries =
        sqa_attention_query_blocks(small) * ((sqa_attention_key_blocks(small) + 1) / 2);
}

static void pack(sqa_attention *small)
{
    const uint32_t keys = sqa_attention_kv_rows(small);
    small->q = sqa_strides_bhsd(small->q_heads, small->q_length, small->head_dim);
    small->k = sqa_strides_bhsd(small->kv_heads, keys, small->head_dim);
    small->v = sqa_strides_bhsd(small->kv_heads, keys, small->value_dim);
    small->o = sqa_strides_bhsd(small->out_heads, small->q_length, small->value_dim);
    small->bias = small->pair_mask =
        sqa_strides_bhsd(small->out_heads, small->q_length, small->kv_length);
}

void sqa_attention_relative(const sqa_attention *attention, sqa_relative which, sqa_attention *out)
{
    sqa_attention small = *attention;
    const uint32_t most = small.q_heads < small.kv_heads ? small.q_heads : small.kv_heads;
    const bool ragged = small.mask & SQA_MASK_RAGGED, paged = small.mask & SQA_MASK_PAGED;
    small.batch = 1;
    small.q_heads /= most;
    small.kv_heads /= most;
    small.out_heads /= most;
    small.scale = 1.0f / sqrtf((float)small.head_dim);
    small.q_length = length_of(small.q_length, lengths[which].q_length, lengths[which].at_most);
    small.kv_length = length_of(small.kv_length, lengths[which].kv_length, lengths[which].at_most);
    small.diagonal = small.bottom_right ? (int32_t)small.kv_length - (int32_t)small.q_length : 0;
    small.q_total = ragged ? small.q_length : 0;
    small.kv_total = ragged && !paged ? small.kv_length : 0;
    if (paged && small.paged.page_size > small.kv_length)
        small.paged.page_size = small.kv_length ? small.kv_length : 1;
    small.paged.pages = sqa_attention_table_row(&small);
    if (small.globals.listed && small.globals.count > small.kv_length)
        small.globals.count = small.kv_length;
    shorten_blocks(&small);
    pack(&small);
    *out = small;
}
