/* Appending tokens to a cache (include/sqa_cl/kv_cache.h). */
#include <math.h>
#include <string.h>

#include "operations/attention/slots.h"
#include "operations/entries.h"
#include "operations/kv_append/slots.h"
#include "operations/problem_class.h"
#include "operations/tolerances.h"
#include "problem/rope.h"

static const sqa_shape_field *const fields[] = {sqa_kv_append_fields, NULL};

sqa_status sqa_problem_from_kv_append(sqa_problem *out, const sqa_kv_append_desc *desc)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = SQA_OPERATION_KV_APPEND;
    sqa_status status = sqa_appending_from_desc(&problem.of.appending, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static void start(void *descriptor)
{
    *(sqa_kv_append_desc *)descriptor = (sqa_kv_append_desc)SQA_KV_APPEND_DESC_INIT;
}

static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    return sqa_problem_from_kv_append(out, descriptor);
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_appending_to_desc(&problem->of.appending, descriptor);
}

#define NUMBER_OF(name, expression)                                                                \
    static uint32_t name(const sqa_problem *problem)                                               \
    {                                                                                              \
        const sqa_appending *a = &problem->of.appending;                                           \
        return expression;                                                                         \
    }
NUMBER_OF(dtype_of, sqa_stored_word(a->dtype, a->kv_dtype))
NUMBER_OF(dim_of, a->head_dim)
NUMBER_OF(value_dim_of, a->value_dim)
NUMBER_OF(rotary_of, a->rotary)
NUMBER_OF(heads_of, sqa_bucket(a->kv_heads))
NUMBER_OF(rows_of, sqa_bucket(a->ragged ? a->total : (uint64_t)a->batch * a->length))

static const sqa_class_part class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_stored_words, dtype_of},
    {"d", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, dim_of},
    {"dv", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, value_dim_of},
    {"rotary", SQA_CLASS_COUNT, 0, SQA_MAX_HEAD_DIM, NULL, rotary_of},
    {"heads", SQA_CLASS_BUCKET, 0, 63, NULL, heads_of},
    {"rows", SQA_CLASS_BUCKET, 0, 63, NULL, rows_of},
    {0},
};

/* Most sequences have room; some have one token too many, or begin nowhere. */
static void fill_positions(const sqa_problem *problem, uint64_t count, bool shuffled,
                           sqa_random *random, void *out)
{
    const sqa_appending *a = &problem->of.appending;
    const uint32_t room = a->capacity > a->length ? a->capacity - a->length : 0;
    for (uint64_t i = 0; i < count; i++) {
        const int32_t at = (int32_t)(i == 0 ? room : sqa_random_below(random, room + 1));
        const int32_t wrong = i % 8 == 5 ? -1 : (int32_t)a->capacity;
        ((int32_t *)out)[i] = (shuffled && (i % 4 == 3 || i % 8 == 5) ? wrong : at) +
                              (a->at_end ? (int32_t)a->length : 0);
    }
}

static void fill_table(const sqa_problem *problem, uint64_t count, bool shuffled,
                       sqa_random *random, void *out)
{
    sqa_problem attention;
    memset(&attention, 0, sizeof attention);
    attention.of.attention.paged = problem->of.appending.paged;
    sqa_fill_block_table(&attention, count, shuffled, random, out);
}

static void fill_starts(const sqa_problem *problem, uint64_t count, bool shuffled,
                        sqa_random *random, void *out)
{
    const sqa_appending *a = &problem->of.appending;
    sqa_problem attention;
    memset(&attention, 0, sizeof attention);
    attention.of.attention.batch = a->batch;
    attention.of.attention.q_length = a->length;
    attention.of.attention.q_total = a->total;
    sqa_fill_q_starts(&attention, count, shuffled, random, out);
}

#define SLOT(tensor, how)                                                                          \
    .name = #tensor, .use = how, .member = offsetof(sqa_kv_append_tensors, tensor)
#define UNIT .low = -1.0f, .high = 1.0f

