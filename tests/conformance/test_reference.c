/* The oracle held against numbers worked out by hand, and the judge against
 * faults planted on purpose: what judges everything else must be able to fail. */
#include <math.h>
#include <string.h>

#include "operations/attention/reference.h"
#include "operations/operations.h"
#include "reference/judge.h"
#include "run_suite.h"

static sqa_attention attention_of(const sqa_attention_desc *desc)
{
    sqa_attention attention;
    ck_assert_int_eq(sqa_attention_from_desc(&attention, desc), SQA_OK);
    return attention;
}

static void row_of(const sqa_attention *attention, const float *q, const float *k, const float *v,
                   uint32_t head, uint32_t row, double *o, double *lse)
{
    const sqa_reference_inputs inputs = {
        .by_slot = {[SQA_SLOT_Q] = q, [SQA_SLOT_K] = k, [SQA_SLOT_V] = v}};
    sqa_reference_forward_row(attention, &inputs, 0, head, row, o, lse);
}

/* Logits ln 1, ln 2, ln 3 give weights 1/6, 2/6, 3/6. */
START_TEST(three_keys_by_hand)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    const float q[] = {2.0f};
    const float k[] = {0.0f, logf(2.0f), logf(3.0f)};
    const float v[] = {6.0f, 0.0f, 12.0f, 3.0f, 18.0f, 6.0f};
    double o[2], lse;
    desc.q_length = 1;
    desc.kv_length = 3;
    desc.head_dim = 1;
    desc.value_dim = 2;
    desc.scale = 0.5f;
    sqa_attention attention = attention_of(&desc);
    row_of(&attention, q, k, v, 0, 0, o, &lse);
    ck_assert_double_eq_tol(o[0], (6.0 + 24.0 + 54.0) / 6.0, 1e-6);
    ck_assert_double_eq_tol(o[1], (6.0 + 18.0) / 6.0, 1e-6);
    ck_assert_double_eq_tol(lse, log(6.0), 1e-7);
}
END_TEST

/* Which keys each row sees, by giving key j the value 2^j and no logits. */
START_TEST(causal_masks_by_hand)
{
    static const struct {
        sqa_causal causal;
        uint32_t q_length, kv_length;
        uint32_t keys[4]; /* seen by rows 0, 1, ... */
    } cases[] = {
        {SQA_CAUSAL_NONE, 2, 3, {3, 3, 0, 0}},
        {SQA_CAUSAL_BOTTOM_RIGHT, 2, 3, {2, 3, 0, 0}},
        {SQA_CAUSAL_BOTTOM_RIGHT, 4, 2, {0, 0, 1, 2}},
        {SQA_CAUSAL_TOP_LEFT, 2, 3, {1, 2, 0, 0}},
        {SQA_CAUSAL_TOP_LEFT, 4, 2, {1, 2, 2, 2}},
        {SQA_CAUSAL_NONE, 1, 0, {0, 0, 0, 0}},
    };
    const float zeros[4] = {0}, powers[3] = {1.0f, 2.0f, 4.0f};
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.head_dim = 1;
    desc.causal = cases[_i].causal;
    desc.q_length = cases[_i].q_length;
    desc.kv_length = cases[_i].kv_length;
    sqa_attention attention = attention_of(&desc);
    for (uint32_t row = 0; row < desc.q_length; row++) {
        double o, lse, keys = cases[_i].keys[row];
        row_of(&attention, zeros, zeros, powers, 0, row, &o, &lse);
        if (keys > 0) {
            ck_assert_double_eq_tol(o, (exp2(keys) - 1.0) / keys, 1e-12);
            ck_assert_double_eq_tol(lse, log(keys), 1e-12);
        } else {
            ck_assert_double_eq(o, 0.0);
            ck_assert(isinf(lse) && lse < 0);
        }
    }
}
END_TEST

/* One key per head whose value is the head's number. */
START_TEST(heads_by_hand)
{
    static const struct {
        uint32_t q_heads, kv_heads;
        uint32_t q_of[6], kv_of[6]; /* by output head */
    } cases[] = {
        {6, 2, {0, 1, 2, 3, 4, 5}, {0, 0, 0, 1, 1, 1}},
        {2, 6, {0, 1, 0, 1, 0, 1}, {0, 1, 2, 3, 4, 5}},
        {3, 1, {0, 1, 2}, {0, 0, 0}},
    };
    const float numbers[6] = {0, 1, 2, 3, 4, 5}, ones[6] = {1, 1, 1, 1, 1, 1};
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.head_dim = desc.q_length = desc.kv_length = 1;
    desc.q_heads = cases[_i].q_heads;
    desc.kv_heads = cases[_i].kv_heads;
    sqa_attention attention = attention_of(&desc);
    for (uint32_t h = 0; h < attention.out_heads; h++) {
        double o, lse;
        row_of(&attention, numbers, ones, numbers, h, 0, &o, &lse);
        ck_assert_double_eq(o, cases[_i].kv_of[h]);
        ck_assert_double_eq(lse, cases[_i].q_of[h]);
    }
}
END_TEST

