/* The tensors of attention, by slots that all its operations share. */
#ifndef SQA_OPERATIONS_ATTENTION_SLOTS_H
#define SQA_OPERATIONS_ATTENTION_SLOTS_H

#include "operations/dropout.h"
#include "sqa_cl/plan.h"

enum {
    SQA_SLOT_Q = 0,
    SQA_SLOT_K,
    SQA_SLOT_V,
    SQA_SLOT_O,
    SQA_SLOT_LSE,
    SQA_SLOT_BIAS,
    SQA_SLOT_MASK,
    SQA_SLOT_KEY_MASK,
    SQA_SLOT_SINKS,
    SQA_SLOT_SLOPES,
    SQA_SLOT_GLOBALS,
    SQA_SLOT_BLOCK_OFFSETS,
    SQA_SLOT_BLOCK_INDICES,
    SQA_SLOT_CU_SEQLENS_Q,
    SQA_SLOT_CU_SEQLENS_KV,
    SQA_SLOT_DROPOUT_SEED,
    SQA_SLOT_BLOCK_TABLE,
    SQA_SLOT_KV_LENGTHS,
    SQA_ATTENTION_SLOTS
};

/* The struct that they are members of. */
#define SQA_ATTENTION_TENSORS                                                                      \
    {                                                                                              \
        SQA_TENSORS_VERSION, offsetof(sqa_tensors, workspace)                                      \
    }

/* What a row of a slot table begins with. */
#define SQA_ATTENTION_SLOT(tensor, how)                                                            \
    .name = #tensor, .use = how, .member = offsetof(sqa_tensors, tensor)

/* Inputs within [-1, 1): with larger numbers the rounding of dot products alone would use up
 * the tolerance of LSE near its zero. */
#define SQA_UNIT_INPUT .low = -1.0f, .high = 1.0f

/* The slots of a forward pass but for its lists. */
#define SQA_ROW_SLOTS                                                                              \
    [SQA_SLOT_Q] = {SQA_ATTENTION_SLOT(q, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                        \
    [SQA_SLOT_K] = {SQA_ATTENTION_SLOT(k, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                        \
    [SQA_SLOT_V] = {SQA_ATTENTION_SLOT(v, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                        \
    [SQA_SLOT_O] = {SQA_ATTENTION_SLOT(o, SQA_SLOT_OUTPUT)},                                       \
    [SQA_SLOT_LSE] = {SQA_ATTENTION_SLOT(lse, SQA_SLOT_OUTPUT)},                                   \
    [SQA_SLOT_BIAS] = {SQA_ATTENTION_SLOT(bias, SQA_SLOT_INPUT), SQA_UNIT_INPUT},                  \
    [SQA_SLOT_MASK] = {SQA_ATTENTION_SLOT(mask, SQA_SLOT_INPUT), .fill = sqa_fill_mask},           \
    [SQA_SLOT_KEY_MASK] = {SQA_ATTENTION_SLOT(key_mask, SQA_SLOT_INPUT), .fill = sqa_fill_mask},   \
    [SQA_SLOT_SINKS] = {SQA_ATTENTION_SLOT(sinks, SQA_SLOT_INPUT), .low = -2.0f, .high = 2.0f},    \
    [SQA_SLOT_SLOPES] = {SQA_ATTENTION_SLOT(slopes, SQA_SLOT_INPUT), .low = 0.0f, .high = 0.5f},   \
    [SQA_SLOT_DROPOUT_SEED] = {SQA_ATTENTION_SLOT(dropout_seed, SQA_SLOT_INPUT),                   \
                               .fill = sqa_fill_seed}

/* Of the attention, whatever the operation: see sqa_operation_entry. */
bool sqa_attention_tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out);
bool sqa_attention_is_touched(const sqa_problem *problem, uint32_t slot);
bool sqa_attention_is_nothing(const sqa_problem *problem);

/* The first batch entry and group of heads, lengths as the kind of relative says, packed and
 * with the default scale; block lists name half of the blocks. Masks and scores are of the
 * same kinds, so that it is a problem of the same program. */
void sqa_attention_relative(const sqa_attention *attention, sqa_relative which, sqa_attention *out);

/* Fill functions of slots (sqa_tensor_slot). Masks: three of four are not 0. Block lists:
 * equally long, of blocks that some query may see where there are enough; ascending, or in
 * any order when `shuffled`. Sequence starts: lengths of every kind up to the longest. Lengths:
 * likewise, the longest among them. Block tables: the pages in turn, `shuffled`: in any order,
 * each once as long as they last. */
typedef void sqa_slot_fill(const sqa_problem *problem, uint64_t count, bool shuffled,
                           sqa_random *random, void *out);
sqa_slot_fill sqa_fill_mask, sqa_fill_globals, sqa_fill_block_offsets, sqa_fill_block_indices,
    sqa_fill_q_starts, sqa_fill_kv_starts, sqa_fill_block_table, sqa_fill_kv_lengths;

/* What is promised of O and LSE, by every operation that writes them. */
enum { SQA_FORWARD_TOLERANCES = 6 };
extern const sqa_tolerance sqa_forward_tolerances[SQA_FORWARD_TOLERANCES];

/* How tensors are stored, as a part of such a key: new ones or Q and O, then the cache where that
 * is stored in another way. */
extern const char *const sqa_stored_words[];
uint32_t sqa_stored_word(sqa_dtype own, sqa_dtype kept);

/* The parts of the key of a class: dtype, d, dv, mask, group, q, kv, rows. */
extern const sqa_class_part sqa_attention_class_parts[];

#endif
