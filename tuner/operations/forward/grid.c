/* The grid's axes, the rows of the two small sizes, and the rule that makes the
 * full one. Rows that share a program (dimensions, mask, LSE) stand together:
 * compiling costs more than running. */
#include "operations/forward/grid.h"

#include <stdbool.h>

const uint32_t sqa_grid_dims[SQA_GRID_DIMS] = {1,  7,  8,  16,  21,  40,  59, 64,
                                               72, 80, 96, 111, 128, 256, 512};
const uint32_t sqa_grid_lengths[SQA_GRID_LENGTHS] = {0,  1,   2,   3,   31,  33,   63,
                                                     65, 113, 127, 129, 257, 1023, 1025};
const sqa_grid_heads sqa_grid_heads_pairs[SQA_GRID_HEADS] = {{1, 1}, {6, 2}, {8, 1},
                                                             {9, 3}, {2, 6}, {1, 8}};

typedef struct grid_row {
    uint16_t head_dim, value_dim, q_length, kv_length;
    uint8_t q_heads, kv_heads, batch;
    sqa_causal causal;
    uint8_t lse;
    sqa_layout layout;
    float scale;
} grid_row;

/* clang-format off */
#define NONE SQA_CAUSAL_NONE
#define LAST SQA_CAUSAL_BOTTOM_RIGHT
#define TOP SQA_CAUSAL_TOP_LEFT
#define BHSD SQA_LAYOUT_BHSD
#define BSHD SQA_LAYOUT_BSHD
#define PADDED SQA_LAYOUT_PADDED
#define MIXED SQA_LAYOUT_MIXED
#define QKV SQA_LAYOUT_QKV
#define SHARED SQA_LAYOUT_SHARED

static const grid_row tiny_rows[] = {
    /* D  Dv  Nq  Nk  Hq Hkv B causal lse layout scale */
    {  8,  8, 17, 33,  2, 1, 1, LAST, 1, BHSD,   0},
    {  8,  8, 33, 17,  1, 2, 1, TOP,  1, PADDED, 0},
    {  8,  8,  1, 48,  2, 2, 2, LAST, 1, BSHD,   0},
    {  8,  8, 21,  6,  1, 1, 1, LAST, 1, MIXED,  0},
    {  7,  5, 19, 21,  3, 1, 1, NONE, 0, MIXED,  0},
    {  7,  5,  2,  1,  1, 1, 2, NONE, 0, PADDED, 0.5f},
};

