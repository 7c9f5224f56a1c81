/* The block's oracle against finite differences of its forward pass; and the block as callers have
 * it, all of its stages together, against that oracle. SQA_TEST_SIZE as in test_families.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/suite.h"
#include "opencl_fixture.h"
#include "operations/attention/reference.h"
#include "operations/block/block.h"
#include "operations/block/reference.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "run_suite.h"

/* Small: each element is moved four times, and everything computed again. */
static const char *const shapes[] = {
    "variant=sqa,h=4,n=3,d=4,dmodel=4,causal,rope=half,qknorm,gate,mlp=5,act=silu,gated",
    "b=2,hq=2,n=3,d=2,dmodel=4,biases,mlp=3,act=gelu_tanh,norm=layer,mlpbiases",
    "hq=2,n=4,d=2,dmodel=4,fused,mlp=3,act=gelu_erf,gated,mlpbiases,norm=layer,kind=parallel",
    "b=2,hq=2,hkv=1,n=3,d=2,dmodel=3,ragged=5:5,mlp=4,act=sigmoid,kind=parallel",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static sqa_host_tensors tensors_of(const char *operation, const char *shape, const char *more)
{
    char text[SQA_SHAPE_TEXT];
    sqa_problem problem;
    sqa_host_tensors tensors;
    snprintf(text, sizeof text, "op=%s,%s%s", operation, shape, more);
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&tensors, &problem, 3, true), SQA_OK);
    return tensors;
}

static float *values_of(const sqa_host_tensors *tensors, uint32_t slot)
{
    const sqa_host_tensor *tensor = &tensors->of[slot];
    return (float *)tensor->data + (int64_t)tensor->guard;
}

/* The sum over Y times dY. */
static double loss(const sqa_host_tensors *forward, const float *dy)
{
    const sqa_attention *a = &forward->problem.of.attention;
    const uint32_t model = forward->problem.of.layer.d_model;
    const sqa_reference_inputs views = sqa_host_tensors_views(forward);
    sqa_block_reference *reference = sqa_block_reference_create(&forward->problem, &views);
    double sum = 0.0;
    ck_assert_ptr_nonnull(reference);
    for (uint32_t batch = 0; batch < a->batch; batch++) {
        const sqa_sequence s = sqa_reference_sequence(a, &views, batch);
        const uint32_t before = a->mask & SQA_MASK_RAGGED ? s.q_begin : batch * a->q_length;
        for (uint32_t query = 0; query < s.q_length; query++) {
            sqa_block_row row;
            ck_assert(sqa_block_reference_row(reference, batch, query, before + query, &row));
            for (uint32_t j = 0; j < model; j++)
                sum += row.y[j] * (double)dy[(size_t)(before + query) * model + j];
            sqa_block_row_free(&row);
        }
    }
    sqa_block_reference_free(reference);
    return sum;
}

static double difference(const sqa_host_tensors *forward, const float *dy, float *x, float step)
{
    const float before = *x;
    *x = before + step;
    const double above = loss(forward, dy);
    *x = before - step;
    const double below = loss(forward, dy);
    *x = before;
    return (above - below) / (2.0 * (double)step);
}

/* Of two step sizes, so that the error is of their fourth power (Richardson). */
static double slope(const sqa_host_tensors *forward, const float *dy, float *x)
{
    return (4.0 * difference(forward, dy, x, 0x1p-6f) - difference(forward, dy, x, 0x1p-5f)) / 3.0;
}

static uint32_t input_of(uint32_t gradient)
{
    switch (gradient) {
    case SQA_LAYER_DWG: return SQA_LAYER_WG;
    case SQA_LAYER_DBG: return SQA_LAYER_BG;
    case SQA_LAYER_DQ_NORM: return SQA_LAYER_Q_NORM;
    case SQA_LAYER_DK_NORM: return SQA_LAYER_K_NORM;
    default:
        return gradient >= SQA_BLOCK_DNORM1 ? gradient - SQA_BLOCK_DNORM1 + SQA_BLOCK_NORM1
                                            : gradient - SQA_LAYER_DX + SQA_LAYER_X;
    }
}

/* The backward pass's inputs are the forward pass's. */
static void share_inputs(const sqa_host_tensors *forward, sqa_host_tensors *backward)
{
    for (uint32_t slot = 0; slot < SQA_BLOCK_MIDDLE; slot++) {
        const sqa_host_tensor *from = &forward->of[slot];
        sqa_host_tensor *to = &backward->of[slot];
        if (!to->data || !from->data || sqa_tensor_is_output(&forward->problem, slot))
            continue;
        const size_t bytes = (size_t)sqa_element_bytes(from->element, 1);
        ck_assert_uint_eq(from->count - 2 * from->guard, to->count - 2 * to->guard);
        memcpy((char *)to->data + to->guard * bytes, (char *)from->data + from->guard * bytes,
               (from->count - 2 * from->guard) * bytes);
    }
}

static void *prepared(const sqa_row_group *group, const sqa_problem *problem,
                      sqa_reference_inputs *views)
{
    void *made = group->prepare(problem, views);
    ck_assert_ptr_nonnull(made);
    views->prepared = made;
    return made;
}

