/* The oracle's gradients against finite differences of the oracle's forward pass; and the
 * backward pass as callers have it, all of its stages together, against that oracle.
 * SQA_TEST_SIZE as in test_families.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/suite.h"
#include "opencl_fixture.h"
#include "operations/backward/backward.h"
#include "operations/backward/gradient_rows.h"
#include "operations/operations.h"
#include "run_suite.h"

/* Every kind of mask and score, small: each element is moved four times, and all rows
 * computed again. */
static const char *const shapes[] = {
    "hq=2,hkv=1,nq=5,nk=7,d=3,dv=4",
    "b=2,hq=4,hkv=2,nq=6,nk=5,d=3,causal,softcap=1.5",
    "hq=2,hkv=6,nq=5,nk=7,d=4,causal,align=top-left",
    "hq=2,nq=7,nk=7,d=3,window=1:2,globals=2,alibi=geometric",
    "hq=2,hkv=1,nq=8,nk=9,d=3,causal,window=3:0,globals=list2,sinks,grads=q+k+v+sinks",
    "b=2,hq=2,nq=8,nk=9,d=3,blocks=3x2@0.5/bh,mask=q,keymask",
    "b=2,hq=4,hkv=2,nq=4,nk=6,d=3,bias=f32/h,sinks,grads=q+k+v+bias+sinks",
    "b=2,hq=2,nq=4,nk=6,d=3,bias=f32/bhq,alibi=slopes,softcap=2,grads=q+k+v+bias+slopes",
    "b=2,hq=2,hkv=4,nq=4,nk=6,d=3,bias=f32/,alibi=slopes,sinks,grads=q+k+v+bias+sinks+slopes",
    ("b=4,hq=4,hkv=2,nq=5,nk=6,d=3,causal,ragged=11:13,sinks,alibi=slopes,"
     "grads=q+k+v+sinks+slopes"),
    "b=2,hq=4,hkv=2,nq=5,nk=6,d=3,causal,sinks,dropout=0.4,bias=f32/q,grads=q+k+v+bias+sinks",
    "hq=2,nq=5,nk=6,d=3,scale=-0.7,layout=bshd,bias=f32/q,grads=q+k+v+bias",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const struct {
    uint32_t gradient, input;
} pairs[] = {{SQA_SLOT_DQ, SQA_SLOT_Q},         {SQA_SLOT_DK, SQA_SLOT_K},
             {SQA_SLOT_DV, SQA_SLOT_V},         {SQA_SLOT_DBIAS, SQA_SLOT_BIAS},
             {SQA_SLOT_DSINKS, SQA_SLOT_SINKS}, {SQA_SLOT_DSLOPES, SQA_SLOT_SLOPES}};

/* The gradient lies as its input does, so that an element has one number in both. */
static float *element(sqa_host_tensors *tensors, uint32_t slot, int64_t at)
{
    sqa_host_tensor *tensor = &tensors->of[slot];
    return (float *)tensor->data + (int64_t)tensor->guard + at;
}

/* What the gradients are of: dO is its derivative with respect to O. */
static double loss(const sqa_host_tensors *tensors)
{
    const sqa_reference_inputs views = sqa_host_tensors_views(tensors);
    double o[SQA_MAX_ROW], lse, sum = 0.0;
    sqa_vector_place at;
    for (bool more = sqa_vector_first(tensors, SQA_SLOT_DOUT, &at); more;
         more = sqa_vector_next(tensors, &at)) {
        const float *dout = sqa_vector_at(tensors, &at);
        sqa_reference_forward_row(&tensors->problem.of.attention, &views, at.batch, at.head, at.row,
                                  o, &lse);
        for (uint32_t d = 0; d < tensors->of[SQA_SLOT_DOUT].dim; d++)
            sum += (double)dout[d] * o[d];
    }
    return sum;
}

static double difference(sqa_host_tensors *tensors, float *x, double step)
{
    const float before = *x;
    *x = before + (float)step;
    const double above = loss(tensors);
    *x = before - (float)step;
    const double below = loss(tensors);
    *x = before;
    return (above - below) / (2.0 * step);
}

/* Of two step sizes, so that the error is of their fourth power (Richardson). */
static double slope(sqa_host_tensors *tensors, uint32_t slot, int64_t at)
{
    const double step = 0x1p-7;
    float *x = element(tensors, slot, at);
    return (4.0 * difference(tensors, x, step / 2) - difference(tensors, x, step)) / 3.0;
}

/* To a grid that the steps lie on, so that moving is exact. */
static void round_inputs(sqa_host_tensors *tensors)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        sqa_host_tensor *tensor = &tensors->of[pairs[i].input];
        float *values = tensor->data;
        for (size_t j = 0; j < tensor->count; j++)
            if (tensor->inside[j])
                values[j] = rintf(values[j] * 0x1p10f) * 0x1p-10f;
    }
}

