/* Block selection through the public interface: what is refused and how it is said,
 * how many entries there will be, plans of one operation and calls of another. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "opencl_fixture.h"
#include "operations/attention/selection_reference.h"
#include "operations/select_blocks.h"
#include "run_suite.h"
#include "runtime/plan.h"
#include "runtime/self_check.h"

enum { HEADS = 2, QUERIES = 20, KEYS = 30, DIM = 8 };
enum { Q_COUNT = HEADS * QUERIES * DIM, K_COUNT = HEADS * KEYS * DIM };
enum { LISTS = HEADS * 5, ENTRIES = LISTS * 3 };

/* 5 blocks of 4 queries, 6 of 5 keys, per head. */
static sqa_attention_desc small_desc(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = HEADS;
    desc.q_length = QUERIES;
    desc.kv_length = KEYS;
    desc.head_dim = DIM;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    desc.blocks = (sqa_blocks){4, 5, 1, HEADS, ENTRIES};
    return desc;
}

static sqa_select_options top(uint32_t top_k)
{
    sqa_select_options select = SQA_SELECT_OPTIONS_INIT;
    select.top_k = top_k;
    return select;
}

static void expect(sqa_status wanted, sqa_status got, const char *named)
{
    ck_assert_msg(got == wanted, "%s instead of %s (%s)", sqa_status_name(got),
                  sqa_status_name(wanted), sqa_last_error());
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

static void expect_refused(sqa_status wanted, const sqa_attention_desc *desc,
                           const sqa_select_options *select, const char *named)
{
    uint32_t entries = 12345;
    sqa_plan *plan = NULL;
    expect(wanted, sqa_select_entries(desc, select, &entries), named);
    ck_assert_uint_eq(entries, 12345);
    expect(wanted, sqa_select_plan_create(&plan, test_context, desc, select, NULL), named);
    ck_assert_ptr_null(plan);
}

START_TEST(wrong_options)
{
    const sqa_attention_desc desc = small_desc();
    sqa_select_options select = top(0);
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "top_k: 0 is outside 1..");
    select = top((1u << 30) + 1);
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "top_k");
    select = top(3);
    select.version = 2;
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "select.version");
    select = top(3);
    select.sink_blocks = 2;
    select.local_blocks = 2;
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "sink_blocks");
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "local_blocks");
    select.sink_blocks = select.local_blocks = UINT32_MAX; /* -2, in 32 bits */
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "local_blocks");
    expect_refused(SQA_INVALID_ARGUMENT, &desc, NULL, "select");
    expect_refused(SQA_INVALID_ARGUMENT, NULL, &select, "desc");
}
END_TEST

START_TEST(wrong_descriptors)
{
    const sqa_select_options select = top(3);
    sqa_attention_desc desc = small_desc();
    desc.blocks = (sqa_blocks){0, 0, 0, 0, 0};
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "desc.blocks");
    desc = small_desc();
    desc.batch = 4; /* one list for all of it */
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "desc.blocks.batch");
    desc = small_desc();
    desc.blocks.heads = 3;
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "desc.blocks.heads");
    desc = small_desc();
    desc.head_dim = 0;
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "desc.head_dim");
    desc = small_desc();
    desc.blocks.query_size = desc.blocks.key_size = 1;
    desc.causal = SQA_CAUSAL_NONE;
    desc.q_length = desc.kv_length = 1u << 17;
    const sqa_select_options many = top(1u << 17);
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &many, "34359738368 entries");
}
END_TEST

START_TEST(unsupported_descriptors)
{
    const sqa_select_options select = top(3);
    sqa_attention_desc desc = small_desc();
    desc.window.left = 4;
    expect_refused(SQA_UNSUPPORTED, &desc, &select, "desc.window");
    desc = small_desc();
    desc.key_mask = 1;
    expect_refused(SQA_UNSUPPORTED, &desc, &select, "desc.key_mask");
    desc = small_desc();
    desc.mask.present = 1;
    expect_refused(SQA_UNSUPPORTED, &desc, &select, "desc.mask");
    desc = small_desc();
    desc.ragged = (sqa_ragged){1, QUERIES, KEYS};
    expect_refused(SQA_UNSUPPORTED, &desc, &select, "desc.ragged");
}
END_TEST