static const grid_row quick_rows[] = {
    /* D   Dv    Nq    Nk  Hq Hkv B causal lse layout scale */
    {  1,   1,    1, 1025, 1, 1, 2, NONE, 1, BHSD,   0},
    {  1,   1,   65,    3, 6, 2, 1, NONE, 1, BSHD,   0},
    {  1,   1, 1023,  127, 2, 6, 1, NONE, 1, PADDED, 0},
    {  7,   7,   31,   31, 8, 1, 1, LAST, 0, MIXED,  0},
    {  7,   7,  257,  129, 1, 1, 1, TOP,  0, BHSD,   0},
    {  7,   7,    2,   65, 9, 3, 2, TOP,  0, QKV,    0},
    {  8,   8,  129,  257, 2, 6, 1, LAST, 1, PADDED, 0.3f},
    {  8,   8, 1025, 1025, 1, 1, 1, LAST, 1, BHSD,   0},
    {  8,   8,  113,    2, 6, 2, 1, LAST, 1, BSHD,   0},
    { 16,  16,    3, 1023, 1, 8, 1, NONE, 0, QKV,    0},
    { 16,  16,  127,  113, 8, 1, 2, NONE, 0, SHARED, 0},
    { 16,  16,    0,   33, 1, 1, 1, NONE, 0, BHSD,   0},
    { 21,  40,   63,  127, 9, 3, 1, TOP,  1, MIXED,  0},
    { 21,  40,   33,    0, 6, 2, 1, LAST, 1, BHSD,   0},
    { 21,  40,  127,   63, 1, 1, 2, LAST, 1, PADDED, -0.1f},
    { 21,  40,    3,  257, 9, 3, 2, LAST, 1, PADDED, 0},
    { 40,  21,  257,    1, 1, 8, 1, NONE, 1, SHARED, 0},
    { 40,  21,   65,  129, 6, 2, 1, NONE, 1, BSHD,   0},
    { 40,  21,    1,    0, 8, 1, 2, NONE, 1, PADDED, 0},
    { 59,  59,   33,   65, 2, 6, 1, NONE, 0, PADDED, 0},
    { 59,  59,  113, 1025, 1, 1, 1, NONE, 0, BHSD,   0},
    { 59,  59,    2,   31, 9, 3, 2, NONE, 0, MIXED,  0.05f},
    { 64,  64, 1023, 1023, 1, 1, 1, NONE, 1, BHSD,   0},
    { 64,  64,   63,  257, 8, 1, 1, NONE, 1, QKV,    0},
    { 64,  64,  257,   63, 1, 8, 1, NONE, 1, SHARED, 0},
    { 64,  64,    2, 1025, 8, 1, 1, NONE, 1, BSHD,   0},
    { 64,  64,   33,   33, 2, 6, 0, NONE, 1, BHSD,   0},
    { 64,  64, 1025, 1023, 1, 1, 1, LAST, 0, BSHD,   0},
    { 64,  64,   31,   33, 2, 6, 2, TOP,  0, PADDED, 0},
    { 64,  64,  129,  127, 6, 2, 1, LAST, 0, BSHD,   0},
    { 64, 128,  127, 1023, 1, 1, 1, LAST, 1, MIXED,  0},
    { 64, 128,   65,   65, 8, 1, 1, TOP,  1, BSHD,   0},
    { 64, 128,    3,    1, 9, 3, 1, LAST, 1, BHSD,   0},
    { 72,  72,   33,   31, 1, 8, 1, LAST, 0, BSHD,   0},
    { 72,  72,    1,    2, 6, 2, 2, LAST, 0, QKV,    0},
    { 72,  72,  257,  257, 1, 1, 1, TOP,  0, PADDED, 0.07f},
    { 80,  80,   65,  113, 9, 3, 1, NONE, 1, BHSD,   0},
    { 80,  80,    0,    0, 8, 1, 1, NONE, 1, BSHD,   0},
    { 80,  80, 1025,    3, 1, 1, 2, NONE, 1, MIXED,  0},
    { 96,  96,  113,  113, 6, 2, 1, LAST, 1, QKV,    0},
    { 96,  96,   31, 1025, 1, 1, 1, LAST, 1, SHARED, 0},
    { 96,  96,   33,    2, 9, 3, 2, TOP,  1, MIXED,  0},
    {111,   1,   63,   63, 2, 6, 1, NONE, 0, BSHD,   0},
    {111,   1,  129,   33, 8, 1, 1, NONE, 0, PADDED, 0},
    {111,   1,    1,    1, 1, 8, 2, NONE, 0, BHSD,   0},
    {128, 128,  257, 1025, 1, 1, 1, LAST, 0, BHSD,   0},
    {128, 128,   33,  113, 9, 3, 1, TOP,  0, BSHD,   0},
    {128, 128,   65,    2, 2, 6, 1, LAST, 0, MIXED,  0},
    {128,  64,  127,  257, 6, 2, 1, NONE, 1, PADDED, 0},
    {128,  64,   31,    3, 1, 8, 1, NONE, 1, SHARED, 0},
    {256, 256,   65,  129, 1, 1, 1, NONE, 0, PADDED, 0},
    {256, 256,    3,   63, 8, 1, 1, NONE, 0, BSHD,   0},
    {256, 256,  113,   31, 2, 6, 1, NONE, 0, QKV,    0},
    {512, 512,   63,   65, 1, 1, 1, LAST, 1, BHSD,   0},
    {512, 512,   33,   33, 6, 2, 1, TOP,  1, MIXED,  0},
    {512, 512,    2,  127, 1, 8, 1, LAST, 1, PADDED, 0},
};
/* clang-format on */

enum {
    TINY_COUNT = sizeof tiny_rows / sizeof *tiny_rows,
    QUICK_COUNT = sizeof quick_rows / sizeof *quick_rows,
    CAUSAL_COUNT = 3,
    FULL_COUNT = SQA_GRID_DIMS * CAUSAL_COUNT * SQA_GRID_LENGTHS
};

