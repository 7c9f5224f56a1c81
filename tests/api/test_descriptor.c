/* Descriptors: every field outside its range is refused with a detail that names
 * it; every default is filled in. No device is needed. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "problem/problem.h"
#include "run_suite.h"
#include "sqa_cl.h"

static sqa_attention_desc valid_desc(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = 2;
    desc.q_heads = 4;
    desc.kv_heads = 2;
    desc.q_length = 5;
    desc.kv_length = 7;
    desc.head_dim = 8;
    return desc;
}

/* Fields of 32 bits, by offset, with values that must be refused. */
static const struct {
    const char *field;
    size_t offset;
    uint32_t values[4];
    size_t count;
} wrong[] = {
    {"version", offsetof(sqa_attention_desc, version), {0, 5, UINT32_MAX}, 3},
    {"operation", offsetof(sqa_attention_desc, operation), {1, 77, UINT32_MAX}, 3},
    {"dtype", offsetof(sqa_attention_desc, dtype), {77, UINT32_MAX}, 2},
    {"kv_dtype", offsetof(sqa_attention_desc, kv_dtype), {5, 77, UINT32_MAX - 1}, 3},
    {"products", offsetof(sqa_attention_desc, products), {2, 77, UINT32_MAX}, 3},
    {"batch", offsetof(sqa_attention_desc, batch), {(1u << 30) + 1, UINT32_MAX}, 2},
    {"q_heads", offsetof(sqa_attention_desc, q_heads), {0, 65536, UINT32_MAX}, 3},
    {"kv_heads", offsetof(sqa_attention_desc, kv_heads), {0, 65536, UINT32_MAX}, 3},
    {"kv_heads", offsetof(sqa_attention_desc, kv_heads), {3, 5, 6}, 3},
    {"q_length", offsetof(sqa_attention_desc, q_length), {(1u << 30) + 1, UINT32_MAX}, 2},
    {"kv_length", offsetof(sqa_attention_desc, kv_length), {(1u << 30) + 1, UINT32_MAX}, 2},
    {"head_dim", offsetof(sqa_attention_desc, head_dim), {0, 1025, UINT32_MAX}, 3},
    {"value_dim", offsetof(sqa_attention_desc, value_dim), {1025, UINT32_MAX}, 2},
    {"causal", offsetof(sqa_attention_desc, causal), {3, UINT32_MAX}, 2},
    {"write_lse", offsetof(sqa_attention_desc, write_lse), {2, UINT32_MAX}, 2},
};
enum { WRONG_COUNT = sizeof wrong / sizeof *wrong };

/* What a version does not have is not read. */
START_TEST(older_versions)
{
    sqa_attention_desc desc = valid_desc();
    sqa_problem problem;
    desc.dtype = SQA_DTYPE_F16;
    desc.kv_dtype = SQA_DTYPE_BF16;
    ck_assert(sqa_problem_from_desc(&problem, &desc) == SQA_OK);
    ck_assert_int_eq(problem.of.attention.kv_dtype, SQA_DTYPE_BF16);
    for (desc.version = 1; desc.version <= 2; desc.version++) {
        desc.kv_dtype = 77;
        if (desc.version < 2)
            desc.paged.page_size = UINT32_MAX;
        ck_assert_msg(sqa_problem_from_desc(&problem, &desc) == SQA_OK, "%s", sqa_last_error());
        ck_assert_int_eq(problem.of.attention.kv_dtype, SQA_DTYPE_F16);
        desc.paged.page_size = 0;
    }
    desc.version = 3;
    desc.kv_dtype = -1;
    desc.products = (sqa_products)77;
    ck_assert(sqa_problem_from_desc(&problem, &desc) == SQA_OK);
    ck_assert_int_eq(problem.of.attention.products, SQA_PRODUCTS_F32);
}
END_TEST

_Static_assert(sizeof(sqa_causal) == sizeof(uint32_t), "enums are written as 32 bits below");

START_TEST(wrong_fields_are_named)
{
    for (size_t i = 0; i < wrong[_i].count; i++) {
        sqa_attention_desc desc = valid_desc();
        sqa_problem problem;
        memcpy((char *)&desc + wrong[_i].offset, &wrong[_i].values[i], sizeof(uint32_t));
        ck_assert_msg(sqa_problem_from_desc(&problem, &desc) == SQA_INVALID_ARGUMENT,
                      "%s = %u was accepted", wrong[_i].field, wrong[_i].values[i]);
        ck_assert_msg(strstr(sqa_last_error(), wrong[_i].field) != NULL, "'%s' does not name %s",
                      sqa_last_error(), wrong[_i].field);
    }
}
END_TEST