/* Enough is said when there is too little room. */
START_TEST(too_few_entries)
{
    const sqa_select_options select = top(3);
    sqa_attention_desc desc = small_desc();
    sqa_plan *plan = NULL;
    uint32_t entries = 0;
    desc.blocks.entries = 7;
    ck_assert_int_eq(sqa_select_entries(&desc, &select, &entries), SQA_OK);
    ck_assert_uint_eq(entries, ENTRIES);
    expect(SQA_INVALID_ARGUMENT, sqa_select_plan_create(&plan, test_context, &desc, &select, NULL),
           "desc.blocks.entries: 7, but the lists will have 30");
    expect(SQA_INVALID_ARGUMENT, sqa_select_entries(&desc, &select, NULL), "entries");
}
END_TEST

START_TEST(lengths_have_to_be_set)
{
    const sqa_attention_desc untouched = SQA_ATTENTION_DESC_INIT;
    const sqa_select_options select = top(3);
    sqa_attention_desc desc = small_desc();
    sqa_plan *plan = NULL;
    desc.q_length = untouched.q_length;
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "desc.q_length: was not set");
    expect(SQA_INVALID_ARGUMENT,
           sqa_selected_plan_create(&plan, test_context, &desc, &select, NULL),
           "desc.q_length: was not set");
    desc = small_desc();
    desc.kv_length = untouched.kv_length;
    expect_refused(SQA_INVALID_ARGUMENT, &desc, &select, "desc.kv_length: was not set");
    desc = small_desc();
    desc.blocks.entries = untouched.blocks.entries;
    expect(SQA_INVALID_ARGUMENT, sqa_select_plan_create(&plan, test_context, &desc, &select, NULL),
           "desc.blocks.entries: was not set");
    /* Those two do not look at it. */
    uint32_t entries = 0;
    ck_assert_int_eq(sqa_select_entries(&desc, &select, &entries), SQA_OK);
    ck_assert_uint_eq(entries, ENTRIES);
    ck_assert_msg(sqa_selected_plan_create(&plan, test_context, &desc, &select, NULL) == SQA_OK,
                  "%s", sqa_last_error());
    sqa_plan_destroy(plan);
}
END_TEST

/* What the forward call has besides is left aside, however odd. */
START_TEST(unused_fields)
{
    const sqa_select_options select = top(3);
    sqa_attention_desc desc = small_desc();
    sqa_problem plain, dressed;
    ck_assert_int_eq(sqa_problem_from_selection(&plain, &desc, &select, true), SQA_OK);
    desc.operation = SQA_OPERATION_SELECT_BLOCKS;
    desc.value_dim = 3;
    desc.write_lse = 1;
    desc.softcap = 5.0f;
    desc.alibi = SQA_ALIBI_GEOMETRIC;
    desc.sinks = 1;
    desc.bias.present = 1;
    desc.v = desc.o = (sqa_strides){1000, 100, 10};
    desc.blocks.entries = 1000;
    ck_assert_int_eq(sqa_problem_from_selection(&dressed, &desc, &select, true), SQA_OK);
    ck_assert_mem_eq(&plain, &dressed, sizeof plain);
}
END_TEST

/* By counting what each row may choose from. */
static uint64_t count_entries(const sqa_selection *selection)
{
    const sqa_attention *attention = &selection->attention;
    uint64_t entries = 0;
    for (uint32_t row = 0; row < sqa_attention_query_blocks(attention); row++) {
        const uint32_t count = sqa_reference_candidates(selection, row);
        entries += count < selection->top_k ? count : selection->top_k;
    }
    return entries * attention->blocks.batch * attention->blocks.heads;
}

