/* Keys in pages: a sequence of a batch has, bit for bit, what it has by itself with its keys in a
 * row, whatever the pages are: of any size, in any order, shared, with garbage wherever no key of
 * a sequence is. Of every family that forward attention has. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/check.h"
#include "opencl_fixture.h"
#include "operations/case_shapes.h"
#include "operations/forward/case.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "runtime/plan.h"

#define SIZES "hq=6,hkv=2,nq=3,lse,causal,"
#define SMALL "d=8,dv=5"

enum { SEQUENCES = 8, CAPACITY = 530 };

/* The last has the pages of the first, but for its queries. */
static const uint32_t lengths[SEQUENCES] = {CAPACITY, 0, 1, 256, 257, 63, 511, CAPACITY};

static const struct {
    const char *family, *config, *vectors;
} families[] = {
    {"naive", "CHUNK=4", SMALL},
    {"decode", "LANES=8,MR=2,WIDE=4,TILES=8,KEYS=16,SPLIT_KEYS=256", SMALL},
    {"decode", "LANES=8,MR=4,TILES=4,KEYS=32,SPLIT_KEYS=256", "d=32,dv=64,kv=int4"},
    {"rows", "LANES=4,RV=1,MC=1,MD=1,TILES=1,KEYS=24,UNROLL=1,PACK=1,EXP=1,SHARE=0,SPLIT=1", SMALL},
    {"stream", "ROWS=4,TX=4,TY=8,KEYS=2,SPLIT_KEYS=128", SMALL},
    {"tiled", NULL, SMALL},
};
enum { FAMILIES = sizeof families / sizeof *families };

