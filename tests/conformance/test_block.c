/* The block's oracle against finite differences of its forward pass; and the block as callers have
 * it, all of its stages together, against that oracle. SQA_TEST_SIZE as in test_families.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conformance/gradients.h"
#include "opencl_fixture.h"
#include "operations/attention/reference.h"
#include "operations/block/block.h"
#include "operations/block/reference.h"
#include "operations/operations.h"
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

static uint32_t input_of(uint32_t gradient)
{
    return gradient >= SQA_BLOCK_DNORM1 ? gradient - SQA_BLOCK_DNORM1 + SQA_BLOCK_NORM1
                                        : input_of_layer(gradient);
}

static void *prepared(const sqa_row_group *group, const sqa_problem *problem,
                      sqa_reference_inputs *views)
{
    void *made = group->prepare(problem, views);
    ck_assert_ptr_nonnull(made);
    views->prepared = made;
    return made;
}

/* What the forward pass keeps, as its oracle has it. */
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
                const double expected = slope_of(loss, forward, dy, x);
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
    char kept[256];
    snprintf(kept, sizeof kept, "%s,keep", shapes[_i]);
    sqa_host_tensors forward = tensors_of("block", kept, 3);
    sqa_host_tensors backward = tensors_of("block_backward", shapes[_i], 3);
    uint64_t checked = 0;
    share_inputs(&forward, &backward, 0, SQA_BLOCK_MIDDLE);
    keep(&forward, &backward);
    for (const sqa_row_group *group = sqa_block_backward_groups; group->slot_count; group++)
        checked += check_group(&forward, &backward, group, shapes[_i]);
    ck_assert_uint_gt(checked, 50);
    sqa_host_tensors_free(&forward);
    sqa_host_tensors_free(&backward);
}
END_TEST

static const sqa_tuner_operation *const passes[] = {&sqa_tuner_block, &sqa_tuner_block_backward};

/* In f32, and everything else in full. */
START_TEST(the_block_is_right)
{
    if (_i < 2 || is_full())
        expect_right(passes[_i % 2], (sqa_dtype)(_i / 2),
                     is_full() ? SQA_GRID_QUICK : SQA_GRID_TINY);
}
END_TEST

START_TEST(the_block_keeps_its_properties)
{
    expect_properties(passes[_i]);
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