START_TEST(entries_are_counted)
{
    static const uint32_t lengths[] = {1, 7, 16, 61}, sizes[] = {1, 3, 8, 100}, tops[] = {1, 4, 90};
    for (unsigned i = 0; i < 4 * 4 * 4 * 4 * 3 * 3; i++) {
        unsigned rest = i;
        sqa_attention_desc desc = small_desc();
        sqa_problem problem;
        uint32_t entries = 0;
        desc.q_length = lengths[rest % 4], rest /= 4;
        desc.kv_length = lengths[rest % 4], rest /= 4;
        desc.blocks.query_size = sizes[rest % 4], rest /= 4;
        desc.blocks.key_size = sizes[rest % 4], rest /= 4;
        desc.causal = (sqa_causal)(rest % 3), rest /= 3;
        const sqa_select_options select = top(tops[rest]);
        ck_assert_int_eq(sqa_select_entries(&desc, &select, &entries), SQA_OK);
        ck_assert_int_eq(sqa_problem_from_selection(&problem, &desc, &select, false), SQA_OK);
        const uint64_t counted = count_entries(&problem.of.selection);
        ck_assert_msg(entries == counted, "combination %u: %u entries, not %u", i, entries,
                      (unsigned)counted);
    }
}
END_TEST

static sqa_tensors new_tensors(void)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = new_buffer(Q_COUNT, 0.5f);
    tensors.k.buffer = new_buffer(K_COUNT, 0.25f);
    tensors.block_offsets.buffer = new_buffer(LISTS + 1, 0.0f);
    tensors.block_indices.buffer = new_buffer(ENTRIES, 0.0f);
    return tensors;
}

static void release(const sqa_tensors *tensors)
{
    clReleaseMemObject(tensors->q.buffer);
    clReleaseMemObject(tensors->k.buffer);
    clReleaseMemObject(tensors->block_offsets.buffer);
    clReleaseMemObject(tensors->block_indices.buffer);
}

static sqa_plan *new_plan(const sqa_plan_options *options)
{
    const sqa_attention_desc desc = small_desc();
    const sqa_select_options select = top(3);
    sqa_plan *plan = NULL;
    ck_assert_msg(sqa_select_plan_create(&plan, test_context, &desc, &select, options) == SQA_OK,
                  "%s", sqa_last_error());
    return plan;
}

START_TEST(a_plan_works)
{
    sqa_plan *plan = new_plan(NULL);
    sqa_tensors tensors = new_tensors();
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    int32_t offsets[LISTS + 1], indices[ENTRIES];
    cl_event event = NULL;
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_str_eq(info.family, "select");
    ck_assert_uint_gt(sqa_plan_workspace_size(plan), 0);
    ck_assert_msg(sqa_plan_warm_up(plan, test_queue) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_select_blocks(plan, test_queue, &tensors, 0, NULL, &event), SQA_OK);
    ck_assert_int_eq(clWaitForEvents(1, &event), CL_SUCCESS);
    clReleaseEvent(event);
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.block_offsets.buffer, CL_TRUE, 0,
                                         sizeof offsets, offsets, 0, NULL, NULL),
                     CL_SUCCESS);
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.block_indices.buffer, CL_TRUE, 0,
                                         sizeof indices, indices, 0, NULL, NULL),
                     CL_SUCCESS);
    for (int i = 0; i <= LISTS; i++)
        ck_assert_int_eq(offsets[i], 3 * i);
    for (int i = 0; i < ENTRIES; i++) /* all keys equal: the first ones */
        ck_assert_int_eq(indices[i], i % 3);
    release(&tensors);
    sqa_plan_destroy(plan);
}
END_TEST

/* The lists are what is written here. */
START_TEST(lists_on_other_tensors)
{
    sqa_plan *plan = new_plan(NULL);
    sqa_tensors tensors = new_tensors(), wrong = tensors;
    wrong.block_offsets = tensors.k;
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.block_offsets: shares elements with tensors.k (bytes 0..43 and 0..1919 of one "
           "buffer)");
    wrong.block_offsets = (sqa_tensor){tensors.block_indices.buffer, ENTRIES - LISTS - 1};
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.block_indices: shares elements with tensors.block_offsets");
    wrong = tensors;
    wrong.workspace = new_buffer(sqa_plan_workspace_size(plan) / sizeof(float) + 1, 0.0f);
    wrong.block_indices.buffer = wrong.workspace;
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.workspace: shares elements with tensors.block_indices");
    clReleaseMemObject(wrong.workspace);
    release(&tensors);
    sqa_plan_destroy(plan);
}
END_TEST

