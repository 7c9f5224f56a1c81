/* The axes as a table of setters, and a greedy choice of combinations. Knows nothing
 * of how cases are run. */
#include "conformance/pattern_grid.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "reference/inputs.h"
#include "reference/random.h"

enum {
    AXIS_POSITION,
    AXIS_WINDOW,
    AXIS_GLOBALS,
    AXIS_BLOCKS,
    AXIS_SOFTCAP,
    AXIS_ALIBI,
    AXIS_BIAS,
    AXIS_MASK,
    AXIS_KEY_MASK,
    AXIS_SINKS,
    AXIS_RAGGED,
    AXIS_HEADS,
    AXIS_LENGTHS,
    AXIS_DIMS,
    AXIS_LSE,
    AXIS_LAYOUT,
    AXIS_COUNT
};

static const uint8_t value_counts[AXIS_COUNT] = {
    [AXIS_POSITION] = 4, [AXIS_WINDOW] = 6, [AXIS_GLOBALS] = 3, [AXIS_BLOCKS] = 4,
    [AXIS_SOFTCAP] = 2,  [AXIS_ALIBI] = 3,  [AXIS_BIAS] = 5,    [AXIS_MASK] = 4,
    [AXIS_KEY_MASK] = 2, [AXIS_SINKS] = 2,  [AXIS_RAGGED] = 2,  [AXIS_HEADS] = 4,
    [AXIS_LENGTHS] = 5,  [AXIS_DIMS] = 2,   [AXIS_LSE] = 2,     [AXIS_LAYOUT] = 3,
};

_Static_assert((int)AXIS_COUNT == (int)SQA_PATTERN_AXES, "a case has a value for every axis");

/* Lengths that end within tiles, blocks and windows, both ways; small ones for
 * interpreters. */
static const struct {
    uint16_t q, kv;
} lengths[2][5] = {
    {{37, 53}, {53, 37}, {1, 65}, {129, 131}, {70, 290}},
    {{9, 21}, {21, 9}, {1, 17}, {11, 11}, {5, 26}},
};
static const sqa_grid_heads heads[] = {{2, 2}, {6, 2}, {2, 6}, {4, 1}};
static const sqa_window windows[] = {{-1, -1}, {5, 7}, {0, -1}, {-1, 3}, {17, 0}, {300, 300}};
static const sqa_layout layouts[] = {SQA_LAYOUT_BHSD, SQA_LAYOUT_BSHD, SQA_LAYOUT_PADDED};

/* Strides of (batch, head, query, key) that vary along the dimensions named. */
static sqa_strides varying(const char *dims, const sqa_attention_desc *desc, uint32_t out_heads)
{
    sqa_strides strides = {0, 0, 0};
    int64_t size = desc->kv_length;
    if (strchr(dims, 'q')) {
        strides.sequence = size;
        size *= desc->q_length;
    }
    if (strchr(dims, 'h')) {
        strides.head = size;
        size *= out_heads;
    }
    if (strchr(dims, 'b'))
        strides.batch = size;
    return strides;
}

static void set_blocks(sqa_attention_desc *desc, uint8_t value, uint32_t out_heads)
{
    static const struct {
        uint8_t query_size, key_size;
        float part;
    } sizes[] = {{0, 0, 0}, {16, 8, 0.5f}, {7, 5, 0.3f}, {24, 40, 0.6f}};
    if (!value)
        return;
    desc->blocks = (sqa_blocks){sizes[value].query_size, sizes[value].key_size, 1, 1, 0};
    if (value == 1)
        desc->blocks.heads = out_heads;
    if (value == 2)
        desc->blocks.heads = desc->kv_heads;
    if (value == 2)
        desc->blocks.batch = desc->batch;
    sqa_set_block_part(desc, (double)sizes[value].part);
}

static void set_positions(sqa_attention_desc *desc, const sqa_pattern_case *c)
{
    desc->align = c->value[AXIS_POSITION] == 1 ? SQA_ALIGN_TOP_LEFT : SQA_ALIGN_BOTTOM_RIGHT;
    if (c->value[AXIS_POSITION] >= 2)
        desc->causal = c->value[AXIS_POSITION] == 2 ? SQA_CAUSAL_BOTTOM_RIGHT : SQA_CAUSAL_TOP_LEFT;
    desc->window = windows[c->value[AXIS_WINDOW]];
    if (c->value[AXIS_GLOBALS])
        desc->globals =
            (sqa_globals){c->value[AXIS_GLOBALS] == 1 ? 3 : 4, c->value[AXIS_GLOBALS] == 2};
}

