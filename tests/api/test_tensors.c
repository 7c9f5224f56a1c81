/* The tensors of a call: whose buffers they are in, how far they reach, and what they share.
 * Refused is what would overwrite an input; what only looks like it works, with the same
 * numbers as with buffers apart. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

/* Two heads of 64 tokens; one program for all tests. ROW columns hold Q, K, V and O of a
 * token, where they are in one buffer. */
enum { HEADS = 2, TOKENS = 64, DIM = 8, SIDE = HEADS * DIM, ROW = 4 * SIDE, LSE = HEADS * TOKENS };
enum { PACKED = TOKENS * SIDE, WHOLE = TOKENS * ROW };

static float numbers[WHOLE], expected[PACKED];

static sqa_attention_desc desc_of(int64_t head, int64_t token)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = HEADS;
    desc.q_length = desc.kv_length = TOKENS;
    desc.head_dim = DIM;
    desc.write_lse = 1;
    desc.q = desc.k = desc.v = desc.o = (sqa_strides){WHOLE, head, token};
    return desc;
}

static cl_mem buffer_of(cl_mem_flags flags, size_t count, float *host)
{
    cl_int code = CL_SUCCESS;
    cl_mem buffer = clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | flags,
                                   count * sizeof(float), host, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

/* `first` and `count` in floats. */
static cl_mem part_of(cl_mem buffer, size_t first, size_t count)
{
    const cl_buffer_region region = {first * sizeof(float), count * sizeof(float)};
    cl_int code = CL_SUCCESS;
    cl_mem part =
        clCreateSubBuffer(buffer, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return part;
}

static sqa_status call(const sqa_attention_desc *desc, const sqa_tensors *tensors)
{
    sqa_status status =
        sqa_attention_forward(test_context, test_queue, desc, tensors, 0, NULL, NULL);
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    return status;
}

static void expect_refused(sqa_status status, const char *first, const char *second)
{
    ck_assert_msg(status == SQA_INVALID_ARGUMENT, "%s with %s: %s", first, second,
                  sqa_status_name(status));
    ck_assert_msg(strstr(sqa_last_error(), first) && strstr(sqa_last_error(), second),
                  "'%s' does not name %s and %s", sqa_last_error(), first, second);
}

/* Tensors apart, with Q, K and V as the columns of `numbers` have them. */
static sqa_tensors open_apart(void)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    sqa_tensor *inputs[] = {&tensors.q, &tensors.k, &tensors.v};
    float *packed = malloc(PACKED * sizeof *packed);
    ck_assert_ptr_nonnull(packed);
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < TOKENS; i++)
            memcpy(packed + i * SIDE, numbers + i * ROW + t * SIDE, SIDE * sizeof *packed);
        inputs[t]->buffer = buffer_of(CL_MEM_COPY_HOST_PTR, PACKED, packed);
    }
    free(packed);
    tensors.o.buffer = buffer_of(0, PACKED, NULL);
    tensors.lse.buffer = buffer_of(0, LSE, NULL);
    return tensors;
}

static void release_tensors(sqa_tensors *tensors)
{
    sqa_tensor *each[] = {&tensors->q, &tensors->k, &tensors->v, &tensors->o, &tensors->lse};
    for (int i = 0; i < 5; i++)
        clReleaseMemObject(each[i]->buffer);
}

static void open_suite(void)
{
    open_device();
    for (size_t i = 0; i < WHOLE; i++)
        numbers[i] = (float)((i * 7919) % 101) / 50.0f - 1.0f;
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors tensors = open_apart();
    ck_assert_msg(call(&desc, &tensors) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.o.buffer, CL_TRUE, 0, sizeof expected,
                                         expected, 0, NULL, NULL),
                     CL_SUCCESS);
    release_tensors(&tensors);
}

/* What layouts within one buffer of rows of ROW there are; offsets of Q, K, V and O. */
static const struct {
    const char *what;
    int64_t head;
    size_t at[4];
} together[] = {
    {"Q, K, V and O one after the other", DIM, {0, SIDE, 2 * SIDE, 3 * SIDE}},
    {"O before the others", DIM, {SIDE, 2 * SIDE, 3 * SIDE, 0}},
    {"head by head", 4 * DIM, {0, DIM, 2 * DIM, 3 * DIM}},
    {"O between Q and K", 4 * DIM, {0, 2 * DIM, 3 * DIM, DIM}},
};
enum { TOGETHER = sizeof together / sizeof *together };

