/* Multi-head latent attention with its projections: its cases and properties against the reference;
 * through the public interface the absorbed form against the one in full, from the same prompt and
 * token by token; what is refused. SQA_TEST_SIZE as in test_families.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/suite.h"
#include "opencl_fixture.h"
#include "operations/mla/mla.h"
#include "run_suite.h"

static void print_failure(void *user, const sqa_outcome *outcome)
{
    (void)user;
    if (outcome->verdict == SQA_VERDICT_FAILED)
        printf("FAILED: %s\n    %s\n", outcome->message, outcome->subject);
}

static sqa_suite suite_of(sqa_dtype dtype)
{
    return (sqa_suite){.context = test_context,
                       .queue = test_queue,
                       .device = &test_device,
                       .operation = sqa_tuner_mla_layer.entry->id,
                       .dtype = dtype,
                       .seed = 7,
                       .report = print_failure};
}

static sqa_grid_size grid_size(void)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "full")    ? SQA_GRID_QUICK
           : size && !strcmp(size, "quick") ? SQA_GRID_SAMPLE
                                            : SQA_GRID_TINY;
}

START_TEST(it_is_right)
{
    sqa_suite_counts counts = {0};
    const sqa_suite suite = suite_of((sqa_dtype)_i);
    for (const sqa_case_grid *grid = sqa_tuner_mla_layer.grids; grid->name; grid++)
        ck_assert_int_eq(sqa_suite_grid(&suite, grid, grid_size(), &counts), SQA_OK);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_gt(counts.passed, 0);
}
END_TEST

START_TEST(it_keeps_its_properties)
{
    sqa_suite_counts counts = {0};
    const sqa_suite suite = suite_of(SQA_DTYPE_F32);
    for (size_t i = 0; i < sqa_tuner_mla_layer.property_count; i++)
        sqa_suite_property(&suite, &sqa_tuner_mla_layer.properties[i], true, &counts);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_eq(counts.passed, sqa_tuner_mla_layer.property_count);
}
END_TEST

enum { HEADS = 3, MODEL = 20, RANK = 12, NOPE = 8, ROPE = 4, VALUE = 6, TOKENS = 11, PAGE = 4 };
enum { PAGES = (TOKENS + PAGE - 1) / PAGE, MOST = 1024 };

static void check(sqa_status status)
{
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
}

static cl_mem upload(const void *values, size_t bytes)
{
    cl_int code;
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       bytes, (void *)(uintptr_t)values, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

static cl_mem random_buffer(float most)
{
    static uint32_t state = 1;
    float values[MOST];
    for (int i = 0; i < MOST; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = most * ((float)(state >> 8) / (float)(1 << 23) - 1.0f);
    }
    return upload(values, sizeof values);
}

static sqa_mla_desc small_desc(uint32_t length)
{
    sqa_mla_desc desc = SQA_MLA_DESC_INIT;
    desc.heads = HEADS;
    desc.length = length;
    desc.d_model = MODEL;
    desc.q_lora_rank = 10;
    desc.kv_lora_rank = RANK;
    desc.nope_dim = NOPE;
    desc.rope_dim = ROPE;
    desc.value_dim = VALUE;
    return desc;
}

static void set_tensors(sqa_mla_tensors *t)
{
    const int32_t table[PAGES] = {2, 0, 1};
    cl_mem *weights[] = {&t->wdq.buffer, &t->wuq.buffer, &t->wdkv.buffer, &t->wuk.buffer,
                         &t->wuv.buffer, &t->wo.buffer,  &t->x.buffer};
    *t = (sqa_mla_tensors)SQA_MLA_TENSORS_INIT;
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        *weights[i] = random_buffer(0.6f);
    t->q_norm.buffer = random_buffer(1.5f);
    t->kv_norm.buffer = random_buffer(1.5f);
    t->block_table.buffer = upload(table, sizeof table);
    t->cache.buffer = new_buffer(PAGES * PAGE * (RANK + ROPE), NAN);
}

static void release_tensors(const sqa_mla_tensors *t)
{
    const cl_mem made[] = {t->wdq.buffer,         t->wuq.buffer,    t->wdkv.buffer,
                           t->wuk.buffer,         t->wuv.buffer,    t->wo.buffer,
                           t->x.buffer,           t->q_norm.buffer, t->kv_norm.buffer,
                           t->block_table.buffer, t->cache.buffer};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        clReleaseMemObject(made[i]);
}

/* Rows first .. first + length - 1 of X, whose Y goes to the same rows of `y`. */
static void run(sqa_mla_desc *desc, sqa_mla_tensors *t, uint32_t first, float *y)
{
    const int32_t length = (int32_t)(first + desc->length);
    const size_t count = (size_t)desc->length * MODEL;
    t->x.offset = (size_t)first * MODEL;
    t->y.buffer = new_buffer(count, NAN);
    t->kv_lengths.buffer = upload(&length, sizeof length);
    check(sqa_mla_layer(test_context, test_queue, desc, t, 0, NULL, NULL));
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, t->y.buffer, CL_TRUE, 0, count * sizeof *y,
                                         y + (size_t)first * MODEL, 0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseMemObject(t->y.buffer);
    clReleaseMemObject(t->kv_lengths.buffer);
}

