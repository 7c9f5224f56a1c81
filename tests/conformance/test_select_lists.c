/* Block selection on the device against the fp64 oracle, beyond what every operation is
 * verified by (test_families.c): how many lists are the oracle's to the last block, with the
 * configurations of other kinds of devices; ties, NaN and infinities; and forward calls that
 * use the lists before the host has seen them. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/check.h"
#include "opencl_fixture.h"
#include "operations/attention/selection_reference.h"
#include "operations/operations.h"
#include "operations/select_blocks/select_blocks.h"
#include "operations/shape.h"
#include "problem/names.h"
#include "run_suite.h"
#include "runtime/plan.h"

/* A selection with everything it takes and gives, among guards. */
typedef struct selection_run {
    sqa_host_tensors tensors;
    const sqa_selection *selection;
    const sqa_attention *attention;
} selection_run;

static void open_problem(selection_run *run, const sqa_problem *problem)
{
    ck_assert_int_eq(sqa_host_tensors_create(&run->tensors, problem, 11, true), SQA_OK);
    run->selection = &run->tensors.problem.of.selection;
    run->attention = &run->selection->attention;
}

static void open_shape(selection_run *run, const char *shape)
{
    sqa_problem problem;
    ck_assert_msg(sqa_problem_parse(shape, &problem) == SQA_OK, "%s: %s", shape, sqa_last_error());
    open_problem(run, &problem);
}

static void close_run(selection_run *run)
{
    sqa_host_tensors_free(&run->tensors);
}

static sqa_host_tensor *tensor_of(selection_run *run, uint32_t slot)
{
    return &run->tensors.of[slot];
}

/* `config` NULL: the default. */
static void select_lists(selection_run *run, const char *config)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    char finding[SQA_FINDING_TEXT];
    options.family = "select";
    options.config = config;
    ck_assert_msg(sqa_plan_build(&plan, test_context, &run->tensors.problem, &options) == SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_msg(sqa_check_run(plan, &run->tensors, test_queue, finding) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_str_eq(finding, "");
    sqa_plan_destroy(plan);
}

enum { MOST_BLOCKS = 512 };

/* A row's list, which begins where the one before ends. */
static uint32_t list_of(const selection_run *run, uint64_t row, const int32_t **list)
{
    const sqa_reference_inputs views = sqa_host_tensors_views(&run->tensors);
    const int32_t *offsets = views.by_slot[SQA_SLOT_BLOCK_OFFSETS];
    const int32_t *indices = views.by_slot[SQA_SLOT_BLOCK_INDICES];
    ck_assert_int_ge(offsets[row], 0);
    ck_assert_int_le(offsets[row], offsets[row + 1]);
    ck_assert_int_le(offsets[row + 1], (int32_t)run->attention->blocks.entries);
    *list = indices + offsets[row];
    return (uint32_t)(offsets[row + 1] - offsets[row]);
}

/* Counts in *same the lists that are the oracle's to the last block. */
static void check_row(const selection_run *run, uint32_t batch, uint32_t head, uint32_t row,
                      uint32_t *same)
{
    const sqa_selection *s = run->selection;
    const sqa_reference_inputs views = sqa_host_tensors_views(&run->tensors);
    const uint64_t number = ((uint64_t)batch * run->attention->blocks.heads + head) *
                                sqa_attention_query_blocks(run->attention) +
                            row;
    const int32_t *list;
    int32_t expected[MOST_BLOCKS];
    double scores[MOST_BLOCKS], magnitudes[MOST_BLOCKS];
    const uint32_t count = list_of(run, number, &list);
    ck_assert_uint_le(sqa_attention_key_blocks(run->attention), MOST_BLOCKS);
    sqa_reference_block_scores(s, &views, batch, head, row, scores, magnitudes);
    const char *fault = sqa_reference_list_fault(s, row, scores, magnitudes, list, count);
    ck_assert_msg(!fault, "batch %u, list %u, row %u: the list %s", batch, head, row, fault);
    *same += sqa_reference_select(s, row, scores, expected) == count &&
             !memcmp(list, expected, count * sizeof *list);
}

static void check_lists(const selection_run *run)
{
    const sqa_attention *a = run->attention;
    const sqa_reference_inputs views = sqa_host_tensors_views(&run->tensors);
    const int32_t *offsets = views.by_slot[SQA_SLOT_BLOCK_OFFSETS];
    const uint32_t rows = sqa_attention_query_blocks(a);
    const uint32_t lists = a->batch * a->blocks.heads;
    uint32_t same = 0;
    if (!rows)
        return;
    for (uint32_t b = 0; b < a->batch; b++)
        for (uint32_t h = 0; h < a->blocks.heads; h++)
            for (uint32_t r = 0; r < rows; r++)
                check_row(run, b, h, r, &same);
    ck_assert_int_eq(offsets[0], 0);
    ck_assert_int_eq(offsets[lists * rows], (int32_t)a->blocks.entries);
    /* The rest is within rounding of a tie. */
    ck_assert_uint_ge(100 * same, 95 * lists * rows);
}

/* The default, and one or two of the other kind of device. */
static const char *const configs[] = {NULL, "POOL=1,SLICES=4,ITEMS=32,VEC=4,ROWS=2",
                                      "POOL=1,SLICES=1,ITEMS=1,VEC=16,ROWS=8"};

static bool is_tiny(void)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "tiny");
}

