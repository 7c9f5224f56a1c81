/* Quantised caches: the bytes that appending leaves, read by the documentation alone; how far
 * attention to them is off for being quantised; a cache object that holds them. That kernels
 * compute what the numbers in a cache say, the families' own grids show. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/check.h"
#include "device/cl_status.h"
#include "opencl_fixture.h"
#include "operations/attention/reference.h"
#include "operations/case_shapes.h"
#include "operations/forward/case.h"
#include "operations/kv_append/slots.h"
#include "operations/shape.h"
#include "problem/storage.h"
#include "run_suite.h"
#include "runtime/plan.h"

enum { GROUP = 32, TOKENS = 9 };

static const struct {
    const char *name;
    sqa_dtype dtype;
    size_t bytes;     /* of a group */
    double steps;     /* of one */
    double errors[2]; /* of O, relative, of normally distributed keys and values: of queries
                         within [-1, 1), and of normally distributed ones */
    double rotated;   /* of what is left of them, where channels of keys are outliers */
} formats[] = {{"int8", SQA_DTYPE_INT8, 34, 127.0, {0.0065, 0.0085}, 0.62},
               {"int4", SQA_DTYPE_INT4, 20, 15.0, {0.095, 0.125}, 0.77}};

static void check(sqa_status status)
{
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
}

static void open_shape(sqa_host_tensors *test, const char *shape)
{
    const sqa_problem problem = sqa_case_shape_problem(shape, SQA_DTYPE_F32);
    check(sqa_host_tensors_create(test, &problem, 5, true));
}

static void run(sqa_host_tensors *test)
{
    char finding[SQA_FINDING_TEXT];
    sqa_plan *plan = NULL;
    check(sqa_plan_build(&plan, test_context, &test->problem, NULL));
    check(sqa_check_run(plan, test, test_queue, finding));
    ck_assert_str_eq(finding, "");
    sqa_plan_destroy(plan);
}

/* By IEEE 754's definition of binary16. */
static double half_at(const unsigned char *at)
{
    const int bits = at[0] | at[1] << 8, exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits & 0x8000 ? -1.0 : 1.0;
    if (exponent == 31)
        return fraction ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

/* By include/sqa_cl/kv_cache.h. */
static double element_of(int format, const unsigned char *group, int i)
{
    if (format == 0)
        return half_at(group) * (signed char)group[2 + i];
    const int q = i < 16 ? group[4 + i] & 15 : group[4 + i - 16] >> 4;
    return half_at(group) * q + half_at(group + 2);
}

/* Every token of the group is a case of its own. */
static void make_token(int token, float *x)
{
    for (int i = 0; i < GROUP; i++)
        switch (token) {
        case 1: x[i] = 0.0f; break;
        case 2: x[i] = 3.25f; break;
        case 3: x[i] = i == 7 ? NAN : x[i]; break;
        case 4: x[i] = i == 31 ? -INFINITY : x[i]; break;
        case 5: x[i] = i % 2 ? 1e30f : -1e30f; break;
        case 6: x[i] *= 1e-6f; break;
        case 7: x[i] = -100.0f + x[i]; break;
        case 8: x[i] = i == 0 ? 50.0f : x[i]; break;
        default: break;
        }
}

static void expect_group(int format, int token, const float *x, const unsigned char *group)
{
    double low = INFINITY, high = -(double)INFINITY;
    for (int i = 0; i < GROUP; i++) {
        low = fmin(low, (double)x[i]);
        high = fmax(high, (double)x[i]);
    }
    const double range = format == 0 ? fmax(-low, high) : high - low;
    /* Half a step; what the rounding of scale and minimum to f16 adds, its subnormals last. */
    const double allowed = 0.51 * range / formats[format].steps +
                           (format == 1 ? fmax(-low, high) / 2048 : 0.0) +
                           ldexp(formats[format].steps, -25);
    for (int i = 0; i < GROUP; i++) {
        const double value = element_of(format, group, i);
        if (token == 3 || token == 4)
            ck_assert_double_nan(value);
        else if (token == 5)
            ck_assert_msg(isfinite(value) && (format == 1 || fabs(value) >= 127.0 * 65504.0),
                          "%g is %g", (double)x[i], value);
        else
            ck_assert_msg(fabs(value - (double)x[i]) <= allowed, "token %d, element %d: %g is %g",
                          token, i, (double)x[i], value);
    }
}

static void expect_tokens(int format, const sqa_host_tensors *test, uint32_t from, uint32_t cache)
{
    const sqa_host_tensor *stored = &test->of[cache];
    const size_t bytes = stored->count / GROUP * formats[format].bytes;
    unsigned char *groups = malloc(bytes);
    ck_assert_ptr_nonnull(groups);
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, stored->buffer, CL_TRUE, 0, bytes, groups, 0, NULL, NULL),
        CL_SUCCESS);
    const size_t first = stored->guard / GROUP, width = stored->dim / GROUP;
    for (uint32_t t = 0; t < TOKENS; t++)
        for (size_t g = 0; g < width; g++)
            expect_group(format, g == 0 ? (int)t : 0,
                         sqa_host_tensor_at(&test->of[from], 0, 0, t) + g * GROUP,
                         groups + (first + t * width + g) * formats[format].bytes);
    free(groups);
}