static void write_random(cl_mem buffer, size_t count, uint64_t seed)
{
    static float values[K_COUNT > Q_COUNT ? K_COUNT : Q_COUNT];
    sqa_random random = {seed};
    for (size_t i = 0; i < count; i++)
        values[i] = (float)sqa_random_below(&random, 1000) / 500.0f - 1.0f;
    ck_assert_int_eq(clEnqueueWriteBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof values[0],
                                          values, 0, NULL, NULL),
                     CL_SUCCESS);
}

static void read_output(const sqa_tensors *tensors, float out[Q_COUNT])
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors->o.buffer, CL_TRUE, 0,
                                         Q_COUNT * sizeof *out, out, 0, NULL, NULL),
                     CL_SUCCESS);
}

START_TEST(one_plan_is_two_calls)
{
    const sqa_attention_desc desc = small_desc();
    const sqa_select_options select = top(3);
    sqa_tensors tensors = new_tensors();
    float apart[Q_COUNT], together[Q_COUNT];
    tensors.v.buffer = new_buffer(K_COUNT, 0.0f);
    tensors.o.buffer = new_buffer(Q_COUNT, 0.0f);
    write_random(tensors.q.buffer, Q_COUNT, 1);
    write_random(tensors.k.buffer, K_COUNT, 2);
    write_random(tensors.v.buffer, K_COUNT, 3);
    ck_assert_int_eq(sqa_attention_select_blocks(test_context, test_queue, &desc, &select, &tensors,
                                                 0, NULL, NULL),
                     SQA_OK);
    ck_assert_int_eq(
        sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL), SQA_OK);
    read_output(&tensors, apart);
    sqa_tensors alone = tensors;
    alone.block_offsets.buffer = alone.block_indices.buffer = NULL;
    for (int round = 0; round < 2; round++) {
        write_random(tensors.o.buffer, Q_COUNT, 4);
        ck_assert_msg(sqa_attention_selected_forward(test_context, test_queue, &desc, &select,
                                                     &alone, 0, NULL, NULL) == SQA_OK,
                      "%s", sqa_last_error());
        read_output(&tensors, together);
        ck_assert_mem_eq(together, apart, sizeof apart);
    }
    clReleaseMemObject(tensors.v.buffer);
    clReleaseMemObject(tensors.o.buffer);
    release(&tensors);
}
END_TEST

/* The one for results measured elsewhere: it has a judge for lists, too. */
START_TEST(the_self_check_passes)
{
    sqa_attention_desc desc = small_desc();
    const sqa_select_options select = top(3);
    sqa_plan *plan = NULL;
    desc.q_heads = 6; /* three to a list */
    desc.q_length = desc.kv_length = 1000;
    desc.blocks = (sqa_blocks){16, 8, 1, HEADS, 100000};
    ck_assert_int_eq(sqa_select_plan_create(&plan, test_context, &desc, &select, NULL), SQA_OK);
    ck_assert_msg(sqa_self_check(plan->stages[0].leaf) == SQA_OK, "%s", sqa_last_error());
    sqa_plan_destroy(plan);
}
END_TEST

START_TEST(operations_do_not_mix)
{
    sqa_attention_desc desc = small_desc();
    sqa_plan *select = new_plan(NULL), *forward = NULL;
    sqa_tensors tensors = new_tensors();
    ck_assert_int_eq(sqa_plan_create(&forward, test_context, &desc, NULL), SQA_OK);
    expect(SQA_INVALID_ARGUMENT, sqa_forward(select, test_queue, &tensors, 0, NULL, NULL),
           "plan: is one for select_blocks");
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(forward, test_queue, &tensors, 0, NULL, NULL),
           "plan: is one for forward");
    sqa_plan *none = NULL;
    desc.operation = SQA_OPERATION_SELECT_BLOCKS;
    expect(SQA_INVALID_ARGUMENT, sqa_plan_create(&none, test_context, &desc, NULL),
           "sqa_select_plan_create");
    ck_assert_ptr_null(none);
    release(&tensors);
    sqa_plan_destroy(select);
    sqa_plan_destroy(forward);
}
END_TEST