static void expect_refused(const sqa_attention_desc *desc, const char *field)
{
    sqa_problem problem;
    ck_assert_msg(sqa_problem_from_desc(&problem, desc) == SQA_INVALID_ARGUMENT,
                  "a wrong %s was accepted", field);
    ck_assert_msg(strstr(sqa_last_error(), field) != NULL, "'%s' does not name %s",
                  sqa_last_error(), field);
}

START_TEST(scale_must_be_finite)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    sqa_attention_desc desc = valid_desc();
    desc.scale = values[_i];
    expect_refused(&desc, "scale");
}
END_TEST

START_TEST(strides_must_not_be_negative)
{
    static const char *const names[] = {"desc.q", "desc.k", "desc.v", "desc.o"};
    for (int part = 0; part < 3; part++) {
        sqa_attention_desc desc = valid_desc();
        sqa_strides *tensors[] = {&desc.q, &desc.k, &desc.v, &desc.o};
        int64_t value[3] = {1000, 100, 10};
        value[part] = -1;
        *tensors[_i] = (sqa_strides){value[0], value[1], value[2]};
        expect_refused(&desc, names[_i]);
    }
}
END_TEST

START_TEST(outputs_must_not_overlap)
{
    static const sqa_strides overlapping[] = {
        {160, 40, 7}, /* rows of 8 elements, 7 apart */
        {160, 39, 8}, /* heads of 40, 39 apart */
        {159, 40, 8}, /* batches of 160, 159 apart */
        {0, 40, 8},   /* one place for all batches */
        {160, 0, 8},  {160, 40, 0},
    };
    static const sqa_strides fine[] = {{160, 40, 8}, {160, 8, 32}, {8, 80, 16}, {1000, 100, 9}};
    sqa_problem problem;
    for (size_t i = 0; i < sizeof overlapping / sizeof *overlapping; i++) {
        sqa_attention_desc desc = valid_desc();
        desc.o = overlapping[i];
        expect_refused(&desc, "desc.o");
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        sqa_attention_desc desc = valid_desc();
        desc.o = fine[i];
        ck_assert_msg(sqa_problem_from_desc(&problem, &desc) == SQA_OK, "%zu: %s", i,
                      sqa_last_error());
    }
}
END_TEST

/* What SQA_ATTENTION_DESC_INIT leaves to be set, and 0, which is a value. */
START_TEST(lengths_have_to_be_set)
{
    static const struct {
        const char *field;
        size_t offset;
    } fields[] = {
        {"desc.q_length: was not set; expected 0..1073741824",
         offsetof(sqa_attention_desc, q_length)},
        {"desc.kv_length: was not set; expected 0..1073741824",
         offsetof(sqa_attention_desc, kv_length)},
        {"desc.ragged.q_total: was not set; expected 0..1073741824",
         offsetof(sqa_attention_desc, ragged.q_total)},
        {"desc.ragged.kv_total: was not set; expected 0..1073741824",
         offsetof(sqa_attention_desc, ragged.kv_total)},
        {"desc.blocks.entries: was not set; expected 0..2147483647",
         offsetof(sqa_attention_desc, blocks.entries)},
    };
    const sqa_attention_desc untouched = SQA_ATTENTION_DESC_INIT;
    const uint32_t zero = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        sqa_attention_desc desc = valid_desc();
        sqa_problem problem;
        if (strstr(fields[i].field, "ragged"))
            desc.ragged = (sqa_ragged){1, 5, 7};
        desc.blocks = (sqa_blocks){4, 4, 1, 1, 2};
        char *const at = (char *)&desc + fields[i].offset;
        memcpy(at, (const char *)&untouched + fields[i].offset, sizeof(uint32_t));
        ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_INVALID_ARGUMENT);
        ck_assert_str_eq(sqa_last_error(), fields[i].field);
        memcpy(at, &zero, sizeof zero);
        ck_assert_msg(sqa_problem_from_desc(&problem, &desc) == SQA_OK, "%s", sqa_last_error());
    }
}
END_TEST

/* Where there are neither, nobody asks. */
START_TEST(totals_and_entries_may_be_left)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT, zeros = SQA_ATTENTION_DESC_INIT;
    sqa_problem a, b;
    desc.q_length = desc.kv_length = zeros.q_length = zeros.kv_length = 3;
    zeros.ragged.q_total = zeros.ragged.kv_total = zeros.blocks.entries = 0;
    ck_assert_int_eq(sqa_problem_from_desc(&a, &desc), SQA_OK);
    ck_assert_int_eq(sqa_problem_from_desc(&b, &zeros), SQA_OK);
    ck_assert_mem_eq(&a, &b, sizeof a);
}
END_TEST

