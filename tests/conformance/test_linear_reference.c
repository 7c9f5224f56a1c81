/* The oracle of linear attention: its recurrence against the weights of all keys, which are the
 * same sums by other ways; and a case that is computed by hand. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations/linear/reference.h"
#include "operations/shape.h"
#include "reference/host_tensors.h"
#include "run_suite.h"

static const char *const shapes[] = {
    "op=linear,hq=2,n=9,d=3,dv=4,causal",
    "op=linear,hq=2,nq=5,nk=8,d=4,feature=relu,state=in",
    "op=linear,b=2,hq=4,hkv=2,n=9,d=3,causal,decay=head,state=in_out,feature=elu1,normalise",
    "op=linear,b=2,hq=2,hkv=4,n=9,d=3,causal,decay=token,state=in_place,feature=elu1,normalise",
    "op=linear,b=4,hq=2,hkv=1,n=9,d=5,dv=2,causal,decay=channel,state=in,ragged=21:21",
    "op=linear,b=4,hq=2,nq=9,nk=7,d=5,dv=2,state=out,ragged=21:19",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void compare_rows(const double *a, const double *b, uint32_t count)
{
    for (uint32_t j = 0; j < count; j++)
        ck_assert_double_le(fabs(a[j] - b[j]), 1e-12 * (1.0 + fabs(b[j])));
}

static uint32_t compare_outputs(const sqa_linear_place *at)
{
    const sqa_attention *a = &at->linear->attention;
    const uint32_t group = sqa_attention_group(a);
    double recurrent[SQA_MAX_HEAD_DIM], weighted[SQA_MAX_HEAD_DIM];
    for (uint32_t h = at->head * group; h < (at->head + 1) * group; h++)
        for (uint32_t i = 0; i < at->q_length; i++) {
            sqa_linear_row_recurrent(at, h, i, recurrent);
            sqa_linear_row_weighted(at, h, i, weighted);
            compare_rows(recurrent, weighted, a->value_dim);
        }
    return group * at->q_length;
}

static void compare_states(const sqa_linear_place *at)
{
    const sqa_attention *a = &at->linear->attention;
    double column[SQA_MAX_HEAD_DIM], row[SQA_MAX_HEAD_DIM], sum;
    for (uint32_t d = 0; d < a->head_dim; d++) {
        sqa_linear_state_row(at, at->kv_length, d, row, &sum);
        for (uint32_t j = 0; j < a->value_dim; j++) {
            sqa_linear_state_column(at, at->kv_length, j, column);
            compare_rows(&column[d], &row[j], 1);
        }
        sqa_linear_state_column(at, at->kv_length, a->value_dim, column);
        compare_rows(&column[d], &sum, 1);
    }
}

/* Rows as they are judged, in order and not, against each of the query's own recurrence. */
static uint32_t compare_judged(const sqa_problem *problem, sqa_reference_inputs *inputs)
{
    static sqa_expected_row row;
    const sqa_row_group *group = sqa_linear_groups;
    const sqa_attention *a = &problem->of.attention;
    const uint64_t count = group->count(problem);
    double recurrent[SQA_MAX_HEAD_DIM];
    uint32_t rows = 0;
    inputs->prepared = group->prepare(problem, inputs);
    ck_assert_ptr_nonnull(inputs->prepared);
    for (uint64_t i = 0; i < 2 * count; i++) {
        const uint64_t index = i < count ? i : (i * 7) % count;
        const uint32_t out_head = (uint32_t)(index / a->q_length % a->out_heads);
        const sqa_linear_place at = sqa_linear_place_of(
            &problem->of.linear, inputs, (uint32_t)(index / a->q_length / a->out_heads),
            out_head / sqa_attention_group(a));
        if (!group->expect(problem, inputs, index, &row))
            continue;
        sqa_linear_row_recurrent(&at, out_head, (uint32_t)(index % a->q_length), recurrent);
        compare_rows(row.values[0], recurrent, a->value_dim);
        rows++;
    }
    free((void *)(uintptr_t)inputs->prepared);
    return rows;
}

START_TEST(recurrence_is_weighted_sum)
{
    sqa_problem problem;
    sqa_host_tensors tensors;
    uint32_t rows = 0;
    ck_assert_msg(sqa_problem_parse(shapes[_i], &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&tensors, &problem, 3, true), SQA_OK);
    sqa_reference_inputs inputs = sqa_host_tensors_views_before(&tensors);
    for (uint32_t b = 0; b < problem.of.attention.batch; b++)
        for (uint32_t h = 0; h < problem.of.attention.kv_heads; h++) {
            const sqa_linear_place at = sqa_linear_place_of(&problem.of.linear, &inputs, b, h);
            rows += compare_outputs(&at);
            compare_states(&at);
        }
    ck_assert_uint_gt(rows, 0);
    ck_assert_uint_eq(compare_judged(&problem, &inputs), 2 * rows);
    sqa_host_tensors_free(&tensors);
}
END_TEST

