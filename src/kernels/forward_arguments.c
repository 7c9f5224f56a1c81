#include "kernels/forward_arguments.h"

#include "operations/attention/slots.h"
#include "problem/dropout.h"

/* A condition of a row, on the attention `a`. */
#define WHEN(name, condition)                                                                      \
    static bool name(const sqa_problem *problem)                                                   \
    {                                                                                              \
        const sqa_attention *a = &problem->of.attention;                                           \
        return condition;                                                                          \
    }

WHEN(writes_lse, a->write_lse)
WHEN(has_window, a->mask &SQA_MASK_WINDOW)
WHEN(has_globals, a->mask &SQA_MASK_GLOBALS)
WHEN(has_global_list, a->mask &SQA_MASK_GLOBALS && a->globals.listed)
WHEN(has_blocks, a->mask &SQA_MASK_BLOCKS)
WHEN(has_key_mask, a->mask &SQA_MASK_KEY)
WHEN(has_pair_mask, a->mask &SQA_MASK_PAIR)
WHEN(is_ragged, a->mask &SQA_MASK_RAGGED)
WHEN(is_paged, a->mask &SQA_MASK_PAGED)
WHEN(has_packed_keys, a->mask &SQA_MASK_RAGGED && !(a->mask & SQA_MASK_PAGED))
WHEN(has_even_queries, !(a->mask & SQA_MASK_RAGGED))
WHEN(has_own_lengths, sqa_attention_has_own_lengths(a))
WHEN(is_even, !sqa_attention_has_own_lengths(a))
WHEN(has_softcap, a->score &SQA_SCORE_SOFTCAP)
WHEN(has_slopes, a->score &SQA_SCORE_SLOPES)
WHEN(has_bias, a->score &SQA_SCORE_BIAS)
WHEN(has_sinks, a->score &SQA_SCORE_SINKS)
WHEN(has_dropout, a->score &SQA_SCORE_DROPOUT)

#define STRIDES(name, member) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(attention.member)
#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(attention.member)
#define FLOAT(name, member) #name, SQA_TYPE_FLOAT, SQA_IN_PROBLEM(attention.member)
#define VALUE(name) #name, SQA_TYPE_INT, SQA_IN_VALUES(sqa_forward_values, name)
#define FACTOR(name) #name, SQA_TYPE_FLOAT, SQA_IN_VALUES(sqa_forward_values, scale.name)

const sqa_argument_row sqa_forward_rows[] = {
    {SQA_READ(q, "sqa_stored", SQA_SLOT_Q)},
    {SQA_READ(k, "sqa_kv_stored", SQA_SLOT_K)},
    {SQA_READ(v, "sqa_kv_stored", SQA_SLOT_V)},
    {SQA_WRITTEN(o, "sqa_stored", SQA_SLOT_O)},
    {SQA_WRITTEN(lse, "float", SQA_SLOT_LSE), .when = writes_lse},
    {STRIDES(q, q)},
    {SQA_STRIDES_OF(k, SQA_SLOT_K)},
    {SQA_STRIDES_OF(v, SQA_SLOT_V)},
    {STRIDES(o, o)},
    {INT(q_heads, q_heads)},
    {INT(out_heads, out_heads)},
    {VALUE(group)},
    {FACTOR(query_factor)},
    {FACTOR(score_power)},
    {0},
};

const sqa_argument_row sqa_pattern_rows[] = {
    /* Which keys are seen. */
    {INT(window_left, window.left), .when = has_window},
    {INT(window_right, window.right), .when = has_window},
    {INT(global_count, globals.count), .when = has_globals},
    {SQA_READ(globals, "int", SQA_SLOT_GLOBALS), .when = has_global_list},
    {SQA_READ(block_offsets, "int", SQA_SLOT_BLOCK_OFFSETS), .when = has_blocks},
    {SQA_READ(block_indices, "int", SQA_SLOT_BLOCK_INDICES), .when = has_blocks},
    {INT(query_block, blocks.query_size), .when = has_blocks},
    {INT(key_block, blocks.key_size), .when = has_blocks},
    {VALUE(block_batch), .when = has_blocks},
    {INT(block_heads, blocks.heads), .when = has_blocks},
    {INT(block_entries, blocks.entries), .when = has_blocks},
    {VALUE(block_lists), .when = has_blocks},
    {SQA_READ(key_mask, "uchar", SQA_SLOT_KEY_MASK), .when = has_key_mask},
    {SQA_READ(mask, "uchar", SQA_SLOT_MASK), .when = has_pair_mask},
    {STRIDES(mask, pair_mask), .when = has_pair_mask},
    {SQA_READ(cu_q, "int", SQA_SLOT_CU_SEQLENS_Q), .when = is_ragged},
    {SQA_READ(cu_kv, "int", SQA_SLOT_CU_SEQLENS_KV), .when = has_packed_keys},
    {INT(q_total, q_total), .when = is_ragged},
    {INT(kv_total, kv_total), .when = has_packed_keys},
    {SQA_READ(block_table, "int", SQA_SLOT_BLOCK_TABLE), .when = is_paged},
    {SQA_READ(kv_lengths, "int", SQA_SLOT_KV_LENGTHS), .when = is_paged},
    {INT(page_size, paged.page_size), .when = is_paged},
    {INT(pages, paged.pages), .when = is_paged},
    {INT(bottom_right, bottom_right), .when = has_own_lengths},
    /* What becomes of scores. */
    {FLOAT(softcap, softcap), .when = has_softcap},
    {SQA_READ(slopes, "float", SQA_SLOT_SLOPES), .when = has_slopes},
    {SQA_READ(bias, "sqa_bias_stored", SQA_SLOT_BIAS), .when = has_bias},
    {STRIDES(bias, bias), .when = has_bias},
    {SQA_READ(sinks, "float", SQA_SLOT_SINKS), .when = has_sinks},
    {SQA_READ(dropout_seed, "uint", SQA_SLOT_DROPOUT_SEED), .when = has_dropout},
    {VALUE(dropout_below), .when = has_dropout},
    {"dropout_factor", SQA_TYPE_FLOAT, SQA_IN_VALUES(sqa_forward_values, dropout_factor),
     .when = has_dropout},
    /* Lengths: of sequences that have their own, those of the longest. */
    {INT(q_length, q_length), .when = has_even_queries},
    {INT(kv_length, kv_length), .when = is_even},
    {INT(diagonal, diagonal), .when = is_even},
    {INT(q_longest, q_length), .when = is_ragged},
    {INT(kv_longest, kv_length), .when = has_own_lengths},
    {INT(longest_diagonal, diagonal), .when = has_own_lengths},
    {0},
};

sqa_forward_values sqa_forward_values_of(const sqa_attention *attention)
{
    return (sqa_forward_values){
        .group = (int32_t)sqa_attention_group(attention),
        .block_batch = attention->blocks.batch > 1,
        .block_lists = (int32_t)sqa_attention_query_blocks(attention),
        .dropout_below = (int32_t)sqa_dropped_numbers(attention->dropout),
        .dropout_factor = (float)sqa_dropout_factor(attention->dropout),
        .scale = sqa_scale_divide(attention->scale),
    };
}
