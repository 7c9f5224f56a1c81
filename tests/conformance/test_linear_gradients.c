/* The oracle of linear attention's gradients against finite differences of its forward oracle. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations/linear/gradients.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "reference/host_tensors.h"
#include "run_suite.h"

/* Every rule, small: each element is moved four times, and all computed again. No ReLU: an element
 * that moves over 0 has no slope. */
static const char *const shapes[] = {
    "hq=2,hkv=1,n=6,d=3,dv=4,causal",
    "b=2,hq=1,n=5,d=3,causal,decay=head,state=in_out",
    "hq=2,hkv=4,n=5,d=3,dv=2,causal,decay=token,feature=elu1,normalise,state=in_out",
    "hq=2,n=5,d=3,dv=2,causal,decay=channel,feature=elu1,normalise,state=in_out,layout=bshd",
    "hq=2,nq=4,nk=6,d=3,dv=2,feature=elu1,normalise,state=in_out",
    "hq=4,hkv=2,n=5,d=3,dv=2,causal,delta,state=out,scale=-0.7",
    "hq=2,n=5,d=3,dv=2,causal,delta,decay=channel,feature=elu1,state=in_out",
    "hq=1,n=6,d=4,dv=3,causal,delta,decay=token,state=in_out",
    "b=3,hq=2,hkv=1,n=5,d=3,dv=2,causal,decay=channel,state=in,ragged=11:11",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const struct {
    uint32_t gradient, input;
} pairs[] = {{SQA_SLOT_LINEAR_DQ, SQA_SLOT_Q},     {SQA_SLOT_LINEAR_DK, SQA_SLOT_K},
             {SQA_SLOT_LINEAR_DV, SQA_SLOT_V},     {SQA_SLOT_DDECAY, SQA_SLOT_DECAY},
             {SQA_SLOT_DBETA, SQA_SLOT_BETA},      {SQA_SLOT_DSTATE_IN, SQA_SLOT_STATE_IN},
             {SQA_SLOT_DSUMS_IN, SQA_SLOT_SUMS_IN}};

/* Of a head's outputs and last state, the sum of products with dO, dstate and dsums. */
static double loss_of_head(const sqa_host_tensors *tensors, const sqa_linear_place *at)
{
    const sqa_attention *a = &at->linear->attention;
    const uint32_t group = sqa_attention_group(a);
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    double row[SQA_MAX_HEAD_DIM], sum = 0.0;
    for (uint32_t h = at->head * group; h < (at->head + 1) * group; h++)
        for (uint32_t i = 0; i < at->q_length; i++) {
            const float *dout = sqa_host_tensor_at(&tensors->of[SQA_SLOT_LINEAR_DOUT],
                                                   ragged ? 0 : at->batch, h, at->q_begin + i);
            sqa_linear_row_recurrent(at, h, i, row);
            for (uint32_t j = 0; j < a->value_dim; j++)
                sum += (double)dout[j] * row[j];
        }
    for (uint32_t j = 0; j <= a->value_dim && sqa_linear_ends(at->linear); j++) {
        const uint32_t slot = j < a->value_dim ? SQA_SLOT_LINEAR_DSTATE : SQA_SLOT_LINEAR_DSUMS;
        if (!tensors->of[slot].data)
            continue;
        sqa_linear_state_column(at, at->kv_length, j, row);
        for (uint32_t d = 0; d < a->head_dim; d++)
            sum +=
                row[d] *
                (double)(j < a->value_dim
                             ? sqa_host_tensor_at(&tensors->of[slot], at->batch, at->head, d)[j]
                             : sqa_host_tensor_at(&tensors->of[slot], at->batch, at->head, 0)[d]);
    }
    return sum;
}

static double loss(const sqa_host_tensors *tensors)
{
    const sqa_linear *linear = &tensors->problem.of.linear;
    const sqa_reference_inputs views = sqa_host_tensors_views(tensors);
    double sum = 0.0;
    for (uint32_t b = 0; b < linear->attention.batch; b++)
        for (uint32_t h = 0; h < linear->attention.kv_heads; h++) {
            const sqa_linear_place at = sqa_linear_place_of(linear, &views, b, h);
            sum += loss_of_head(tensors, &at);
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

/* Of two step sizes, so that the error is of their fourth power (Richardson); the steps lie on the
 * grid of the inputs. */
static double slope(sqa_host_tensors *tensors, float *x)
{
    const double step = 0x1p-9;
    return (4.0 * difference(tensors, x, step / 2) - difference(tensors, x, step)) / 3.0;
}

/* Onto a grid that the steps lie on; features and decays have a kink at 0, which is avoided. */
static void round_inputs(sqa_host_tensors *tensors)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        sqa_host_tensor *tensor = &tensors->of[pairs[i].input];
        float *values = tensor->data;
        for (size_t j = 0; values && j < tensor->count; j++)
            if (tensor->inside[j]) {
                values[j] = rintf(values[j] * 0x1p10f) * 0x1p-10f;
                if (fabsf(values[j]) < 0x1p-8f)
                    values[j] = copysignf(0x1p-7f, values[j]);
            }
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

/* The gradient lies as its input does. */
static void check_row(sqa_host_tensors *tensors, const sqa_row_group *group,
                      const sqa_expected_row *row, const char *text, uint64_t *checked)
{
    for (uint32_t i = 0; i < group->slot_count; i++)
        for (uint32_t j = 0; j < row->count[i]; j++) {
            sqa_host_tensor *input = &tensors->of[input_of(group->slots[i])];
            float *x = (float *)input->data + input->guard + row->at[i] + j;
            const double expected = slope(tensors, x);
            ck_assert_msg(fabs(row->values[i][j] - expected) < 2e-6 * (1.0 + fabs(expected)),
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
    snprintf(text, sizeof text, "op=linear_backward,%s", shapes[_i]);
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&tensors, &problem, (uint64_t)_i, true), SQA_OK);
    round_inputs(&tensors);
    sqa_reference_inputs views = sqa_host_tensors_views(&tensors);
    sqa_linear_gradients *gradients = sqa_linear_gradients_of(&problem.of.linear, &views);
    ck_assert_ptr_nonnull(gradients);
    views.prepared = gradients;
    const sqa_operation_entry *entry = sqa_operation_of(&problem);
    for (const sqa_row_group *group = entry->groups; group->slot_count; group++)
        for (uint64_t i = 0; i < group->count(&problem); i++) {
            memset(&row, 0, sizeof row);
            if (group->expect(&problem, &views, i, &row))
                check_row(&tensors, group, &row, text, &checked);
        }
    ck_assert_uint_gt(checked, 50);
    free(gradients);
    sqa_host_tensors_free(&tensors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("linear gradients");
    TCase *oracle = tcase_create("oracle");
    tcase_add_loop_test(oracle, the_oracle_is_right, 0, SHAPES);
    suite_add_tcase(suite, oracle);
    return sqa_run_suite(suite);
}