/* Where nothing is forgotten, and where little is left: neither sum loses anything, or overflows.
 */
START_TEST(long_sums_agree)
{
    enum { TOKENS = 65536, ROWS = 8 };
    static const float strengths[] = {-1e-4f, -0.25f, -9.2103404f};
    sqa_problem problem;
    sqa_host_tensors tensors;
    double state[4 * 5], values[5], walked[4], weighted[4];
    ck_assert_int_eq(
        sqa_problem_parse("op=linear,hq=1,n=65536,d=4,causal,decay=token,feature=elu1,normalise",
                          &problem),
        SQA_OK);
    ck_assert_int_eq(sqa_host_tensors_create(&tensors, &problem, 5, true), SQA_OK);
    sqa_random random = {7};
    for (uint32_t t = 0; t < TOKENS; t++)
        *sqa_host_tensor_at(&tensors.of[SQA_SLOT_DECAY], 0, 0, t) =
            strengths[_i] * (float)sqa_random_unit(&random);
    const sqa_reference_inputs inputs = sqa_host_tensors_views_before(&tensors);
    const sqa_linear_place at = sqa_linear_place_of(&problem.of.linear, &inputs, 0, 0);
    memset(state, 0, sizeof state);
    for (uint32_t t = 0; t < TOKENS; t++) {
        sqa_linear_step(&at, t, state, state, values);
        if (t % (TOKENS / ROWS) != TOKENS / ROWS - 1)
            continue;
        sqa_linear_row_of_state(&at, 0, t, state, walked);
        sqa_linear_row_weighted(&at, 0, t, weighted);
        for (int j = 0; j < 4; j++)
            ck_assert_double_le(fabs(walked[j] - weighted[j]), 1e-11 * (1.0 + fabs(weighted[j])));
    }
    sqa_host_tensors_free(&tensors);
}
END_TEST

/* Two tokens, one channel and column, as the rule gated_delta of ONNX LinearAttention has them. */
START_TEST(gated_delta_by_hand)
{
    sqa_problem problem;
    sqa_host_tensors tensors;
    double o;
    ck_assert_int_eq(
        sqa_problem_parse("op=linear,hq=1,n=2,d=1,causal,delta,decay=token,state=in,scale=0.5",
                          &problem),
        SQA_OK);
    ck_assert_int_eq(sqa_host_tensors_create(&tensors, &problem, 3, true), SQA_OK);
    const float numbers[][2] = {
        {2.0f, 3.0f}, {0.5f, 0.75f}, {4.0f, -1.0f}, {-0.25f, -0.5f}, {0.5f, 0.25f}};
    const uint32_t slots[] = {SQA_SLOT_Q, SQA_SLOT_K, SQA_SLOT_V, SQA_SLOT_DECAY, SQA_SLOT_BETA};
    for (int i = 0; i < 5; i++)
        for (uint32_t t = 0; t < 2; t++)
            *sqa_host_tensor_at(&tensors.of[slots[i]], 0, 0, t) = numbers[i][t];
    *sqa_host_tensor_at(&tensors.of[SQA_SLOT_STATE_IN], 0, 0, 0) = 1.0f;
    const sqa_reference_inputs inputs = sqa_host_tensors_views_before(&tensors);
    const sqa_linear_place at = sqa_linear_place_of(&problem.of.linear, &inputs, 0, 0);
    const double first = exp(-0.25) + 0.5 * 0.5 * (4.0 - exp(-0.25) * 0.5);
    const double second = exp(-0.5) * first + 0.25 * 0.75 * (-1.0 - exp(-0.5) * first * 0.75);
    sqa_linear_row_recurrent(&at, 0, 0, &o);
    ck_assert_double_le(fabs(o - 0.5 * 2.0 * first), 1e-12);
    sqa_linear_row_recurrent(&at, 0, 1, &o);
    ck_assert_double_le(fabs(o - 0.5 * 3.0 * second), 1e-12);
    sqa_host_tensors_free(&tensors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("linear_reference");
    TCase *tests = tcase_create("oracle");
    tcase_add_loop_test(tests, recurrence_is_weighted_sum, 0, SHAPES);
    tcase_add_loop_test(tests, long_sums_agree, 0, 3);
    tcase_add_test(tests, gated_delta_by_hand);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