START_TEST(nan_in_a_visible_key_poisons_the_row)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    const float q[] = {1.0f, 1.0f}, k[] = {0.5f, NAN}, v[] = {1.0f, 2.0f};
    double o, lse;
    desc.head_dim = 1;
    desc.q_length = desc.kv_length = 2;
    desc.causal = SQA_CAUSAL_TOP_LEFT;
    sqa_attention attention = attention_of(&desc);
    row_of(&attention, q, k, v, 0, 0, &o, &lse);
    ck_assert_double_eq(o, 1.0);
    row_of(&attention, q, k, v, 0, 1, &o, &lse);
    ck_assert(isnan(o));
    ck_assert(isnan(lse));
}
END_TEST

START_TEST(guards_and_poison_are_found)
{
    sqa_host_tensor tensor;
    int64_t where = -1;
    /* Gaps of 2 behind each vector. */
    const sqa_tensor_shape shape = {SQA_ELEMENT_F32, {100, 30, 7}, 2, 3, 4, 5};
    ck_assert_int_eq(sqa_host_tensor_create(&tensor, &shape, 8), SQA_OK);
    sqa_host_tensor_poison(&tensor);
    ck_assert(!sqa_host_tensor_broken_guard(&tensor, &where));
    ck_assert(sqa_host_tensor_unwritten(&tensor, &where));
    ck_assert_int_eq(where, 0);
    sqa_host_tensor_fill(&tensor, 1.0f);
    ck_assert(!sqa_host_tensor_unwritten(&tensor, &where));
    ck_assert(!sqa_host_tensor_broken_guard(&tensor, &where));
    sqa_host_tensor_at(&tensor, 1, 2, 3)[5] = 1.0f; /* one past the last vector */
    ck_assert(sqa_host_tensor_broken_guard(&tensor, &where));
    ck_assert_int_eq(where, 100 + 60 + 21 + 5);
    sqa_host_tensor_poison(&tensor);
    sqa_host_tensor_at(&tensor, 0, 0, 0)[5] = 1.0f; /* a gap between two vectors */
    ck_assert(sqa_host_tensor_broken_guard(&tensor, &where));
    ck_assert_int_eq(where, 5);
    sqa_host_tensor_free(&tensor);
}
END_TEST

START_TEST(differences)
{
    const sqa_tolerance *o, *lse;
    sqa_error_sum sum = {0};
    const sqa_operation_entry *forward = sqa_operation_find("forward");
    ck_assert_int_eq(sqa_operation_tolerance(forward, NULL, SQA_SLOT_O, SQA_ELEMENT_F32, &o),
                     SQA_OK);
    ck_assert_int_eq(sqa_operation_tolerance(forward, NULL, SQA_SLOT_LSE, SQA_ELEMENT_F32, &lse),
                     SQA_OK);
    ck_assert(o->rms > 0 && o->max > 0 && lse->absolute > 0);
    ck_assert_double_eq(sqa_difference(NAN, NAN), 0.0);
    ck_assert(isinf(sqa_difference(NAN, 1.0)));
    ck_assert(isinf(sqa_difference(1.0, INFINITY)));
    ck_assert_double_eq(sqa_difference(-INFINITY, -INFINITY), 0.0);
    ck_assert(isinf(sqa_difference(-INFINITY, INFINITY)));
    sqa_error_add(&sum, 3.0, 3.0);
    sqa_error_add(&sum, 4.5, 4.0);
    ck_assert_double_eq_tol(sqa_error_rms(&sum), 0.1, 1e-15);
    sqa_error_add(&sum, NAN, 4.0);
    ck_assert(isinf(sum.largest));
    ck_assert(!(sqa_error_rms(&sum) <= o->rms));
}
END_TEST

/* Two queries, of which the first sees no key, and a key with the logit 100 and the value 3:
 * O is 0 and 3, LSE -inf and 100. */
static void open_planted(sqa_host_tensors *tensors)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem;
    desc.q_length = 2;
    desc.kv_length = desc.head_dim = 1;
    desc.scale = 1.0f;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    desc.write_lse = 1;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_int_eq(sqa_host_tensors_create(tensors, &problem, 1, true), SQA_OK);
    sqa_host_tensor_fill(&tensors->of[SQA_SLOT_Q], 10.0f);
    sqa_host_tensor_fill(&tensors->of[SQA_SLOT_K], 10.0f);
    sqa_host_tensor_fill(&tensors->of[SQA_SLOT_V], 3.0f);
}

