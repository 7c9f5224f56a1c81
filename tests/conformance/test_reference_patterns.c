/* The oracle's own masks and scores against numbers worked out by hand: it is what
 * every kernel is measured by. One head dimension, so that scores are easily set. */
#include <math.h>
#include <string.h>

#include "operations/attention/reference.h"
#include "operations/dropout.h"
#include "run_suite.h"
#include "sqa_cl.h"

/* Six queries and six keys without logits; key j has the value 2^j. */
static sqa_attention_desc six(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_length = desc.kv_length = 6;
    desc.head_dim = 1;
    desc.scale = 1.0f;
    return desc;
}

static const float zeros[64];
static const float powers[] = {1, 2, 4, 8, 16, 32, 64, 128};

/* The keys a row sees, as bits: the sum of their values. */
static uint32_t seen_by(const sqa_attention_desc *desc, const sqa_reference_inputs *given,
                        uint32_t batch, uint32_t head, uint32_t row)
{
    sqa_problem problem;
    sqa_reference_inputs inputs = *given;
    double o, lse;
    inputs.by_slot[SQA_SLOT_Q] = inputs.by_slot[SQA_SLOT_K] = zeros;
    inputs.by_slot[SQA_SLOT_V] = powers;
    ck_assert_msg(sqa_problem_from_desc(&problem, desc) == SQA_OK, "%s", sqa_last_error());
    sqa_reference_forward_row(&problem.of.attention, &inputs, batch, head, row, &o, &lse);
    return isinf(lse) ? 0 : (uint32_t)lrint(o * exp(lse));
}

static void expect_rows(const sqa_attention_desc *desc, const sqa_reference_inputs *inputs,
                        const uint32_t expected[6])
{
    for (uint32_t row = 0; row < 6; row++)
        ck_assert_msg(seen_by(desc, inputs, 0, 0, row) == expected[row],
                      "row %u sees %#x instead of %#x", row, seen_by(desc, inputs, 0, 0, row),
                      expected[row]);
}

START_TEST(windows_by_hand)
{
    sqa_attention_desc desc = six();
    const sqa_reference_inputs none = {.by_slot = {NULL}};
    desc.window = (sqa_window){1, 2};
    expect_rows(&desc, &none, (uint32_t[]){0x07, 0x0f, 0x1e, 0x3c, 0x38, 0x30});
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    expect_rows(&desc, &none, (uint32_t[]){0x01, 0x03, 0x06, 0x0c, 0x18, 0x30});
    desc.causal = SQA_CAUSAL_NONE;
    desc.window = (sqa_window){-1, 0};
    expect_rows(&desc, &none, (uint32_t[]){0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f});
}
END_TEST

START_TEST(alignment_by_hand)
{
    sqa_attention_desc desc = six();
    const sqa_reference_inputs none = {.by_slot = {NULL}};
    desc.q_length = 2;
    desc.window = (sqa_window){0, 0};
    ck_assert_uint_eq(seen_by(&desc, &none, 0, 0, 1), 0x20);
    desc.align = SQA_ALIGN_TOP_LEFT;
    ck_assert_uint_eq(seen_by(&desc, &none, 0, 0, 1), 0x02);
}
END_TEST

START_TEST(globals_by_hand)
{
    static const int32_t list[] = {0, 4};
    sqa_attention_desc desc = six();
    sqa_reference_inputs inputs = {.by_slot = {NULL}};
    desc.window = (sqa_window){0, 0};
    desc.globals = (sqa_globals){1, 0};
    expect_rows(&desc, &inputs, (uint32_t[]){0x3f, 0x03, 0x05, 0x09, 0x11, 0x21});
    desc.globals = (sqa_globals){2, 1};
    inputs.by_slot[SQA_SLOT_GLOBALS] = list;
    expect_rows(&desc, &inputs, (uint32_t[]){0x3f, 0x13, 0x15, 0x19, 0x3f, 0x31});
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    expect_rows(&desc, &inputs, (uint32_t[]){0x01, 0x03, 0x05, 0x09, 0x1f, 0x31});
}
END_TEST

START_TEST(blocks_by_hand)
{
    static const int32_t offsets[] = {0, 2, 2, 3}, indices[] = {2, 0, 1};
    sqa_attention_desc desc = six();
    sqa_reference_inputs inputs = {
        .by_slot = {[SQA_SLOT_BLOCK_OFFSETS] = offsets, [SQA_SLOT_BLOCK_INDICES] = indices}};
    desc.blocks = (sqa_blocks){2, 2, 1, 1, 3};
    expect_rows(&desc, &inputs, (uint32_t[]){0x33, 0x33, 0x00, 0x00, 0x0c, 0x0c});
}
END_TEST

