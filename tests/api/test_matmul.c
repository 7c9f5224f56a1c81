/* The matrix product through the public interface: what is refused and how it is said, one-shot
 * calls, plans and what they promise. */
#include <math.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum { M = 3, N = 5, K = 4, BATCH = 2 };

static sqa_matmul_desc small_desc(void)
{
    sqa_matmul_desc desc = SQA_MATMUL_DESC_INIT;
    desc.m = M;
    desc.n = N;
    desc.k = K;
    return desc;
}

static void expect(sqa_status wanted, sqa_status got, const char *named)
{
    ck_assert_msg(got == wanted, "%s instead of %s (%s)", sqa_status_name(got),
                  sqa_status_name(wanted), sqa_last_error());
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

/* What a change makes of a descriptor that is right, and the member that is named then. */
static void make_wrong(int which, sqa_matmul_desc *desc, const char **named)
{
    switch (which) {
    case 0: desc->version = 0, *named = "desc.version"; break;
    case 1: desc->version = SQA_MATMUL_DESC_VERSION + 1, *named = "desc.version"; break;
    case 2: desc->m = SQA_NOT_SET, *named = "desc.m"; break;
    case 3: desc->n = (1u << 30) + 1, *named = "desc.n"; break;
    case 4: desc->k = SQA_NOT_SET, *named = "desc.k"; break;
    case 5: desc->transpose_a = 2, *named = "desc.transpose_a"; break;
    case 6: desc->transpose_b = 7, *named = "desc.transpose_b"; break;
    case 7: desc->activation = (sqa_activation)7, *named = "desc.activation"; break;
    case 8: desc->alpha = NAN, *named = "desc.alpha"; break;
    case 9: desc->beta = INFINITY, *named = "desc.beta"; break;
    case 10: desc->gated = 1, desc->beta = 1.0f, *named = "desc.beta"; break;
    case 11: desc->a = (sqa_matrix_strides){0, -1}, *named = "desc.a.row"; break;
    case 12: desc->b = (sqa_matrix_strides){-4, 8}, *named = "desc.b.batch"; break;
    case 13: desc->c = (sqa_matrix_strides){0, N - 1}, *named = "desc.c"; break;
    case 14: desc->dtype = (sqa_dtype)9, *named = "desc.dtype"; break;
    case 15: desc->bias = 2, *named = "desc.bias"; break;
    case 16: desc->add_residual = 3, *named = "desc.add_residual"; break;
    default: desc->batch = UINT32_MAX, *named = "desc.batch"; break;
    }
}
enum { WRONG = 18 };

START_TEST(wrong_descriptors)
{
    sqa_matmul_desc desc = small_desc();
    const char *named = NULL;
    sqa_plan *plan = NULL;
    make_wrong(_i, &desc, &named);
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_plan_create(&plan, test_context, &desc, NULL), named);
    ck_assert_ptr_null(plan);
}
END_TEST

/* A of ones, B of twos; C is as it was before. */
static sqa_matmul_tensors new_tensors(void)
{
    sqa_matmul_tensors tensors = SQA_MATMUL_TENSORS_INIT;
    tensors.a.buffer = new_buffer(BATCH * M * K, 1.0f);
    tensors.b.buffer = new_buffer(BATCH * K * N, 2.0f);
    tensors.bias.buffer = new_buffer(N, 0.5f);
    tensors.c.buffer = new_buffer(BATCH * M * N, 10.0f);
    return tensors;
}

static void release(const sqa_matmul_tensors *tensors)
{
    clReleaseMemObject(tensors->a.buffer);
    clReleaseMemObject(tensors->b.buffer);
    clReleaseMemObject(tensors->bias.buffer);
    clReleaseMemObject(tensors->c.buffer);
}

static void expect_all(const sqa_matmul_tensors *tensors, float value)
{
    float c[BATCH * M * N];
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, tensors->c.buffer, CL_TRUE, 0, sizeof c, c, 0, NULL, NULL),
        CL_SUCCESS);
    for (int i = 0; i < BATCH * M * N; i++)
        ck_assert_float_eq_tol(c[i], value, 1e-5f);
}

START_TEST(one_shot)
{
    sqa_matmul_desc desc = small_desc();
    sqa_matmul_tensors tensors = new_tensors();
    desc.batch = BATCH;
    desc.bias = 1;
    desc.alpha = 0.25f;
    desc.beta = 0.1f;
    ck_assert_msg(sqa_matmul(test_context, test_queue, &desc, &tensors, 0, NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
    expect_all(&tensors, 0.25f * K * 2.0f + 1.0f + 0.5f);
    /* Without alpha, A and B need not be there. */
    sqa_matmul_tensors without = tensors;
    without.a.buffer = without.b.buffer = NULL;
    desc.alpha = desc.beta = 0.0f;
    desc.activation = SQA_ACTIVATION_SILU;
    ck_assert_msg(sqa_matmul(test_context, test_queue, &desc, &without, 0, NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
    expect_all(&tensors, 0.5f / (1.0f + expf(-0.5f)));
    release(&tensors);
}
END_TEST

START_TEST(wrong_calls)
{
    sqa_matmul_desc desc = small_desc();
    sqa_matmul_tensors tensors = new_tensors(), wrong = tensors;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    desc.batch = BATCH;
    desc.bias = 1;
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_plan_create(NULL, test_context, &desc, NULL), "out");
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_plan_create(&plan, NULL, &desc, NULL), "context");
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_plan_create(&plan, test_context, NULL, NULL), "desc");
    options.family = "columns";
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_plan_create(&plan, test_context, &desc, &options),
           "is not one of");
    ck_assert_int_eq(sqa_matmul_plan_create(&plan, test_context, &desc, NULL), SQA_OK);
    wrong.version = 99;
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_run(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.version");
    wrong = tensors;
    wrong.bias.buffer = NULL;
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_run(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.bias");
    wrong = tensors;
    wrong.b.offset = 1;
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_run(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.b");
    wrong = tensors;
    wrong.c = wrong.a; /* too short, and an input */
    expect(SQA_INVALID_ARGUMENT, sqa_matmul_run(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.c");
    expect(SQA_INVALID_ARGUMENT, sqa_matmul(test_context, NULL, &desc, &tensors, 0, NULL, NULL),
           "queue");
    expect_all(&tensors, 10.0f);
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("matmul");
    TCase *tests = tcase_create("matmul");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, wrong_descriptors, 0, WRONG);
    tcase_add_test(tests, one_shot);
    tcase_add_test(tests, wrong_calls);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
