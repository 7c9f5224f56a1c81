/* Weights of a matrix product that are packed once: the same bits as without, whatever the
 * weights hold by then; and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "opencl_fixture.h"
#include "refuse_launch.h"
#include "run_suite.h"
#include "runtime/plan.h"

#define TILE "LANES=8,NV=2,MR=4,DEPTH=64,UNROLL=2"
#define ROWS TILE ",TILES=2,PANELS=2"
#define WHOLE TILE ",TILES=16,PANELS=4" /* a work-item has all of C, so that dividing sums pays */

enum { M = 37, N = 53, K = 300, BATCH = 2, MOST = BATCH * 2 * K * N };

typedef struct packing {
    const char *family, *config;
    sqa_matmul_desc desc;
} packing;

#define PRODUCT .m = M, .n = N, .k = K, .alpha = 0.5f

static const packing cases[] = {
    {"rows", ROWS ",PACK=0,SPLIT=1", {PRODUCT, .batch = 1}},
    {"rows", WHOLE ",PACK=0,SPLIT=2", {PRODUCT, .batch = 1, .transpose_b = 1, .bias = 1}},
    {"rows", WHOLE ",PACK=1,SPLIT=4", {PRODUCT, .batch = BATCH, .transpose_a = 1, .beta = 1.0f}},
    {"rows",
     ROWS ",PACK=1,SPLIT=1",
     {PRODUCT, .batch = BATCH, .b = {0, N}, .gated = 1, .activation = SQA_ACTIVATION_SILU}},
    {"rows", ROWS ",PACK=1,SPLIT=1", {PRODUCT, .batch = BATCH, .dtype = SQA_DTYPE_BF16}},
    {"rows", NULL, {PRODUCT, .batch = 1, .add_residual = 1}},
    {"naive", NULL, {PRODUCT, .batch = BATCH, .gated = 1}},
    {NULL, NULL, {PRODUCT, .batch = 1}},
};
enum { CASES = sizeof cases / sizeof *cases };

static sqa_plan *new_plan(sqa_context *context, const packing *of)
{
    sqa_plan *plan = NULL;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_matmul_desc desc = of->desc;
    desc.version = SQA_MATMUL_DESC_VERSION;
    options.family = of->family;
    options.config = of->config;
    ck_assert_msg(sqa_matmul_plan_create(&plan, context, &desc, &options) == SQA_OK, "%s",
                  sqa_last_error());
    return plan;
}