START_TEST(bytes_are_as_documented)
{
    sqa_host_tensors test;
    char shape[128];
    snprintf(shape, sizeof shape, "op=kv_append,hkv=1,n=%d,nk=%d,d=64,dv=32,page=%d,kv=%s", TOKENS,
             TOKENS, TOKENS, formats[_i].name);
    open_shape(&test, shape);
    for (uint32_t t = 0; t < TOKENS; t++) {
        make_token((int)t, sqa_host_tensor_at(&test.of[SQA_SLOT_NEW_K], 0, 0, t));
        make_token((int)t, sqa_host_tensor_at(&test.of[SQA_SLOT_NEW_V], 0, 0, t));
    }
    run(&test);
    expect_tokens(_i, &test, SQA_SLOT_NEW_K, SQA_SLOT_K_CACHE);
    expect_tokens(_i, &test, SQA_SLOT_NEW_V, SQA_SLOT_V_CACHE);
    sqa_host_tensors_free(&test);
}
END_TEST

/* Normally distributed (Box and Muller), of variance 1. */
static void fill_normal(sqa_host_tensor *tensor, sqa_random *random)
{
    for (uint32_t h = 0; h < tensor->heads; h++)
        for (uint32_t i = 0; i < tensor->length; i++)
            for (uint32_t d = 0; d < tensor->dim; d++) {
                const double r = sqrt(-2.0 * log(1.0 - sqa_random_unit(random)));
                sqa_host_tensor_at(tensor, 0, h, i)[d] =
                    (float)(r * cos(2.0 * acos(-1.0) * sqa_random_unit(random)));
            }
}

/* The relative RMS error of O, as computed of what is quantised, for being so. */
static double error_of(const sqa_host_tensors *quantised, const sqa_host_tensors *exact)
{
    const sqa_attention *a = &exact->problem.of.attention;
    const sqa_reference_inputs views = sqa_host_tensors_views(exact);
    double row[SQA_MAX_HEAD_DIM], lse, error = 0.0, size = 0.0;
    for (uint32_t h = 0; h < a->out_heads; h++)
        for (uint32_t i = 0; i < a->q_length; i++) {
            sqa_reference_forward_row(a, &views, 0, h, i, row, &lse);
            const float *o = sqa_forward_case_output(quantised, 0, h, i);
            for (uint32_t d = 0; d < a->value_dim; d++) {
                error += ((double)o[d] - row[d]) * ((double)o[d] - row[d]);
                size += row[d] * row[d];
            }
        }
    return sqrt(error / size);
}

#define LONG "hq=8,hkv=8,nq=8,nk=1024,d=128"

static void copy_values(sqa_host_tensor *to, const sqa_host_tensor *from)
{
    for (uint32_t h = 0; h < from->heads; h++)
        for (uint32_t i = 0; i < from->length; i++)
            memcpy(sqa_host_tensor_at(to, 0, h, i), sqa_host_tensor_at(from, 0, h, i),
                   from->dim * sizeof(float));
}

