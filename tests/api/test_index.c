/* Index tensors: what the host checks before a device sees it, and what kernels make
 * of index tensors that nobody checked. */
#include <math.h>
#include <string.h>

#include "opencl_fixture.h"
#include "problem/problem.h"
#include "run_suite.h"

/* 40 queries in blocks of 16, 30 keys in blocks of 8: 3 lists of up to 4 blocks. */
static sqa_attention_desc block_desc(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_length = 40;
    desc.kv_length = 30;
    desc.head_dim = 8;
    desc.blocks = (sqa_blocks){16, 8, 1, 1, 5};
    return desc;
}

START_TEST(wrong_block_lists)
{
    static const struct {
        int32_t offsets[4], indices[5];
        const char *why;
    } cases[] = {
        {{1, 2, 3, 5}, {0, 1, 2, 3, 0}, "instead of 0"},
        {{0, 3, 2, 5}, {0, 1, 2, 3, 0}, "after list 1"},
        {{0, 2, 3, 4}, {0, 1, 2, 3, 0}, "instead of entries"},
        {{0, 2, 3, 5}, {0, 1, 4, 3, 0}, "list 1, is 4"},
        {{0, 2, 3, 5}, {0, -1, 2, 3, 0}, "list 0, is -1"},
        {{0, 2, 3, 5}, {0, 1, 2, 3, 3}, "list 2 names block 3 twice"},
    };
    const sqa_attention_desc desc = block_desc();
    cl_mem offsets = NULL, indices = NULL;
    ck_assert_int_eq(sqa_block_list_create(test_context, &desc, cases[_i].offsets,
                                           cases[_i].indices, &offsets, &indices),
                     SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), cases[_i].why) != NULL, "'%s'", sqa_last_error());
    ck_assert_ptr_null(offsets);
    ck_assert_ptr_null(indices);
}
END_TEST

START_TEST(sound_block_lists)
{
    static const int32_t offsets[] = {0, 0, 4, 5}, indices[] = {3, 0, 2, 1, 2};
    const sqa_attention_desc desc = block_desc();
    cl_mem offsets_buffer = NULL, indices_buffer = NULL;
    ck_assert_msg(sqa_block_list_create(test_context, &desc, offsets, indices, &offsets_buffer,
                                        &indices_buffer) == SQA_OK,
                  "%s", sqa_last_error());
    clReleaseMemObject(offsets_buffer);
    clReleaseMemObject(indices_buffer);
    sqa_attention_desc plain = desc;
    plain.blocks = (sqa_blocks){0, 0, 0, 0, 0};
    ck_assert_int_eq(sqa_block_list_create(test_context, &plain, offsets, indices, &offsets_buffer,
                                           &indices_buffer),
                     SQA_INVALID_ARGUMENT);
    ck_assert_int_eq(
        sqa_block_list_create(test_context, &desc, NULL, indices, &offsets_buffer, &indices_buffer),
        SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "offsets"));
}
END_TEST

START_TEST(block_tables)
{
    static const struct {
        int32_t table[6], lengths[2];
        const char *why; /* NULL: nothing is wrong */
    } cases[] = {
        {{4, 0, -9, 1, 4, 0}, {10, 11}, NULL},
        {{4, 0, -9, 5, 5, 5}, {10, 0}, NULL},
        {{4, 0, -9, 1, 4, 0}, {11, 11}, "page 2 of sequence 0 is -9; outside 0..4"},
        {{4, 0, 1, 1, 5, 0}, {10, 6}, "page 1 of sequence 1 is 5; outside 0..4"},
        {{4, 0, 1, 1, 4, 0}, {10, 12}, "sequence 1 has length 12; outside 0..11"},
        {{4, 0, 1, 1, 4, 0}, {-1, 2}, "sequence 0 has length -1"},
    };
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    cl_mem table = NULL, lengths = NULL;
    desc.batch = 2;
    desc.q_length = 1;
    desc.kv_length = 11;
    desc.paged = (sqa_paged){5, 5};
    const sqa_status status = sqa_block_table_create(test_context, &desc, cases[_i].table,
                                                     cases[_i].lengths, &table, &lengths);
    ck_assert_int_eq(status, cases[_i].why ? SQA_INVALID_ARGUMENT : SQA_OK);
    if (cases[_i].why)
        ck_assert_msg(strstr(sqa_last_error(), cases[_i].why) != NULL, "'%s'", sqa_last_error());
    ck_assert(!table == (cases[_i].why != NULL) && !lengths == !table);
    if (table) {
        clReleaseMemObject(table);
        clReleaseMemObject(lengths);
    }
}
END_TEST

static sqa_attention_desc ragged_desc(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = 3;
    desc.q_length = 10;
    desc.kv_length = 20;
    desc.head_dim = 8;
    desc.ragged = (sqa_ragged){1, 15, 25};
    return desc;
}

START_TEST(wrong_sequences)
{
    static const struct {
        int32_t q[4], kv[4];
        const char *name, *why;
    } cases[] = {
        {{0, 5, 5, 15}, {0, 5, 20, 25}, NULL, NULL},
        {{1, 5, 5, 15}, {0, 5, 20, 25}, "cu_seqlens_q", "begins with 1"},
        {{0, 5, 4, 15}, {0, 5, 20, 25}, "cu_seqlens_q", "after sequence 1"},
        {{0, 5, 5, 14}, {0, 5, 20, 25}, "cu_seqlens_q", "total, 15"},
        {{0, 2, 4, 15}, {0, 5, 20, 25}, "cu_seqlens_q", "sequence 2 has length 11"},
        {{0, 5, 5, 15}, {0, 21, 21, 25}, "cu_seqlens_kv", "sequence 0 has length 21"},
        {{0, 5, 5, 15}, {0, 5, 20, 26}, "cu_seqlens_kv", "total, 25"},
    };
    const sqa_attention_desc desc = ragged_desc();
    cl_mem q = NULL, kv = NULL;
    const sqa_status status =
        sqa_sequences_create(test_context, &desc, cases[_i].q, cases[_i].kv, &q, &kv);
    if (!cases[_i].name) {
        ck_assert_int_eq(status, SQA_OK);
        clReleaseMemObject(q);
        clReleaseMemObject(kv);
        return;
    }
    ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), cases[_i].name) &&
                      strstr(sqa_last_error(), cases[_i].why),
                  "'%s'", sqa_last_error());
    ck_assert_ptr_null(q);
    ck_assert_ptr_null(kv);
}
END_TEST