/* Every program takes its time to compile: all of them for the most usual storage. */
static int config_count(sqa_dtype dtype)
{
    return dtype != SQA_DTYPE_F32 || is_tiny() ? 2 : (int)(sizeof configs / sizeof *configs);
}

START_TEST(lists_are_the_oracles)
{
    const sqa_dtype dtype = (sqa_dtype)_i;
    sqa_case_list list = {NULL, 0};
    ck_assert_int_eq(sqa_tuner_select_blocks.grids[0].list(
                         is_tiny() ? SQA_GRID_TINY : SQA_GRID_SAMPLE, dtype, &list),
                     SQA_OK);
    for (int i = 0; i < config_count(dtype); i++)
        for (size_t j = 0; j < list.count; j++) {
            selection_run run;
            open_problem(&run, &list.cases[j]);
            select_lists(&run, configs[i]);
            check_lists(&run);
            close_run(&run);
        }
    ck_assert_uint_gt(list.count, 2);
    sqa_case_list_free(&list);
}
END_TEST

/* More columns than a work-group has work-items, beside its slices. */
START_TEST(wide_heads)
{
    selection_run run;
    open_shape(&run, "op=select_blocks,hq=2,hkv=1,nq=20,nk=40,d=512,causal,blocks=8x4/k,topk=3,"
                     "localblocks=1,layout=bshd");
    select_lists(&run, "POOL=1,SLICES=16,ITEMS=32,VEC=8,ROWS=1");
    check_lists(&run);
    close_run(&run);
}
END_TEST

/* Short vectors, whose columns no power of two fills. */
START_TEST(odd_heads)
{
    static const char *const shapes[] = {
        "op=select_blocks,hq=2,hkv=1,nq=50,nk=80,d=7,causal,blocks=8x8/h,topk=4,localblocks=1,"
        "q=900:450:9,k=900:900:11",
        "op=select_blocks,hq=2,hkv=1,nq=50,nk=80,d=7,dtype=f16,blocks=8x8,topk=4",
    };
    for (int i = 0; i < config_count(SQA_DTYPE_F16); i++) {
        selection_run run;
        open_shape(&run, shapes[_i]);
        select_lists(&run, configs[i]);
        check_lists(&run);
        close_run(&run);
    }
}
END_TEST

/* Six query heads on two key/value heads, a list for each of these. */
static const char grouped_shape[] =
    "op=select_blocks,b=2,hq=6,hkv=2,nq=40,nk=70,d=8,causal,blocks=8x8/k,topk=3,localblocks=1,"
    "layout=bshd";

/* By itself, for a checker of memory that confuses the buffers of several. */
START_TEST(one_run)
{
    selection_run run;
    open_shape(&run, grouped_shape);
    select_lists(&run, NULL);
    check_lists(&run);
    close_run(&run);
}
END_TEST