START_TEST(masks_by_hand)
{
    static const uint8_t keys[] = {1, 0, 255, 1, 1, 1};
    static const uint8_t pairs[36] = {[1] = 1, [2] = 1, [6] = 9, [12] = 1, [14] = 1, [35] = 1};
    sqa_attention_desc desc = six();
    const sqa_reference_inputs inputs = {
        .by_slot = {[SQA_SLOT_KEY_MASK] = keys, [SQA_SLOT_MASK] = pairs}};
    desc.key_mask = 1;
    expect_rows(&desc, &inputs, (uint32_t[]){0x3d, 0x3d, 0x3d, 0x3d, 0x3d, 0x3d});
    desc.mask = (sqa_mask_view){1, {0, 0, 6}};
    expect_rows(&desc, &inputs, (uint32_t[]){0x04, 0x01, 0x05, 0x00, 0x00, 0x20});
}
END_TEST

START_TEST(ragged_by_hand)
{
    static const int32_t q[] = {0, 2, 2, 6}, kv[] = {0, 3, 4, 6};
    sqa_attention_desc desc = six();
    const sqa_reference_inputs inputs = {
        .by_slot = {[SQA_SLOT_CU_SEQLENS_Q] = q, [SQA_SLOT_CU_SEQLENS_KV] = kv}};
    desc.batch = 3;
    desc.q_length = 4;
    desc.kv_length = 3;
    desc.ragged = (sqa_ragged){1, 6, 6};
    ck_assert_uint_eq(seen_by(&desc, &inputs, 0, 0, 1), 0x07);
    ck_assert_uint_eq(seen_by(&desc, &inputs, 2, 0, 3), 0x30);
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT; /* aligned in each sequence */
    ck_assert_uint_eq(seen_by(&desc, &inputs, 0, 0, 0), 0x03);
    ck_assert_uint_eq(seen_by(&desc, &inputs, 2, 0, 1), 0x00);
    ck_assert_uint_eq(seen_by(&desc, &inputs, 2, 0, 2), 0x10);
}
END_TEST

/* One query against two keys: the log-odds of the second key is what is added. */
static double log_odds(sqa_attention_desc *desc, const sqa_reference_inputs *given, uint32_t head)
{
    static const float q[] = {1, 1, 1, 1, 1, 1}, k[] = {0, 3}, v[] = {0, 1};
    sqa_problem problem;
    sqa_reference_inputs inputs = *given;
    double o, lse;
    inputs.by_slot[SQA_SLOT_Q] = q;
    inputs.by_slot[SQA_SLOT_K] = k;
    inputs.by_slot[SQA_SLOT_V] = v;
    desc->q_length = 1;
    desc->kv_length = 2;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, desc), SQA_OK);
    sqa_reference_forward_row(&problem.of.attention, &inputs, 0, head, 0, &o, &lse);
    return log(o / (1.0 - o));
}

START_TEST(scores_by_hand)
{
    static const float bias[] = {0.25f, -0.5f}, slopes[] = {0.1f, 0.7f, 1.5f, 2, 3, 4};
    sqa_reference_inputs inputs = {.by_slot = {[SQA_SLOT_BIAS] = bias, [SQA_SLOT_SLOPES] = slopes}};
    sqa_attention_desc desc = six();
    desc.q_heads = 6;
    ck_assert_double_eq_tol(log_odds(&desc, &inputs, 0), 3.0, 1e-9);
    desc.softcap = 2.0f;
    ck_assert_double_eq_tol(log_odds(&desc, &inputs, 0), 2.0 * tanh(1.5), 1e-9);
    desc.bias = (sqa_bias){1, SQA_DTYPE_F32, {0, 0, 0}};
    ck_assert_double_eq_tol(log_odds(&desc, &inputs, 0), 2.0 * tanh(1.5) - 0.75, 1e-9);
    desc.softcap = 0.0f;
    desc.bias.present = 0;
    desc.alibi = SQA_ALIBI_SLOPES; /* the query stands at key 1 */
    ck_assert_double_eq_tol(log_odds(&desc, &inputs, 1), 3.0 + (double)0.7f, 1e-7);
    /* Six heads: 2^-2, 2^-4, 2^-6, 2^-8, then every other one of eight: 2^-1, 2^-3. */
    static const double geometric[] = {0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125};
    desc.alibi = SQA_ALIBI_GEOMETRIC;
    for (uint32_t h = 0; h < 6; h++)
        ck_assert_double_eq_tol(log_odds(&desc, &inputs, h), 3.0 + geometric[h], 1e-9);
}
END_TEST

