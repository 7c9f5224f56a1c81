/* Merging parts of attention through the public interface: what is refused and how it is said;
 * keys divided anywhere give what all of them give; parts without a key, infinities and NaN. */
#include <math.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum {
    HEADS = 4,
    KV_HEADS = 2,
    QUERIES = 3,
    KEYS = 45,
    DIM = 16,
    KV_COUNT = KV_HEADS * KEYS * DIM
};
enum { ROWS = HEADS * QUERIES, COUNT = ROWS * DIM };

static sqa_merge_desc small_desc(void)
{
    sqa_merge_desc desc = SQA_MERGE_DESC_INIT;
    desc.heads = HEADS;
    desc.length = QUERIES;
    desc.dim = DIM;
    return desc;
}

static void expect(sqa_status wanted, sqa_status got, const char *named)
{
    ck_assert_msg(got == wanted, "%s instead of %s (%s)", sqa_status_name(got),
                  sqa_status_name(wanted), sqa_last_error());
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

static void make_wrong(int which, sqa_merge_desc *desc, const char **named)
{
    switch (which) {
    case 0: desc->version = 0, *named = "desc.version"; break;
    case 1: desc->version = SQA_MERGE_DESC_VERSION + 1, *named = "desc.version"; break;
    case 2: desc->dtype = (sqa_dtype)3, *named = "desc.dtype"; break;
    case 3: desc->batch = (1u << 30) + 1, *named = "desc.batch"; break;
    case 4: desc->heads = 0, *named = "desc.heads"; break;
    case 5: desc->heads = 65536, *named = "desc.heads"; break;
    case 6: desc->length = SQA_NOT_SET, *named = "desc.length"; break;
    case 7: desc->dim = 0, *named = "desc.dim"; break;
    case 8: desc->dim = 1025, *named = "desc.dim"; break;
    case 9: desc->a = (sqa_strides){0, -1, 16}, *named = "desc.a"; break;
    case 10: desc->b = (sqa_strides){0, 16, -16}, *named = "desc.b"; break;
    default: desc->o = (sqa_strides){0, 16, 15}, *named = "desc.o"; break;
    }
}
enum { WRONG = 12 };

START_TEST(wrong_descriptors)
{
    sqa_merge_desc desc = small_desc();
    const char *named = NULL;
    sqa_plan *plan = NULL;
    make_wrong(_i, &desc, &named);
    expect(SQA_INVALID_ARGUMENT, sqa_merge_plan_create(&plan, test_context, &desc, NULL), named);
    ck_assert_ptr_null(plan);
}
END_TEST

/* A buffer of numbers in [-1, 1), times a factor. */
static cl_mem new_numbers(size_t count, unsigned seed, float factor)
{
    static float values[KV_COUNT];
    cl_int code;
    ck_assert_uint_le(count, KV_COUNT);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = ((float)(seed >> 16) / 32768.0f - 1.0f) * factor;
    }
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       count * sizeof(float), values, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

static void read_floats(cl_mem buffer, size_t count, float *out)
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *out, out,
                                         0, NULL, NULL),
                     CL_SUCCESS);
}

static void write_floats(cl_mem buffer, size_t count, const float *values)
{
    ck_assert_int_eq(clEnqueueWriteBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *values,
                                          values, 0, NULL, NULL),
                     CL_SUCCESS);
}

static sqa_merge_tensors new_tensors(void)
{
    sqa_merge_tensors tensors = SQA_MERGE_TENSORS_INIT;
    tensors.a.buffer = new_buffer(COUNT, 1.0f);
    tensors.b.buffer = new_buffer(COUNT, 3.0f);
    tensors.o.buffer = new_buffer(COUNT, NAN);
    tensors.a_lse.buffer = new_buffer(ROWS, 0.0f);
    tensors.b_lse.buffer = new_buffer(ROWS, 0.0f);
    tensors.lse.buffer = new_buffer(ROWS, NAN);
    return tensors;
}

static void release(const sqa_merge_tensors *t)
{
    const cl_mem of[] = {t->a.buffer,     t->b.buffer,     t->o.buffer,
                         t->a_lse.buffer, t->b_lse.buffer, t->lse.buffer};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        clReleaseMemObject(of[i]);
}

/* The keys from `first` on, before `end`. */
static void attend(const sqa_tensors *all, uint32_t first, uint32_t end, cl_mem o, cl_mem lse)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_tensors tensors = *all;
    desc.q_heads = HEADS;
    desc.kv_heads = KV_HEADS;
    desc.q_length = QUERIES;
    desc.kv_length = end - first;
    desc.head_dim = DIM;
    desc.write_lse = 1;
    desc.k = desc.v = sqa_strides_bhsd(KV_HEADS, KEYS, DIM);
    tensors.k.offset = tensors.v.offset = (size_t)first * DIM;
    tensors.o.buffer = o;
    tensors.lse.buffer = lse;
    ck_assert_msg(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL) ==
                      SQA_OK,
                  "%s", sqa_last_error());
}

static void merge(const sqa_merge_tensors *tensors)
{
    const sqa_merge_desc desc = small_desc();
    ck_assert_msg(sqa_merge(test_context, test_queue, &desc, tensors, 0, NULL, NULL) == SQA_OK,
                  "%s", sqa_last_error());
}

