/* Contexts, plans and calls through the public interface: what is refused and how
 * it is said, explanations, events, workspaces, empty problems. */
#include <stdint.h>
#include <string.h>

#include "kernels/registry.h"
#include "opencl_fixture.h"
#include "run_suite.h"

/* Small, and the same throughout, so that one compilation serves all tests. */
static sqa_attention_desc small_desc(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = 2;
    desc.q_length = 5;
    desc.kv_length = 7;
    desc.head_dim = 8;
    desc.write_lse = 1;
    return desc;
}

enum { Q_COUNT = 2 * 5 * 8, K_COUNT = 2 * 7 * 8, LSE_COUNT = 2 * 5 };

static sqa_plan *plan;
static sqa_tensors tensors;

static void expect(sqa_status wanted, sqa_status got, const char *named)
{
    ck_assert_msg(got == wanted, "%s instead of %s (%s)", sqa_status_name(got),
                  sqa_status_name(wanted), sqa_last_error());
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

static void open_plan(void)
{
    sqa_attention_desc desc = small_desc();
    open_device();
    ck_assert_msg(sqa_plan_create(&plan, test_context, &desc, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    tensors = (sqa_tensors)SQA_TENSORS_INIT;
    tensors.q.buffer = new_buffer(Q_COUNT, 0.5f);
    tensors.k.buffer = new_buffer(K_COUNT, 0.25f);
    tensors.v.buffer = new_buffer(K_COUNT, 3.0f);
    tensors.o.buffer = new_buffer(Q_COUNT, -1.0f);
    tensors.lse.buffer = new_buffer(LSE_COUNT, -1.0f);
}

static void close_plan(void)
{
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.k.buffer);
    clReleaseMemObject(tensors.v.buffer);
    clReleaseMemObject(tensors.o.buffer);
    clReleaseMemObject(tensors.lse.buffer);
    sqa_plan_destroy(plan);
    close_device();
}

/* Every key equal: the output is V, whatever the weights. */
static void expect_threes(cl_mem buffer)
{
    float o[Q_COUNT];
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, sizeof o, o, 0, NULL, NULL),
        CL_SUCCESS);
    for (size_t i = 0; i < Q_COUNT; i++)
        ck_assert_float_eq_tol(o[i], 3.0f, 1e-5f);
}

START_TEST(a_call_works)
{
    cl_event event = NULL;
    ck_assert_int_eq(sqa_forward(plan, test_queue, &tensors, 0, NULL, &event), SQA_OK);
    ck_assert_ptr_nonnull(event);
    ck_assert_int_eq(clWaitForEvents(1, &event), CL_SUCCESS);
    clReleaseEvent(event);
    expect_threes(tensors.o.buffer);
    ck_assert_int_eq(sqa_forward(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
}
END_TEST

START_TEST(null_arguments)
{
    sqa_attention_desc desc = small_desc();
    sqa_plan *unchanged = plan;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(NULL, test_context, &desc, NULL), "out");
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(&unchanged, NULL, &desc, NULL), "context");
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(&unchanged, test_context, NULL, NULL), "desc");
    ck_assert_ptr_eq(unchanged, plan);
    expect(SQA_INVALID_ARGUMENT, sqa_forward(NULL, test_queue, &tensors, 0, NULL, NULL), "plan");
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, NULL, &tensors, 0, NULL, NULL), "queue");
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, NULL, 0, NULL, NULL), "tensors");
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, &tensors, 1, NULL, NULL),
           "wait_list");
    expect(SQA_INVALID_ARGUMENT, sqa_plan_explain(NULL, &info), "plan");
    expect(SQA_INVALID_ARGUMENT, sqa_plan_explain(plan, NULL), "out");
    expect(SQA_INVALID_ARGUMENT, sqa_plan_warm_up(NULL, test_queue), "plan");
    expect(SQA_INVALID_ARGUMENT, sqa_plan_warm_up(plan, NULL), "queue");
    expect(SQA_INVALID_ARGUMENT,
           sqa_attention_forward(NULL, test_queue, &desc, &tensors, 0, NULL, NULL), "context");
    expect(SQA_INVALID_ARGUMENT,
           sqa_attention_forward(test_context, test_queue, NULL, &tensors, 0, NULL, NULL), "desc");
    ck_assert_uint_eq(sqa_plan_workspace_size(NULL), 0);
    sqa_plan_destroy(NULL);
    sqa_context_destroy(NULL);
    ck_assert_ptr_null(sqa_context_cl(NULL));
    ck_assert_ptr_null(sqa_context_cl_device(NULL));
}
END_TEST