static const sqa_tensor_slot slots[SQA_KV_APPEND_SLOTS] = {
    [SQA_SLOT_NEW_K] = {SLOT(k, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_NEW_V] = {SLOT(v, SQA_SLOT_INPUT), UNIT},
    [SQA_SLOT_TOKEN_POSITIONS] = {SLOT(positions, SQA_SLOT_INPUT), .fill = fill_positions},
    [SQA_SLOT_TOKEN_TABLE] = {SLOT(block_table, SQA_SLOT_INPUT), .fill = fill_table},
    [SQA_SLOT_TOKEN_STARTS] = {SLOT(cu_seqlens, SQA_SLOT_INPUT), .fill = fill_starts},
    [SQA_SLOT_K_CACHE] = {SLOT(k_cache, SQA_SLOT_OUTPUT), UNIT},
    [SQA_SLOT_V_CACHE] = {SLOT(v_cache, SQA_SLOT_OUTPUT), UNIT},
};

static sqa_tensor_shape integers(uint32_t count)
{
    return (sqa_tensor_shape){SQA_ELEMENT_INT, {count, count, count}, 1, 1, 1, count};
}

static bool tensor(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out)
{
    const sqa_appending *a = &problem->of.appending;
    const sqa_element stored = (sqa_element)a->dtype, kept = (sqa_element)a->kv_dtype;
    const uint32_t entries = a->ragged ? 1 : a->batch, rows = a->ragged ? a->total : a->length;
    const uint32_t pages = a->paged.pages, size = a->paged.page_size;
    const sqa_tensor_shape shapes[SQA_KV_APPEND_SLOTS] = {
        [SQA_SLOT_NEW_K] = {stored, a->k, entries, a->kv_heads, rows, a->head_dim},
        [SQA_SLOT_NEW_V] = {stored, a->v, entries, a->kv_heads, rows, a->value_dim},
        [SQA_SLOT_TOKEN_POSITIONS] = integers(a->batch),
        [SQA_SLOT_TOKEN_TABLE] = integers(a->batch * sqa_appending_table_row(a)),
        [SQA_SLOT_TOKEN_STARTS] = integers(a->batch + 1),
        [SQA_SLOT_K_CACHE] = {kept, a->k_cache, pages, a->kv_heads, size, a->head_dim},
        [SQA_SLOT_V_CACHE] = {kept, a->v_cache, pages, a->kv_heads, size, a->value_dim},
    };
    if (slot >= SQA_KV_APPEND_SLOTS)
        return false;
    *out = shapes[slot];
    return slot != SQA_SLOT_TOKEN_STARTS || a->ragged;
}

static bool is_touched(const sqa_problem *problem, uint32_t slot)
{
    (void)problem, (void)slot;
    return true;
}

static bool is_updated(const sqa_problem *problem, uint32_t slot)
{
    (void)problem;
    return slot == SQA_SLOT_K_CACHE || slot == SQA_SLOT_V_CACHE;
}

static bool is_nothing(const sqa_problem *problem)
{
    const sqa_appending *a = &problem->of.appending;
    return a->batch == 0 || a->length == 0 || (a->ragged && a->total == 0) || a->capacity == 0 ||
           a->paged.pages == 0;
}

/* A copy counts as one; four products and two sums a pair; a sum for each doubling of a Hadamard
 * matrix. */
static double flop(const sqa_problem *problem)
{
    const sqa_appending *a = &problem->of.appending;
    const double rows = a->ragged ? a->total : (double)a->batch * a->length;
    const double sums = a->hadamard ? log2(sqa_hadamard_block(a->head_dim)) : 0.0;
    return (a->head_dim * (1.0 + sums) + a->value_dim + 2.0 * a->rotary) * rows * a->kv_heads;
}

/* Of the caches, the places of the new tokens. */
static double moved(const sqa_problem *problem, uint32_t slot)
{
    const sqa_appending *a = &problem->of.appending;
    const double rows = a->ragged ? a->total : (double)a->batch * a->length;
    return slot == SQA_SLOT_K_CACHE   ? rows * a->kv_heads * a->head_dim
           : slot == SQA_SLOT_V_CACHE ? rows * a->kv_heads * a->value_dim
                                      : -1.0;
}

static void relative(const sqa_problem *problem, sqa_relative which, sqa_problem *out)
{
    static const uint32_t lengths[SQA_RELATIVE_COUNT] = {
        [SQA_RELATIVE_SMALL] = 40, [SQA_RELATIVE_TAILS] = 37, [SQA_RELATIVE_SHORT] = 3};
    sqa_appending *a = &out->of.appending;
    *out = *problem;
    a->batch = 2;
    a->kv_heads = a->kv_heads < 3 ? a->kv_heads : 3;
    a->length =
        which == SQA_RELATIVE_SMALL && a->length < lengths[which] ? a->length : lengths[which];
    a->capacity = a->length + 20;
    a->total = a->ragged ? a->length + a->length / 2 : 0;
    if (a->paged.page_size > 16)
        a->paged.page_size = 16;
    a->paged.pages = a->batch * sqa_appending_table_row(a);
    sqa_appending_pack(a);
}

/* What goes into quantised groups is off by half a step at most, which is one of 127 from 0 to the
 * largest, or of 15 from the least to the largest. */
#define QUANTISED(slot)                                                                            \
    {slot, SQA_ELEMENT_INT8, .rms = 8e-3, .max = 4e-3, .max_of = slot},                            \
    {                                                                                              \
        slot, SQA_ELEMENT_INT4, .rms = 0.1, .max = 0.068, .max_of = slot                           \
    }
#define ROUNDED(element)                                                                           \
    {                                                                                              \
        SQA_SLOT_V_CACHE, element, .rms = 1e-30, .max = 1e-30, .max_of = SQA_SLOT_V_CACHE          \
    }

/* Values are copied, or rounded once; of a turned key, as of rope. */
static const sqa_tolerance tolerances[] = {
    SQA_OUTPUT_TOLERANCES(SQA_SLOT_K_CACHE, 1e-6, 2e-6, SQA_SLOT_K_CACHE),
    ROUNDED(SQA_ELEMENT_F32),
    ROUNDED(SQA_ELEMENT_F16),
    ROUNDED(SQA_ELEMENT_BF16),
    QUANTISED(SQA_SLOT_K_CACHE),
    QUANTISED(SQA_SLOT_V_CACHE),
};

const sqa_operation_entry sqa_operation_kv_append = {
    .id = SQA_OPERATION_KV_APPEND,
    .name = "kv_append",
    .summary = "new keys and values into a cache's pages",
    .fields = fields,
    .needs = sqa_kv_append_needs,
    .descriptor_bytes = sizeof(sqa_kv_append_desc),
    .start = start,
    .settle = settle,
    .describe = describe,
    .class_parts = class_parts,
    .tensors = {SQA_KV_APPEND_TENSORS_VERSION, offsetof(sqa_kv_append_tensors, workspace)},
    .slots = slots,
    .slot_count = SQA_KV_APPEND_SLOTS,
    .tensor = tensor,
    .is_touched = is_touched,
    .is_updated = is_updated,
    .is_nothing = is_nothing,
    .flop = flop,
    .moved = moved,
    .relative = relative,
    .groups = sqa_kv_append_groups,
    .tolerances = tolerances,
    .tolerance_count = sizeof tolerances / sizeof *tolerances,
};