/* The scores of queries within [-1, 1) weigh keys by less, and what is wrong with them. */
START_TEST(normal_numbers_lose_little)
{
    sqa_host_tensors exact, quantised;
    sqa_random random = {11};
    char shape[64];
    snprintf(shape, sizeof shape, LONG ",kv=%s", formats[_i].name);
    open_shape(&exact, LONG);
    open_shape(&quantised, shape);
    for (int normal = 0; normal < 2; normal++) {
        for (uint32_t slot = normal ? SQA_SLOT_Q : SQA_SLOT_K; slot <= SQA_SLOT_V; slot++)
            fill_normal(&exact.of[slot], &random);
        for (uint32_t slot = SQA_SLOT_Q; slot <= SQA_SLOT_V; slot++)
            copy_values(&quantised.of[slot], &exact.of[slot]);
        run(&quantised);
        const double error = error_of(&quantised, &exact), allowed = formats[_i].errors[normal];
        ck_assert_msg(error <= allowed && error > allowed / 2.0, "%s, %d: %.5f", formats[_i].name,
                      normal, error);
    }
    sqa_host_tensors_free(&exact);
    sqa_host_tensors_free(&quantised);
}
END_TEST

/* Of a tensor of one batch entry, by rope.h alone. */
static void rotate(sqa_host_tensor *tensor)
{
    double row[SQA_MAX_HEAD_DIM];
    for (uint32_t h = 0; h < tensor->heads; h++)
        for (uint32_t i = 0; i < tensor->length; i++) {
            float *x = sqa_host_tensor_at(tensor, 0, h, i);
            for (uint32_t a = 0; a < tensor->dim; a++) {
                row[a] = 0.0;
                for (uint32_t b = 0; b < tensor->dim; b++)
                    row[a] += (double)(__builtin_popcount(a & b) % 2 ? -x[b] : x[b]);
            }
            for (uint32_t a = 0; a < tensor->dim; a++)
                x[a] = (float)(row[a] / sqrt(tensor->dim));
        }
}

/* Some channels of keys that are much larger than the others, as those of models are. */
static void enlarge(sqa_host_tensor *tensor)
{
    static const uint32_t channels[] = {3, 40, 77, 101};
    for (uint32_t h = 0; h < tensor->heads; h++)
        for (uint32_t i = 0; i < tensor->length; i++)
            for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
                sqa_host_tensor_at(tensor, 0, h, i)[channels[c]] *= 8.0f;
}

/* Without and with outliers: the error of O as it is, and of rotated queries and keys. */
START_TEST(rotation_takes_outliers_away)
{
    sqa_host_tensors exact, quantised;
    char shape[64];
    snprintf(shape, sizeof shape, LONG ",kv=%s", formats[_i].name);
    open_shape(&exact, LONG);
    open_shape(&quantised, shape);
    for (int outliers = 0; outliers < 2; outliers++) {
        sqa_random random = {11};
        double errors[2];
        for (uint32_t slot = SQA_SLOT_K; slot <= SQA_SLOT_V; slot++)
            fill_normal(&exact.of[slot], &random);
        if (outliers)
            enlarge(&exact.of[SQA_SLOT_K]);
        for (int rotated = 0; rotated < 2; rotated++) {
            for (uint32_t slot = SQA_SLOT_Q; slot <= SQA_SLOT_V; slot++)
                copy_values(&quantised.of[slot], &exact.of[slot]);
            if (rotated) {
                rotate(&quantised.of[SQA_SLOT_Q]);
                rotate(&quantised.of[SQA_SLOT_K]);
            }
            run(&quantised);
            errors[rotated] = error_of(&quantised, &exact);
        }
        ck_assert_msg(errors[1] <= errors[0] * (outliers ? formats[_i].rotated : 1.05),
                      "%s, %d: %.5f, rotated %.5f", formats[_i].name, outliers, errors[0],
                      errors[1]);
    }
    sqa_host_tensors_free(&exact);
    sqa_host_tensors_free(&quantised);
}
END_TEST