START_TEST(wrong_contexts)
{
    sqa_context *out = NULL;
    cl_context cl = sqa_context_cl(test_context);
    cl_device_id device = sqa_context_cl_device(test_context);
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.version = 0;
    expect(SQA_INVALID_ARGUMENT, sqa_context_create(NULL, cl, device, NULL), "out");
    expect(SQA_INVALID_ARGUMENT, sqa_context_create(&out, NULL, device, NULL), "context");
    expect(SQA_INVALID_ARGUMENT, sqa_context_create(&out, cl, NULL, NULL), "device");
    expect(SQA_INVALID_ARGUMENT, sqa_context_create(&out, cl, device, &options), "version");
    expect(SQA_NO_DEVICE, sqa_context_open(&out, 999, 0, NULL), "platform");
    expect(SQA_NO_DEVICE, sqa_context_open(&out, 0, 999, NULL), "device");
    expect(SQA_INVALID_ARGUMENT, sqa_context_open(NULL, 0, 0, NULL), "out");
    ck_assert_ptr_null(out);
}
END_TEST

/* The caller's handles are retained, not taken. */
START_TEST(a_context_of_the_callers)
{
    sqa_context *second = NULL;
    sqa_attention_desc desc = small_desc();
    sqa_plan *other = NULL;
    ck_assert_int_eq(sqa_context_create(&second, sqa_context_cl(test_context),
                                        sqa_context_cl_device(test_context), NULL),
                     SQA_OK);
    ck_assert_ptr_eq(sqa_context_cl(second), sqa_context_cl(test_context));
    ck_assert_int_eq(sqa_plan_create(&other, second, &desc, NULL), SQA_OK);
    ck_assert_int_eq(sqa_forward(other, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    expect_threes(tensors.o.buffer);
    sqa_plan_destroy(other);
    sqa_context_destroy(second);
    ck_assert_int_eq(sqa_forward(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
}
END_TEST

START_TEST(too_small_buffers)
{
    static const struct {
        const char *name;
        size_t offset, count;
    } parts[] = {
        {"tensors.q", offsetof(sqa_tensors, q), Q_COUNT},
        {"tensors.k", offsetof(sqa_tensors, k), K_COUNT},
        {"tensors.v", offsetof(sqa_tensors, v), K_COUNT},
        {"tensors.o", offsetof(sqa_tensors, o), Q_COUNT},
        {"tensors.lse", offsetof(sqa_tensors, lse), LSE_COUNT},
    };
    sqa_tensors wrong = tensors;
    sqa_tensor *part = (sqa_tensor *)(void *)((char *)&wrong + parts[_i].offset);
    part->offset = 1; /* the last element is now one beyond the end */
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, &wrong, 0, NULL, NULL),
           parts[_i].name);
    part->offset = SIZE_MAX;
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, &wrong, 0, NULL, NULL),
           parts[_i].name);
    part->offset = 0;
    part->buffer = NULL;
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, &wrong, 0, NULL, NULL),
           parts[_i].name);
    part->buffer = new_buffer(parts[_i].count - 1, 0.0f);
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, &wrong, 0, NULL, NULL),
           parts[_i].name);
    clReleaseMemObject(part->buffer);
    wrong = tensors;
    wrong.version = 9;
    expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, &wrong, 0, NULL, NULL), "version");
}
END_TEST

/* Views so far apart that their extent does not fit in 64 bits must not wrap
 * round to a small one. */
START_TEST(huge_views)
{
    sqa_attention_desc desc = small_desc();
    sqa_plan *huge = NULL;
    desc.batch = 1u << 26;
    desc.q = desc.k = desc.v = (sqa_strides){INT64_C(1) << 38, 56, 8};
    sqa_status status = sqa_plan_create(&huge, test_context, &desc, NULL);
    if (status == SQA_OK) {
        status = sqa_forward(huge, test_queue, &tensors, 0, NULL, NULL);
        sqa_plan_destroy(huge);
    }
    ck_assert_msg(status == SQA_INVALID_ARGUMENT, "%s", sqa_status_name(status));
}
END_TEST

/* 2^40 * 2^24 is 0 in 64 bits, which would fit any buffer. */
START_TEST(strides_that_wrap)
{
    sqa_attention_desc desc = small_desc();
    sqa_plan *out = NULL;
    desc.q_length = (1u << 24) + 1;
    desc.q.sequence = INT64_C(1) << 40;
    ck_assert_int_eq(sqa_plan_create(&out, test_context, &desc, NULL), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "desc.q.sequence"));
}
END_TEST

