/* The layer's oracle against finite differences of its forward pass; and the layer as callers
 * have it, all of its stages together, against that oracle. SQA_TEST_SIZE as in
 * test_families.c. */
#include <math.h>
#include <string.h>

#include "conformance/gradients.h"
#include "opencl_fixture.h"
#include "operations/attention/reference.h"
#include "operations/layer/layer.h"
#include "operations/layer/reference.h"
#include "operations/operations.h"
#include "run_suite.h"

/* Small: each element is moved four times, and everything computed again. */
static const char *const shapes[] = {
    "variant=sqa,h=4,n=5,d=3,dmodel=4,causal,biases",
    "b=2,variant=xsqa,h=4,n=4,d=2,dv=3,dmodel=3,fused,biases,softcap=2",
    "b=2,hq=2,hkv=4,nq=3,nk=5,d=2,dmodel=4,dcontext=3,biases",
    "hq=4,hkv=2,n=5,d=2,dmodel=3,causal,bias=f32/hq,sinks,alibi=slopes",
    "b=3,hq=2,hkv=1,n=4,d=2,dmodel=3,causal,ragged=7:7,dropout=0.3,fused",
    "b=2,hq=2,hkv=1,n=4,d=4,dmodel=3,causal,rope=half,ropebase=20,qknorm,qkeps=0.1,gate,biases",
    "b=2,hq=2,hkv=1,n=4,d=5,dmodel=3,fused,rope=interleaved,ropeoffset=2,qknorm,qkeps=0.1,gate",
    "b=3,hq=2,hkv=1,n=4,d=4,dmodel=3,fused,ragged=7:7,rope=half,positions",
    "b=2,hq=2,hkv=1,n=4,d=3,dmodel=3,causal,linear,delta,decay=token,state=in,biases",
    ("b=2,hq=2,hkv=4,n=4,d=3,dv=2,dmodel=3,fused,causal,linear,decay=head,feature=elu1,normalise,"
     "state=in,qknorm,qkeps=0.1,gate"),
    "b=2,hq=2,nq=3,nk=4,d=2,dmodel=3,dcontext=2,linear,feature=elu1,normalise",
    "b=2,hq=2,hkv=1,n=4,d=3,dmodel=3,causal,linear,delta,decay=token,wdecay,wbeta,biases,gate",
    "b=3,hq=2,n=4,d=3,dmodel=3,fused,causal,linear,decay=channel,wdecay,ragged=7:7",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* The sum over Y times dY. */
static double loss(const sqa_host_tensors *forward, const float *dy)
{
    const sqa_layer_pass *layer = &forward->problem.of.layer;
    const sqa_attention *a = &layer->attention;
    const sqa_reference_inputs views = sqa_host_tensors_views(forward);
    sqa_layer_reference reference;
    double y[SQA_MAX_ROW], sum = 0.0;
    ck_assert(sqa_layer_reference_forward(&reference, layer, &views));
    for (uint32_t batch = 0; batch < a->batch; batch++) {
        const sqa_sequence s = sqa_reference_sequence(a, &views, batch);
        const uint32_t before = a->mask & SQA_MASK_RAGGED ? s.q_begin : batch * a->q_length;
        for (uint32_t query = 0; query < s.q_length; query++) {
            sqa_layer_reference_y(&reference, &views, batch, query, 0, layer->d_model, y);
            for (uint32_t j = 0; j < layer->d_model; j++)
                sum += y[j] * (double)dy[(size_t)(before + query) * layer->d_model + j];
        }
    }
    sqa_layer_reference_free(&reference);
    return sum;
}

/* What the forward pass keeps. */
static void keep(const sqa_host_tensors *forward, sqa_host_tensors *backward)
{
    const sqa_layer_pass *layer = &backward->problem.of.layer;
    const sqa_attention *a = &layer->attention;
    const sqa_reference_inputs views = sqa_host_tensors_views(forward);
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    sqa_layer_reference reference;
    ck_assert(sqa_layer_reference_forward(&reference, layer, &views));
    for (uint32_t i = 0; i < reference.count; i++) {
        const sqa_projection *p = &reference.projections[i];
        memcpy(values_of(backward, p->output), reference.outputs[i],
               (size_t)p->rows * p->columns * sizeof(float));
    }
    for (uint32_t i = 0; i < 2 && layer->qk_norm; i++) {
        const size_t rows = i ? sqa_layer_kv_rows(layer) : sqa_layer_q_rows(layer);
        const size_t columns = i ? sqa_layer_k_columns(layer) : sqa_layer_q_columns(layer);
        memcpy(values_of(backward, SQA_SLOT_Q + i), reference.attended[i],
               rows * columns * sizeof(float));
    }
    for (uint32_t batch = 0; batch < a->batch; batch++) {
        const sqa_sequence s = sqa_reference_sequence(a, &views, batch);
        for (uint32_t head = 0; head < a->out_heads; head++)
            for (uint32_t query = 0; query < s.q_length; query++) {
                double o[SQA_MAX_ROW], lse;
                const uint32_t row = s.q_begin + query;
                sqa_layer_reference_o(&reference, batch, head, query, o, &lse);
                for (uint32_t d = 0; d < a->value_dim; d++)
                    values_of(backward, SQA_SLOT_O)[batch * a->o.batch + head * a->o.head +
                                                    row * a->o.sequence + d] = (float)o[d];
                if (layer->is_linear)
                    continue;
                values_of(backward, SQA_SLOT_LSE)[((ragged ? 0 : batch) * a->out_heads + head) *
                                                      (ragged ? a->q_total : a->q_length) +
                                                  row] = (float)lse;
            }
    }
    sqa_layer_reference_free(&reference);
}

static void check_row(const sqa_host_tensors *forward, const float *dy, const sqa_row_group *group,
                      const sqa_expected_row *row, const char *shape, uint64_t *checked)
{
    for (uint32_t i = 0; i < group->slot_count; i++)
        for (uint32_t j = 0; j < row->count[i]; j++) {
            float *x = values_of(forward, input_of_layer(group->slots[i])) + row->at[i] + j;
            const double expected = slope_of(loss, forward, dy, x);
            ck_assert_msg(fabs(row->values[i][j] - expected) < 2e-4,
                          "%s: gradient in slot %u, element %lld is %.9g, by differences %.9g",
                          shape, group->slots[i], (long long)row->at[i] + j, row->values[i][j],
                          expected);
            ++*checked;
        }
}

START_TEST(the_oracle_is_right)
{
    static sqa_expected_row row;
    sqa_host_tensors forward = tensors_of("layer", shapes[_i], 3);
    sqa_host_tensors backward = tensors_of("layer_backward", shapes[_i], 5);
    uint64_t checked = 0;
    share_inputs(&forward, &backward, SQA_SLOT_BIAS, SQA_LAYER_POSITIONS + 1);
    share_inputs(&forward, &backward, SQA_LAYER_DECAY, SQA_LAYER_STATE);
    keep(&forward, &backward);
    const sqa_reference_inputs views = sqa_host_tensors_views(&backward);
    const float *dy = values_of(&backward, SQA_LAYER_DY);
    for (const sqa_row_group *group = sqa_layer_backward_groups; group->slot_count; group++)
        for (uint64_t i = 0; i < group->count(&backward.problem); i++)
            if (group->expect(&backward.problem, &views, i, &row))
                check_row(&forward, dy, group, &row, shapes[_i], &checked);
    ck_assert_uint_gt(checked, 50);
    sqa_host_tensors_free(&forward);
    sqa_host_tensors_free(&backward);
}
END_TEST

static const sqa_tuner_operation *const passes[] = {&sqa_tuner_layer, &sqa_tuner_layer_backward};

/* Every dtype in both passes. */
START_TEST(the_layer_is_right)
{
    expect_right(passes[_i % 2], (sqa_dtype)(_i / 2), is_full() ? SQA_GRID_QUICK : SQA_GRID_TINY);
}
END_TEST

START_TEST(the_layer_keeps_its_properties)
{
    expect_properties(passes[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer");
    TCase *oracle = tcase_create("oracle"), *pass = tcase_create("pass");
    tcase_add_loop_test(oracle, the_oracle_is_right, 0, SHAPES);
    suite_add_tcase(suite, oracle);
    tcase_add_unchecked_fixture(pass, open_device, close_device);
    tcase_add_loop_test(pass, the_layer_is_right, 0, 2 * (SQA_DTYPE_BF16 + 1));
    tcase_add_loop_test(pass, the_layer_keeps_its_properties, 0, 2);
    suite_add_tcase(suite, pass);
    return sqa_run_suite(suite);
}
