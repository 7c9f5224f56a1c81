/* What a cache holds after tokens were appended to it, by definition: for every place that it has,
 * which token goes there, and all else as it was. */
#include <stdio.h>
#include <stdlib.h>

#include "operations/kv_append/slots.h"
#include "operations/rope/fields.h"
#include "operations/rope/slots.h"
#include "problem/groups.h"
#include "problem/storage.h"

/* The new token of a place: its batch entry and row in K and V, and its number in its sequence. */
typedef struct token {
    bool there;
    uint32_t batch, row, position;
} token;

typedef struct place {
    uint32_t page, head, within;
} place;

static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_appending *a = &problem->of.appending;
    return (uint64_t)a->paged.pages * a->kv_heads * a->paged.page_size;
}

static place place_of(const sqa_appending *a, uint64_t row)
{
    const uint64_t matrix = row / a->paged.page_size;
    return (place){(uint32_t)(matrix / a->kv_heads), (uint32_t)(matrix % a->kv_heads),
                   (uint32_t)(row % a->paged.page_size)};
}

/* By page and place in it, of all sequences. */
static void *prepare(const sqa_problem *problem, const sqa_reference_inputs *inputs)
{
    const sqa_appending *a = &problem->of.appending;
    const int32_t *positions = inputs->by_slot[SQA_SLOT_TOKEN_POSITIONS];
    const int32_t *table = inputs->by_slot[SQA_SLOT_TOKEN_TABLE];
    const int32_t *starts = inputs->by_slot[SQA_SLOT_TOKEN_STARTS];
    token *tokens = calloc((size_t)a->paged.pages * a->paged.page_size + 1, sizeof *tokens);
    for (uint32_t b = 0; tokens && b < a->batch; b++) {
        const int64_t first = a->ragged ? starts[b] : 0;
        const int64_t count = a->ragged ? starts[b + 1] - first : a->length;
        const int64_t begin = a->at_end ? positions[b] - count : positions[b];
        if (begin < 0 || begin + count > a->capacity)
            continue;
        for (int64_t i = 0; i < count; i++) {
            const uint32_t at = (uint32_t)(begin + i);
            const int64_t page = table[b * sqa_appending_table_row(a) + at / a->paged.page_size];
            if (page >= 0 && page < a->paged.pages)
                tokens[page * a->paged.page_size + at % a->paged.page_size] =
                    (token){true, a->ragged ? 0 : b, (uint32_t)(first + i), at};
        }
    }
    return tokens;
}

static int64_t row_at(const sqa_strides *strides, uint32_t batch, uint32_t head, uint32_t row)
{
    return batch * strides->batch + head * strides->head + row * strides->sequence;
}

static void copy(const float *from, uint32_t count, double *out)
{
    for (uint32_t d = 0; d < count; d++)
        out[d] = (double)from[d];
}

static void turn(const sqa_appending *a, const float *k, uint32_t position, double *out)
{
    const sqa_rotation rotation = {.dim = a->head_dim,
                                   .rotary = a->rotary,
                                   .pairs = a->pairs,
                                   .base = a->base,
                                   .offset = position,
                                   .hadamard = a->hadamard};
    const sqa_reference_inputs row = {.by_slot = {[SQA_SLOT_ROPE_X] = k}};
    sqa_reference_rope_row(&rotation, &row, 0, 0, 0, out);
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_appending *a = &problem->of.appending;
    const place at = place_of(a, row);
    const token *new = (const token *)inputs->prepared + at.page * a->paged.page_size + at.within;
    const float *k = inputs->by_slot[SQA_SLOT_NEW_K], *v = inputs->by_slot[SQA_SLOT_NEW_V];
    const float *k_cache = inputs->by_slot[SQA_SLOT_K_CACHE];
    const float *v_cache = inputs->by_slot[SQA_SLOT_V_CACHE];
    out->at[0] = row_at(&a->k_cache, at.page, at.head, at.within);
    out->at[1] = row_at(&a->v_cache, at.page, at.head, at.within);
    out->count[0] = a->head_dim;
    out->count[1] = a->value_dim;
    if (!new->there) {
        copy(k_cache + out->at[0], a->head_dim, out->values[0]);
        copy(v_cache + out->at[1], a->value_dim, out->values[1]);
        return true;
    }
    turn(a, k + row_at(&a->k, new->batch, at.head, new->row), new->position, out->values[0]);
    copy(v + row_at(&a->v, new->batch, at.head, new->row), a->value_dim, out->values[1]);
    for (uint32_t d = 0; d < a->value_dim && !sqa_dtype_is_quantised(a->kv_dtype); d++)
        out->values[1][d] = (double)sqa_storage_round(a->kv_dtype, (float)out->values[1][d]);
    return true;
}

static void name_place(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const place at = place_of(&problem->of.appending, row);
    snprintf(out, SQA_PLACE_TEXT, "page %u, head %u, token %u", at.page, at.head, at.within);
}

const sqa_row_group sqa_kv_append_groups[] = {
    {.slots = {SQA_SLOT_K_CACHE, SQA_SLOT_V_CACHE},
     .slot_count = 2,
     .samples = 256,
     .count = count_rows,
     .prepare = prepare,
     .expect = expect_row,
     .place = name_place},
    {.slot_count = 0},
};