/* A sequence whose keys are divided at any point, its ends included. */
START_TEST(two_parts_are_the_whole)
{
    sqa_tensors all = SQA_TENSORS_INIT;
    sqa_merge_tensors parts = new_tensors();
    float o[COUNT], lse[ROWS], merged[COUNT], merged_lse[ROWS];
    all.q.buffer = new_numbers(COUNT, 1, 3.0f);
    all.k.buffer = new_numbers(KV_COUNT, 2, 3.0f);
    all.v.buffer = new_numbers(KV_COUNT, 3, 1.0f);
    attend(&all, 0, KEYS, parts.o.buffer, parts.lse.buffer);
    read_floats(parts.o.buffer, COUNT, o);
    read_floats(parts.lse.buffer, ROWS, lse);
    for (uint32_t at = 0; at <= KEYS; at++) {
        attend(&all, 0, at, parts.a.buffer, parts.a_lse.buffer);
        attend(&all, at, KEYS, parts.b.buffer, parts.b_lse.buffer);
        merge(&parts);
        read_floats(parts.o.buffer, COUNT, merged);
        read_floats(parts.lse.buffer, ROWS, merged_lse);
        for (int i = 0; i < COUNT; i++)
            ck_assert_float_eq_tol(merged[i], o[i], 1e-6f);
        for (int i = 0; i < ROWS; i++)
            ck_assert_float_eq_tol(merged_lse[i], lse[i], 1e-6f * fmaxf(1.0f, fabsf(lse[i])));
    }
    clReleaseMemObject(all.q.buffer);
    clReleaseMemObject(all.k.buffer);
    clReleaseMemObject(all.v.buffer);
    release(&parts);
}
END_TEST

/* O of the parts is 1 and 3 but for what a row says. */
START_TEST(special_rows)
{
    static const struct {
        float a_lse, b_lse, a, o, lse;
    } rows[ROWS] = {
        {0.0f, 0.0f, 1.0f, 2.0f, 0.69314718f},
        {-INFINITY, 5.0f, 1.0f, 3.0f, 5.0f},
        {5.0f, -INFINITY, 1.0f, 1.0f, 5.0f},
        {-INFINITY, -INFINITY, 1.0f, 0.0f, -INFINITY},
        {-INFINITY, 5.0f, NAN, 3.0f, 5.0f}, /* has seen nothing, whatever it holds */
        {-INFINITY, -INFINITY, NAN, 0.0f, -INFINITY},
        {-300.0f, 5.0f, NAN, NAN, 5.0f}, /* has, however little it weighs */
        {NAN, 5.0f, 1.0f, NAN, NAN},
        {NAN, -INFINITY, 1.0f, NAN, NAN},
        {3e38f, -3e38f, 1.0f, 1.0f, 3e38f},
        {INFINITY, 5.0f, 1.0f, 1.0f, INFINITY},
        {-3e38f, -3e38f, 3e38f, 1.5e38f, -3e38f},
    };
    sqa_merge_tensors tensors = new_tensors();
    float a[COUNT], a_lse[ROWS], b_lse[ROWS], o[COUNT], lse[ROWS];
    for (int i = 0; i < COUNT; i++)
        a[i] = rows[i / DIM].a;
    for (int i = 0; i < ROWS; i++) {
        a_lse[i] = rows[i].a_lse;
        b_lse[i] = rows[i].b_lse;
    }
    write_floats(tensors.a.buffer, COUNT, a);
    write_floats(tensors.a_lse.buffer, ROWS, a_lse);
    write_floats(tensors.b_lse.buffer, ROWS, b_lse);
    merge(&tensors);
    read_floats(tensors.o.buffer, COUNT, o);
    read_floats(tensors.lse.buffer, ROWS, lse);
    for (int i = 0; i < COUNT; i++) {
        const float wanted = rows[i / DIM].o;
        ck_assert_msg(isnan(wanted) ? isnan(o[i]) : fabsf(o[i] - wanted) <= 1e-6f * fabsf(wanted),
                      "row %d: %g instead of %g", i / DIM, (double)o[i], (double)wanted);
    }
    for (int i = 0; i < ROWS; i++) {
        const float wanted = rows[i].lse;
        ck_assert_msg(isnan(wanted)
                          ? isnan(lse[i])
                          : lse[i] == wanted || fabsf(lse[i] - wanted) <= 1e-6f * fabsf(wanted),
                      "row %d: LSE %g instead of %g", i, (double)lse[i], (double)wanted);
    }
    release(&tensors);
}
END_TEST

START_TEST(plans)
{
    sqa_merge_tensors tensors = new_tensors(), without = tensors;
    const sqa_merge_desc desc = small_desc();
    sqa_plan *plan = NULL;
    float o[COUNT];
    ck_assert_int_eq(sqa_merge_plan_create(&plan, test_context, &desc, NULL), SQA_OK);
    ck_assert_int_eq(sqa_merge_run(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    read_floats(tensors.o.buffer, COUNT, o);
    for (int i = 0; i < COUNT; i++)
        ck_assert_float_eq_tol(o[i], 2.0f, 1e-6f);
    without.b_lse.buffer = NULL;
    expect(SQA_INVALID_ARGUMENT, sqa_merge_run(plan, test_queue, &without, 0, NULL, NULL),
           "tensors.b_lse");
    expect(SQA_INVALID_ARGUMENT, sqa_merge_run(plan, test_queue, NULL, 0, NULL, NULL), "tensors");
    expect(SQA_INVALID_ARGUMENT, sqa_merge(test_context, test_queue, NULL, &tensors, 0, NULL, NULL),
           "desc");
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("merge");
    TCase *tests = tcase_create("merge");
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, wrong_descriptors, 0, WRONG);
    tcase_add_test(tests, two_parts_are_the_whole);
    tcase_add_test(tests, special_rows);
    tcase_add_test(tests, plans);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