static void set_scores(sqa_attention_desc *desc, const sqa_pattern_case *c, uint32_t out_heads)
{
    static const struct {
        sqa_dtype dtype;
        const char *dims;
    } biases[] = {{SQA_DTYPE_F32, ""},
                  {SQA_DTYPE_F32, "bhq"},
                  {SQA_DTYPE_F16, "hq"},
                  {SQA_DTYPE_BF16, ""},
                  {SQA_DTYPE_F32, "b"}};
    static const char *const masks[] = {"", "bhq", "q", "h"};
    const uint8_t bias = c->value[AXIS_BIAS], mask = c->value[AXIS_MASK];
    desc->softcap = c->value[AXIS_SOFTCAP] ? 1.5f : 0.0f;
    desc->alibi = (sqa_alibi)c->value[AXIS_ALIBI];
    desc->sinks = c->value[AXIS_SINKS];
    desc->key_mask = c->value[AXIS_KEY_MASK];
    if (bias)
        desc->bias =
            (sqa_bias){1, (int32_t)biases[bias].dtype, varying(biases[bias].dims, desc, out_heads)};
    if (mask)
        desc->mask = (sqa_mask_view){1, varying(masks[mask], desc, out_heads)};
}

static sqa_grid_case case_of(const sqa_pattern_case *c, bool small)
{
    sqa_grid_case result = {SQA_ATTENTION_DESC_INIT, layouts[c->value[AXIS_LAYOUT]]};
    sqa_attention_desc *desc = &result.desc;
    const bool ragged = c->value[AXIS_RAGGED];
    desc->batch = ragged ? 4 : 2;
    desc->q_heads = heads[c->value[AXIS_HEADS]].q;
    desc->kv_heads = heads[c->value[AXIS_HEADS]].kv;
    desc->q_length = lengths[small][c->value[AXIS_LENGTHS]].q;
    desc->kv_length = lengths[small][c->value[AXIS_LENGTHS]].kv;
    desc->head_dim = c->value[AXIS_DIMS] ? 21 : 16;
    desc->value_dim = c->value[AXIS_DIMS] ? 13 : 16;
    if (small)
        desc->head_dim = desc->value_dim = c->value[AXIS_DIMS] ? 5 : 8;
    desc->write_lse = c->value[AXIS_LSE];
    const uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    set_positions(desc, c);
    set_scores(desc, c, out_heads);
    set_blocks(desc, c->value[AXIS_BLOCKS], out_heads);
    if (ragged) {
        desc->ragged = (sqa_ragged){1, desc->q_length * 2 + 1, desc->kv_length * 2 + 1};
        /* The other layouts are laid out for equal lengths. */
        if (result.layout == SQA_LAYOUT_PADDED)
            result.layout = SQA_LAYOUT_BHSD;
    }
    if (result.layout != SQA_LAYOUT_BHSD)
        sqa_layout_apply(result.layout, desc);
    return result;
}

/* Block lists and global tokens exclude each other. */
bool sqa_pattern_can_meet(size_t axis, size_t value, size_t other_axis, size_t other_value)
{
    const bool globals =
        (axis == AXIS_GLOBALS && value) || (other_axis == AXIS_GLOBALS && other_value);
    const bool blocks =
        (axis == AXIS_BLOCKS && value) || (other_axis == AXIS_BLOCKS && other_value);
    const bool padded = (axis == AXIS_LAYOUT && layouts[value] == SQA_LAYOUT_PADDED) ||
                        (other_axis == AXIS_LAYOUT && layouts[other_value] == SQA_LAYOUT_PADDED);
    const bool ragged =
        (axis == AXIS_RAGGED && value) || (other_axis == AXIS_RAGGED && other_value);
    return !(globals && blocks) && !(padded && ragged);
}

static bool is_possible(const sqa_pattern_case *c)
{
    for (size_t a = 0; a < AXIS_COUNT; a++)
        for (size_t b = 0; b < a; b++)
            if (!sqa_pattern_can_meet(a, c->value[a], b, c->value[b]))
                return false;
    return true;
}

