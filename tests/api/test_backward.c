/* Backward attention through the public interface: what is refused and how it is said, the
 * workspace, outputs that are left out, and calls of other operations. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"
#include "sqa_cl.h"

enum { HEADS = 4, KV_HEADS = 2, QUERIES = 20, KEYS = 30, DIM = 8 };
enum { Q_COUNT = HEADS * QUERIES * DIM, K_COUNT = KV_HEADS * KEYS * DIM };

static sqa_attention_desc small_desc(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = HEADS;
    desc.kv_heads = KV_HEADS;
    desc.q_length = QUERIES;
    desc.kv_length = KEYS;
    desc.head_dim = DIM;
    return desc;
}

static void expect_refused(const sqa_attention_desc *desc, const sqa_backward_options *backward,
                           const char *named)
{
    sqa_plan *plan = NULL;
    const sqa_status status = sqa_backward_plan_create(&plan, test_context, desc, backward, NULL);
    ck_assert_msg(status == SQA_INVALID_ARGUMENT, "%s is no error", named);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
    ck_assert_ptr_null(plan);
}

START_TEST(wrong_options)
{
    const sqa_attention_desc desc = small_desc();
    sqa_backward_options backward = SQA_BACKWARD_OPTIONS_INIT;
    backward.version = 2;
    expect_refused(&desc, &backward, "backward.version");
    backward = (sqa_backward_options)SQA_BACKWARD_OPTIONS_INIT;
    backward.gradients = 0;
    expect_refused(&desc, &backward, "backward.gradients: 0 is outside 1..63");
    backward.gradients = 64;
    expect_refused(&desc, &backward, "backward.gradients");
    backward.gradients = SQA_GRADIENT_BIAS;
    expect_refused(&desc, &backward, "SQA_GRADIENT_BIAS needs desc.bias.present");
    backward.gradients = SQA_GRADIENT_SINKS;
    expect_refused(&desc, &backward, "SQA_GRADIENT_SINKS needs desc.sinks");
    backward.gradients = SQA_GRADIENT_SLOPES;
    expect_refused(&desc, &backward, "SQA_GRADIENT_SLOPES needs desc.alibi");
    backward = (sqa_backward_options)SQA_BACKWARD_OPTIONS_INIT;
    backward.accumulate = 2;
    expect_refused(&desc, &backward, "backward.accumulate");
    expect_refused(NULL, NULL, "desc");
}
END_TEST

/* Inputs may repeat elements, gradients not. */
START_TEST(wrong_strides)
{
    sqa_attention_desc desc = small_desc();
    sqa_backward_options backward = SQA_BACKWARD_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    backward.dk = (sqa_strides){0, 0, DIM};
    expect_refused(&desc, &backward, "backward.dk: the strides make output elements overlap");
    backward = (sqa_backward_options)SQA_BACKWARD_OPTIONS_INIT;
    backward.dq.sequence = -1;
    expect_refused(&desc, &backward, "backward.dq.sequence");
    backward = (sqa_backward_options)SQA_BACKWARD_OPTIONS_INIT;
    desc.bias = (sqa_bias){1, SQA_DTYPE_F32, {0, 0, KEYS}};
    backward.gradients = SQA_GRADIENT_BIAS;
    backward.dbias = (sqa_strides){0, QUERIES * KEYS, KEYS};
    expect_refused(&desc, &backward, "backward.dbias.head");
    backward.dbias = (sqa_strides){0, 0, 3};
    expect_refused(&desc, &backward, "backward.dbias: the strides make");
    backward = (sqa_backward_options)SQA_BACKWARD_OPTIONS_INIT;
    backward.dout = (sqa_strides){0, 0, DIM};
    ck_assert_int_eq(sqa_backward_plan_create(&plan, test_context, &desc, &backward, NULL), SQA_OK);
    sqa_plan_destroy(plan);
}
END_TEST

static sqa_backward_tensors new_tensors(void)
{
    sqa_backward_tensors t = SQA_BACKWARD_TENSORS_INIT;
    t.q.buffer = new_buffer(Q_COUNT, 0.5f);
    t.k.buffer = new_buffer(K_COUNT, 0.25f);
    t.v.buffer = new_buffer(K_COUNT, 2.0f);
    t.o.buffer = new_buffer(Q_COUNT, 2.0f);
    t.lse.buffer = new_buffer(HEADS * QUERIES, logf(KEYS) + sqrtf(DIM) * 0.125f);
    t.dout.buffer = new_buffer(Q_COUNT, 1.0f);
    t.dq.buffer = new_buffer(Q_COUNT, 7.0f);
    t.dk.buffer = new_buffer(K_COUNT, 7.0f);
    t.dv.buffer = new_buffer(K_COUNT, 7.0f);
    return t;
}