START_TEST(sinks_by_hand)
{
    static const float sink[] = {1.5f};
    sqa_attention_desc desc = six();
    sqa_problem problem;
    const sqa_reference_inputs inputs = {.by_slot = {[SQA_SLOT_Q] = zeros,
                                                     [SQA_SLOT_K] = zeros,
                                                     [SQA_SLOT_V] = powers,
                                                     [SQA_SLOT_SINKS] = sink}};
    double o, lse;
    desc.sinks = 1;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    sqa_reference_forward_row(&problem.of.attention, &inputs, 0, 0, 1, &o, &lse);
    ck_assert_double_eq_tol(o, 3.0 / (2.0 + exp(1.5)), 1e-9);
    ck_assert_double_eq_tol(lse, log(2.0 + exp(1.5)), 1e-9);
    desc.q_length = 8; /* the first rows see no key: no sink either */
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    sqa_reference_forward_row(&problem.of.attention, &inputs, 0, 0, 0, &o, &lse);
    ck_assert_double_eq(o, 0.0);
    ck_assert(isinf(lse) && lse < 0);
}
END_TEST

START_TEST(hidden_by_bias)
{
    static const float bias[] = {0, -INFINITY, -1e9f, 0, -INFINITY, -INFINITY};
    static const float low[] = {-1e9f, -1e9f, -1e9f, -1e9f, -1e9f, -1e9f};
    sqa_attention_desc desc = six();
    sqa_reference_inputs inputs = {.by_slot = {[SQA_SLOT_BIAS] = bias}};
    desc.bias = (sqa_bias){1, SQA_DTYPE_F32, {0, 0, 0}};
    ck_assert_uint_eq(seen_by(&desc, &inputs, 0, 0, 3), 0x09);
    sqa_problem problem;
    double o, lse;
    const sqa_reference_inputs all_low = {.by_slot = {[SQA_SLOT_Q] = zeros,
                                                      [SQA_SLOT_K] = zeros,
                                                      [SQA_SLOT_V] = powers,
                                                      [SQA_SLOT_BIAS] = low}};
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    sqa_reference_forward_row(&problem.of.attention, &all_low, 0, 0, 3, &o, &lse);
    ck_assert_double_eq_tol(o, 63.0 / 6.0, 1e-9);
}
END_TEST

/* The vectors that the authors of Philox publish (kat_vectors of Random123). */
START_TEST(philox_is_philox)
{
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t numbers[4];
        sqa_reference_philox(known[i].counter, known[i].key, numbers);
        ck_assert_mem_eq(numbers, known[i].expected, sizeof numbers);
    }
}
END_TEST

enum { DROPOUT_BATCH = 2, DROPOUT_HEADS = 4, DROPOUT_LENGTH = 300 };

static sqa_attention with_dropout(float dropout)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem;
    desc.batch = DROPOUT_BATCH;
    desc.q_heads = desc.kv_heads = DROPOUT_HEADS;
    desc.q_length = desc.kv_length = DROPOUT_LENGTH;
    desc.dropout = dropout;
    ck_assert_msg(sqa_problem_from_desc(&problem, &desc) == SQA_OK, "%s", sqa_last_error());
    return problem.of.attention;
}

/* Of all pairs, the part for which `agrees` holds. */
typedef bool (*pair_test)(const sqa_attention *a, const sqa_reference_inputs *inputs,
                          uint32_t batch, uint32_t head, uint32_t row, uint32_t key);

static double share_of(const sqa_attention *a, const sqa_reference_inputs *inputs, pair_test agrees)
{
    uint64_t count = 0, all = 0;
    for (uint32_t b = 0; b < DROPOUT_BATCH; b++)
        for (uint32_t h = 0; h < DROPOUT_HEADS; h++)
            for (uint32_t i = 0; i < DROPOUT_LENGTH; i++)
                for (uint32_t j = 0; j < DROPOUT_LENGTH; j++, all++)
                    count += agrees(a, inputs, b, h, i, j);
    return (double)count / (double)all;
}

