/* The axes as a table, and a greedy choice of combinations. Knows nothing
 * of how cases are run. */
#include "operations/forward/pattern_grid.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/status.h"
#include "operations/attention/pattern_text.h"
#include "operations/shape.h"

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
    AXIS_DROPOUT,
    AXIS_RAGGED,
    AXIS_PAGES,
    AXIS_HEADS,
    AXIS_LENGTHS,
    AXIS_DIMS,
    AXIS_LSE,
    AXIS_LAYOUT,
    AXIS_COUNT
};

enum { MAX_VALUES = 6 };

/* The values of the axes that are keys of a shape; "" is none. Values with the same program
 * number mostly differ in what a kernel is handed, not in its program. */
static const struct {
    uint8_t count;
    const char *values[MAX_VALUES];
    uint8_t program[MAX_VALUES];
} axes[AXIS_COUNT] = {
    [AXIS_POSITION] = {4, {"", "align=top-left", "causal", "causal,align=top-left"}, {0, 0, 1, 1}},
    [AXIS_WINDOW] = {6,
                     {"", "window=5:7", "window=0:-1", "window=-1:3", "window=17:0",
                      "window=300:300"},
                     {0, 1, 1, 1, 1, 1}},
    [AXIS_GLOBALS] = {3, {"", "globals=3", "globals=list4"}, {0, 1, 2}},
    [AXIS_BLOCKS] = {4,
                     {"", "blocks=16x8@0.5/h", "blocks=7x5@0.3/bk", "blocks=24x40@0.6"},
                     {0, 1, 1, 1}},
    [AXIS_SOFTCAP] = {2, {"", "softcap=1.5"}, {0, 1}},
    [AXIS_ALIBI] = {3, {"", "alibi=geometric", "alibi=slopes"}, {0, 1, 2}},
    [AXIS_BIAS] = {5,
                   {"", "bias=f32/bhq", "bias=f16/hq", "bias=bf16/", "bias=f32/b"},
                   {0, 1, 2, 3, 1}},
    [AXIS_MASK] = {4, {"", "mask=bhq", "mask=q", "mask=h"}, {0, 1, 1, 1}},
    [AXIS_KEY_MASK] = {2, {"", "keymask"}, {0, 1}},
    [AXIS_SINKS] = {2, {"", "sinks"}, {0, 1}},
    [AXIS_DROPOUT] = {2, {"", "dropout=0.25"}, {0, 1}},
    [AXIS_RAGGED] = {2, {NULL}, {0, 1}},
    [AXIS_PAGES] = {5, {NULL}, {0, 1, 1, 1, 1}},
    [AXIS_HEADS] = {4, {NULL}, {0}},
    [AXIS_LENGTHS] = {5, {NULL}, {0}},
    [AXIS_DIMS] = {2, {NULL}, {0, 1}},
    [AXIS_LSE] = {2, {NULL}, {0, 1}},
    [AXIS_LAYOUT] = {3, {NULL}, {0}},
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
static const uint32_t page_sizes[] = {0, 16, 5, 64, 1};
static const sqa_layout layouts[] = {SQA_LAYOUT_BHSD, SQA_LAYOUT_BSHD, SQA_LAYOUT_PADDED};

/* The words of the case's values, as in a shape. */
static void pattern_text(const sqa_pattern_case *c, char text[SQA_PATTERN_TEXT])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t a = 0; a < AXIS_COUNT; a++) {
        const char *word = axes[a].values[c->value[a]];
        if (word && *word)
            used += (size_t)snprintf(text + used, SQA_PATTERN_TEXT - used, "%s%s", used ? "," : "",
                                     word);
    }
}

/* What of a problem is compiled into its kernels. */
static uint32_t program_of(const sqa_attention *a)
{
    return a->mask | a->score << 9 | a->globals.listed << 16 | (uint32_t)a->bias_dtype << 17 |
           a->write_lse << 19 | a->head_dim << 20;
}

/* As many as all sequences take, and one that nobody has. */
static void set_pages(sqa_attention_desc *desc, uint32_t size)
{
    const uint32_t row = (desc->kv_length + size - 1) / size;
    desc->paged = (sqa_paged){size, desc->batch * row + 1};
}

static sqa_status set_case(sqa_pattern_case *c, bool small)
{
    char text[SQA_PATTERN_TEXT];
    c->test = (sqa_grid_case){SQA_ATTENTION_DESC_INIT, layouts[c->value[AXIS_LAYOUT]]};
    sqa_attention_desc *desc = &c->test.desc;
    const bool ragged = c->value[AXIS_RAGGED], odd = c->value[AXIS_DIMS];
    desc->batch = ragged ? 4 : 2;
    desc->q_heads = heads[c->value[AXIS_HEADS]].q;
    desc->kv_heads = heads[c->value[AXIS_HEADS]].kv;
    desc->q_length = lengths[small][c->value[AXIS_LENGTHS]].q;
    desc->kv_length = lengths[small][c->value[AXIS_LENGTHS]].kv;
    desc->head_dim = small ? (odd ? 5 : 8) : (odd ? 21 : 16);
    desc->value_dim = small ? (odd ? 5 : 8) : (odd ? 13 : 16);
    desc->write_lse = c->value[AXIS_LSE];
    if (ragged)
        desc->ragged = (sqa_ragged){1, desc->q_length * 2 + 1, desc->kv_length * 2 + 1};
    if (page_sizes[c->value[AXIS_PAGES]])
        set_pages(desc, page_sizes[c->value[AXIS_PAGES]]);
    if (c->test.layout != SQA_LAYOUT_BHSD)
        sqa_layout_apply(c->test.layout, desc);
    pattern_text(c, text);
    sqa_problem problem;
    sqa_status status = sqa_pattern_read(text, desc);
    if (status == SQA_OK)
        status = sqa_problem_from_desc(&problem, desc);
    if (status == SQA_OK)
        c->program = program_of(&problem.of.attention);
    return status;
}