static void release(const sqa_backward_tensors *t)
{
    const cl_mem all[] = {t->q.buffer,    t->k.buffer,  t->v.buffer,  t->o.buffer, t->lse.buffer,
                          t->dout.buffer, t->dq.buffer, t->dk.buffer, t->dv.buffer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        clReleaseMemObject(all[i]);
}

static void expect_all(cl_mem buffer, size_t count, float value)
{
    static float values[Q_COUNT > K_COUNT ? Q_COUNT : K_COUNT];
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *values,
                                         values, 0, NULL, NULL),
                     CL_SUCCESS);
    for (size_t i = 0; i < count; i++)
        ck_assert_float_eq_tol(values[i], value, 1e-4f);
}

/* All keys alike: P is 1/KEYS, and no score has a gradient. */
#define EACH_DV ((float)(HEADS / KV_HEADS) * QUERIES / KEYS)

START_TEST(one_call)
{
    const sqa_attention_desc desc = small_desc();
    const sqa_backward_tensors t = new_tensors();
    ck_assert_msg(
        sqa_attention_backward(test_context, test_queue, &desc, NULL, &t, 0, NULL, NULL) == SQA_OK,
        "%s", sqa_last_error());
    expect_all(t.dq.buffer, Q_COUNT, 0.0f);
    expect_all(t.dk.buffer, K_COUNT, 0.0f);
    expect_all(t.dv.buffer, K_COUNT, EACH_DV);
    release(&t);
}
END_TEST

/* What is not asked for needs no tensor and stays; what is added to keeps what it had. */
START_TEST(left_out_and_added)
{
    const sqa_attention_desc desc = small_desc();
    sqa_backward_options backward = SQA_BACKWARD_OPTIONS_INIT;
    const sqa_backward_tensors t = new_tensors();
    sqa_backward_tensors fewer = t;
    sqa_plan *plan = NULL;
    fewer.dq.buffer = fewer.dk.buffer = NULL;
    backward.gradients = SQA_GRADIENT_V;
    backward.accumulate = 1;
    ck_assert_int_eq(sqa_backward_plan_create(&plan, test_context, &desc, &backward, NULL), SQA_OK);
    ck_assert_uint_ge(sqa_plan_workspace_size(plan), sizeof(float) * HEADS * QUERIES);
    for (int calls = 1; calls <= 2; calls++) {
        ck_assert_msg(sqa_backward(plan, test_queue, &fewer, 0, NULL, NULL) == SQA_OK, "%s",
                      sqa_last_error());
        expect_all(t.dv.buffer, K_COUNT, 7.0f + (float)calls * EACH_DV);
    }
    expect_all(t.dq.buffer, Q_COUNT, 7.0f);
    sqa_plan_destroy(plan);
    release(&t);
}
END_TEST

static void expect_call_refused(sqa_plan *plan, const sqa_backward_tensors *tensors,
                                const char *named)
{
    ck_assert_int_eq(sqa_backward(plan, test_queue, tensors, 0, NULL, NULL), SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

START_TEST(wrong_calls)
{
    const sqa_attention_desc desc = small_desc();
    const sqa_backward_tensors t = new_tensors();
    sqa_tensors others = SQA_TENSORS_INIT;
    sqa_plan *plan = NULL, *forward = NULL;
    ck_assert_int_eq(sqa_backward_plan_create(&plan, test_context, &desc, NULL, NULL), SQA_OK);
    ck_assert_int_eq(sqa_plan_create(&forward, test_context, &desc, NULL), SQA_OK);
    sqa_backward_tensors wrong = t;
    wrong.version = 2;
    expect_call_refused(plan, &wrong, "tensors.version");
    wrong = t;
    wrong.lse.buffer = NULL;
    expect_call_refused(plan, &wrong, "tensors.lse");
    wrong = t;
    wrong.dk.offset = 1;
    expect_call_refused(plan, &wrong, "tensors.dk");
    expect_call_refused(plan, NULL, "tensors");
    expect_call_refused(NULL, &t, "plan");
    expect_call_refused(forward, &t, "plan: is one for forward, not for backward");
    ck_assert_int_eq(sqa_forward(plan, test_queue, &others, 0, NULL, NULL), SQA_INVALID_ARGUMENT);
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *none = NULL;
    options.family = "naive";
    ck_assert_int_eq(sqa_backward_plan_create(&none, test_context, &desc, NULL, &options),
                     SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "made of several operations"));
    sqa_plan_destroy(plan);
    sqa_plan_destroy(forward);
    release(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backward");
    TCase *tests = tcase_create("backward");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_test(tests, wrong_options);
    tcase_add_test(tests, wrong_strides);
    tcase_add_test(tests, one_call);
    tcase_add_test(tests, left_out_and_added);
    tcase_add_test(tests, wrong_calls);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
