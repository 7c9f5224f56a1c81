/* What follows from a problem: extents, work, classes, names. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "operations/attention/work.h"
#include "operations/operations.h"
#include "operations/problem_class.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "problem/names.h"
#include "run_suite.h"

/* Places in the class of an attention. */
enum { DIM_PART = 1, MASK_PART = 3, GROUP_PART = 4, Q_PART = 5, KV_PART = 6 };

static sqa_problem problem_of(uint32_t q_length, uint32_t kv_length, sqa_causal causal)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem;
    desc.batch = 2;
    desc.q_heads = 6;
    desc.kv_heads = 2;
    desc.q_length = q_length;
    desc.kv_length = kv_length;
    desc.head_dim = 8;
    desc.value_dim = 4;
    desc.causal = causal;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    return problem;
}

/* Counts the visible pairs one by one. */
static double pairs_by_counting(const sqa_attention *p)
{
    double pairs = 0;
    for (int64_t i = 0; i < p->q_length; i++)
        for (int64_t j = 0; j < p->kv_length; j++)
            pairs += !(p->mask & SQA_MASK_CAUSAL) || j <= i + p->diagonal;
    return pairs;
}

START_TEST(flops_count_visible_pairs)
{
    static const uint32_t lengths[] = {0, 1, 2, 3, 7, 16, 31};
    enum { COUNT = sizeof lengths / sizeof *lengths };
    for (size_t q = 0; q < COUNT; q++)
        for (size_t k = 0; k < COUNT; k++) {
            sqa_problem p = problem_of(lengths[q], lengths[k], (sqa_causal)_i);
            double expected = 2.0 * (8 + 4) * 2 * 6 * pairs_by_counting(&p.of.attention);
            ck_assert_msg(fabs(sqa_problem_flop(&p) - expected) < 0.5,
                          "%u x %u, causal %d: %g, counted %g", lengths[q], lengths[k], _i,
                          sqa_problem_flop(&p), expected);
        }
}
END_TEST

START_TEST(bytes_count_every_tensor_once)
{
    sqa_problem p = problem_of(10, 20, SQA_CAUSAL_NONE);
    double elements = 2.0 * (6 * 10 * 8 + 2 * 20 * 8 + 2 * 20 * 4 + 6 * 10 * 4);
    ck_assert_double_eq_tol(sqa_problem_bytes(&p), 4.0 * elements, 0.5);
}
END_TEST

/* Of K and V, the keys within reach of any query count. */
START_TEST(bytes_count_what_is_within_reach)
{
    static const struct {
        const char *shape;
        double keys;
    } expected[] = {
        {"hq=1,nq=2,nk=100,d=1,causal", 100},
        {"hq=1,nq=2,nk=100,d=1,causal,window=9:0", 11},
        {"hq=1,nq=2,nk=100,d=1,causal,window=9:0,page=16", 11},
        {"hq=1,nq=2,nk=100,d=1,causal,window=9:0,globals=4", 15},
        {"hq=1,nq=2,nk=100,d=1,causal,align=top-left", 2},
        {"hq=1,nq=2,nk=100,d=1,align=top-left,window=0:5", 7},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        sqa_problem problem;
        ck_assert_msg(sqa_problem_parse(expected[i].shape, &problem) == SQA_OK, "%s",
                      sqa_last_error());
        const double keys = sqa_attention_read_keys(&problem.of.attention);
        ck_assert_msg(keys == expected[i].keys, "%s: %g", expected[i].shape, keys);
    }
}
END_TEST

START_TEST(extents)
{
    const sqa_strides packed = {60, 20, 5}, apart = {1000, 100, 7}, shared = {0, 0, 5};
    ck_assert_uint_eq(sqa_extent(&packed, 2, 3, 4, 5), 120);
    ck_assert_uint_eq(sqa_extent(&apart, 2, 3, 4, 5), 1000 + 200 + 21 + 5);
    ck_assert_uint_eq(sqa_extent(&shared, 2, 3, 4, 5), 20);
    ck_assert_uint_eq(sqa_extent(&packed, 0, 3, 4, 5), 0);
    ck_assert_uint_eq(sqa_extent(&packed, 2, 3, 0, 5), 0);
}
END_TEST