START_TEST(null_is_refused)
{
    sqa_problem problem;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, NULL), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "desc"));
}
END_TEST

START_TEST(defaults_are_filled_in)
{
    sqa_attention_desc desc = valid_desc();
    sqa_problem problem;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_uint_eq(problem.of.attention.value_dim, 8);
    ck_assert_uint_eq(problem.of.attention.out_heads, 4);
    ck_assert_float_eq(problem.of.attention.scale, 1.0f / sqrtf(8.0f));
    ck_assert_int_eq(problem.of.attention.q.sequence, 8);
    ck_assert_int_eq(problem.of.attention.q.head, 5 * 8);
    ck_assert_int_eq(problem.of.attention.q.batch, 4 * 5 * 8);
    ck_assert_int_eq(problem.of.attention.k.batch, 2 * 7 * 8);
    ck_assert_int_eq(problem.of.attention.o.batch, 4 * 5 * 8);
    desc.value_dim = 3;
    desc.scale = -2.0f;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_int_eq(problem.of.attention.v.sequence, 3);
    ck_assert_int_eq(problem.of.attention.o.sequence, 3);
    ck_assert_float_eq(problem.of.attention.scale, -2.0f);
}
END_TEST

START_TEST(diagonals)
{
    static const struct {
        sqa_causal causal;
        uint32_t mask;
        int32_t diagonal; /* of 5 queries and 7 keys */
    } cases[] = {{SQA_CAUSAL_NONE, SQA_MASK_NONE, 0},
                 {SQA_CAUSAL_BOTTOM_RIGHT, SQA_MASK_CAUSAL, 2},
                 {SQA_CAUSAL_TOP_LEFT, SQA_MASK_CAUSAL, 0}};
    sqa_attention_desc desc = valid_desc();
    sqa_problem problem;
    desc.causal = cases[_i].causal;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_uint_eq(problem.of.attention.mask, cases[_i].mask);
    ck_assert_int_eq(problem.of.attention.diagonal, cases[_i].diagonal);
}
END_TEST

/* The problem is compared and hashed as bytes: padding must not differ. */
START_TEST(equal_descriptors_give_equal_bytes)
{
    sqa_attention_desc desc = valid_desc(), spelt_out = valid_desc();
    sqa_problem a, b;
    memset(&a, 0xff, sizeof a);
    memset(&b, 0x00, sizeof b);
    spelt_out.value_dim = 8;
    spelt_out.scale = 1.0f / sqrtf(8.0f);
    spelt_out.q = sqa_strides_bhsd(4, 5, 8);
    spelt_out.k = spelt_out.v = sqa_strides_bhsd(2, 7, 8);
    spelt_out.o = sqa_strides_bhsd(4, 5, 8);
    ck_assert_int_eq(sqa_problem_from_desc(&a, &desc), SQA_OK);
    ck_assert_int_eq(sqa_problem_from_desc(&b, &spelt_out), SQA_OK);
    ck_assert_mem_eq(&a, &b, sizeof a);
}
END_TEST

START_TEST(packed_strides)
{
    sqa_strides bhsd = sqa_strides_bhsd(3, 5, 7), bshd = sqa_strides_bshd(3, 5, 7);
    ck_assert_int_eq(bhsd.batch, 105);
    ck_assert_int_eq(bhsd.head, 35);
    ck_assert_int_eq(bhsd.sequence, 7);
    ck_assert_int_eq(bshd.batch, 105);
    ck_assert_int_eq(bshd.head, 7);
    ck_assert_int_eq(bshd.sequence, 21);
    /* 64-bit: 65535 heads of 2^20 rows of 512 do not fit in 32 */
    ck_assert_int_eq(sqa_strides_bhsd(65535, 1u << 20, 512).batch,
                     INT64_C(65535) * (1 << 20) * 512);
}
END_TEST