START_TEST(what_does_not_fit_groups_is_refused)
{
    static const char *const wrong[] = {
        "hq=1,n=4,d=40,kv=int8",
        "hq=1,n=4,d=64,dv=16,kv=int4",
        "hq=1,n=4,d=64,k=0:0:80,kv=int8",
        "op=kv_append,hkv=1,n=1,nk=4,d=33,page=4,kv=int4",
        "op=kv_append,hkv=1,n=1,nk=4,d=32,page=4,vc=132:132:33,kv=int8",
    };
    sqa_problem problem;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(sqa_problem_parse(wrong[i], &problem), SQA_INVALID_ARGUMENT);
        ck_assert_msg(strstr(sqa_last_error(), "32") != NULL, "%s: %s", wrong[i], sqa_last_error());
    }
}
END_TEST

enum { DIM = 64, CAPACITY = 20, SEQUENCES = 2 };

static cl_mem upload(const float *values, size_t count)
{
    cl_int code;
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       count * sizeof *values, (void *)(uintptr_t)values, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

/* `count` tokens of sequence 0, the same for K and V. */
static void append(sqa_kv_cache *cache, const float *x, uint32_t count)
{
    sqa_kv_tokens tokens = SQA_KV_TOKENS_INIT;
    const uint32_t counts[SEQUENCES] = {count, 0};
    tokens.counts = counts;
    tokens.k.buffer = tokens.v.buffer = upload(x, (size_t)count * DIM);
    check(sqa_kv_cache_append(cache, test_queue, &tokens, 0, NULL, NULL));
    clReleaseMemObject(tokens.k.buffer);
}

/* O of a query for each sequence, from tokens that are quantised already. */
static void expect_output(const sqa_kv_cache *cache, const float *q, const float *x,
                          const uint32_t lengths[SEQUENCES])
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    float o[SEQUENCES * DIM];
    desc.q_length = 1;
    check(sqa_kv_cache_bind(cache, &desc, &tensors));
    tensors.q.buffer = upload(q, SEQUENCES * DIM);
    tensors.o.buffer = upload(q, SEQUENCES * DIM);
    check(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, tensors.o.buffer, CL_TRUE, 0, sizeof o, o, 0, NULL, NULL),
        CL_SUCCESS);
    for (uint32_t b = 0; b < SEQUENCES; b++) {
        double sum = 0.0, value[DIM] = {0};
        for (uint32_t j = 0; j < lengths[b]; j++) {
            double score = 0.0;
            for (uint32_t d = 0; d < DIM; d++)
                score += (double)q[b * DIM + d] * (double)x[j * DIM + d];
            const double weight = exp(score / sqrt(DIM));
            sum += weight;
            for (uint32_t d = 0; d < DIM; d++)
                value[d] += weight * (double)x[j * DIM + d];
        }
        for (uint32_t d = 0; d < DIM; d++)
            ck_assert_double_eq_tol((double)o[b * DIM + d], value[d] / sum, 2e-6);
    }
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.o.buffer);
}

