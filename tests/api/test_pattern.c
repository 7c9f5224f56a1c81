/* The pattern part of descriptors: what is refused and by which name, and which
 * rules leave no trace because they hide nothing. No device is needed. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "operations/attention/work.h"
#include "problem/problem.h"
#include "run_suite.h"
#include "sqa_cl.h"

static sqa_attention_desc valid_desc(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = 2;
    desc.q_heads = 6;
    desc.kv_heads = 2;
    desc.q_length = 50;
    desc.kv_length = 70;
    desc.head_dim = 8;
    desc.blocks = (sqa_blocks){16, 8, 1, 1, 10};
    return desc;
}

/* Fields of 32 bits, by offset, with values that must be refused. */
#define FIELD(member) #member, offsetof(sqa_attention_desc, member)
static const struct {
    const char *field;
    size_t offset;
    uint32_t values[3];
    size_t count;
} wrong[] = {
    {FIELD(align), {2, UINT32_MAX}, 2},
    {FIELD(window.left), {(uint32_t)-2, 1u << 30, (uint32_t)INT32_MIN}, 3},
    {FIELD(window.right), {(uint32_t)-2, 1u << 30, (uint32_t)INT32_MIN}, 3},
    {FIELD(globals.count), {(1u << 20) + 1, UINT32_MAX}, 2},
    {FIELD(globals.listed), {2, UINT32_MAX}, 2},
    {FIELD(key_mask), {2}, 1},
    {FIELD(mask.present), {2}, 1},
    {FIELD(ragged.present), {2}, 1},
    {FIELD(paged.page_size), {(1u << 30) + 1}, 1},
    {FIELD(paged.pages), {(1u << 30) + 1}, 1},
    {FIELD(ragged.q_total), {(1u << 30) + 1}, 1},
    {FIELD(ragged.kv_total), {(1u << 30) + 1}, 1},
    {FIELD(alibi), {3, UINT32_MAX}, 2},
    {FIELD(bias.present), {2}, 1},
    {FIELD(sinks), {2}, 1},
    {FIELD(blocks.query_size), {0, (1u << 30) + 1}, 2},
    {FIELD(blocks.key_size), {0, (1u << 30) + 1}, 2},
    {FIELD(blocks.batch), {0, 3}, 2},
    {FIELD(blocks.heads), {0, 3, 5}, 3},
    {FIELD(blocks.entries), {1u << 31, UINT32_MAX}, 2},
};
enum { WRONG_COUNT = sizeof wrong / sizeof *wrong };

static void expect_refused(const sqa_attention_desc *desc, const char *field)
{
    sqa_problem problem;
    memset(&problem, 0x5a, sizeof problem);
    ck_assert_msg(sqa_problem_from_desc(&problem, desc) == SQA_INVALID_ARGUMENT,
                  "a wrong %s was accepted", field);
    ck_assert_msg(strstr(sqa_last_error(), field) != NULL, "'%s' does not name %s",
                  sqa_last_error(), field);
    ck_assert_uint_eq(problem.of.attention.batch, 0x5a5a5a5au); /* nothing was written */
}

START_TEST(wrong_fields_are_named)
{
    for (size_t i = 0; i < wrong[_i].count; i++) {
        sqa_attention_desc desc = valid_desc();
        memcpy((char *)&desc + wrong[_i].offset, &wrong[_i].values[i], sizeof(uint32_t));
        expect_refused(&desc, wrong[_i].field);
    }
}
END_TEST

START_TEST(wrong_floats_and_strides)
{
    static const float softcaps[] = {-1.0f, INFINITY, NAN};
    for (size_t i = 0; i < 3; i++) {
        sqa_attention_desc desc = valid_desc();
        desc.softcap = softcaps[i];
        expect_refused(&desc, "softcap");
    }
    static const float dropouts[] = {-0.1f, 1.0f, INFINITY, NAN};
    for (size_t i = 0; i < 4; i++) {
        sqa_attention_desc desc = valid_desc();
        desc.dropout = dropouts[i];
        expect_refused(&desc, "dropout");
    }
    sqa_attention_desc desc = valid_desc();
    desc.bias = (sqa_bias){1, SQA_DTYPE_F32, {0, 0, -1}};
    expect_refused(&desc, "bias.strides.sequence");
    desc.bias = (sqa_bias){1, SQA_DTYPE_F32, {0, INT64_MAX, 0}};
    expect_refused(&desc, "bias.strides.head");
    desc.bias = (sqa_bias){1, 3, {0, 0, 0}};
    expect_refused(&desc, "bias.dtype");
    desc = valid_desc();
    desc.mask = (sqa_mask_view){1, {-5, 0, 0}};
    expect_refused(&desc, "mask.strides.batch");
}
END_TEST