START_TEST(plan_options)
{
    sqa_attention_desc desc = small_desc();
    sqa_plan *out = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.version = 7;
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(&out, test_context, &desc, &options), "version");
    options = (sqa_plan_options)SQA_PLAN_OPTIONS_INIT;
    options.family = "flash";
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(&out, test_context, &desc, &options), "naive");
    options.family = NULL;
    options.config = "CHUNK=8";
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(&out, test_context, &desc, &options), "config");
    options.family = "naive";
    options.config = "COLOUR=8";
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(&out, test_context, &desc, &options), "COLOUR");
    ck_assert_ptr_null(out);
    options.config = NULL;
    ck_assert_int_eq(sqa_plan_create(&out, test_context, &desc, &options), SQA_OK);
    ck_assert_int_eq(sqa_plan_explain(out, &info), SQA_OK);
    ck_assert_str_eq(info.family, "naive");
    ck_assert_str_eq(info.rung, "override");
    ck_assert_str_eq(info.source, "override");
    sqa_plan_destroy(out);
}
END_TEST

START_TEST(explanations)
{
    sqa_attention_desc desc = small_desc();
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *out = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    options.skip_database = 1;
    ck_assert_int_eq(sqa_plan_create(&out, test_context, &desc, &options), SQA_OK);
    ck_assert_int_eq(sqa_plan_explain(out, &info), SQA_OK);
    ck_assert_ptr_nonnull(info.family);
    ck_assert_ptr_nonnull(info.config);
    ck_assert_msg(!strcmp(info.rung, "default") || !strcmp(info.rung, "naive"), "%s", info.rung);
    ck_assert_str_eq(info.source, "default");
    ck_assert_uint_gt(strlen(info.reason), 5);
    sqa_plan_destroy(out);
}
END_TEST

/* The call must wait for the events given, and its event come after them. */
START_TEST(wait_lists)
{
    cl_int code;
    cl_event gate = clCreateUserEvent(sqa_context_cl(test_context), &code);
    cl_event done = NULL;
    cl_int state = CL_COMPLETE;
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(sqa_forward(plan, test_queue, &tensors, 1, &gate, &done), SQA_OK);
    ck_assert_int_eq(clFlush(test_queue), CL_SUCCESS);
    ck_assert_int_eq(
        clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL),
        CL_SUCCESS);
    ck_assert_int_ne(state, CL_COMPLETE);
    ck_assert_int_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
    ck_assert_int_eq(clWaitForEvents(1, &done), CL_SUCCESS);
    expect_threes(tensors.o.buffer);
    clReleaseEvent(done);
    clReleaseEvent(gate);
}
END_TEST