static double difference(const float *a, const float *b)
{
    double off = 0.0, all = 0.0;
    for (int i = 0; i < TOKENS * MODEL; i++) {
        off += pow((double)a[i] - (double)b[i], 2.0);
        all += pow((double)b[i], 2.0);
    }
    return sqrt(off / all);
}

/* A prompt in full, of which the cache keeps the latents, then absorbed, in parts and token by
 * token; and all of it absorbed at once. */
START_TEST(absorbed_is_in_full)
{
    static const uint32_t steps[] = {3, 1, 1, 2};
    float whole[TOKENS * MODEL], parts[TOKENS * MODEL], absorbed[TOKENS * MODEL];
    sqa_mla_tensors tensors;
    sqa_mla_desc desc = small_desc(TOKENS);
    set_tensors(&tensors);
    run(&desc, &tensors, 0, whole);
    desc.capacity = TOKENS;
    desc.paged = (sqa_paged){PAGE, PAGES};
    desc.kv_dtype = _i ? SQA_DTYPE_F16 : -1;
    desc.length = 4;
    uint32_t done = desc.length;
    run(&desc, &tensors, 0, parts);
    desc.absorbed = 1;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; done += steps[i++]) {
        desc.length = steps[i];
        run(&desc, &tensors, done, parts);
    }
    ck_assert_uint_eq(done, TOKENS);
    desc.length = TOKENS;
    run(&desc, &tensors, 0, absorbed);
    const double most = _i ? 1e-3 : 1e-5;
    ck_assert_double_le(difference(parts, whole), most);
    ck_assert_double_le(difference(absorbed, whole), most);
    release_tensors(&tensors);
}
END_TEST

START_TEST(what_is_refused)
{
    sqa_mla_desc desc = small_desc(3);
    sqa_plan *plan = NULL;
    const char *named = "";
    switch (_i) {
    case 0: desc.version = 0, named = "desc.version"; break;
    case 1: desc.heads = SQA_NOT_SET, named = "desc.heads"; break;
    case 2: desc.length = SQA_NOT_SET, named = "desc.length"; break;
    case 3: desc.d_model = 0, named = "desc.d_model"; break;
    case 4: desc.kv_lora_rank = 1021, named = "desc.kv_lora_rank: 1021 is outside 1..1020"; break;
    case 5: desc.rope_dim = 3, named = "desc.rope_dim: 3 is not even"; break;
    case 6: desc.rope_dim = 0, named = "desc.rope_dim"; break;
    case 7: desc.absorbed = 1, named = "desc.paged.page_size: 0 is outside 1.."; break;
    case 8: desc.capacity = 5, named = "desc.capacity"; break;
    case 9: desc.paged.page_size = 4, desc.capacity = 5, named = "desc.paged.pages"; break;
    case 10: desc.kv_dtype = SQA_DTYPE_F16, named = "desc.kv_dtype"; break;
    case 11: desc.norm_eps = 0.0f, named = "desc.norm_eps"; break;
    case 12: desc.rope_base = NAN, named = "desc.rope_base"; break;
    case 13: desc.total = 3, named = "desc.total"; break;
    default: desc.value_dim = 1025, named = "desc.value_dim"; break;
    }
    ck_assert_int_eq(sqa_mla_plan_create(&plan, test_context, &desc, NULL), SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not say %s", sqa_last_error(),
                  named);
    ck_assert_ptr_null(plan);
}
END_TEST
enum { WRONG = 15 };

int main(void)
{
    Suite *suite = suite_create("mla_layer");
    TCase *pass = tcase_create("pass");
    tcase_add_unchecked_fixture(pass, open_device, close_device);
    tcase_add_loop_test(pass, it_is_right, 0, SQA_DTYPE_BF16 + 1);
    tcase_add_test(pass, it_keeps_its_properties);
    tcase_add_loop_test(pass, absorbed_is_in_full, 0, 2);
    tcase_add_loop_test(pass, what_is_refused, 0, WRONG);
    suite_add_tcase(suite, pass);
    return sqa_run_suite(suite);
}