START_TEST(groups)
{
    sqa_problem p = problem_of(4, 4, SQA_CAUSAL_NONE);
    ck_assert_uint_eq(sqa_attention_group(&p.of.attention), 3);
    sqa_attention_desc reverse = SQA_ATTENTION_DESC_INIT;
    reverse.q_heads = 2;
    reverse.kv_heads = 6;
    reverse.q_length = reverse.kv_length = 1;
    ck_assert_int_eq(sqa_problem_from_desc(&p, &reverse), SQA_OK);
    ck_assert_uint_eq(p.of.attention.out_heads, 6);
    ck_assert_uint_eq(sqa_attention_group(&p.of.attention), 1);
}
END_TEST

START_TEST(class_buckets)
{
    static const struct {
        uint32_t length;
        uint32_t bucket;
    } cases[] = {{0, 0},     {1, 0},     {2, 1},     {3, 2},     {4, 2},     {5, 2},        {6, 3},
                 {1000, 10}, {1024, 10}, {1500, 10}, {1536, 11}, {2048, 11}, {1u << 30, 30}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sqa_problem p = problem_of(cases[i].length, 16, SQA_CAUSAL_NONE);
        sqa_problem_class c = sqa_problem_class_of(&p);
        ck_assert_msg(c.value[Q_PART] == cases[i].bucket, "length %u: bucket %u, not %u",
                      cases[i].length, c.value[Q_PART], cases[i].bucket);
        ck_assert_uint_eq(c.value[KV_PART], 4);
    }
}
END_TEST

START_TEST(class_distances)
{
    sqa_problem a = problem_of(1024, 1024, SQA_CAUSAL_NONE);
    sqa_problem b = problem_of(1000, 1100, SQA_CAUSAL_NONE);
    sqa_problem longer = problem_of(4096, 1024, SQA_CAUSAL_NONE);
    sqa_problem causal = problem_of(1024, 1024, SQA_CAUSAL_BOTTOM_RIGHT);
    sqa_problem_class ca = sqa_problem_class_of(&a), cb = sqa_problem_class_of(&b);
    sqa_problem_class cl = sqa_problem_class_of(&longer), cc = sqa_problem_class_of(&causal);
    ck_assert(sqa_problem_class_equal(&ca, &cb));
    ck_assert_int_eq(sqa_problem_class_distance(&ca, &cb), 0);
    ck_assert_int_eq(sqa_problem_class_distance(&ca, &cl), 2);
    ck_assert_int_eq(sqa_problem_class_distance(&cl, &ca), 2);
    ck_assert_int_gt(sqa_problem_class_distance(&ca, &cc), 2); /* another mask is far */
    ck_assert(!sqa_problem_class_equal(&ca, &cc));
    cb.value[GROUP_PART] = 4; /* another ratio of heads is near, but not the same */
    ck_assert_int_gt(sqa_problem_class_distance(&ca, &cb), 0);
    cb = ca;
    cb.value[DIM_PART] = 16;
    ck_assert_int_lt(sqa_problem_class_distance(&ca, &cb), 0);
}
END_TEST