/* Multiply-adds above which a case of the full grid makes do with one head. */
static const double full_work_limit = 5e8;

static sqa_grid_case from_row(const grid_row *row)
{
    sqa_grid_case result = {SQA_ATTENTION_DESC_INIT, row->layout};
    sqa_attention_desc *desc = &result.desc;
    desc->batch = row->batch;
    desc->q_heads = row->q_heads;
    desc->kv_heads = row->kv_heads;
    desc->q_length = row->q_length;
    desc->kv_length = row->kv_length;
    desc->head_dim = row->head_dim;
    desc->value_dim = row->value_dim;
    desc->scale = row->scale;
    desc->causal = row->causal;
    desc->write_lse = row->lse;
    sqa_layout_apply(row->layout, desc);
    return result;
}

/* Every dimension with every mask and every query length; the other axes turn at
 * different speeds, so that their pairs differ from one dimension to the next.
 * LSE hangs on dimension and mask alone, another value dimension comes with two
 * of the lengths: 60 programs in all. */
static sqa_grid_case full_case(size_t index)
{
    size_t length = index % SQA_GRID_LENGTHS;
    size_t causal = index / SQA_GRID_LENGTHS % CAUSAL_COUNT;
    size_t dim = index / SQA_GRID_LENGTHS / CAUSAL_COUNT;
    size_t turn = dim * 3 + causal * 5;
    sqa_grid_heads heads = sqa_grid_heads_pairs[(length + turn) % SQA_GRID_HEADS];
    uint32_t value_dim = sqa_grid_dims[length % 7 == 3 ? (dim + 4) % SQA_GRID_DIMS : dim];
    grid_row row = {
        .head_dim = (uint16_t)sqa_grid_dims[dim],
        .value_dim = (uint16_t)value_dim,
        .q_length = (uint16_t)sqa_grid_lengths[length],
        .kv_length = (uint16_t)sqa_grid_lengths[(length * 5 + turn) % SQA_GRID_LENGTHS],
        .q_heads = (uint8_t)heads.q,
        .kv_heads = (uint8_t)heads.kv,
        .batch = (uint8_t)(1 + (index % 3 == 0)),
        .causal = (sqa_causal)causal,
        .lse = (uint8_t)((dim / 2 + (causal != 0)) % 2),
        .layout = (sqa_layout)((length + turn / 2) % SQA_LAYOUT_COUNT),
        .scale = 0.0f,
    };
    double work = (double)row.q_length * row.kv_length * (row.head_dim + row.value_dim);
    if (work * row.batch * (row.q_heads > row.kv_heads ? row.q_heads : row.kv_heads) >
        full_work_limit)
        row.q_heads = row.kv_heads = row.batch = 1;
    return from_row(&row);
}

/* Two programs: awkward dimensions with a mask, common ones without; both with LSE. */
static bool in_sample(const grid_row *row)
{
    return row->lse && (row->head_dim == 21 || (row->head_dim == 64 && row->value_dim == 64));
}

/* The index-th row of the sample, NULL beyond its end. */
static const grid_row *sample_row(size_t index)
{
    for (size_t i = 0; i < QUICK_COUNT; i++)
        if (in_sample(&quick_rows[i]) && !index--)
            return &quick_rows[i];
    return NULL;
}

size_t sqa_grid_count(sqa_grid_size size)
{
    size_t count = 0;
    switch (size) {
    case SQA_GRID_TINY: return TINY_COUNT;
    case SQA_GRID_QUICK: return QUICK_COUNT;
    case SQA_GRID_FULL: return FULL_COUNT;
    case SQA_GRID_SAMPLE: break;
    }
    while (sample_row(count))
        count++;
    return count;
}

sqa_grid_case sqa_grid_case_at(sqa_grid_size size, size_t index)
{
    switch (size) {
    case SQA_GRID_TINY: return from_row(&tiny_rows[index]);
    case SQA_GRID_SAMPLE: return from_row(sample_row(index));
    case SQA_GRID_QUICK: return from_row(&quick_rows[index]);
    case SQA_GRID_FULL: break;
    }
    return full_case(index);
}