/* Which pairs of values have met. */
enum { MAX_VALUES = 6 };
typedef struct coverage {
    bool met[AXIS_COUNT][MAX_VALUES][AXIS_COUNT][MAX_VALUES];
} coverage;

static size_t new_pairs(const coverage *covered, const sqa_pattern_case *c)
{
    size_t count = 0;
    for (size_t a = 0; a < AXIS_COUNT; a++)
        for (size_t b = 0; b < a; b++)
            count += !covered->met[a][c->value[a]][b][c->value[b]];
    return count;
}

static void cover(coverage *covered, const sqa_pattern_case *c)
{
    for (size_t a = 0; a < AXIS_COUNT; a++)
        for (size_t b = 0; b < a; b++)
            covered->met[a][c->value[a]][b][c->value[b]] = true;
}

/* A pair that has not met yet, in the table's order. */
static bool missing_pair(const coverage *covered, size_t pair[4])
{
    for (size_t a = 0; a < AXIS_COUNT; a++)
        for (size_t b = 0; b < a; b++)
            for (size_t i = 0; i < value_counts[a]; i++)
                for (size_t j = 0; j < value_counts[b]; j++)
                    if (!covered->met[a][i][b][j] && sqa_pattern_can_meet(a, i, b, j)) {
                        memcpy(pair, (size_t[]){a, i, b, j}, 4 * sizeof *pair);
                        return true;
                    }
    return false;
}

/* Of random combinations that have the pair, the one that brings the most new ones. */
static sqa_pattern_case best_with(const coverage *covered, const size_t pair[4], sqa_random *random)
{
    enum { CANDIDATES = 60 };
    sqa_pattern_case best = {0};
    size_t best_count = 0;
    for (int n = 0; n < CANDIDATES || best_count == 0; n++) {
        sqa_pattern_case c = {0};
        for (size_t a = 0; a < AXIS_COUNT; a++)
            c.value[a] = (uint8_t)sqa_random_below(random, value_counts[a]);
        c.value[pair[0]] = (uint8_t)pair[1];
        c.value[pair[2]] = (uint8_t)pair[3];
        if (!is_possible(&c))
            continue;
        const size_t count = new_pairs(covered, &c);
        if (count > best_count) {
            best = c;
            best_count = count;
        }
    }
    return best;
}

/* Appends cases until every pair has met, or there are `most`. */
static sqa_status append_round(sqa_pattern_grid *grid, uint64_t seed, bool small, size_t most)
{
    coverage *covered = calloc(1, sizeof *covered);
    if (!covered)
        return sqa_fail_memory("the pattern grid");
    sqa_random random = {seed};
    size_t pair[4];
    sqa_status status = SQA_OK;
    while (missing_pair(covered, pair) && grid->count < most && status == SQA_OK) {
        sqa_pattern_case c = best_with(covered, pair, &random);
        sqa_pattern_case *cases = realloc(grid->cases, (grid->count + 1) * sizeof *cases);
        if (!cases) {
            status = sqa_fail_memory("the pattern grid");
            break;
        }
        grid->cases = cases;
        c.test = case_of(&c, small);
        cases[grid->count++] = c;
        cover(covered, &c);
    }
    free(covered);
    return status;
}

sqa_status sqa_pattern_grid_create(sqa_pattern_grid *out, sqa_grid_size size)
{
    static const struct {
        size_t rounds, most;
    } sizes[] = {
        [SQA_GRID_TINY] = {1, 8},
        [SQA_GRID_SAMPLE] = {1, 6},
        [SQA_GRID_QUICK] = {1, SIZE_MAX},
        [SQA_GRID_FULL] = {4, SIZE_MAX},
    };
    *out = (sqa_pattern_grid){NULL, 0};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizes[size].rounds && status == SQA_OK; i++)
        status = append_round(out, i + 1, size == SQA_GRID_TINY, sizes[size].most);
    if (status != SQA_OK)
        sqa_pattern_grid_free(out);
    return status;
}

void sqa_pattern_grid_free(sqa_pattern_grid *grid)
{
    free(grid->cases);
    *grid = (sqa_pattern_grid){NULL, 0};
}

size_t sqa_pattern_value_count(size_t axis)
{
    return value_counts[axis];
}