START_TEST(views_that_interleave)
{
    const sqa_attention_desc desc = desc_of(together[_i].head, ROW);
    const size_t *at = together[_i].at;
    float *all = calloc(WHOLE, sizeof *all);
    ck_assert_ptr_nonnull(all);
    for (int i = 0; i < TOKENS; i++)
        for (int t = 0; t < 3; t++)
            for (int h = 0; h < HEADS; h++)
                memcpy(all + i * ROW + at[t] + (size_t)(h * together[_i].head),
                       numbers + i * ROW + t * SIDE + h * DIM, DIM * sizeof *all);
    cl_mem buffer = buffer_of(CL_MEM_COPY_HOST_PTR, WHOLE, all);
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q = (sqa_tensor){buffer, at[0]};
    tensors.k = (sqa_tensor){buffer, at[1]};
    tensors.v = (sqa_tensor){buffer, at[2]};
    tensors.o = (sqa_tensor){buffer, at[3]};
    tensors.lse.buffer = buffer_of(0, LSE, NULL);
    ck_assert_msg(call(&desc, &tensors) == SQA_OK, "%s: %s", together[_i].what, sqa_last_error());
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, WHOLE * sizeof *all, all,
                                         0, NULL, NULL),
                     CL_SUCCESS);
    for (int i = 0; i < TOKENS; i++)
        for (int h = 0; h < HEADS; h++)
            for (int d = 0; d < DIM; d++)
                ck_assert_float_eq_tol(all[i * ROW + (int)at[3] + h * together[_i].head + d],
                                       expected[i * SIDE + h * DIM + d], 1e-6f);
    /* One element further, O takes the first one of its neighbour in the row, or of the next. */
    tensors.o.offset = at[3] == 3 * SIDE || at[3] == 3 * DIM ? at[3] - 1 : at[3] + 1;
    expect_refused(call(&desc, &tensors), "tensors.o", "of one buffer");
    clReleaseMemObject(tensors.lse.buffer);
    clReleaseMemObject(buffer);
    free(all);
}
END_TEST

START_TEST(inputs_may_be_one)
{
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors tensors = open_apart(), same = tensors;
    same.k = same.v = same.q;
    ck_assert_msg(call(&desc, &same) == SQA_OK, "%s", sqa_last_error());
    release_tensors(&tensors);
}
END_TEST

START_TEST(outputs_on_other_tensors)
{
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors tensors = open_apart(), wrong = tensors;
    const struct {
        const char *name;
        const sqa_tensor *tensor;
    } inputs[] = {{"tensors.q", &tensors.q}, {"tensors.k", &tensors.k}, {"tensors.v", &tensors.v}};
    for (int i = 0; i < 3; i++) {
        wrong.o = *inputs[i].tensor;
        expect_refused(call(&desc, &wrong), "tensors.o", inputs[i].name);
        ck_assert_ptr_nonnull(strstr(sqa_last_error(), "bytes 0..4095 and 0..4095 of one buffer"));
        wrong.o = tensors.o;
        wrong.lse = *inputs[i].tensor;
        expect_refused(call(&desc, &wrong), "tensors.lse", inputs[i].name);
        wrong.lse = tensors.lse;
    }
    wrong.lse = tensors.o;
    wrong.lse.offset = PACKED - LSE;
    expect_refused(call(&desc, &wrong), "tensors.lse", "tensors.o");
    release_tensors(&tensors);
}
END_TEST

/* As far apart as sub-buffers may begin. */
static size_t alignment(void)
{
    cl_uint bits = 0;
    ck_assert_int_eq(clGetDeviceInfo(sqa_context_cl_device(test_context),
                                     CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL),
                     CL_SUCCESS);
    const size_t floats = bits / 32;
    ck_assert_uint_le(floats, PACKED);
    return floats;
}

