/* Rotations through the public interface: what is refused and how it is said, in place, far
 * positions. */
#include <math.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

static void expect(sqa_status wanted, sqa_status got, const char *named)
{
    ck_assert_msg(got == wanted, "%s instead of %s (%s)", sqa_status_name(got),
                  sqa_status_name(wanted), sqa_last_error());
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

static void succeed(sqa_status status)
{
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
}

static void read_floats(cl_mem buffer, float *out, size_t count)
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *out, out,
                                         0, NULL, NULL),
                     CL_SUCCESS);
}

static sqa_rope_desc rope_desc(void)
{
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    desc.heads = 2;
    desc.length = 3;
    desc.dim = 8;
    return desc;
}

static void wrong_rope(int which, sqa_rope_desc *desc, const char **named)
{
    switch (which) {
    case 0: desc->version = 0, *named = "desc.version"; break;
    case 1: desc->heads = 0, *named = "desc.heads"; break;
    case 2: desc->length = SQA_NOT_SET, *named = "desc.length"; break;
    case 3: desc->dim = 1025, *named = "desc.dim"; break;
    case 4: desc->rotary = 3, *named = "desc.rotary"; break;
    case 5: desc->rotary = 10, *named = "desc.rotary"; break;
    case 6: desc->pairs = (sqa_rope_pairs)2, *named = "desc.pairs"; break;
    case 7: desc->base = 0.5f, *named = "desc.base"; break;
    case 8: desc->base = NAN, *named = "desc.base"; break;
    case 9: desc->offset = (1u << 30) + 1, *named = "desc.offset"; break;
    case 10: desc->positions = 1, desc->position_batch = -1, *named = "desc.position"; break;
    case 11: desc->y = (sqa_strides){48, 24, 4}, *named = "desc.y"; break;
    case 12: desc->x = (sqa_strides){0, -1, 8}, *named = "desc.x"; break;
    default: desc->dtype = (sqa_dtype)7, *named = "desc.dtype"; break;
    }
}
enum { WRONG_ROPE = 14 };

START_TEST(wrong_rotations)
{
    sqa_rope_desc desc = rope_desc();
    const char *named = NULL;
    sqa_plan *plan = NULL;
    wrong_rope(_i, &desc, &named);
    expect(SQA_INVALID_ARGUMENT, sqa_rope_plan_create(&plan, test_context, &desc, NULL), named);
    ck_assert_ptr_null(plan);
}
END_TEST

enum { ROPE_COUNT = 2 * 3 * 8 };

/* There, in place, and back. */
START_TEST(rotates_in_place_and_back)
{
    sqa_rope_desc desc = rope_desc();
    sqa_rope_tensors tensors = SQA_ROPE_TENSORS_INIT;
    float apart[ROPE_COUNT], here[ROPE_COUNT];
    desc.offset = 12345;
    tensors.x.buffer = new_buffer(ROPE_COUNT, 1.0f);
    tensors.y.buffer = new_buffer(ROPE_COUNT, 0.0f);
    cl_mem y = tensors.y.buffer;
    succeed(sqa_rope(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    read_floats(y, apart, ROPE_COUNT);
    tensors.y.buffer = tensors.x.buffer;
    succeed(sqa_rope(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    read_floats(tensors.x.buffer, here, ROPE_COUNT);
    ck_assert_mem_eq(apart, here, sizeof here);
    desc.inverse = 1;
    succeed(sqa_rope(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    read_floats(tensors.x.buffer, here, ROPE_COUNT);
    for (int i = 0; i < ROPE_COUNT; i++)
        ck_assert_float_eq_tol(here[i], 1.0f, 1e-6f);
    /* The same buffer with other strides is no place to write to. */
    desc.y = (sqa_strides){48, 8, 16};
    expect(SQA_INVALID_ARGUMENT, sqa_rope(test_context, test_queue, &desc, &tensors, 0, NULL, NULL),
           "tensors.y");
    clReleaseMemObject(y);
    clReleaseMemObject(tensors.x.buffer);
}
END_TEST

START_TEST(far_positions_are_exact)
{
    static const int32_t far[3] = {1000000, 2147483647, -1000000};
    sqa_rope_desc desc = rope_desc();
    sqa_rope_tensors tensors = SQA_ROPE_TENSORS_INIT;
    float y[ROPE_COUNT];
    desc.positions = 1;
    tensors.x.buffer = new_buffer(ROPE_COUNT, 1.0f);
    tensors.y.buffer = new_buffer(ROPE_COUNT, 0.0f);
    tensors.positions.buffer = new_buffer(3, 0.0f);
    ck_assert_int_eq(clEnqueueWriteBuffer(test_queue, tensors.positions.buffer, CL_TRUE, 0,
                                          sizeof far, far, 0, NULL, NULL),
                     CL_SUCCESS);
    succeed(sqa_rope(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    read_floats(tensors.y.buffer, y, ROPE_COUNT);
    for (int i = 0; i < ROPE_COUNT / 2; i++) {
        const double angle = far[i / 4 % 3] * pow(10000.0, -(i % 4) / 4.0);
        ck_assert_double_eq_tol((double)y[2 * i], cos(angle) - sin(angle), 5e-7);
        ck_assert_double_eq_tol((double)y[2 * i + 1], sin(angle) + cos(angle), 5e-7);
    }
    clReleaseMemObject(tensors.positions.buffer);
    clReleaseMemObject(tensors.x.buffer);
    clReleaseMemObject(tensors.y.buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("elementwise");
    TCase *tests = tcase_create("elementwise");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, wrong_rotations, 0, WRONG_ROPE);
    tcase_add_test(tests, rotates_in_place_and_back);
    tcase_add_test(tests, far_positions_are_exact);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