/* Twice as many queries are near, but for a few. */
START_TEST(few_rows_are_far_from_a_few_more)
{
    static const struct {
        uint32_t a, b;
        int distance;
    } cases[] = {{1, 1, 0},   {1, 2, 5},    {1, 4, 10},  {4, 16, 10},   {16, 64, 10},
                 {32, 64, 5}, {64, 128, 1}, {1, 64, 30}, {1, 1024, 34}, {256, 1024, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const sqa_problem a = problem_of(cases[i].a, 1024, SQA_CAUSAL_NONE);
        const sqa_problem b = problem_of(cases[i].b, 1024, SQA_CAUSAL_NONE);
        const sqa_problem_class ca = sqa_problem_class_of(&a), cb = sqa_problem_class_of(&b);
        ck_assert_int_eq(sqa_problem_class_distance(&ca, &cb), cases[i].distance);
        ck_assert_int_eq(sqa_problem_class_distance(&cb, &ca), cases[i].distance);
    }
}
END_TEST

START_TEST(class_keys_lead_back)
{
    static const char key[] = "dtype=f32,d=8,dv=4,mask=causal,group=3,q=11,kv=10,rows=4";
    static const char *const others[] = {
        "",
        "dtype=f32",
        "d=8,dtype=f32,dv=4,mask=causal,group=3,q=11,kv=10,rows=4",
        "dtype=f8,d=8,dv=4,mask=causal,group=3,q=11,kv=10,rows=4",
        "dtype=f32,d=0,dv=4,mask=causal,group=3,q=11,kv=10,rows=4",
        "dtype=f32,d=1025,dv=4,mask=causal,group=3,q=11,kv=10,rows=4",
        "dtype=f32,d=4294967304,dv=4,mask=causal,group=3,q=11,kv=10,rows=4",
        "dtype=f32,d=08,dv=4,mask=causal,group=3,q=11,kv=10,rows=4",
        "dtype=f32,d=8,dv=-1,mask=causal,group=3,q=11,kv=10,rows=4",
        "dtype=f32,d=8,dv=4,mask=window+causal,group=3,q=11,kv=10,rows=4",
        "dtype=f32,d=8,dv=4,mask=causal,group=0,q=11,kv=10,rows=4",
        "dtype=f32,d=8,dv=4,mask=causal,group=3,q=64,kv=10,rows=4",
        "dtype=f32,d=8,dv=4,mask=causal,group=3,q=11,kv=10,rows=",
        "dtype=f32,d=8,dv=4,mask=causal,group=3,q=11,kv=10,rows=4,",
        "dtype=f32,d=8,dv=4,mask=causal,group=3,q=11,kv=10,rows=4,x=1",
        "dtype=f32,d,dv=4,mask=causal,group=3,q=11,kv=10,rows=4",
    };
    sqa_problem problem = problem_of(2048, 1100, SQA_CAUSAL_TOP_LEFT);
    sqa_problem_class c = sqa_problem_class_of(&problem), again;
    char text[SQA_CLASS_KEY_TEXT];
    sqa_problem_class_format(&c, text);
    ck_assert_str_eq(text, key);
    ck_assert(sqa_problem_class_parse(SQA_OPERATION_FORWARD, text, &again));
    ck_assert_mem_eq(&again, &c, sizeof c);
    for (uint32_t kinds = 0; kinds < 16; kinds++) {
        c.value[MASK_PART] = kinds;
        sqa_problem_class_format(&c, text);
        ck_assert_msg(sqa_problem_class_parse(SQA_OPERATION_FORWARD, text, &again), "%s", text);
        ck_assert_uint_eq(again.value[MASK_PART], kinds);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!sqa_problem_class_parse(SQA_OPERATION_FORWARD, others[i], &again), "%s",
                      others[i]);
}
END_TEST

START_TEST(names_lead_back)
{
    sqa_operation operation;
    sqa_dtype dtype;
    sqa_causal causal;
    ck_assert(sqa_operation_from_name(sqa_operation_name(SQA_OPERATION_FORWARD), &operation));
    ck_assert_int_eq(operation, SQA_OPERATION_FORWARD);
    ck_assert(sqa_dtype_from_name("f32", &dtype));
    ck_assert_int_eq(dtype, SQA_DTYPE_F32);
    ck_assert_uint_eq(sqa_dtype_size(dtype), 4);
    for (int i = 0; i < 3; i++) {
        ck_assert(sqa_causal_from_name(sqa_causal_name((sqa_causal)i), &causal));
        ck_assert_int_eq(causal, i);
    }
    ck_assert(!sqa_causal_from_name("diagonal", &causal));
    ck_assert(!sqa_operation_from_name("", &operation));
    ck_assert(!sqa_dtype_from_name("f64", &dtype));
    ck_assert_ptr_null(sqa_causal_name((sqa_causal)3));
    ck_assert_ptr_null(sqa_dtype_name((sqa_dtype)-1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("problem");
    TCase *work = tcase_create("work");
    TCase *classes = tcase_create("classes");
    tcase_add_loop_test(work, flops_count_visible_pairs, 0, 3);
    tcase_add_test(work, bytes_count_every_tensor_once);
    tcase_add_test(work, bytes_count_what_is_within_reach);
    tcase_add_test(work, extents);
    tcase_add_test(work, groups);
    tcase_add_test(classes, class_buckets);
    tcase_add_test(classes, class_distances);
    tcase_add_test(classes, few_rows_are_far_from_a_few_more);
    tcase_add_test(classes, class_keys_lead_back);
    tcase_add_test(classes, names_lead_back);
    suite_add_tcase(suite, work);
    suite_add_tcase(suite, classes);
    return sqa_run_suite(suite);
}