START_TEST(sub_buffers)
{
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    const size_t step = alignment();
    sqa_tensors tensors = open_apart(), shared = tensors;
    cl_mem whole = buffer_of(0, 2 * PACKED + step, NULL);
    cl_mem first = part_of(whole, 0, PACKED), second = part_of(whole, PACKED, PACKED);
    cl_mem between = part_of(whole, PACKED - step, PACKED);
    ck_assert_int_eq(clEnqueueCopyBuffer(test_queue, tensors.q.buffer, first, 0, 0,
                                         PACKED * sizeof(float), 0, NULL, NULL),
                     CL_SUCCESS);
    shared.q.buffer = first;
    shared.o.buffer = second;
    ck_assert_msg(call(&desc, &shared) == SQA_OK, "%s", sqa_last_error());
    float o[PACKED];
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, second, CL_TRUE, 0, sizeof o, o, 0, NULL, NULL),
        CL_SUCCESS);
    for (int i = 0; i < PACKED; i++)
        ck_assert_float_eq_tol(o[i], expected[i], 1e-6f);
    shared.o.buffer = between;
    expect_refused(call(&desc, &shared), "tensors.o", "tensors.q");
    shared.o = (sqa_tensor){whole, PACKED - 1}; /* the buffer and a part of it */
    expect_refused(call(&desc, &shared), "tensors.o", "tensors.q");
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "bytes 4092..8187 and 0..4095 of one buffer"));
    shared.o.offset = PACKED;
    ck_assert_msg(call(&desc, &shared) == SQA_OK, "%s", sqa_last_error());
    clReleaseMemObject(first);
    clReleaseMemObject(second);
    clReleaseMemObject(between);
    clReleaseMemObject(whole);
    release_tensors(&tensors);
}
END_TEST

/* Two buffers of the host's memory are as much one memory as two parts of a buffer. */
START_TEST(memory_of_the_host)
{
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors tensors = open_apart(), shared = tensors;
    float *memory = aligned_alloc(4096, 2 * PACKED * sizeof *memory);
    ck_assert_ptr_nonnull(memory);
    memcpy(memory, numbers, PACKED * sizeof *memory);
    cl_mem first = buffer_of(CL_MEM_USE_HOST_PTR, PACKED, memory);
    cl_mem second = buffer_of(CL_MEM_USE_HOST_PTR, PACKED, memory + PACKED);
    cl_mem both = buffer_of(CL_MEM_USE_HOST_PTR, 2 * PACKED, memory);
    shared.q.buffer = first;
    shared.o.buffer = second;
    ck_assert_msg(call(&desc, &shared) == SQA_OK, "%s", sqa_last_error());
    shared.o.buffer = both;
    expect_refused(call(&desc, &shared), "tensors.o", "of one host's memory");
    cl_mem part = part_of(both, PACKED, PACKED);
    shared.o.buffer = part;
    ck_assert_msg(call(&desc, &shared) == SQA_OK, "%s", sqa_last_error());
    shared.q.buffer = second;
    expect_refused(call(&desc, &shared), "tensors.o", "tensors.q");
    clReleaseMemObject(part);
    clReleaseMemObject(first);
    clReleaseMemObject(second);
    clReleaseMemObject(both);
    free(memory);
    release_tensors(&tensors);
}
END_TEST