/* Large enough for every case, and of numbers that are in order as f32 and as bf16. */
static cl_mem new_numbers(unsigned seed)
{
    static float values[MOST];
    cl_int code;
    for (int i = 0; i < MOST; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(seed >> 16) / 32768.0f - 1.0f;
    }
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       sizeof values, values, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

static sqa_matmul_tensors new_tensors(void)
{
    sqa_matmul_tensors tensors = SQA_MATMUL_TENSORS_INIT;
    sqa_tensor *of[] = {&tensors.a,    &tensors.b,     &tensors.c,       &tensors.b2,
                        &tensors.bias, &tensors.bias2, &tensors.residual};
    for (unsigned i = 0; i < sizeof of / sizeof *of; i++)
        of[i]->buffer = new_numbers(i);
    tensors.b.offset = 3;
    return tensors;
}

static void release(const sqa_matmul_tensors *tensors)
{
    const cl_mem of[] = {tensors->a.buffer,       tensors->b.buffer,    tensors->c.buffer,
                         tensors->b2.buffer,      tensors->bias.buffer, tensors->bias2.buffer,
                         tensors->residual.buffer};
    for (unsigned i = 0; i < sizeof of / sizeof *of; i++)
        clReleaseMemObject(of[i]);
}

static void fill(cl_mem buffer, float value)
{
    ck_assert_int_eq(clEnqueueFillBuffer(test_queue, buffer, &value, sizeof value, 0,
                                         MOST * sizeof value, 0, NULL, NULL),
                     CL_SUCCESS);
}

/* Runs on a C of zeros; the caller frees what is in it then. */
static float *run(sqa_plan *plan, const sqa_matmul_tensors *tensors)
{
    float *c = malloc(MOST * sizeof *c);
    fill(tensors->c.buffer, 0.0f);
    ck_assert_msg(sqa_matmul_run(plan, test_queue, tensors, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors->c.buffer, CL_TRUE, 0,
                                         MOST * sizeof *c, c, 0, NULL, NULL),
                     CL_SUCCESS);
    return c;
}

static sqa_matmul_packed *pack(sqa_plan *plan, const sqa_matmul_tensors *tensors)
{
    sqa_matmul_packed *packed = NULL;
    ck_assert_msg(sqa_matmul_pack(&packed, plan, test_queue, tensors, 0, NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
    return packed;
}

static bool packs(const packing *of)
{
    return of->family && !strcmp(of->family, "rows");
}

/* With what was packed, not what B holds by then; without a tensor there at all. */
START_TEST(the_same_bits)
{
    sqa_matmul_tensors tensors = new_tensors(), weightless = tensors;
    sqa_plan *plan = new_plan(test_context, &cases[_i]);
    float *expected = run(plan, &tensors);
    sqa_matmul_packed *packed = pack(plan, &tensors);
    weightless.packed = packed;
    memset(&weightless.b, 0, sizeof weightless.b);
    memset(&weightless.b2, 0, sizeof weightless.b2);
    if (packs(&cases[_i])) {
        fill(tensors.b.buffer, 0.0f);
        fill(tensors.b2.buffer, 0.0f);
    }
    for (int call = 0; call < 2; call++) {
        float *c = run(plan, &weightless);
        ck_assert(memcmp(c, expected, MOST * sizeof *c) == 0);
        free(c);
    }
    sqa_matmul_packed_destroy(packed);
    sqa_plan_destroy(plan);
    free(expected);
    release(&tensors);
}
END_TEST

/* Of other lengths and factors, in one-shot calls, and after the buffer's last owner has let go. */
START_TEST(other_plans_read_it)
{
    sqa_matmul_tensors tensors = new_tensors(), with = tensors;
    packing other = cases[0];
    sqa_plan *plan = new_plan(test_context, &cases[0]);
    sqa_matmul_packed *packed = pack(plan, &tensors);
    with.packed = packed;
    sqa_plan_destroy(plan);
    other.desc.m = 5;
    other.desc.bias = 1;
    other.desc.alpha = 2.0f;
    plan = new_plan(test_context, &other);
    float *expected = run(plan, &tensors), *c = run(plan, &with);
    ck_assert(memcmp(c, expected, MOST * sizeof *c) == 0);
    sqa_plan_destroy(plan);
    sqa_matmul_packed_destroy(packed);
    sqa_matmul_packed_destroy(NULL);
    free(expected);
    free(c);
    release(&tensors);
}
END_TEST

START_TEST(one_shot_calls_read_it)
{
    sqa_matmul_tensors tensors = new_tensors(), with = tensors;
    sqa_plan *plan = new_plan(test_context, &cases[CASES - 1]);
    sqa_matmul_desc desc = cases[CASES - 1].desc;
    float *expected = run(plan, &tensors), *c = malloc(MOST * sizeof *c);
    sqa_matmul_packed *packed = pack(plan, &tensors);
    desc.version = SQA_MATMUL_DESC_VERSION;
    with.packed = packed;
    fill(tensors.c.buffer, 0.0f);
    ck_assert_msg(sqa_matmul(test_context, test_queue, &desc, &with, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    sqa_matmul_packed_destroy(packed);
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.c.buffer, CL_TRUE, 0, MOST * sizeof *c,
                                         c, 0, NULL, NULL),
                     CL_SUCCESS);
    ck_assert(memcmp(c, expected, MOST * sizeof *c) == 0);
    sqa_plan_destroy(plan);
    free(expected);
    free(c);
    release(&tensors);
}
END_TEST

/* What of another plan differs from cases[0], and the words that say so. */
static void make_other(int which, packing *other, const char **named)
{
    *other = cases[0];
    switch (which) {
    case 0: other->desc.n = N - 1, *named = "n is 53, expected 52"; break;
    case 1: other->desc.k = K - 1, *named = "k is 300, expected 299"; break;
    case 2: other->desc.transpose_b = 1, *named = "transpose_b"; break;
    case 3: other->desc.gated = 1, *named = "gated"; break;
    case 4: other->desc.b = (sqa_matrix_strides){0, N + 1}, *named = "b.row"; break;
    case 5: other->desc.batch = BATCH, *named = "b.batch"; break;
    case 6: other->config = "LANES=8,NV=1", *named = "another configuration"; break;
    case 7: other->family = "naive", other->config = NULL, *named = "panels of 16"; break;
    default:
        other->config = ROWS ",PACK=1,SPLIT=1";
        other->desc.dtype = SQA_DTYPE_F16, *named = "dtype";
        break;
    }
}
enum { OTHERS = 9 };

static void expect_refused(sqa_plan *plan, const sqa_matmul_tensors *tensors, const char *named)
{
    ck_assert_int_eq(sqa_matmul_run(plan, test_queue, tensors, 0, NULL, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), "tensors.packed") != NULL &&
                      strstr(sqa_last_error(), named) != NULL,
                  "'%s' does not name %s", sqa_last_error(), named);
}

START_TEST(others_are_refused)
{
    sqa_matmul_tensors tensors = new_tensors();
    sqa_plan *plan = new_plan(test_context, &cases[0]);
    sqa_matmul_packed *packed = pack(plan, &tensors);
    packing other;
    const char *named = NULL;
    sqa_plan_destroy(plan);
    make_other(_i, &other, &named);
    plan = new_plan(test_context, &other);
    tensors.packed = packed;
    expect_refused(plan, &tensors, named);
    /* Callers of before there was such a thing do not have it. */
    tensors.version = 1;
    ck_assert_msg(sqa_matmul_run(plan, test_queue, &tensors, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    sqa_matmul_packed_destroy(packed);
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

START_TEST(another_context_is_refused)
{
    unsigned platform, device;
    sqa_matmul_tensors tensors = new_tensors();
    sqa_context *context = NULL;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = options.binary_cache = "";
    test_device_numbers(&platform, &device);
    ck_assert_int_eq(sqa_context_open(&context, platform, device, &options), SQA_OK);
    sqa_plan *own = new_plan(test_context, &cases[0]), *plan = new_plan(context, &cases[0]);
    sqa_matmul_packed *packed = pack(own, &tensors);
    tensors.packed = packed;
    expect_refused(plan, &tensors, "another OpenCL context");
    sqa_matmul_packed_destroy(packed);
    sqa_plan_destroy(own);
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
    release(&tensors);
}
END_TEST

/* What takes over has panels of its own, or none. */
START_TEST(a_substitute_packs_anew)
{
    static const sqa_tuning_row stored;
    sqa_matmul_tensors tensors = new_tensors();
    sqa_plan *plan = new_plan(test_context, &cases[1]);
    float *expected = run(plan, &tensors);
    sqa_plan_destroy(plan);
    plan = new_plan(test_context, &cases[1]);
    sqa_leaf *leaf = plan->stages[0].leaf;
    leaf->choice.row = &stored; /* as if the database had chosen it */
    sqa_matmul_packed *packed = pack(plan, &tensors);
    tensors.packed = packed;
    refuse_launch = true;
    float *c = run(plan, &tensors);
    ck_assert_ptr_nonnull(atomic_load(&leaf->substitute));
    for (int i = 0; i < M * N; i++)
        ck_assert_float_eq_tol(c[i], expected[i], 1e-4f);
    sqa_matmul_packed_destroy(packed);
    sqa_plan_destroy(plan);
    free(expected);
    free(c);
    release(&tensors);
}
END_TEST

static void expect_wrong(sqa_status status, const char *named)
{
    ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

START_TEST(wrong_arguments)
{
    sqa_matmul_tensors tensors = new_tensors(), wrong = tensors;
    sqa_plan *plan = new_plan(test_context, &cases[3]);
    sqa_matmul_packed *packed = NULL;
    expect_wrong(sqa_matmul_pack(NULL, plan, test_queue, &tensors, 0, NULL, NULL), "out");
    expect_wrong(sqa_matmul_pack(&packed, NULL, test_queue, &tensors, 0, NULL, NULL), "plan");
    expect_wrong(sqa_matmul_pack(&packed, plan, NULL, &tensors, 0, NULL, NULL), "queue");
    expect_wrong(sqa_matmul_pack(&packed, plan, test_queue, NULL, 0, NULL, NULL), "tensors");
    wrong.b2.buffer = NULL;
    expect_wrong(sqa_matmul_pack(&packed, plan, test_queue, &wrong, 0, NULL, NULL), "tensors.b2");
    wrong = tensors;
    wrong.b.offset = MOST;
    expect_wrong(sqa_matmul_pack(&packed, plan, test_queue, &wrong, 0, NULL, NULL), "tensors.b:");
    wrong = tensors;
    wrong.version = 99;
    expect_wrong(sqa_matmul_pack(&packed, plan, test_queue, &wrong, 0, NULL, NULL), "version");
    ck_assert_ptr_null(packed);
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

/* Packing waits for what it is told to, and another queue for its event. */
START_TEST(events)
{
    sqa_matmul_tensors tensors = new_tensors(), with = tensors;
    cl_int code;
    cl_command_queue other = new_queue();
    cl_event gate = clCreateUserEvent(sqa_context_cl(test_context), &code), packed_now = NULL;
    sqa_plan *plan = new_plan(test_context, &cases[1]);
    sqa_matmul_packed *packed = NULL;
    float *expected = run(plan, &tensors), *c = malloc(MOST * sizeof *c);
    fill(tensors.c.buffer, 0.0f);
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    ck_assert_msg(sqa_matmul_pack(&packed, plan, other, &tensors, 1, &gate, &packed_now) == SQA_OK,
                  "%s", sqa_last_error());
    with.packed = packed;
    ck_assert_int_eq(clFlush(other), CL_SUCCESS);
    ck_assert_msg(sqa_matmul_run(plan, test_queue, &with, 1, &packed_now, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    sqa_matmul_packed_destroy(packed);
    ck_assert_int_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.c.buffer, CL_TRUE, 0, MOST * sizeof *c,
                                         c, 0, NULL, NULL),
                     CL_SUCCESS);
    ck_assert(memcmp(c, expected, MOST * sizeof *c) == 0);
    clReleaseEvent(gate);
    clReleaseEvent(packed_now);
    clReleaseCommandQueue(other);
    sqa_plan_destroy(plan);
    free(expected);
    free(c);
    release(&tensors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("packed weights");
    TCase *tests = tcase_create("packed weights");
    tcase_set_timeout(tests, 240);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, the_same_bits, 0, CASES);
    tcase_add_test(tests, other_plans_read_it);
    tcase_add_test(tests, one_shot_calls_read_it);
    tcase_add_loop_test(tests, others_are_refused, 0, OTHERS);
    tcase_add_test(tests, another_context_is_refused);
    tcase_add_test(tests, a_substitute_packs_anew);
    tcase_add_test(tests, wrong_arguments);
    tcase_add_test(tests, events);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