/* And what that one keeps, as its oracle has it. */
static void keep(const sqa_host_tensors *forward, sqa_host_tensors *backward)
{
    static sqa_expected_row row;
    for (const sqa_row_group *group = sqa_block_groups; group->slot_count; group++) {
        sqa_reference_inputs views = sqa_host_tensors_views(forward);
        void *made = prepared(group, &forward->problem, &views);
        for (uint64_t r = 0; r < group->count(&forward->problem); r++) {
            memset(row.count, 0, sizeof row.count);
            if (!group->expect(&forward->problem, &views, r, &row))
                continue;
            for (uint32_t i = 0; i < group->slot_count; i++)
                for (uint32_t j = 0; group->slots[i] != SQA_LAYER_Y && j < row.count[i]; j++)
                    values_of(backward, group->slots[i])[row.at[i] + j] = (float)row.values[i][j];
        }
        group->release(made);
    }
}

static uint64_t check_group(const sqa_host_tensors *forward, const sqa_host_tensors *backward,
                            const sqa_row_group *group, const char *shape)
{
    static sqa_expected_row row;
    const float *dy = values_of(backward, SQA_LAYER_DY);
    sqa_reference_inputs views = sqa_host_tensors_views(backward);
    void *made = prepared(group, &backward->problem, &views);
    uint64_t checked = 0;
    for (uint64_t r = 0; r < group->count(&backward->problem); r++) {
        memset(row.count, 0, sizeof row.count);
        if (!group->expect(&backward->problem, &views, r, &row))
            continue;
        for (uint32_t i = 0; i < group->slot_count; i++)
            for (uint32_t j = 0; j < row.count[i]; j++, checked++) {
                float *x = values_of(forward, input_of(group->slots[i])) + row.at[i] + j;
                const double expected = slope(forward, dy, x);
                ck_assert_msg(fabs(row.values[i][j] - expected) < 2e-4 + 2e-4 * fabs(expected),
                              "%s: %s, element %lld is %.9g, by differences %.9g", shape,
                              sqa_tensor_name(&backward->problem, group->slots[i]),
                              (long long)row.at[i] + j, row.values[i][j], expected);
            }
    }
    group->release(made);
    return checked;
}

START_TEST(the_oracle_is_right)
{
    sqa_host_tensors forward = tensors_of("block", shapes[_i], ",keep");
    sqa_host_tensors backward = tensors_of("block_backward", shapes[_i], "");
    uint64_t checked = 0;
    share_inputs(&forward, &backward);
    keep(&forward, &backward);
    for (const sqa_row_group *group = sqa_block_backward_groups; group->slot_count; group++)
        checked += check_group(&forward, &backward, group, shapes[_i]);
    ck_assert_uint_gt(checked, 50);
    sqa_host_tensors_free(&forward);
    sqa_host_tensors_free(&backward);
}
END_TEST

static void print_failure(void *user, const sqa_outcome *outcome)
{
    (void)user;
    if (outcome->verdict == SQA_VERDICT_FAILED)
        printf("FAILED: %s\n    %s\n", outcome->message, outcome->subject);
}

static const sqa_tuner_operation *const passes[] = {&sqa_tuner_block, &sqa_tuner_block_backward};

static sqa_suite suite_of(int pass, sqa_dtype dtype)
{
    return (sqa_suite){.context = test_context,
                       .queue = test_queue,
                       .device = &test_device,
                       .operation = passes[pass]->entry->id,
                       .dtype = dtype,
                       .seed = 7,
                       .report = print_failure};
}

static bool is_full(void)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "full");
}

/* Whatever the stages choose by default; in f32, and everything else in full. */
START_TEST(the_block_is_right)
{
    sqa_suite_counts counts = {0};
    const sqa_suite suite = suite_of(_i % 2, (sqa_dtype)(_i / 2));
    if (_i >= 2 && !is_full())
        return;
    for (const sqa_case_grid *grid = passes[_i % 2]->grids; grid->name; grid++)
        ck_assert_int_eq(
            sqa_suite_grid(&suite, grid, is_full() ? SQA_GRID_QUICK : SQA_GRID_TINY, &counts),
            SQA_OK);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_gt(counts.passed, 0);
}
END_TEST

START_TEST(the_block_keeps_its_properties)
{
    sqa_suite_counts counts = {0};
    const sqa_suite suite = suite_of(_i, SQA_DTYPE_F32);
    for (size_t i = 0; i < passes[_i]->property_count; i++)
        sqa_suite_property(&suite, &passes[_i]->properties[i], true, &counts);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_eq(counts.passed, passes[_i]->property_count);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block");
    TCase *oracle = tcase_create("oracle"), *pass = tcase_create("pass");
    tcase_add_loop_test(oracle, the_oracle_is_right, 0, SHAPES);
    suite_add_tcase(suite, oracle);
    tcase_add_unchecked_fixture(pass, open_device, close_device);
    tcase_add_loop_test(pass, the_block_is_right, 0, 2 * (SQA_DTYPE_BF16 + 1));
    tcase_add_loop_test(pass, the_block_keeps_its_properties, 0, 2);
    suite_add_tcase(suite, pass);
    return sqa_run_suite(suite);
}