static const struct {
    float o[2], lse[2];
    const char *finding; /* of the run */
    const char *message; /* "": passes */
} planted[] = {
    {{0.0f, 3.0f}, {-INFINITY, 100.0f}, "", ""},
    {{0.0f, 3.0f}, {-INFINITY, 100.0005f}, "", ""},
    {{0.0f, 3.0f}, {-INFINITY, 100.002f}, "", "lse at batch 0, head 0, query 1 is 100.00"},
    {{0.0f, 3.0f}, {-1e30f, 100.0f}, "", "lse at batch 0, head 0, query 0 is -1"},
    {{0.0f, 3.0f}, {NAN, 100.0f}, "", "lse at batch 0, head 0, query 0 is nan"},
    {{0.0f, 3.0f}, {-INFINITY, -INFINITY}, "", "query 1 is -inf, the reference says 100"},
    {{0.0f, 3.000005f}, {-INFINITY, 100.0f}, "", ""},
    {{0.0f, 3.0001f},
     {-INFINITY, 100.0f},
     "",
     "o differs from the reference: relative rms 3.3e-05"},
    {{0.0f, NAN}, {-INFINITY, 100.0f}, "", "o differs from the reference"},
    {{1e-4f, 3.0f}, {-INFINITY, 100.0f}, "", "query 0, where it is 0.0001 instead of 0"},
    {{0.0f, 3.0f}, {-INFINITY, 100.0f}, "k was written to", "k was written to"},
};
enum { PLANTED = sizeof planted / sizeof *planted };

START_TEST(planted_faults_are_found)
{
    sqa_host_tensors tensors;
    sqa_judgement judgement;
    open_planted(&tensors);
    for (uint32_t row = 0; row < 2; row++) {
        *sqa_host_tensor_at(&tensors.of[SQA_SLOT_O], 0, 0, row) = planted[_i].o[row];
        *sqa_host_tensor_at(&tensors.of[SQA_SLOT_LSE], 0, 0, row) = planted[_i].lse[row];
    }
    for (int all_rows = 0; all_rows < 2; all_rows++) {
        const char *message = planted[_i].message;
        ck_assert_int_eq(sqa_judge(&tensors, all_rows, 5, planted[_i].finding, &judgement), SQA_OK);
        ck_assert_msg(strstr(judgement.message, message) && judgement.passed == !*message,
                      "'%s' instead of '%s'", judgement.message, message);
        ck_assert(judgement.of[SQA_SLOT_O].judged && judgement.of[SQA_SLOT_LSE].judged);
        ck_assert(!judgement.of[SQA_SLOT_Q].judged);
    }
    sqa_host_tensors_free(&tensors);
}
END_TEST

START_TEST(random_numbers_repeat)
{
    sqa_random a = {42}, b = {42}, other = {43};
    float low = 1.0f, high = 0.0f;
    double sum = 0.0;
    ck_assert_uint_eq(sqa_random_next(&a), sqa_random_next(&b));
    ck_assert_uint_ne(sqa_random_next(&a), sqa_random_next(&other));
    for (int i = 0; i < 100000; i++) {
        float x = sqa_random_float(&a, -1.0f, 3.0f);
        ck_assert(x >= -1.0f && x < 3.0f);
        low = fminf(low, x);
        high = fmaxf(high, x);
        sum += (double)x;
        ck_assert_uint_lt(sqa_random_below(&b, 7), 7);
        double unit = sqa_random_unit(&other);
        ck_assert(unit >= 0.0 && unit < 1.0);
    }
    ck_assert(low < -0.99f && high > 2.99f);
    ck_assert_double_eq_tol(sum / 100000.0, 1.0, 0.02);
    ck_assert_uint_eq(sqa_random_below(&a, 0), 0);
    ck_assert_uint_eq(sqa_random_below(&a, 1), 0);
    /* The first output for seed 0, as published with the algorithm. */
    sqa_random zero = {0};
    ck_assert(sqa_random_next(&zero) == UINT64_C(0xe220a8397b1dcdaf));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oracle");
    TCase *oracle = tcase_create("oracle");
    tcase_add_test(oracle, three_keys_by_hand);
    tcase_add_loop_test(oracle, causal_masks_by_hand, 0, 6);
    tcase_add_loop_test(oracle, heads_by_hand, 0, 3);
    tcase_add_test(oracle, nan_in_a_visible_key_poisons_the_row);
    tcase_add_test(oracle, guards_and_poison_are_found);
    tcase_add_test(oracle, differences);
    tcase_add_loop_test(oracle, planted_faults_are_found, 0, PLANTED);
    tcase_add_test(oracle, random_numbers_repeat);
    suite_add_tcase(suite, oracle);
    return sqa_run_suite(suite);
}
