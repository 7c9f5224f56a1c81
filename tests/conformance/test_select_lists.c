/* Block selection on the device against the fp64 oracle: shapes, heads, masks, storage
 * types and configurations; ties, NaN and infinities; and a forward call that uses the
 * lists before the host has seen them. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/layout.h"
#include "opencl_fixture.h"
#include "operations/attention/selection_reference.h"
#include "operations/select_blocks.h"
#include "reference/error.h"
#include "reference/host_tensors.h"
#include "run_suite.h"

/* Numbers around the lists, in the same buffer, which must stay. */
enum { GUARDS = 3, GUARD = -77 };

/* A selection with everything it takes. */
typedef struct selection_run {
    sqa_attention_desc desc;
    sqa_select_options select;
    sqa_problem problem;
    sqa_host_tensor q, k;
    size_t offset_count, index_count; /* with guards */
    cl_mem offset_buffer, index_buffer;
    int32_t *offsets, *indices; /* with guards, as read */
} selection_run;

static void create_tensor(sqa_host_tensor *tensor, const sqa_problem *problem, uint32_t slot,
                          uint64_t seed)
{
    sqa_tensor_shape shape;
    sqa_random random = {seed};
    ck_assert(sqa_tensor_shape_of(problem, role, &shape));
    ck_assert_int_eq(sqa_host_tensor_create(tensor, problem->dtype, &shape.strides, shape.batch,
                                            shape.heads, shape.length, shape.dim, 5),
                     SQA_OK);
    sqa_host_tensor_fill_random(tensor, &random, -1.0f, 1.0f);
}

static cl_mem guarded_buffer(int32_t *numbers, size_t count)
{
    cl_int code;
    for (size_t i = 0; i < count; i++)
        numbers[i] = GUARD;
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       count * sizeof *numbers, numbers, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

/* Random Q and K; desc->blocks.entries is set here. */
static void open_run(selection_run *run, const sqa_attention_desc *desc,
                     const sqa_select_options *select, uint64_t seed)
{
    memset(run, 0, sizeof *run);
    run->desc = *desc;
    run->select = *select;
    ck_assert_msg(sqa_select_entries(desc, select, &run->desc.blocks.entries) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(sqa_problem_from_selection(&run->problem, &run->desc, select, true), SQA_OK);
    create_tensor(&run->q, &run->problem, SQA_SLOT_Q, seed);
    create_tensor(&run->k, &run->problem, SQA_SLOT_K, seed + 1);
    run->offset_count = (size_t)desc->blocks.batch * desc->blocks.heads *
                            sqa_attention_query_blocks(&run->problem) +
                        1 + 2 * GUARDS;
    run->index_count = run->desc.blocks.entries + 2 * GUARDS;
    run->offsets = malloc(run->offset_count * sizeof *run->offsets);
    run->indices = malloc(run->index_count * sizeof *run->indices);
    ck_assert(run->offsets && run->indices);
    run->offset_buffer = guarded_buffer(run->offsets, run->offset_count);
    run->index_buffer = guarded_buffer(run->indices, run->index_count);
}

static void close_run(selection_run *run)
{
    sqa_host_tensor_free(&run->q);
    sqa_host_tensor_free(&run->k);
    clReleaseMemObject(run->offset_buffer);
    clReleaseMemObject(run->index_buffer);
    free(run->offsets);
    free(run->indices);
}

static sqa_tensors tensors_of(selection_run *run)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    ck_assert_int_eq(sqa_host_tensor_upload(&run->q, sqa_context_cl(test_context)), SQA_OK);
    ck_assert_int_eq(sqa_host_tensor_upload(&run->k, sqa_context_cl(test_context)), SQA_OK);
    tensors.q = (sqa_tensor){run->q.buffer, run->q.guard};
    tensors.k = (sqa_tensor){run->k.buffer, run->k.guard};
    tensors.block_offsets = (sqa_tensor){run->offset_buffer, GUARDS};
    tensors.block_indices = (sqa_tensor){run->index_buffer, GUARDS};
    return tensors;
}

static void read_back(cl_mem buffer, int32_t *numbers, size_t count)
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *numbers,
                                         numbers, 0, NULL, NULL),
                     CL_SUCCESS);
    for (size_t i = 0; i < GUARDS; i++) {
        ck_assert_int_eq(numbers[i], GUARD);
        ck_assert_int_eq(numbers[count - 1 - i], GUARD);
    }
}