static void run(sqa_host_tensors *test, int family)
{
    char finding[SQA_FINDING_TEXT];
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    options.family = families[family].family;
    options.config = families[family].config;
    ck_assert_msg(sqa_plan_build(&plan, test_context, &test->problem, &options) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_msg(sqa_check_run(plan, test, test_queue, finding) == SQA_OK, "%s", sqa_last_error());
    ck_assert_str_eq(finding, "");
    sqa_plan_destroy(plan);
}

static void open_shape(sqa_host_tensors *test, const char *shape, uint64_t seed)
{
    const sqa_problem problem = sqa_case_shape_problem(shape, SQA_DTYPE_F32);
    ck_assert_msg(sqa_host_tensors_create(test, &problem, seed, true) == SQA_OK, "%s",
                  sqa_last_error());
}

/* The rows of sequence `b` of one tensor to that of another, keys or queries. */
static void copy_keys(sqa_host_tensors *to, uint32_t to_batch, const sqa_host_tensors *from,
                      uint32_t slot, uint32_t count)
{
    const sqa_attention *a = &to->problem.of.attention;
    const uint32_t width = slot == SQA_SLOT_K ? a->head_dim : a->value_dim;
    for (uint32_t h = 0; h < a->kv_heads; h++)
        for (uint32_t j = 0; j < count; j++)
            memcpy(sqa_forward_case_key(to, &to->of[slot], to_batch, h, j),
                   sqa_forward_case_key(from, &from->of[slot], 0, h, j), width * sizeof(float));
}

static void copy_queries(sqa_host_tensors *to, uint32_t to_batch, const sqa_host_tensors *from)
{
    const sqa_attention *a = &to->problem.of.attention;
    for (uint32_t h = 0; h < a->q_heads; h++)
        for (uint32_t i = 0; i < a->q_length; i++)
            memcpy(sqa_host_tensor_at(&to->of[SQA_SLOT_Q], to_batch, h, i),
                   sqa_host_tensor_at(&from->of[SQA_SLOT_Q], 0, h, i), a->head_dim * sizeof(float));
}

static void open_alone(sqa_host_tensors alone[SEQUENCES], int family)
{
    for (uint32_t b = 0; b < SEQUENCES; b++) {
        char shape[SQA_SHAPE_TEXT];
        snprintf(shape, sizeof shape, SIZES "%s,nk=%u", families[family].vectors, lengths[b]);
        open_shape(&alone[b], shape, 5 + b);
        if (b == SEQUENCES - 1) {
            copy_keys(&alone[b], 0, &alone[0], SQA_SLOT_K, lengths[b]);
            copy_keys(&alone[b], 0, &alone[0], SQA_SLOT_V, lengths[b]);
        }
        run(&alone[b], family);
    }
}

/* NaN in every page; numbers that name none, where a sequence has ended. */
static void fill_pages(sqa_host_tensors *paged, const sqa_host_tensors alone[SEQUENCES])
{
    static const int32_t garbage[] = {INT32_MIN, INT32_MAX, -1, 100000};
    const sqa_attention *a = &paged->problem.of.attention;
    int32_t *table = (int32_t *)sqa_host_tensor_view(&paged->of[SQA_SLOT_BLOCK_TABLE]);
    int32_t *length = (int32_t *)sqa_host_tensor_view(&paged->of[SQA_SLOT_KV_LENGTHS]);
    const uint32_t row = sqa_attention_table_row(a);
    memcpy(table + (SEQUENCES - 1) * row, table, row * sizeof *table);
    sqa_host_tensor_fill(&paged->of[SQA_SLOT_K], NAN);
    sqa_host_tensor_fill(&paged->of[SQA_SLOT_V], NAN);
    for (uint32_t b = 0; b < SEQUENCES; b++) {
        const uint32_t used = (lengths[b] + a->paged.page_size - 1) / a->paged.page_size;
        copy_queries(paged, b, &alone[b]);
        copy_keys(paged, b, &alone[b], SQA_SLOT_K, lengths[b]);
        copy_keys(paged, b, &alone[b], SQA_SLOT_V, lengths[b]);
        length[b] = (int32_t)lengths[b];
        for (uint32_t i = used; i < row; i++)
            table[b * row + i] = garbage[i % 4];
    }
}

static void expect_same_rows(const sqa_host_tensors *alone, const sqa_host_tensors *paged,
                             uint32_t b)
{
    const sqa_attention *a = &alone->problem.of.attention;
    for (uint32_t h = 0; h < a->out_heads; h++)
        for (uint32_t i = 0; i < a->q_length; i++) {
            ck_assert_msg(!memcmp(sqa_forward_case_output(alone, 0, h, i),
                                  sqa_forward_case_output(paged, b, h, i),
                                  a->value_dim * sizeof(float)),
                          "O of sequence %u, head %u, query %u, pages of %u", b, h, i,
                          paged->problem.of.attention.paged.page_size);
            ck_assert_msg(!memcmp(sqa_forward_case_lse(alone, 0, h, i),
                                  sqa_forward_case_lse(paged, b, h, i), sizeof(float)),
                          "LSE of sequence %u, head %u, query %u", b, h, i);
        }
}

START_TEST(pages_change_no_bit)
{
    static const uint32_t sizes[] = {1, 5, 16, 64, 256, CAPACITY};
    sqa_host_tensors alone[SEQUENCES];
    open_alone(alone, _i);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        sqa_host_tensors paged;
        char shape[SQA_SHAPE_TEXT];
        /* The second layout has page and head exchanged. */
        snprintf(shape, sizeof shape, "b=%d," SIZES "%s,nk=%d,page=%u,layout=%s", SEQUENCES,
                 families[_i].vectors, CAPACITY, sizes[s], s % 2 ? "bshd" : "bhsd");
        open_shape(&paged, shape, 3);
        fill_pages(&paged, alone);
        run(&paged, _i);
        for (uint32_t b = 0; b < SEQUENCES; b++)
            expect_same_rows(&alone[b], &paged, b);
        /* Lengths that there cannot be are cut to those that can. */
        int32_t *length = (int32_t *)sqa_host_tensor_view(&paged.of[SQA_SLOT_KV_LENGTHS]);
        length[0] = CAPACITY + 1000;
        length[1] = -7;
        run(&paged, _i);
        for (uint32_t b = 0; b < SEQUENCES; b++)
            expect_same_rows(&alone[b], &paged, b);
        sqa_host_tensors_free(&paged);
    }
    for (uint32_t b = 0; b < SEQUENCES; b++)
        sqa_host_tensors_free(&alone[b]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("paged");
    TCase *tests = tcase_create("paged");
    setenv("SQA_CL_TEST_UNOPTIMISED", "1", 1);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, pages_change_no_bit, 0, FAMILIES);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