START_TEST(lists_repeat)
{
    selection_run run;
    open_shape(&run, grouped_shape);
    const sqa_host_tensor *indices = tensor_of(&run, SQA_SLOT_BLOCK_INDICES);
    const size_t bytes = indices->count * sizeof(int32_t);
    select_lists(&run, configs[1]);
    int32_t *before = malloc(bytes);
    ck_assert_ptr_nonnull(before);
    for (int i = 0; i < 5; i++) {
        memcpy(before, indices->data, bytes);
        select_lists(&run, configs[1]);
        ck_assert_mem_eq(before, indices->data, bytes);
    }
    free(before);
    close_run(&run);
}
END_TEST

/* One row of `count` blocks and no more. */
static void expect_list(const selection_run *run, uint64_t row, const int32_t *expected,
                        uint32_t count)
{
    const int32_t *list;
    ck_assert_uint_eq(list_of(run, row, &list), count);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_msg(list[i] == expected[i], "row %u: entry %u is %d, not %d", (unsigned)row, i,
                      list[i], expected[i]);
}

/* 9 blocks of keys, the last shorter; 2 rows of queries. */
#define TIES "op=select_blocks,hq=1,nq=16,nk=70,d=8,blocks=8x8/h,"

/* Whatever the blocks' lengths, and however the mean may round. */
START_TEST(ties_go_to_the_first)
{
    static const float values[] = {0.0f, 0.25f, 0.1f, 1.0f / 3.0f, -0.7f};
    static const int32_t first[] = {0, 1, 2, 3}, forced[] = {0, 1, 7, 8};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
        for (int i = 0; i < config_count(SQA_DTYPE_F32); i++) {
            const bool local = i % 2;
            selection_run run;
            open_shape(&run, local ? TIES "topk=4,localblocks=2" : TIES "topk=4");
            sqa_host_tensor_fill(tensor_of(&run, SQA_SLOT_K), values[v]);
            select_lists(&run, configs[i]);
            expect_list(&run, 1, local ? forced : first, 4);
            close_run(&run);
        }
}
END_TEST

static void fill_block(selection_run *run, uint32_t block, float value)
{
    const sqa_attention *a = run->attention;
    const uint32_t size = a->blocks.key_size;
    for (uint32_t j = block * size; j < (block + 1) * size && j < a->kv_length; j++)
        for (uint32_t d = 0; d < a->head_dim; d++)
            sqa_host_tensor_at(tensor_of(run, SQA_SLOT_K), 0, 0, j)[d] = value;
}

/* Against queries of ones, a block scores by its own value. */
static void select_values(const float values[9], const char *shape, const int32_t *expected,
                          uint32_t count)
{
    for (int i = 0; i < config_count(SQA_DTYPE_F32); i++) {
        selection_run run;
        open_shape(&run, shape);
        sqa_host_tensor_fill(tensor_of(&run, SQA_SLOT_Q), 1.0f);
        for (uint32_t block = 0; block < 9; block++)
            fill_block(&run, block, values[block]);
        select_lists(&run, configs[i]);
        expect_list(&run, 0, expected, count);
        expect_list(&run, 1, expected, count);
        close_run(&run);
    }
}

START_TEST(equal_blocks_among_others)
{
    const float values[9] = {0.1f, 0.3f, -0.0f, 0.7f, 0.3f, 0.7f, 0.3f, 0.0f, 0.3f};
    const int32_t expected[] = {1, 3, 4, 5}, with_zeros[] = {0, 1, 2, 3, 4, 5, 6, 8};
    select_values(values, TIES "topk=4", expected, 4);
    select_values(values, TIES "topk=8", with_zeros, 8); /* -0 and 0 are equal */
}
END_TEST

START_TEST(nan_is_last_and_infinity_first)
{
    const float values[9] = {NAN, -INFINITY, -1.0f, INFINITY, -NAN, -3e30f, NAN, -2.0f, 1e-30f};
    const int32_t four[] = {2, 3, 7, 8}, six[] = {1, 2, 3, 5, 7, 8};
    const int32_t seven[] = {0, 1, 2, 3, 5, 7, 8}, forced[] = {0, 1, 3, 8};
    select_values(values, TIES "topk=4", four, 4);
    select_values(values, TIES "topk=6", six, 6);
    select_values(values, TIES "topk=7", seven, 7);
    select_values(values, TIES "topk=4,sinkblocks=2", forced, 4);
}
END_TEST