START_TEST(wrong_globals)
{
    static const struct {
        int32_t positions[3];
        const char *why;
    } cases[] = {
        {{0, 4, 29}, NULL},       {{0, 4, 30}, "is 30"},    {{-1, 4, 5}, "is -1"},
        {{0, 4, 4}, "ascending"}, {{5, 4, 6}, "ascending"},
    };
    sqa_attention_desc desc = block_desc();
    desc.blocks = (sqa_blocks){0, 0, 0, 0, 0};
    desc.globals = (sqa_globals){3, 1};
    desc.window = (sqa_window){2, 2};
    cl_mem buffer = NULL;
    const sqa_status status = sqa_globals_create(test_context, &desc, cases[_i].positions, &buffer);
    ck_assert_int_eq(status, cases[_i].why ? SQA_INVALID_ARGUMENT : SQA_OK);
    ck_assert(cases[_i].why ? strstr(sqa_last_error(), cases[_i].why) != NULL : buffer != NULL);
    if (buffer)
        clReleaseMemObject(buffer);
}
END_TEST

static cl_mem buffer_of(const void *data, size_t bytes)
{
    cl_int code = CL_SUCCESS;
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       bytes, (void *)(uintptr_t)data, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

/* Entries that name no block are passed over, offsets out of range cut: what is left
 * is what the other entries say. */
START_TEST(unchecked_lists_do_no_harm)
{
    static const char *const families[] = {"naive", "rows", "tiled"};
    static const int32_t offsets[] = {-7, 3, 1 << 30, -1};
    static const int32_t indices[] = {INT32_MAX, 1, INT32_MIN, -1, 1 << 28};
    sqa_attention_desc desc = block_desc();
    float host[40 * 8];
    for (size_t i = 0; i < 40 * 8; i++)
        host[i] = (float)(i % 5);
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = tensors.k.buffer = tensors.v.buffer = buffer_of(host, sizeof host);
    tensors.o.buffer = buffer_of(host, sizeof host);
    tensors.block_offsets.buffer = buffer_of(offsets, sizeof offsets);
    tensors.block_indices.buffer = buffer_of(indices, sizeof indices);
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = families[_i];
    sqa_plan *plan = NULL;
    ck_assert_int_eq(sqa_plan_create(&plan, test_context, &desc, &options), SQA_OK);
    ck_assert_int_eq(sqa_forward(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.o.buffer, CL_TRUE, 0, sizeof host,
                                         host, 0, NULL, NULL),
                     CL_SUCCESS);
    for (size_t i = 0; i < 40 * 8; i++) /* the first list: block 1; the last: nothing */
        ck_assert_msg(i < 16 * 8 ? host[i] >= 0.0f && host[i] <= 4.0f
                                 : i < 32 * 8 || host[i] == 0.0f,
                      "element %zu is %g", i, (double)host[i]);
    sqa_plan_destroy(plan);
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.o.buffer);
    clReleaseMemObject(tensors.block_offsets.buffer);
    clReleaseMemObject(tensors.block_indices.buffer);
}
END_TEST

/* Every tensor a pattern needs is asked for by name when it is missing. */
START_TEST(missing_tensors_are_named)
{
    sqa_attention_desc desc = block_desc();
    desc.bias = (sqa_bias){1, SQA_DTYPE_F32, {0, 0, 30}};
    float host[40 * 8] = {0};
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = tensors.k.buffer = tensors.v.buffer = buffer_of(host, sizeof host);
    tensors.o.buffer = buffer_of(host, sizeof host);
    sqa_status status =
        sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL);
    ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), "tensors.bias") != NULL, "%s", sqa_last_error());
    tensors.bias.buffer = buffer_of(host, sizeof host); /* 320 of the 40 * 30 elements */
    status = sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL);
    ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), "tensors.bias") != NULL, "%s", sqa_last_error());
    desc.bias.present = 0;
    status = sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL);
    ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), "tensors.block_offsets") != NULL, "%s",
                  sqa_last_error());
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.o.buffer);
    clReleaseMemObject(tensors.bias.buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("index tensors");
    TCase *host = tcase_create("checked");
    TCase *device = tcase_create("unchecked");
    tcase_add_unchecked_fixture(host, open_device, close_device);
    tcase_add_unchecked_fixture(device, open_device, close_device);
    tcase_add_loop_test(host, wrong_block_lists, 0, 6);
    tcase_add_loop_test(host, block_tables, 0, 6);
    tcase_add_test(host, sound_block_lists);
    tcase_add_loop_test(host, wrong_sequences, 0, 7);
    tcase_add_loop_test(host, wrong_globals, 0, 5);
    tcase_add_loop_test(device, unchecked_lists_do_no_harm, 0, 3);
    tcase_add_test(device, missing_tensors_are_named);
    suite_add_tcase(suite, host);
    suite_add_tcase(suite, device);
    return sqa_run_suite(suite);
}