START_TEST(what_cannot_be_combined)
{
    sqa_attention_desc desc = valid_desc();
    desc.globals.count = 3;
    expect_refused(&desc, "globals");
    desc = valid_desc();
    desc.ragged.present = 1;
    desc.batch = 65536;
    desc.blocks = (sqa_blocks){0, 0, 0, 0, 0};
    expect_refused(&desc, "batch");
    desc = valid_desc();
    desc.blocks = (sqa_blocks){1, 1, 2, 6, 10};
    desc.q_length = 1u << 30;
    expect_refused(&desc, "blocks");
    desc = valid_desc();
    desc.paged = (sqa_paged){16, 0};
    expect_refused(&desc, "paged.pages");
    desc.paged = (sqa_paged){1, 1};
    desc.kv_length = 1u << 30;
    expect_refused(&desc, "paged.page_size");
}
END_TEST

/* Callers of the first version have a shorter descriptor, behind which anything may lie. */
START_TEST(version_1_has_no_pages)
{
    sqa_attention_desc desc = valid_desc();
    sqa_problem first, now;
    ck_assert_int_eq(sqa_problem_from_desc(&now, &desc), SQA_OK);
    desc.version = 1;
    memset(&desc.paged, 0x5a, sizeof desc.paged);
    ck_assert_int_eq(sqa_problem_from_desc(&first, &desc), SQA_OK);
    ck_assert_mem_eq(&first, &now, sizeof now);
}
END_TEST

/* A rule that hides nothing gives the plain problem, byte for byte, and so its kernel. */
START_TEST(rules_without_effect)
{
    sqa_attention_desc plain = valid_desc();
    plain.blocks = (sqa_blocks){0, 0, 0, 0, 0};
    sqa_attention_desc wide[] = {plain, plain, plain, plain, plain};
    wide[0].window = (sqa_window){69, 69};
    wide[1].window = (sqa_window){(1 << 30) - 1, (1 << 30) - 1};
    wide[2].globals = (sqa_globals){5, 1}; /* nothing to be lifted */
    wide[3].align = SQA_ALIGN_TOP_LEFT;
    wide[4].window = (sqa_window){-1, -1};
    sqa_problem a, b;
    ck_assert_int_eq(sqa_problem_from_desc(&a, &plain), SQA_OK);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        ck_assert_int_eq(sqa_problem_from_desc(&b, &wide[i]), SQA_OK);
        ck_assert_msg(!memcmp(&a, &b, sizeof a), "descriptor %zu", i);
    }
    plain.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    sqa_attention_desc causal = plain;
    causal.window.right = 0; /* the causal mask hides all that */
    ck_assert_int_eq(sqa_problem_from_desc(&a, &plain), SQA_OK);
    ck_assert_int_eq(sqa_problem_from_desc(&b, &causal), SQA_OK);
    ck_assert_mem_eq(&a, &b, sizeof a);
}
END_TEST

START_TEST(narrower_windows_count)
{
    static const sqa_window windows[] = {{68, 69}, {-1, 48}, {0, -1}};
    sqa_attention_desc desc = valid_desc();
    sqa_problem problem;
    desc.blocks = (sqa_blocks){0, 0, 0, 0, 0};
    desc.window = windows[_i];
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_uint_eq(problem.of.attention.mask, SQA_MASK_WINDOW);
    ck_assert_int_eq(problem.of.attention.diagonal, 20);
}
END_TEST

START_TEST(work_is_what_is_seen)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem;
    desc.q_length = desc.kv_length = 100;
    desc.window = (sqa_window){3, 2};
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_double_eq_tol(sqa_attention_seen_keys(&problem.of.attention) * 100, 600 - 6 - 3,
                            1e-9);
    desc.globals.count = 1; /* seen by 96 more, sees 97 more */
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_double_eq_tol(sqa_attention_seen_keys(&problem.of.attention) * 100, 591 + 96 + 97,
                            1e-9);
    desc.globals.count = 0;
    desc.window = (sqa_window){-1, -1};
    desc.blocks = (sqa_blocks){10, 10, 1, 1, 25};
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_double_eq_tol(sqa_attention_seen_keys(&problem.of.attention), 25, 1e-9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("patterns");
    TCase *fields = tcase_create("fields");
    tcase_add_loop_test(fields, wrong_fields_are_named, 0, WRONG_COUNT);
    tcase_add_test(fields, wrong_floats_and_strides);
    tcase_add_test(fields, what_cannot_be_combined);
    tcase_add_test(fields, version_1_has_no_pages);
    tcase_add_test(fields, rules_without_effect);
    tcase_add_loop_test(fields, narrower_windows_count, 0, 3);
    tcase_add_test(fields, work_is_what_is_seen);
    suite_add_tcase(suite, fields);
    return sqa_run_suite(suite);
}