/* A block's queries and keys do on average as their means do. */
START_TEST(scores_are_means_of_scores)
{
    selection_run run;
    double scores[MOST_BLOCKS], magnitudes[MOST_BLOCKS];
    open_shape(&run, grouped_shape);
    const sqa_attention *a = run.attention;
    const sqa_reference_inputs views = sqa_host_tensors_views(&run.tensors);
    sqa_reference_block_scores(run.selection, &views, 1, 1, 4, scores, magnitudes);
    double sum = 0.0;
    for (uint32_t head = 3; head < 6; head++)
        for (uint32_t i = 32; i < 40; i++)
            for (uint32_t j = 64; j < 70; j++)
                for (uint32_t d = 0; d < a->head_dim; d++)
                    sum += (double)sqa_host_tensor_at(tensor_of(&run, SQA_SLOT_Q), 1, head, i)[d] *
                           (double)sqa_host_tensor_at(tensor_of(&run, SQA_SLOT_K), 1, 1, j)[d];
    ck_assert_double_eq_tol(scores[8], (double)a->scale * sum / (8 * 6), 1e-12);
    ck_assert_double_gt(magnitudes[8], fabs(scores[8]));
    close_run(&run);
}
END_TEST

/* The judge must be able to find fault. */
START_TEST(faults_are_found)
{
    selection_run run;
    double scores[9] = {0.5, 0.1, 0.9, 0.2, NAN, 0.3, 0.4, 0.05, 0.0}, magnitudes[9];
    const int32_t right[] = {0, 2, 8}, worse[] = {2, 6, 8}, short_of[] = {0, 2};
    const int32_t unforced[] = {0, 2, 6}, descending[] = {2, 0, 8}, nan[] = {2, 4, 8};
    const int32_t beyond[] = {0, 2, 9};
    for (int i = 0; i < 9; i++)
        magnitudes[i] = 1.0;
    open_shape(&run, TIES "topk=3,localblocks=1");
    const sqa_selection *s = run.selection;
    ck_assert_ptr_null(sqa_reference_list_fault(s, 1, scores, magnitudes, right, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(s, 1, scores, magnitudes, worse, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(s, 1, scores, magnitudes, short_of, 2));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(s, 1, scores, magnitudes, unforced, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(s, 1, scores, magnitudes, descending, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(s, 1, scores, magnitudes, nan, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(s, 1, scores, magnitudes, beyond, 3));
    scores[0] = 0.4 - 1e-6; /* as good as block 6 */
    ck_assert_ptr_null(sqa_reference_list_fault(s, 1, scores, magnitudes, right, 3));
    close_run(&run);
}
END_TEST

/* The output as the oracle has it, given the lists. */
static void check_output(const selection_run *run, const sqa_host_tensors *forward)
{
    const sqa_attention *a = &forward->problem.of.attention;
    const sqa_host_tensor *o = &forward->of[SQA_SLOT_O];
    const sqa_tolerance *tolerance;
    sqa_reference_inputs views = sqa_host_tensors_views(&run->tensors);
    sqa_error_sum sum = {0};
    ck_assert_int_eq(sqa_operation_tolerance(sqa_operation_of(&forward->problem), &forward->problem,
                                             SQA_SLOT_O, o->element, &tolerance),
                     SQA_OK);
    views.by_slot[SQA_SLOT_V] = sqa_host_tensor_view(&forward->of[SQA_SLOT_V]);
    for (uint32_t b = 0; b < a->batch; b++)
        for (uint32_t h = 0; h < a->out_heads; h++)
            for (uint32_t i = 0; i < a->q_length; i++) {
                double expected[SQA_MAX_HEAD_DIM], lse;
                sqa_reference_forward_row(a, &views, b, h, i, expected, &lse);
                for (uint32_t d = 0; d < a->value_dim; d++)
                    sqa_error_add(&sum, (double)sqa_host_tensor_at(o, b, h, i)[d], expected[d]);
            }
    ck_assert_double_le(sqa_error_rms(&sum), tolerance->rms);
    ck_assert_double_le(sum.largest, tolerance->max);
}

/* Attention, and how its blocks are chosen. */
static const struct {
    const char *shape, *blocks;
} chains[] = {
    {"b=2,hq=4,hkv=2,nq=70,nk=90,d=8,causal,layout=bshd",
     "blocks=16x8/k,topk=4,sinkblocks=1,localblocks=1"},
    {"hq=2,hkv=4,nq=64,nk=64,d=8,causal,align=top-left", "blocks=8x8/h,topk=3,localblocks=1"},
    {"hq=4,hkv=2,nq=40,nk=90,d=8,dtype=f16", "blocks=8x16,topk=2"},
};

/* The forward pass over the lists of `selection`, its tensors but for Q, K and lists. */
static void open_forward(sqa_host_tensors *forward, const sqa_problem *selection, const char *shape)
{
    sqa_problem problem;
    sqa_attention_desc desc;
    ck_assert_int_eq(sqa_problem_parse(shape, &problem), SQA_OK);
    sqa_problem_to_desc(&problem, &desc);
    desc.blocks = selection->of.attention.blocks;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_int_eq(sqa_host_tensors_create(forward, &problem, 5, true), SQA_OK);
}

static sqa_tensor bound(const sqa_host_tensors *tensors, uint32_t slot)
{
    return (sqa_tensor){tensors->of[slot].buffer, tensors->of[slot].guard};
}

/* Select, then attend, with nothing between; then both as one call, which gives the same. */
static void check_chain(selection_run *run, sqa_host_tensors *forward)
{
    sqa_attention_desc desc;
    sqa_select_options select;
    char finding[SQA_FINDING_TEXT];
    sqa_selection_to_desc(run->selection, &desc, &select);
    sqa_problem_to_desc(&forward->problem, &desc);
    ck_assert_int_eq(sqa_host_tensors_upload(&run->tensors, sqa_context_cl(test_context)), SQA_OK);
    ck_assert_int_eq(sqa_host_tensors_upload(forward, sqa_context_cl(test_context)), SQA_OK);
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q = bound(&run->tensors, SQA_SLOT_Q);
    tensors.k = bound(&run->tensors, SQA_SLOT_K);
    tensors.block_offsets = bound(&run->tensors, SQA_SLOT_BLOCK_OFFSETS);
    tensors.block_indices = bound(&run->tensors, SQA_SLOT_BLOCK_INDICES);
    tensors.v = bound(forward, SQA_SLOT_V);
    tensors.o = bound(forward, SQA_SLOT_O);
    ck_assert_msg(sqa_attention_select_blocks(test_context, test_queue, &desc, &select, &tensors, 0,
                                              NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_msg(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL) ==
                      SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_look_over(&run->tensors, test_queue, finding), SQA_OK);
    ck_assert_str_eq(finding, "");
    ck_assert_int_eq(sqa_host_tensors_look_over(forward, test_queue, finding), SQA_OK);
    ck_assert_str_eq(finding, "");
}

START_TEST(select_then_attend)
{
    selection_run run;
    sqa_host_tensors forward;
    char shape[SQA_SHAPE_TEXT];
    snprintf(shape, sizeof shape, "op=select_blocks,%s,%s", chains[_i].shape, chains[_i].blocks);
    open_shape(&run, shape);
    open_forward(&forward, &run.tensors.problem, chains[_i].shape);
    check_chain(&run, &forward);
    check_lists(&run);
    check_output(&run, &forward);
    sqa_host_tensors_free(&forward);
    close_run(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block selection");
    TCase *lists = tcase_create("lists");
    tcase_add_unchecked_fixture(lists, open_device, close_device);
    tcase_add_loop_test(lists, lists_are_the_oracles, SQA_DTYPE_F32, SQA_DTYPE_BF16 + 1);
    tcase_add_test(lists, wide_heads);
    tcase_add_loop_test(lists, odd_heads, 0, 2);
    tcase_add_test(lists, lists_repeat);
    tcase_add_test(lists, ties_go_to_the_first);
    tcase_add_test(lists, equal_blocks_among_others);
    tcase_add_test(lists, nan_is_last_and_infinity_first);
    tcase_add_test(lists, scores_are_means_of_scores);
    tcase_add_test(lists, faults_are_found);
    tcase_add_loop_test(lists, select_then_attend, 0, 3);
    suite_add_tcase(suite, lists);
    TCase *one = tcase_create("one");
    tcase_add_unchecked_fixture(one, open_device, close_device);
    tcase_add_test(one, one_run);
    suite_add_tcase(suite, one);
    return sqa_run_suite(suite);
}