/* Of every operation: gradients are what a backward pass writes. */
START_TEST(gradients_on_other_tensors)
{
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors forward = open_apart();
    sqa_backward_tensors tensors = SQA_BACKWARD_TENSORS_INIT;
    tensors.q = forward.q;
    tensors.k = forward.k;
    tensors.v = tensors.dout = forward.v;
    tensors.o = forward.o;
    tensors.lse = forward.lse;
    ck_assert_int_eq(call(&desc, &forward), SQA_OK);
    cl_mem gradients = buffer_of(0, 3 * PACKED, NULL);
    tensors.dq = (sqa_tensor){gradients, 0};
    tensors.dk = (sqa_tensor){gradients, PACKED};
    tensors.dv = (sqa_tensor){gradients, 2 * PACKED};
    ck_assert_msg(sqa_attention_backward(test_context, test_queue, &desc, NULL, &tensors, 0, NULL,
                                         NULL) == SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    tensors.dk.offset--;
    expect_refused(
        sqa_attention_backward(test_context, test_queue, &desc, NULL, &tensors, 0, NULL, NULL),
        "tensors.dk", "tensors.dq");
    tensors.dk = tensors.k;
    expect_refused(
        sqa_attention_backward(test_context, test_queue, &desc, NULL, &tensors, 0, NULL, NULL),
        "tensors.dk", "tensors.k");
    clReleaseMemObject(gradients);
    release_tensors(&forward);
}
END_TEST

/* Everything else that a call reads, and the workspace. */
START_TEST(outputs_on_the_pattern)
{
    sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors tensors = open_apart(), wrong = tensors;
    desc.key_mask = 1;
    desc.bias.present = 1;
    desc.sinks = 1;
    wrong.key_mask = wrong.sinks = tensors.q;
    wrong.bias = (sqa_tensor){tensors.k.buffer, 7};
    ck_assert_msg(call(&desc, &wrong) == SQA_OK, "%s", sqa_last_error());
    wrong.bias = (sqa_tensor){tensors.o.buffer, 7};
    expect_refused(call(&desc, &wrong), "tensors.o", "tensors.bias");
    wrong.bias = tensors.k;
    wrong.sinks = (sqa_tensor){tensors.o.buffer, PACKED - HEADS};
    expect_refused(call(&desc, &wrong), "tensors.o", "tensors.sinks");
    wrong.sinks = tensors.k;
    wrong.key_mask = (sqa_tensor){tensors.lse.buffer, LSE * sizeof(float) - TOKENS};
    expect_refused(call(&desc, &wrong), "tensors.lse", "tensors.key_mask");
    release_tensors(&tensors);
}
END_TEST

START_TEST(workspaces)
{
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    options.family = "rows";
    options.config = "KEYS=48,SPLIT=2";
    ck_assert_msg(sqa_plan_create(&plan, test_context, &desc, &options) == SQA_OK, "%s",
                  sqa_last_error());
    const size_t count = sqa_plan_workspace_size(plan) / sizeof(float) + 1;
    ck_assert_uint_gt(count, 1);
    sqa_tensors tensors = open_apart(), with = tensors;
    with.workspace = buffer_of(0, count + PACKED, NULL);
    ck_assert_msg(sqa_forward(plan, test_queue, &with, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    with.q.buffer = with.workspace;
    expect_refused(sqa_forward(plan, test_queue, &with, 0, NULL, NULL), "tensors.workspace",
                   "tensors.q");
    with.q.offset = count; /* behind what the plan uses of it */
    ck_assert_msg(sqa_forward(plan, test_queue, &with, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    with.q = tensors.q;
    with.o.buffer = with.workspace;
    expect_refused(sqa_forward(plan, test_queue, &with, 0, NULL, NULL), "tensors.workspace",
                   "tensors.o");
    clReleaseMemObject(with.workspace);
    release_tensors(&tensors);
    sqa_plan_destroy(plan);
}
END_TEST

/* Buffers of another OpenCL context are none of this one's. */
START_TEST(other_contexts)
{
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors tensors = open_apart();
    cl_device_id device = sqa_context_cl_device(test_context);
    cl_int code = CL_SUCCESS;
    cl_context other = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    cl_mem foreign = clCreateBuffer(other, CL_MEM_READ_WRITE, WHOLE * sizeof(float), NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    sqa_tensor *each[] = {&tensors.q, &tensors.k, &tensors.v, &tensors.o, &tensors.lse};
    static const char *const names[] = {"tensors.q", "tensors.k", "tensors.v", "tensors.o",
                                        "tensors.lse"};
    for (int i = 0; i < 5; i++) {
        const cl_mem own = each[i]->buffer;
        each[i]->buffer = foreign;
        expect_refused(call(&desc, &tensors), names[i], "another OpenCL context");
        each[i]->buffer = own;
    }
    ck_assert_msg(call(&desc, &tensors) == SQA_OK, "%s", sqa_last_error());
    clReleaseMemObject(foreign);
    clReleaseContext(other);
    release_tensors(&tensors);
}
END_TEST

START_TEST(views_beyond_the_buffer)
{
    static const struct {
        size_t offset;
        const char *text;
    } cases[] = {
        {1, "tensors.q: the view spans 1024 elements from element 1 on, the buffer has 1024"},
        {SIZE_MAX, "tensors.q: the view spans 1024 elements from element 18446744073709551615 on, "
                   "the buffer has 1024"},
    };
    const sqa_attention_desc desc = desc_of(DIM, SIDE);
    sqa_tensors tensors = open_apart();
    tensors.q.offset = cases[_i].offset;
    ck_assert_int_eq(call(&desc, &tensors), SQA_INVALID_ARGUMENT);
    if (sizeof(size_t) == 8)
        ck_assert_str_eq(sqa_last_error(), cases[_i].text);
    release_tensors(&tensors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tensors");
    TCase *tensors = tcase_create("tensors");
    tcase_add_unchecked_fixture(tensors, open_suite, close_device);
    tcase_add_loop_test(tensors, views_that_interleave, 0, TOGETHER);
    tcase_add_test(tensors, inputs_may_be_one);
    tcase_add_test(tensors, outputs_on_other_tensors);
    tcase_add_test(tensors, sub_buffers);
    tcase_add_test(tensors, memory_of_the_host);
    tcase_add_test(tensors, gradients_on_other_tensors);
    tcase_add_test(tensors, outputs_on_the_pattern);
    tcase_add_test(tensors, workspaces);
    tcase_add_test(tensors, other_contexts);
    tcase_add_loop_test(tensors, views_beyond_the_buffer, 0, 2);
    suite_add_tcase(suite, tensors);
    return sqa_run_suite(suite);
}