static bool is_kept(const sqa_attention *a, const sqa_reference_inputs *inputs, uint32_t batch,
                    uint32_t head, uint32_t row, uint32_t key)
{
    return sqa_reference_kept_weight(a, inputs, batch, head, row, key) > 0.0;
}

/* Kept like the pair that one of the numbers takes it to. */
#define LIKE(name, b, h, i, j)                                                                     \
    static bool like_##name(const sqa_attention *a, const sqa_reference_inputs *inputs,            \
                            uint32_t batch, uint32_t head, uint32_t row, uint32_t key)             \
    {                                                                                              \
        return is_kept(a, inputs, batch, head, row, key) == is_kept(a, inputs, b, h, i, j);        \
    }
LIKE(batch, batch + 1, head, row, key)
LIKE(head, batch, head + 1, row, key)
LIKE(row, batch, head, row + 1, key)
LIKE(key, batch, head, row, key + 1)
LIKE(four_on, batch, head, row, key + 4)
LIKE(mirrored, batch, head, key, row)

/* Within five standard deviations of 720,000 draws, for what is expected of independent ones:
 * the kept share, and how often two agree. */
START_TEST(dropout_is_random)
{
    static const float probabilities[] = {0.1f, 0.5f, 0.9f};
    static const pair_test others[] = {like_batch, like_head,    like_row,
                                       like_key,   like_four_on, like_mirrored};
    static const int32_t seeds[][2] = {{0, 0}, {1, 0}, {0, 1}, {-1, 0x7fffffff}};
    const double draws = (double)DROPOUT_BATCH * DROPOUT_HEADS * DROPOUT_LENGTH * DROPOUT_LENGTH;
    for (size_t i = 0; i < 3; i++) {
        const sqa_attention a = with_dropout(probabilities[i]);
        const double p = (double)probabilities[i], both = p * p + (1 - p) * (1 - p);
        for (size_t s = 0; s < 4; s++) {
            const sqa_reference_inputs inputs = {.by_slot = {[SQA_SLOT_DROPOUT_SEED] = seeds[s]}};
            ck_assert_double_eq_tol(share_of(&a, &inputs, is_kept), 1 - p,
                                    5 * sqrt(p * (1 - p) / draws));
        }
        const sqa_reference_inputs inputs = {.by_slot = {[SQA_SLOT_DROPOUT_SEED] = seeds[1]}};
        for (size_t o = 0; o < sizeof others / sizeof *others; o++)
            ck_assert_msg(fabs(share_of(&a, &inputs, others[o]) - both) <
                              10 * sqrt(both * (1 - both) / draws),
                          "dropout %g, relation %zu: %g agree, not %g", p, o,
                          share_of(&a, &inputs, others[o]), both);
    }
}
END_TEST

/* What is kept weighs so much more that the mean is as without. */
START_TEST(dropout_by_hand)
{
    const sqa_attention a = with_dropout(0.25f);
    const int32_t seed[2] = {7, 7};
    const sqa_reference_inputs inputs = {.by_slot = {[SQA_SLOT_DROPOUT_SEED] = seed}};
    double sum = 0.0;
    for (uint32_t j = 0; j < DROPOUT_LENGTH; j++) {
        const double kept = sqa_reference_kept_weight(&a, &inputs, 0, 0, 0, j);
        ck_assert(kept == 0.0 || fabs(kept - 4.0 / 3.0) < 1e-9);
        sum += kept;
    }
    ck_assert_double_eq_tol(sum / DROPOUT_LENGTH, 1.0, 0.2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oracle patterns");
    TCase *masks = tcase_create("masks");
    TCase *scores = tcase_create("scores");
    tcase_add_test(masks, windows_by_hand);
    tcase_add_test(masks, alignment_by_hand);
    tcase_add_test(masks, globals_by_hand);
    tcase_add_test(masks, blocks_by_hand);
    tcase_add_test(masks, masks_by_hand);
    tcase_add_test(masks, ragged_by_hand);
    tcase_add_test(scores, scores_by_hand);
    tcase_add_test(scores, sinks_by_hand);
    tcase_add_test(scores, hidden_by_bias);
    tcase_add_test(scores, philox_is_philox);
    tcase_add_test(scores, dropout_is_random);
    tcase_add_test(scores, dropout_by_hand);
    suite_add_tcase(suite, masks);
    suite_add_tcase(suite, scores);
    return sqa_run_suite(suite);
}