static uint32_t input_of(uint32_t gradient)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].gradient == gradient)
            return pairs[i].input;
    ck_abort_msg("slot %u is no gradient", gradient);
    return 0;
}

static void check_row(sqa_host_tensors *tensors, const sqa_row_group *group,
                      const sqa_expected_row *row, const char *text, uint64_t *checked)
{
    for (uint32_t i = 0; i < group->slot_count; i++)
        for (uint32_t j = 0; j < row->count[i]; j++) {
            const double expected =
                slope(tensors, input_of(group->slots[i]), row->at[i] + (int64_t)j);
            ck_assert_msg(fabs(row->values[i][j] - expected) < 3e-6,
                          "%s: %s, element %lld is %.9g, by differences %.9g", text,
                          sqa_tensor_name(&tensors->problem, group->slots[i]),
                          (long long)row->at[i] + j, row->values[i][j], expected);
            ++*checked;
        }
}

START_TEST(the_oracle_is_right)
{
    static sqa_expected_row row;
    char text[SQA_SHAPE_TEXT];
    sqa_problem problem;
    sqa_host_tensors tensors;
    uint64_t checked = 0;
    snprintf(text, sizeof text, "op=backward,%s", shapes[_i]);
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&tensors, &problem, (uint64_t)_i, true), SQA_OK);
    round_inputs(&tensors);
    sqa_set_outputs(&tensors);
    const sqa_reference_inputs views = sqa_host_tensors_views(&tensors);
    const sqa_operation_entry *entry = sqa_operation_of(&problem);
    for (const sqa_row_group *group = entry->groups; group->slot_count; group++)
        for (uint64_t i = 0; i < group->count(&problem); i++)
            if (group->expect(&problem, &views, i, &row))
                check_row(&tensors, group, &row, text, &checked);
    ck_assert_uint_gt(checked, 50);
    sqa_host_tensors_free(&tensors);
}
END_TEST

static void print_failure(void *user, const sqa_outcome *outcome)
{
    (void)user;
    if (outcome->verdict == SQA_VERDICT_FAILED)
        printf("FAILED: %s\n    %s\n", outcome->message, outcome->subject);
}

static bool is_tiny(void)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "tiny");
}

static sqa_suite suite_of(sqa_dtype dtype)
{
    return (sqa_suite){.context = test_context,
                       .queue = test_queue,
                       .device = &test_device,
                       .operation = SQA_OPERATION_BACKWARD,
                       .dtype = dtype,
                       .seed = 7,
                       .report = print_failure};
}

/* Whatever the stages choose by default. */
START_TEST(the_pass_is_right)
{
    const sqa_suite suite = suite_of((sqa_dtype)_i);
    sqa_suite_counts counts = {0};
    for (const sqa_case_grid *grid = sqa_tuner_backward.grids; grid->name; grid++)
        ck_assert_int_eq(
            sqa_suite_grid(&suite, grid, is_tiny() || _i ? SQA_GRID_TINY : SQA_GRID_QUICK, &counts),
            SQA_OK);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_gt(counts.passed, 0);
    printf("%zu passes are right\n", counts.passed);
}
END_TEST

START_TEST(the_pass_keeps_its_properties)
{
    const sqa_suite suite = suite_of(SQA_DTYPE_F32);
    sqa_suite_counts counts = {0};
    for (size_t i = 0; i < sqa_tuner_backward.property_count; i++)
        sqa_suite_property(&suite, &sqa_tuner_backward.properties[i], is_tiny(), &counts);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_eq(counts.passed, sqa_tuner_backward.property_count);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *oracle = tcase_create("oracle"), *pass = tcase_create("pass");
    tcase_add_loop_test(oracle, the_oracle_is_right, 0, SHAPES);
    suite_add_tcase(suite, oracle);
    tcase_add_unchecked_fixture(pass, open_device, close_device);
    tcase_add_loop_test(pass, the_pass_is_right, SQA_DTYPE_F32, SQA_DTYPE_BF16 + 1);
    tcase_add_test(pass, the_pass_keeps_its_properties);
    suite_add_tcase(suite, pass);
    return sqa_run_suite(suite);
}
