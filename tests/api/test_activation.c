/* Activations and their gradients through the public interface: what is refused and how it is
 * said, and a call of each. What they compute is the conformance suites' business. */
#include <math.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum { ROWS = 3, COLUMNS = 5, COUNT = ROWS * COLUMNS };

static sqa_activation_desc small_desc(void)
{
    sqa_activation_desc desc = SQA_ACTIVATION_DESC_INIT;
    desc.length = ROWS;
    desc.dim = COLUMNS;
    desc.activation = SQA_ACTIVATION_SILU;
    desc.gated = 1;
    return desc;
}

static void expect(sqa_status got, const char *named)
{
    ck_assert_int_eq(got, SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

/* What a change makes of what is right, and the member that is named then. */
static void make_wrong(int which, sqa_activation_desc *desc,
                       sqa_activation_backward_options *backward, const char **named)
{
    switch (which) {
    case 0: desc->version = 0, *named = "desc.version"; break;
    case 1: desc->length = SQA_NOT_SET, *named = "desc.length"; break;
    case 2: desc->dim = (1u << 30) + 1, *named = "desc.dim"; break;
    case 3: desc->batch = UINT32_MAX, *named = "desc.batch"; break;
    case 4: desc->activation = (sqa_activation)7, *named = "desc.activation"; break;
    case 5: desc->gated = 2, *named = "desc.gated"; break;
    case 6: desc->add_residual = 2, *named = "desc.add_residual"; break;
    case 7: desc->dtype = (sqa_dtype)9, *named = "desc.dtype"; break;
    case 8: desc->b = (sqa_matrix_strides){0, -1}, *named = "desc.b.row"; break;
    case 9: backward->version = 9, *named = "backward.version"; break;
    case 10: backward->da = 2, *named = "backward.da"; break;
    case 11: backward->db = 2, *named = "backward.db"; break;
    case 12: backward->accumulate = 2, *named = "backward.accumulate"; break;
    case 13: backward->da = backward->db = 0, *named = "backward.da"; break;
    case 14: backward->da = desc->gated = 0, *named = "backward.da"; break;
    case 15: desc->dropout = 1.0f, *named = "desc.dropout"; break;
    default: desc->a = (sqa_matrix_strides){0, COLUMNS - 1}, *named = "desc.a"; break;
    }
}
enum { WRONG = 17, WRONG_FORWARD = 9 };

START_TEST(wrong_descriptors)
{
    sqa_activation_desc desc = small_desc();
    sqa_activation_backward_options backward = SQA_ACTIVATION_BACKWARD_OPTIONS_INIT;
    const char *named = NULL;
    sqa_plan *plan = NULL;
    make_wrong(_i, &desc, &backward, &named);
    if (_i < WRONG_FORWARD)
        expect(sqa_activation_plan_create(&plan, test_context, &desc, NULL), named);
    expect(sqa_activation_backward_plan_create(&plan, test_context, &desc, &backward, NULL), named);
    ck_assert_ptr_null(plan);
}
END_TEST

static void expect_all(cl_mem buffer, float value)
{
    float got[COUNT];
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL),
        CL_SUCCESS);
    for (int i = 0; i < COUNT; i++)
        ck_assert_float_eq_tol(got[i], value, 1e-5f);
}

START_TEST(forward_and_backward)
{
    const sqa_activation_desc desc = small_desc();
    sqa_activation_tensors forward = SQA_ACTIVATION_TENSORS_INIT;
    sqa_activation_backward_tensors backward = SQA_ACTIVATION_BACKWARD_TENSORS_INIT;
    sqa_plan *plan = NULL;
    forward.a.buffer = backward.a.buffer = new_buffer(COUNT, 1.0f);
    forward.b.buffer = backward.b.buffer = new_buffer(COUNT, 2.0f);
    forward.y.buffer = new_buffer(COUNT, 0.0f);
    backward.dy.buffer = new_buffer(COUNT, 0.5f);
    backward.da.buffer = new_buffer(COUNT, 7.0f);
    backward.db.buffer = new_buffer(COUNT, 7.0f);
    const float s = 1.0f / (1.0f + expf(-1.0f));

    ck_assert_int_eq(sqa_activation_plan_create(&plan, test_context, &desc, NULL), SQA_OK);
    ck_assert_int_eq(sqa_activation_run(plan, test_queue, &forward, 0, NULL, NULL), SQA_OK);
    expect_all(forward.y.buffer, 2.0f * s);
    expect(sqa_activation_backward(plan, test_queue, &backward, 0, NULL, NULL), "plan");
    sqa_activation_tensors here = forward;
    here.y.buffer = here.b.buffer; /* A alone may be where Y is */
    expect(sqa_activation_run(plan, test_queue, &here, 0, NULL, NULL), "tensors.y");
    here.a.buffer = here.y.buffer = new_buffer(COUNT, 1.0f);
    ck_assert_int_eq(sqa_activation_run(plan, test_queue, &here, 0, NULL, NULL), SQA_OK);
    expect_all(here.y.buffer, 2.0f * s);
    clReleaseMemObject(here.y.buffer);
    sqa_plan_destroy(plan);

    ck_assert_int_eq(sqa_activation_backward_plan_create(&plan, test_context, &desc, NULL, NULL),
                     SQA_OK);
    ck_assert_int_eq(sqa_activation_backward(plan, test_queue, &backward, 0, NULL, NULL), SQA_OK);
    expect_all(backward.da.buffer, (s + s * (1.0f - s)) * 2.0f * 0.5f);
    expect_all(backward.db.buffer, s * 0.5f);
    sqa_plan_destroy(plan);

    const cl_mem buffers[] = {forward.a.buffer,   forward.b.buffer,   forward.y.buffer,
                              backward.dy.buffer, backward.da.buffer, backward.db.buffer};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clReleaseMemObject(buffers[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("activation");
    TCase *tests = tcase_create("activation");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, wrong_descriptors, 0, WRONG);
    tcase_add_test(tests, forward_and_backward);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