/* A cache of rotated keys, attended to by rotated queries: as by rope.h. */
static cl_mem rotated(const float *x, uint32_t rows)
{
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    sqa_rope_tensors tensors = SQA_ROPE_TENSORS_INIT;
    desc.heads = 1;
    desc.length = rows;
    desc.dim = DIM;
    desc.rotary = 0;
    desc.hadamard = 1;
    tensors.x.buffer = tensors.y.buffer = upload(x, (size_t)rows * DIM);
    check(sqa_rope(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    return tensors.x.buffer;
}

static void download(cl_mem buffer, float *out, size_t count)
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *out, out,
                                         0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseMemObject(buffer);
}

START_TEST(a_cache_rotates_keys)
{
    sqa_kv_cache_desc desc = SQA_KV_CACHE_DESC_INIT;
    sqa_attention_desc attention = SQA_ATTENTION_DESC_INIT;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    sqa_kv_cache *cache = NULL;
    sqa_random random = {3};
    float x[CAPACITY * DIM], keys[CAPACITY * DIM], q[DIM], o[DIM], sum = 0.0f, weights[CAPACITY];
    sqa_random_floats(&random, x, CAPACITY * DIM, -1.0f, 1.0f);
    sqa_random_floats(&random, q, DIM, -1.0f, 1.0f);
    desc.kv_heads = 1;
    desc.head_dim = DIM;
    desc.capacity = CAPACITY;
    desc.page_size = 4;
    desc.kv_dtype = (int32_t)formats[_i].dtype;
    desc.hadamard = 1;
    check(sqa_kv_cache_create(&cache, test_context, &desc));
    sqa_kv_tokens tokens = SQA_KV_TOKENS_INIT;
    tokens.length = CAPACITY;
    tokens.k.buffer = tokens.v.buffer = upload(x, CAPACITY * DIM);
    check(sqa_kv_cache_append(cache, test_queue, &tokens, 0, NULL, NULL));
    clReleaseMemObject(tokens.k.buffer);
    attention.q_length = 1;
    check(sqa_kv_cache_bind(cache, &attention, &tensors));
    tensors.q.buffer = rotated(q, 1);
    tensors.o.buffer = upload(q, DIM);
    check(sqa_attention_forward(test_context, test_queue, &attention, &tensors, 0, NULL, NULL));
    clReleaseMemObject(tensors.q.buffer);
    download(tensors.o.buffer, o, DIM);
    download(rotated(x, CAPACITY), keys, CAPACITY * DIM);
    download(rotated(q, 1), q, DIM);
    sqa_storage_round_all(formats[_i].dtype, keys, CAPACITY * DIM);
    sqa_storage_round_all(formats[_i].dtype, x, CAPACITY * DIM);
    for (uint32_t j = 0; j < CAPACITY; sum += weights[j++]) {
        float score = 0.0f;
        for (uint32_t d = 0; d < DIM; d++)
            score += q[d] * keys[j * DIM + d];
        weights[j] = expf(score / sqrtf(DIM));
    }
    for (uint32_t d = 0; d < DIM; d++) {
        float value = 0.0f;
        for (uint32_t j = 0; j < CAPACITY; j++)
            value += weights[j] / sum * x[j * DIM + d];
        ck_assert_float_eq_tol(o[d], value, 2e-6f);
    }
    sqa_kv_cache_destroy(cache);
}
END_TEST

START_TEST(a_cache_holds_them)
{
    sqa_kv_cache_desc desc = SQA_KV_CACHE_DESC_INIT;
    sqa_kv_cache *cache = NULL;
    sqa_random random = {3};
    float x[CAPACITY * DIM], q[SEQUENCES * DIM];
    sqa_random_floats(&random, x, CAPACITY * DIM, -1.0f, 1.0f);
    sqa_random_floats(&random, q, SEQUENCES * DIM, -1.0f, 1.0f);
    desc.sequences = SEQUENCES;
    desc.kv_heads = 1;
    desc.head_dim = DIM;
    desc.capacity = CAPACITY;
    desc.page_size = 4;
    desc.kv_dtype = (int32_t)formats[_i].dtype;
    check(sqa_kv_cache_create(&cache, test_context, &desc));
    append(cache, x, 10);
    check(sqa_kv_cache_fork(cache, test_queue, 0, 1, 0, NULL, NULL));
    append(cache, x + 10 * DIM, 7); /* from within a page that both have */
    sqa_storage_round_all(formats[_i].dtype, x, CAPACITY * DIM);
    expect_output(cache, q, x, (const uint32_t[]){17, 10});
    sqa_kv_cache_destroy(cache);
}
END_TEST

int main(void)
{
    enum { FORMATS = sizeof formats / sizeof *formats };
    Suite *suite = suite_create("quantised");
    TCase *tests = tcase_create("quantised");
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, bytes_are_as_documented, 0, FORMATS);
    tcase_add_loop_test(tests, normal_numbers_lose_little, 0, FORMATS);
    tcase_add_loop_test(tests, rotation_takes_outliers_away, 0, FORMATS);
    tcase_add_test(tests, what_does_not_fit_groups_is_refused);
    tcase_add_loop_test(tests, a_cache_holds_them, 0, FORMATS);
    tcase_add_loop_test(tests, a_cache_rotates_keys, 0, FORMATS);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