START_TEST(wrong_calls)
{
    const sqa_attention_desc desc = small_desc();
    const sqa_select_options select = top(3);
    sqa_plan *plan = new_plan(NULL), *none = NULL;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_tensors tensors = new_tensors(), wrong = tensors;
    wrong.block_indices.offset = 1;
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.block_indices");
    wrong = tensors;
    wrong.block_offsets.offset = 1;
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.block_offsets");
    wrong = tensors;
    wrong.k.buffer = NULL;
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(plan, test_queue, &wrong, 0, NULL, NULL),
           "tensors.k");
    expect(SQA_INVALID_ARGUMENT, sqa_select_blocks(NULL, test_queue, &tensors, 0, NULL, NULL),
           "plan");
    expect(SQA_INVALID_ARGUMENT,
           sqa_attention_select_blocks(NULL, test_queue, &desc, &select, &tensors, 0, NULL, NULL),
           "context");
    expect(SQA_INVALID_ARGUMENT, sqa_select_plan_create(NULL, test_context, &desc, &select, NULL),
           "out");
    options.family = "naive";
    expect(SQA_INVALID_ARGUMENT,
           sqa_select_plan_create(&none, test_context, &desc, &select, &options),
           "'naive' is not one of select");
    options.family = "select";
    options.config = "POOL=16"; /* which 8 columns do not fill */
    expect(SQA_INVALID_ARGUMENT,
           sqa_select_plan_create(&none, test_context, &desc, &select, &options), "POOL");
    ck_assert_ptr_null(none);
    release(&tensors);
    sqa_plan_destroy(plan);
}
END_TEST

/* No keys: empty lists, without a look at Q and K. No queries: nothing. */
START_TEST(empty_problems)
{
    const sqa_select_options select = top(3);
    sqa_attention_desc desc = small_desc();
    sqa_tensors tensors = SQA_TENSORS_INIT;
    int32_t offsets[LISTS + 1];
    desc.kv_length = 0;
    desc.blocks.entries = 0;
    tensors.block_offsets.buffer = new_buffer(LISTS + 1, 1.0f);
    ck_assert_msg(sqa_attention_select_blocks(test_context, test_queue, &desc, &select, &tensors, 0,
                                              NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.block_offsets.buffer, CL_TRUE, 0,
                                         sizeof offsets, offsets, 0, NULL, NULL),
                     CL_SUCCESS);
    for (int i = 0; i <= LISTS; i++)
        ck_assert_int_eq(offsets[i], 0);
    clReleaseMemObject(tensors.block_offsets.buffer);
    tensors.block_offsets.buffer = NULL;
    desc.q_length = 0;
    ck_assert_msg(sqa_attention_select_blocks(test_context, test_queue, &desc, &select, &tensors, 0,
                                              NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block selection, calls");
    TCase *calls = tcase_create("calls");
    tcase_add_unchecked_fixture(calls, open_device, close_device);
    tcase_add_test(calls, wrong_options);
    tcase_add_test(calls, wrong_descriptors);
    tcase_add_test(calls, unsupported_descriptors);
    tcase_add_test(calls, too_few_entries);
    tcase_add_test(calls, lengths_have_to_be_set);
    tcase_add_test(calls, unused_fields);
    tcase_add_test(calls, entries_are_counted);
    tcase_add_test(calls, a_plan_works);
    tcase_add_test(calls, lists_on_other_tensors);
    tcase_add_test(calls, one_plan_is_two_calls);
    tcase_add_test(calls, the_self_check_passes);
    tcase_add_test(calls, operations_do_not_mix);
    tcase_add_test(calls, wrong_calls);
    tcase_add_test(calls, empty_problems);
    suite_add_tcase(suite, calls);
    return sqa_run_suite(suite);
}