/* Block lists and global tokens exclude each other, as do gaps, laid out for equal
 * lengths, and ragged batches. */
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
            for (size_t i = 0; i < axes[a].count; i++)
                for (size_t j = 0; j < axes[b].count; j++)
                    if (!covered->met[a][i][b][j] && sqa_pattern_can_meet(a, i, b, j)) {
                        memcpy(pair, (size_t[]){a, i, b, j}, 4 * sizeof *pair);
                        return true;
                    }
    return false;
}

static bool has_program(const sqa_pattern_grid *grid, const sqa_pattern_case *c)
{
    for (size_t i = 0; i < grid->count; i++)
        if (grid->cases[i].program == c->program)
            return true;
    return false;
}

/* Random values, by their program numbers those of `like` unless that is NULL. */
static sqa_pattern_case random_case(const sqa_pattern_case *like, sqa_random *random)
{
    sqa_pattern_case c = {0};
    for (size_t a = 0; a < AXIS_COUNT; a++)
        do {
            c.value[a] = (uint8_t)sqa_random_below(random, axes[a].count);
        } while (like && axes[a].program[c.value[a]] != axes[a].program[like->value[a]]);
    return c;
}

/* Cases of a round that are chosen without regard to programs, and what a new program has to
 * bring after these, in pairs: a program takes seconds to compile, a case little. */
enum { FREE_CASES = 10, PROGRAM_COST = 20 };

/* A combination that has the pair, mostly like a case there is already. */
static sqa_pattern_case random_with(const sqa_pattern_grid *grid, const size_t pair[4],
                                    bool is_free, sqa_random *random)
{
    const sqa_pattern_case *like = NULL;
    if (!is_free && sqa_random_below(random, 4) > 0)
        like = &grid->cases[sqa_random_below(random, grid->count)];
    sqa_pattern_case c = random_case(like, random);
    c.value[pair[0]] = (uint8_t)pair[1];
    c.value[pair[2]] = (uint8_t)pair[3];
    return c;
}

/* Of random combinations that have the pair, the one that brings the most new ones; `is_free`:
 * whatever its program. */
static sqa_status best_with(const sqa_pattern_grid *grid, const coverage *covered,
                            const size_t pair[4], bool is_free, bool small, sqa_random *random,
                            sqa_pattern_case *out)
{
    const int candidates = is_free ? 60 : 200;
    long best = LONG_MIN;
    for (int n = 0; n < candidates || best == LONG_MIN; n++) {
        sqa_pattern_case c = random_with(grid, pair, is_free, random);
        if (!is_possible(&c))
            continue;
        sqa_status status = set_case(&c, small);
        if (status != SQA_OK)
            return status;
        const long score =
            (long)new_pairs(covered, &c) - (is_free || has_program(grid, &c) ? 0 : PROGRAM_COST);
        if (score > best) {
            *out = c;
            best = score;
        }
    }
    return SQA_OK;
}

/* Appends cases until every pair has met, or there are `most`. */
static sqa_status append_round(sqa_pattern_grid *grid, uint64_t seed, bool small, size_t most)
{
    coverage *covered = calloc(1, sizeof *covered);
    if (!covered)
        return sqa_fail_memory("the pattern grid");
    sqa_random random = {seed};
    const size_t begin = grid->count;
    size_t pair[4];
    sqa_status status = SQA_OK;
    while (missing_pair(covered, pair) && grid->count < most && status == SQA_OK) {
        const bool is_free = grid->count - begin < FREE_CASES;
        sqa_pattern_case c;
        sqa_pattern_case *cases = realloc(grid->cases, (grid->count + 1) * sizeof *cases);
        if (!cases) {
            status = sqa_fail_memory("the pattern grid");
            break;
        }
        grid->cases = cases;
        status = best_with(grid, covered, pair, is_free, small, &random, &c);
        if (status == SQA_OK) {
            cases[grid->count++] = c;
            cover(covered, &c);
        }
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

sqa_grid_case sqa_pattern_without_pages(const sqa_pattern_case *c)
{
    sqa_grid_case test = c->test;
    test.desc.paged = (sqa_paged){0, 0};
    if (test.layout != SQA_LAYOUT_BHSD)
        sqa_layout_apply(test.layout, &test.desc);
    return test;
}

size_t sqa_pattern_value_count(size_t axis)
{
    return axes[axis].count;
}