/* Empty outputs still give an event, which still waits. */
START_TEST(empty_problems)
{
    static const struct {
        uint32_t batch, q_length, kv_length;
    } cases[] = {{0, 5, 7}, {1, 0, 7}, {1, 0, 0}};
    sqa_attention_desc desc = small_desc();
    sqa_tensors none = SQA_TENSORS_INIT;
    sqa_plan *empty = NULL;
    cl_event event = NULL;
    cl_int code;
    cl_event gate = clCreateUserEvent(sqa_context_cl(test_context), &code);
    desc.batch = cases[_i].batch;
    desc.q_length = cases[_i].q_length;
    desc.kv_length = cases[_i].kv_length;
    ck_assert_msg(sqa_plan_create(&empty, test_context, &desc, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_msg(sqa_forward(empty, test_queue, &none, 1, &gate, &event) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_ptr_nonnull(event);
    ck_assert_int_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
    ck_assert_int_eq(clWaitForEvents(1, &event), CL_SUCCESS);
    clReleaseEvent(event);
    clReleaseEvent(gate);
    ck_assert_int_eq(sqa_forward(empty, test_queue, &none, 0, NULL, NULL), SQA_OK);
    ck_assert_int_eq(sqa_plan_warm_up(empty, test_queue), SQA_OK);
    sqa_plan_destroy(empty);
}
END_TEST

/* No keys: zeros, without a look at K and V. */
/* Q may be missing then, too: each family has to leave it alone. */
START_TEST(no_keys)
{
    sqa_attention_desc desc = small_desc();
    sqa_tensors outputs = SQA_TENSORS_INIT;
    float o[Q_COUNT];
    desc.kv_length = 0;
    outputs.o = tensors.o;
    outputs.lse = tensors.lse;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *own = NULL;
    if (sqa_family_at((size_t)_i)->operation != SQA_OPERATION_FORWARD)
        return;
    options.family = sqa_family_at((size_t)_i)->name;
    const sqa_status status = sqa_plan_create(&own, test_context, &desc, &options);
    if (status == SQA_UNSUPPORTED && !strcmp(options.family, "mma"))
        return; /* is for other devices */
    ck_assert_msg(status == SQA_OK, "%s: %s", options.family, sqa_last_error());
    ck_assert_msg(sqa_forward(own, test_queue, &outputs, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    sqa_plan_destroy(own);
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, outputs.o.buffer, CL_TRUE, 0, sizeof o, o, 0, NULL, NULL),
        CL_SUCCESS);
    for (size_t i = 0; i < Q_COUNT; i++)
        ck_assert_float_eq(o[i], 0.0f);
}
END_TEST

START_TEST(workspaces)
{
    size_t bytes = sqa_plan_workspace_size(plan);
    sqa_tensors with = tensors;
    if (bytes > 1) {
        with.workspace = new_buffer(1, 0.0f);
        if (bytes > sizeof(float))
            expect(SQA_INVALID_ARGUMENT, sqa_forward(plan, test_queue, &with, 0, NULL, NULL),
                   "workspace");
        clReleaseMemObject(with.workspace);
    }
    with.workspace = new_buffer(bytes / sizeof(float) + 1, 0.0f);
    ck_assert_int_eq(sqa_forward(plan, test_queue, &with, 0, NULL, NULL), SQA_OK);
    expect_threes(tensors.o.buffer);
    clReleaseMemObject(with.workspace);
}
END_TEST

/* Warming up must leave the caller's data alone: it has none of it. */
START_TEST(warm_up)
{
    ck_assert_msg(sqa_plan_warm_up(plan, test_queue) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_plan_warm_up(plan, test_queue), SQA_OK);
    ck_assert_int_eq(sqa_forward(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    expect_threes(tensors.o.buffer);
}
END_TEST

/* Many descriptors through the cache, twice each, in another order. */
START_TEST(the_plan_cache)
{
    enum { PLANS = 40 };
    for (uint32_t i = 0; i < 2 * PLANS; i++) {
        sqa_attention_desc desc = small_desc();
        desc.q_length = 1 + (i * 7) % PLANS % 5;
        desc.kv_length = 1 + (i * 7) % PLANS / 6;
        desc.scale = i % 2 ? 0.5f : 0.0f;
        ck_assert_msg(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL,
                                            NULL) == SQA_OK,
                      "%s", sqa_last_error());
    }
    sqa_attention_desc desc = small_desc();
    ck_assert_int_eq(
        sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL), SQA_OK);
    expect_threes(tensors.o.buffer);
}
END_TEST

START_TEST(versions)
{
    ck_assert_uint_eq(sqa_version_number(), SQA_CL_VERSION_NUMBER);
    ck_assert_str_eq(sqa_version_string(), SQA_CL_VERSION_STRING);
}
END_TEST

START_TEST(status_names)
{
    for (int status = SQA_WRONG_RESULT; status <= SQA_OK; status++)
        ck_assert_int_eq(strncmp(sqa_status_name((sqa_status)status), "SQA_", 4), 0);
    ck_assert_str_eq(sqa_status_name(SQA_BUILD_FAILED), "SQA_BUILD_FAILED");
    ck_assert_str_eq(sqa_status_name((sqa_status)1), "unknown status");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plans");
    TCase *calls = tcase_create("calls");
    tcase_add_unchecked_fixture(calls, open_plan, close_plan);
    tcase_add_test(calls, a_call_works);
    tcase_add_test(calls, null_arguments);
    tcase_add_test(calls, wrong_contexts);
    tcase_add_test(calls, a_context_of_the_callers);
    tcase_add_loop_test(calls, too_small_buffers, 0, 5);
    tcase_add_test(calls, huge_views);
    tcase_add_test(calls, strides_that_wrap);
    tcase_add_test(calls, plan_options);
    tcase_add_test(calls, explanations);
    tcase_add_test(calls, wait_lists);
    tcase_add_loop_test(calls, empty_problems, 0, 3);
    tcase_add_loop_test(calls, no_keys, 0, (int)sqa_family_count());
    tcase_add_test(calls, workspaces);
    tcase_add_test(calls, warm_up);
    tcase_add_test(calls, the_plan_cache);
    tcase_add_test(calls, versions);
    tcase_add_test(calls, status_names);
    suite_add_tcase(suite, calls);
    return sqa_run_suite(suite);
}