START_TEST(variants_of_eight_heads)
{
    static const struct {
        sqa_variant variant;
        const char *name;
        uint32_t q_heads, kv_heads;
    } expected[] = {
        {SQA_VARIANT_MHA, "mha", 8, 8},     {SQA_VARIANT_GQA, "gqa", 8, 2},
        {SQA_VARIANT_MQA, "mqa", 8, 1},     {SQA_VARIANT_SQA, "sqa", 4, 2},
        {SQA_VARIANT_SSQA, "ssqa", 4, 4},   {SQA_VARIANT_XSQA, "xsqa", 2, 2},
        {SQA_VARIANT_XSMQA, "xsmqa", 2, 1}, {SQA_VARIANT_LSQA, "lsqa", 6, 2},
        {SQA_VARIANT_RSQA, "rsqa", 2, 4},
    };
    ck_assert_uint_eq(sizeof expected / sizeof *expected, SQA_VARIANT_COUNT);
    for (size_t i = 0; i < SQA_VARIANT_COUNT; i++) {
        uint32_t q_heads = 0, kv_heads = 0;
        sqa_variant variant = SQA_VARIANT_COUNT;
        ck_assert_str_eq(sqa_variant_name(expected[i].variant), expected[i].name);
        ck_assert_int_eq(sqa_variant_from_name(expected[i].name, &variant), SQA_OK);
        ck_assert_int_eq(variant, expected[i].variant);
        ck_assert_int_eq(sqa_variant_heads(variant, 8, &q_heads, &kv_heads), SQA_OK);
        ck_assert_uint_eq(q_heads, expected[i].q_heads);
        ck_assert_uint_eq(kv_heads, expected[i].kv_heads);
    }
}
END_TEST

START_TEST(variants_of_any_heads_are_valid)
{
    for (int v = 0; v < SQA_VARIANT_COUNT; v++)
        for (uint32_t heads = 1; heads <= 65535; heads = heads < 70 ? heads + 1 : heads * 2 + 1) {
            sqa_attention_desc desc = valid_desc();
            sqa_problem problem;
            ck_assert_int_eq(
                sqa_variant_heads((sqa_variant)v, heads, &desc.q_heads, &desc.kv_heads), SQA_OK);
            ck_assert_msg(sqa_problem_from_desc(&problem, &desc) == SQA_OK, "%s of %u: %s",
                          sqa_variant_name((sqa_variant)v), heads, sqa_last_error());
        }
}
END_TEST

START_TEST(wrong_variants)
{
    uint32_t q_heads = 99, kv_heads = 99;
    sqa_variant variant = SQA_VARIANT_SQA;
    ck_assert_int_eq(sqa_variant_heads(SQA_VARIANT_COUNT, 8, &q_heads, &kv_heads),
                     SQA_INVALID_ARGUMENT);
    ck_assert_int_eq(sqa_variant_heads(SQA_VARIANT_SQA, 0, &q_heads, &kv_heads),
                     SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "heads"));
    ck_assert_int_eq(sqa_variant_heads(SQA_VARIANT_SQA, 65536, &q_heads, &kv_heads),
                     SQA_INVALID_ARGUMENT);
    ck_assert_int_eq(sqa_variant_heads(SQA_VARIANT_SQA, 8, NULL, &kv_heads), SQA_INVALID_ARGUMENT);
    ck_assert_int_eq(sqa_variant_heads(SQA_VARIANT_SQA, 8, &q_heads, NULL), SQA_INVALID_ARGUMENT);
    ck_assert_int_eq(sqa_variant_from_name("flash", &variant), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "xsqa"));
    ck_assert_int_eq(sqa_variant_from_name(NULL, &variant), SQA_INVALID_ARGUMENT);
    ck_assert_int_eq(sqa_variant_from_name("sqa", NULL), SQA_INVALID_ARGUMENT);
    ck_assert_int_eq(variant, SQA_VARIANT_SQA);
    ck_assert_uint_eq(q_heads + kv_heads, 198);
    ck_assert_ptr_null(sqa_variant_name(SQA_VARIANT_COUNT));
    ck_assert_int_eq(sqa_variant_from_name("XSqa", &variant), SQA_OK);
    ck_assert_int_eq(variant, SQA_VARIANT_XSQA);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("descriptors");
    TCase *fields = tcase_create("fields");
    TCase *variants = tcase_create("variants");
    tcase_add_test(fields, older_versions);
    tcase_add_loop_test(fields, wrong_fields_are_named, 0, WRONG_COUNT);
    tcase_add_loop_test(fields, scale_must_be_finite, 0, 3);
    tcase_add_loop_test(fields, strides_must_not_be_negative, 0, 4);
    tcase_add_test(fields, outputs_must_not_overlap);
    tcase_add_test(fields, lengths_have_to_be_set);
    tcase_add_test(fields, totals_and_entries_may_be_left);
    tcase_add_test(fields, null_is_refused);
    tcase_add_test(fields, defaults_are_filled_in);
    tcase_add_loop_test(fields, diagonals, 0, 3);
    tcase_add_test(fields, equal_descriptors_give_equal_bytes);
    tcase_add_test(fields, packed_strides);
    tcase_add_test(variants, variants_of_eight_heads);
    tcase_add_test(variants, variants_of_any_heads_are_valid);
    tcase_add_test(variants, wrong_variants);
    suite_add_tcase(suite, fields);
    suite_add_tcase(suite, variants);
    return sqa_run_suite(suite);
}