static void read_lists(selection_run *run)
{
    read_back(run->offset_buffer, run->offsets, run->offset_count);
    read_back(run->index_buffer, run->indices, run->index_count);
}

/* `config` NULL: the default. */
static void select_lists(selection_run *run, const char *config)
{
    const sqa_tensors tensors = tensors_of(run);
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    options.family = "select";
    options.config = config;
    ck_assert_msg(sqa_select_plan_create(&plan, test_context, &run->desc, &run->select, &options) ==
                      SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_msg(sqa_select_blocks(plan, test_queue, &tensors, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    read_lists(run);
    sqa_plan_destroy(plan);
}

static sqa_reference_inputs inputs_of(const selection_run *run)
{
    return (sqa_reference_inputs){{[SQA_SLOT_Q] = sqa_host_tensor_view(&run->q),
                                   [SQA_SLOT_K] = sqa_host_tensor_view(&run->k),
                                   [SQA_SLOT_BLOCK_OFFSETS] = run->offsets + GUARDS,
                                   [SQA_SLOT_BLOCK_INDICES] = run->indices + GUARDS}};
}

enum { MOST_BLOCKS = 512 };

/* A row's list, which begins where the one before ends. */
static uint32_t list_of(const selection_run *run, uint64_t row, const int32_t **list)
{
    const int32_t *offsets = run->offsets + GUARDS;
    ck_assert_int_ge(offsets[row], 0);
    ck_assert_int_le(offsets[row], offsets[row + 1]);
    ck_assert_int_le(offsets[row + 1], (int32_t)run->desc.blocks.entries);
    *list = run->indices + GUARDS + offsets[row];
    return (uint32_t)(offsets[row + 1] - offsets[row]);
}

/* Counts in *same the lists that are the oracle's to the last block. */
static void check_row(const selection_run *run, uint32_t batch, uint32_t head, uint32_t row,
                      uint32_t *same)
{
    const sqa_problem *p = &run->problem;
    const sqa_reference_inputs inputs = inputs_of(run);
    const uint64_t number =
        ((uint64_t)batch * p->blocks.heads + head) * sqa_attention_query_blocks(p) + row;
    const int32_t *list;
    int32_t expected[MOST_BLOCKS];
    double scores[MOST_BLOCKS], magnitudes[MOST_BLOCKS];
    const uint32_t count = list_of(run, number, &list);
    ck_assert_uint_le(sqa_attention_key_blocks(p), MOST_BLOCKS);
    sqa_reference_block_scores(p, &inputs, batch, head, row, scores, magnitudes);
    const char *fault = sqa_reference_list_fault(p, row, scores, magnitudes, list, count);
    ck_assert_msg(!fault, "batch %u, list %u, row %u: the list %s", batch, head, row, fault);
    *same += sqa_reference_select(p, row, scores, expected) == count &&
             !memcmp(list, expected, count * sizeof *list);
}

static void check_lists(const selection_run *run)
{
    const sqa_problem *p = &run->problem;
    const uint32_t rows = sqa_attention_query_blocks(p);
    const uint32_t lists = p->batch * p->blocks.heads;
    uint32_t same = 0;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->blocks.heads; h++)
            for (uint32_t r = 0; r < rows; r++)
                check_row(run, b, h, r, &same);
    ck_assert_int_eq(run->offsets[GUARDS], 0);
    ck_assert_int_eq(run->offsets[GUARDS + lists * rows], (int32_t)run->desc.blocks.entries);
    /* The rest is within rounding of a tie. */
    ck_assert_uint_ge(100 * same, 95 * lists * rows);
}

enum list_heads { ONE, PER_KV_HEAD, PER_HEAD };

static const struct shape {
    uint32_t batch, q_heads, kv_heads, q_length, kv_length, head_dim;
    sqa_causal causal;
    sqa_align align;
    uint32_t query_block, key_block;
    enum list_heads lists;
    uint32_t top_k, sinks, locals;
    sqa_dtype dtype;
    sqa_layout layout;
} shapes[] = {
    /* Plain; the last blocks are not full. */
    {1, 1, 1, 40, 90, 8, 0, 0, 16, 8, PER_HEAD, 4, 0, 0, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 2, 2, 33, 127, 8, 0, 0, 8, 4, PER_HEAD, 5, 1, 1, SQA_DTYPE_F32, SQA_LAYOUT_BSHD},
    /* Causal, both alignments, more and fewer queries than keys. */
    {1, 1, 1, 64, 64, 8, 1, 0, 8, 8, PER_HEAD, 3, 0, 1, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 30, 100, 8, 1, 0, 4, 8, PER_HEAD, 5, 1, 2, SQA_DTYPE_F32, SQA_LAYOUT_PADDED},
    {1, 1, 1, 100, 30, 8, 1, 0, 8, 4, PER_HEAD, 4, 1, 1, SQA_DTYPE_F32, SQA_LAYOUT_MIXED},
    {1, 1, 1, 100, 30, 8, 2, 0, 8, 4, PER_HEAD, 4, 0, 2, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 30, 100, 8, 2, 0, 4, 8, PER_HEAD, 3, 2, 1, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    /* Local blocks without a causal mask, by either alignment. */
    {1, 1, 1, 30, 100, 8, 0, 0, 8, 8, PER_HEAD, 4, 1, 2, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 100, 30, 8, 0, 1, 8, 4, PER_HEAD, 4, 0, 2, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 100, 30, 8, 0, 0, 8, 4, PER_HEAD, 4, 1, 2, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    /* Heads: GQA and MQA in each way, rSQA in each way; batches. */
    {2, 6, 2, 40, 70, 8, 1, 0, 8, 8, PER_HEAD, 3, 0, 1, SQA_DTYPE_F32, SQA_LAYOUT_QKV},
    {2, 6, 2, 40, 70, 8, 1, 0, 8, 8, PER_KV_HEAD, 3, 0, 1, SQA_DTYPE_F32, SQA_LAYOUT_BSHD},
    {3, 6, 2, 40, 70, 8, 0, 0, 8, 8, ONE, 3, 0, 0, SQA_DTYPE_F32, SQA_LAYOUT_PADDED},
    {2, 4, 1, 40, 70, 8, 0, 0, 8, 8, PER_KV_HEAD, 3, 0, 0, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {2, 2, 6, 40, 70, 8, 1, 0, 8, 8, PER_HEAD, 3, 0, 0, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {2, 2, 6, 40, 70, 8, 0, 0, 8, 8, ONE, 3, 1, 0, SQA_DTYPE_F32, SQA_LAYOUT_SHARED},
    /* Storage; odd dimensions. */
    {1, 4, 2, 50, 80, 8, 1, 0, 8, 8, PER_KV_HEAD, 4, 1, 1, SQA_DTYPE_F16, SQA_LAYOUT_BSHD},
    {1, 4, 2, 50, 80, 8, 1, 0, 8, 8, PER_HEAD, 4, 1, 1, SQA_DTYPE_BF16, SQA_LAYOUT_PADDED},
    {1, 2, 1, 50, 80, 7, 1, 0, 8, 8, PER_HEAD, 4, 0, 1, SQA_DTYPE_F32, SQA_LAYOUT_PADDED},
    {1, 2, 1, 50, 80, 7, 0, 0, 8, 8, ONE, 4, 0, 0, SQA_DTYPE_F16, SQA_LAYOUT_BHSD},
    /* Extremes: a single query, one block of everything, all blocks, single keys. */
    {1, 1, 1, 1, 200, 8, 1, 0, 64, 4, PER_HEAD, 8, 1, 1, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 20, 30, 8, 1, 0, 64, 64, PER_HEAD, 1, 0, 0, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 40, 60, 8, 1, 0, 8, 4, PER_HEAD, 99, 20, 30, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 12, 300, 8, 1, 0, 3, 1, PER_HEAD, 7, 0, 0, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
    {1, 1, 1, 70, 24, 8, 1, 0, 1, 5, PER_HEAD, 2, 0, 1, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
};
enum { SHAPE_COUNT = sizeof shapes / sizeof *shapes };

static sqa_attention_desc desc_of(const struct shape *shape)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.dtype = shape->dtype;
    desc.batch = shape->batch;
    desc.q_heads = shape->q_heads;
    desc.kv_heads = shape->kv_heads;
    desc.q_length = shape->q_length;
    desc.kv_length = shape->kv_length;
    desc.head_dim = shape->head_dim;
    desc.causal = shape->causal;
    desc.align = shape->align;
    desc.blocks.query_size = shape->query_block;
    desc.blocks.key_size = shape->key_block;
    desc.blocks.batch = shape->batch;
    desc.blocks.heads = shape->lists == ONE                ? 1
                        : shape->lists == PER_KV_HEAD      ? shape->kv_heads
                        : shape->q_heads > shape->kv_heads ? shape->q_heads
                                                           : shape->kv_heads;
    sqa_layout_apply(shape->layout, &desc);
    return desc;
}

static sqa_select_options select_of(uint32_t top_k, uint32_t sinks, uint32_t locals)
{
    sqa_select_options select = SQA_SELECT_OPTIONS_INIT;
    select.top_k = top_k;
    select.sink_blocks = sinks;
    select.local_blocks = locals;
    return select;
}

static void open_shape(selection_run *run, const struct shape *shape)
{
    const sqa_attention_desc desc = desc_of(shape);
    const sqa_select_options select = select_of(shape->top_k, shape->sinks, shape->locals);
    open_run(run, &desc, &select, 11);
}

/* The default, and one or two of the other kind of device. */
static const char *const configs[] = {NULL, "POOL=1,SLICES=4,ITEMS=32,VEC=4,ROWS=2",
                                      "POOL=1,SLICES=1,ITEMS=1,VEC=16,ROWS=8"};

/* Every program takes its time to compile: all of them for the most usual one. */
static int config_count(const struct shape *shape)
{
    const char *size = getenv("SQA_TEST_SIZE");
    const bool usual = shape->dtype == SQA_DTYPE_F32 && shape->head_dim == 8;
    return !usual || (size && !strcmp(size, "tiny")) ? 2 : (int)(sizeof configs / sizeof *configs);
}

START_TEST(lists_are_the_oracles)
{
    for (int i = 0; i < config_count(&shapes[_i]); i++) {
        selection_run run;
        bool unchanged = false;
        open_shape(&run, &shapes[_i]);
        select_lists(&run, configs[i]);
        check_lists(&run);
        ck_assert_int_eq(sqa_host_tensor_unchanged(&run.k, test_queue, &unchanged), SQA_OK);
        ck_assert(unchanged);
        close_run(&run);
    }
}
END_TEST

/* More columns than a work-group has work-items, beside its slices. */
START_TEST(wide_heads)
{
    static const struct shape wide = {
        1, 2, 1, 20, 40, 512, 1, 0, 8, 4, PER_KV_HEAD, 3, 0, 1, SQA_DTYPE_F32, SQA_LAYOUT_BSHD};
    selection_run run;
    open_shape(&run, &wide);
    select_lists(&run, "POOL=1,SLICES=16,ITEMS=32,VEC=8,ROWS=1");
    check_lists(&run);
    close_run(&run);
}
END_TEST

/* By itself, for a checker of memory that confuses the buffers of several. */
START_TEST(one_run)
{
    selection_run run;
    open_shape(&run, &shapes[11]);
    select_lists(&run, NULL);
    check_lists(&run);
    close_run(&run);
}
END_TEST

START_TEST(lists_repeat)
{
    selection_run run;
    open_shape(&run, &shapes[11]);
    select_lists(&run, configs[1]);
    int32_t *before = malloc(run.index_count * sizeof *before);
    ck_assert_ptr_nonnull(before);
    for (int i = 0; i < 5; i++) {
        memcpy(before, run.indices, run.index_count * sizeof *before);
        select_lists(&run, configs[1]);
        ck_assert_mem_eq(before, run.indices, run.index_count * sizeof *before);
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
static const struct shape tie_shape = {
    1, 1, 1, 16, 70, 8, 0, 0, 8, 8, PER_HEAD, 4, 0, 0, SQA_DTYPE_F32, SQA_LAYOUT_BHSD};

/* Whatever the blocks' lengths, and however the mean may round. */
START_TEST(ties_go_to_the_first)
{
    static const float values[] = {0.0f, 0.25f, 0.1f, 1.0f / 3.0f, -0.7f};
    static const int32_t first[] = {0, 1, 2, 3}, forced[] = {0, 1, 7, 8};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
        for (int i = 0; i < config_count(&tie_shape); i++) {
            struct shape shape = tie_shape;
            selection_run run;
            shape.locals = i % 2 ? 2 : 0;
            open_shape(&run, &shape);
            sqa_host_tensor_fill(&run.k, values[v]);
            select_lists(&run, configs[i]);
            expect_list(&run, 1, shape.locals ? forced : first, 4);
            close_run(&run);
        }
}
END_TEST

static void fill_block(selection_run *run, uint32_t block, float value)
{
    const uint32_t size = run->problem.blocks.key_size;
    for (uint32_t j = block * size; j < (block + 1) * size && j < run->problem.kv_length; j++)
        for (uint32_t d = 0; d < run->problem.head_dim; d++)
            sqa_host_tensor_at(&run->k, 0, 0, j)[d] = value;
}

/* Against queries of ones, a block scores by its own value. */
static void select_values(const float values[9], const struct shape *shape, const int32_t *expected,
                          uint32_t count)
{
    for (int i = 0; i < config_count(shape); i++) {
        selection_run run;
        open_shape(&run, shape);
        sqa_host_tensor_fill(&run.q, 1.0f);
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
    struct shape shape = tie_shape;
    select_values(values, &shape, expected, 4);
    shape.top_k = 8; /* -0 and 0 are equal */
    select_values(values, &shape, with_zeros, 8);
}
END_TEST

START_TEST(nan_is_last_and_infinity_first)
{
    const float values[9] = {NAN, -INFINITY, -1.0f, INFINITY, -NAN, -3e30f, NAN, -2.0f, 1e-30f};
    const int32_t four[] = {2, 3, 7, 8}, six[] = {1, 2, 3, 5, 7, 8};
    const int32_t seven[] = {0, 1, 2, 3, 5, 7, 8}, forced[] = {0, 1, 3, 8};
    struct shape shape = tie_shape;
    select_values(values, &shape, four, 4);
    shape.top_k = 6;
    select_values(values, &shape, six, 6);
    shape.top_k = 7;
    select_values(values, &shape, seven, 7);
    shape.top_k = 4;
    shape.sinks = 2;
    select_values(values, &shape, forced, 4);
}
END_TEST

/* A block's queries and keys do on average as their means do. */
START_TEST(scores_are_means_of_scores)
{
    selection_run run;
    double scores[MOST_BLOCKS], magnitudes[MOST_BLOCKS];
    open_shape(&run, &shapes[11]); /* 6 heads on 2, a list per key/value head */
    const sqa_problem *p = &run.problem;
    const sqa_reference_inputs inputs = inputs_of(&run);
    sqa_reference_block_scores(p, &inputs, 1, 1, 4, scores, magnitudes);
    double sum = 0.0;
    for (uint32_t head = 3; head < 6; head++)
        for (uint32_t i = 32; i < 40; i++)
            for (uint32_t j = 64; j < 70; j++)
                for (uint32_t d = 0; d < p->head_dim; d++)
                    sum += (double)sqa_host_tensor_at(&run.q, 1, head, i)[d] *
                           (double)sqa_host_tensor_at(&run.k, 1, 1, j)[d];
    ck_assert_double_eq_tol(scores[8], (double)p->scale * sum / (8 * 6), 1e-12);
    ck_assert_double_gt(magnitudes[8], fabs(scores[8]));
    close_run(&run);
}
END_TEST

/* The judge must be able to find fault. */
START_TEST(faults_are_found)
{
    struct shape shape = tie_shape;
    shape.top_k = 3;
    shape.locals = 1;
    selection_run run;
    double scores[9] = {0.5, 0.1, 0.9, 0.2, NAN, 0.3, 0.4, 0.05, 0.0}, magnitudes[9];
    const int32_t right[] = {0, 2, 8}, worse[] = {2, 6, 8}, short_of[] = {0, 2};
    const int32_t unforced[] = {0, 2, 6}, descending[] = {2, 0, 8}, nan[] = {2, 4, 8};
    const int32_t beyond[] = {0, 2, 9};
    for (int i = 0; i < 9; i++)
        magnitudes[i] = 1.0;
    open_shape(&run, &shape);
    const sqa_problem *p = &run.problem;
    ck_assert_ptr_null(sqa_reference_list_fault(p, 1, scores, magnitudes, right, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(p, 1, scores, magnitudes, worse, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(p, 1, scores, magnitudes, short_of, 2));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(p, 1, scores, magnitudes, unforced, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(p, 1, scores, magnitudes, descending, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(p, 1, scores, magnitudes, nan, 3));
    ck_assert_ptr_nonnull(sqa_reference_list_fault(p, 1, scores, magnitudes, beyond, 3));
    scores[0] = 0.4 - 1e-6; /* as good as block 6 */
    ck_assert_ptr_null(sqa_reference_list_fault(p, 1, scores, magnitudes, right, 3));
    close_run(&run);
}
END_TEST

/* The output as the oracle has it, given the lists. */
static void check_output(const selection_run *run, const sqa_problem *forward,
                         const sqa_host_tensor *v, const sqa_host_tensor *o)
{
    const sqa_tolerance tolerance = sqa_tolerance_of(SQA_OPERATION_FORWARD, forward->dtype);
    sqa_reference_inputs inputs = inputs_of(run);
    sqa_error_sum sum = {0};
    inputs.by_slot[SQA_SLOT_V] = sqa_host_tensor_view(v);
    for (uint32_t b = 0; b < forward->batch; b++)
        for (uint32_t h = 0; h < forward->out_heads; h++)
            for (uint32_t i = 0; i < forward->q_length; i++) {
                double expected[SQA_MAX_HEAD_DIM], lse;
                sqa_reference_forward_row(forward, &inputs, b, h, i, expected, &lse);
                for (uint32_t d = 0; d < forward->value_dim; d++)
                    sqa_error_add(&sum, (double)sqa_host_tensor_at(o, b, h, i)[d], expected[d]);
            }
    ck_assert_double_le(sqa_error_rms(&sum), tolerance.rms);
    ck_assert_double_le(sum.largest, tolerance.max);
}

/* Select, then attend, with nothing between. */
static void check_chain(const struct shape *shape)
{
    selection_run run;
    sqa_host_tensor v, o;
    sqa_problem forward;
    sqa_attention_desc desc = desc_of(shape);
    const sqa_select_options select = select_of(shape->top_k, shape->sinks, shape->locals);
    open_run(&run, &desc, &select, 3);
    desc.blocks.entries = run.desc.blocks.entries;
    ck_assert_int_eq(sqa_problem_from_desc(&forward, &desc), SQA_OK);
    create_tensor(&v, &forward, SQA_SLOT_V, 5);
    create_tensor(&o, &forward, SQA_SLOT_O, 6);
    sqa_tensors tensors = tensors_of(&run);
    ck_assert_int_eq(sqa_host_tensor_upload(&v, sqa_context_cl(test_context)), SQA_OK);
    ck_assert_int_eq(sqa_host_tensor_upload(&o, sqa_context_cl(test_context)), SQA_OK);
    tensors.v = (sqa_tensor){v.buffer, v.guard};
    tensors.o = (sqa_tensor){o.buffer, o.guard};
    ck_assert_msg(sqa_attention_select_blocks(test_context, test_queue, &desc, &select, &tensors, 0,
                                              NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_msg(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL) ==
                      SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensor_download(&o, test_queue), SQA_OK);
    read_lists(&run);
    check_lists(&run);
    check_output(&run, &forward, &v, &o);
    sqa_host_tensor_free(&v);
    sqa_host_tensor_free(&o);
    close_run(&run);
}

START_TEST(select_then_attend)
{
    static const struct shape chains[] = {
        {2, 4, 2, 70, 90, 8, 1, 0, 16, 8, PER_KV_HEAD, 4, 1, 1, SQA_DTYPE_F32, SQA_LAYOUT_BSHD},
        {1, 2, 4, 64, 64, 8, 2, 0, 8, 8, PER_HEAD, 3, 0, 1, SQA_DTYPE_F32, SQA_LAYOUT_BHSD},
        {1, 4, 2, 40, 90, 8, 0, 0, 8, 16, ONE, 2, 0, 0, SQA_DTYPE_F16, SQA_LAYOUT_BHSD},
    };
    check_chain(&chains[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block selection");
    TCase *lists = tcase_create("lists");
    tcase_add_unchecked_fixture(lists, open_device, close_device);
    tcase_add_loop_test(lists, lists_are_the_oracles, 0, SHAPE_COUNT);
    tcase_add_test(lists, wide_heads);
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
