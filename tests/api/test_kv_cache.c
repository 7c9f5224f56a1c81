/* Caches through the public interface: what sqa_kv_append() refuses; an sqa_kv_cache that is
 * filled, forked, cut and filled again holds what was appended, as attention to it shows, and is
 * full exactly when it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum { SEQUENCES = 3, KV_HEADS = 2, Q_HEADS = 4, DIM = 8, CAPACITY = 21, PAGE = 4 };
enum { TOKEN = KV_HEADS * DIM, LSE_COUNT = SEQUENCES * Q_HEADS, COUNT = LSE_COUNT * DIM };

static void expect(sqa_status wanted, sqa_status got, const char *named)
{
    ck_assert_msg(got == wanted, "%s instead of %s (%s)", sqa_status_name(got),
                  sqa_status_name(wanted), sqa_last_error());
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
}

static void check(sqa_status status)
{
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
}

static void make_wrong(int which, sqa_kv_append_desc *desc, const char **named)
{
    switch (which) {
    case 0: desc->version = 0, *named = "desc.version"; break;
    case 1: desc->version = SQA_KV_APPEND_DESC_VERSION + 1, *named = "desc.version"; break;
    case 2: desc->dtype = (sqa_dtype)3, *named = "desc.dtype"; break;
    case 3: desc->batch = 65536, *named = "desc.batch"; break;
    case 4: desc->kv_heads = SQA_NOT_SET, *named = "desc.kv_heads"; break;
    case 5: desc->length = SQA_NOT_SET, *named = "desc.length"; break;
    case 6: desc->head_dim = 0, *named = "desc.head_dim"; break;
    case 7: desc->value_dim = 1025, *named = "desc.value_dim"; break;
    case 8: desc->capacity = SQA_NOT_SET, *named = "desc.capacity"; break;
    case 9: desc->paged.page_size = 0, *named = "desc.paged.page_size"; break;
    case 10: desc->total = 3, *named = "desc.total"; break;
    case 11: desc->rotary = 3, *named = "desc.rotary"; break;
    case 12: desc->rotary = 10, *named = "desc.rotary"; break;
    case 13: desc->base = NAN, *named = "desc.base"; break;
    case 14: desc->hadamard = 2, *named = "desc.hadamard"; break;
    case 15: desc->k = (sqa_strides){0, -1, 8}, *named = "desc.k"; break;
    default: desc->v_cache = (sqa_strides){0, 8, 8}, *named = "desc.v_cache"; break;
    }
}
enum { WRONG = 17 };

static sqa_kv_append_desc small_append(void)
{
    sqa_kv_append_desc desc = SQA_KV_APPEND_DESC_INIT;
    desc.batch = 2;
    desc.kv_heads = KV_HEADS;
    desc.length = 3;
    desc.head_dim = DIM;
    desc.capacity = CAPACITY;
    desc.paged = (sqa_paged){PAGE, 12};
    return desc;
}

START_TEST(wrong_descriptors)
{
    sqa_kv_append_desc desc = small_append();
    const char *named = NULL;
    sqa_plan *plan = NULL;
    make_wrong(_i, &desc, &named);
    expect(SQA_INVALID_ARGUMENT, sqa_kv_append_plan_create(&plan, test_context, &desc, NULL),
           named);
    ck_assert_ptr_null(plan);
}
END_TEST

START_TEST(what_does_not_fit_is_named)
{
    sqa_kv_append_desc desc = small_append();
    check(sqa_kv_append_check(&desc, (const int32_t[]){0, CAPACITY - 3}, NULL));
    expect(SQA_INVALID_ARGUMENT,
           sqa_kv_append_check(&desc, (const int32_t[]){0, CAPACITY - 2}, NULL),
           "positions[1]: of 3 new tokens behind 19 fit 2");
    expect(SQA_INVALID_ARGUMENT, sqa_kv_append_check(&desc, (const int32_t[]){-1, 0}, NULL),
           "positions[0]");
    desc.ragged = 1;
    desc.total = 4;
    const int32_t at[] = {20, 5};
    check(sqa_kv_append_check(&desc, at, (const int32_t[]){0, 1, 4}));
    expect(SQA_INVALID_ARGUMENT, sqa_kv_append_check(&desc, at, (const int32_t[]){0, 2, 4}),
           "positions[0]");
    expect(SQA_INVALID_ARGUMENT, sqa_kv_append_check(&desc, at, (const int32_t[]){0, 0, 4}),
           "sequence 1 has 4 tokens");
    expect(SQA_INVALID_ARGUMENT, sqa_kv_append_check(&desc, at, (const int32_t[]){0, 1, 3}),
           "the total, 4");
}
END_TEST

/* What the tests keep beside the cache: the tokens of every sequence, K and V. */
typedef struct shadow {
    uint32_t length[SEQUENCES];
    float k[SEQUENCES][CAPACITY][TOKEN], v[SEQUENCES][CAPACITY][TOKEN];
} shadow;

static sqa_kv_cache *new_cache(uint32_t pages)
{
    sqa_kv_cache_desc desc = SQA_KV_CACHE_DESC_INIT;
    sqa_kv_cache *cache = NULL;
    desc.sequences = SEQUENCES;
    desc.kv_heads = KV_HEADS;
    desc.head_dim = DIM;
    desc.capacity = CAPACITY;
    desc.page_size = PAGE;
    desc.pages = pages;
    check(sqa_kv_cache_create(&cache, test_context, &desc));
    return cache;
}

static cl_mem upload(const float *values, size_t count)
{
    cl_int code;
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       count * sizeof *values, (void *)(uintptr_t)values, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

/* Random numbers, another sequence of them in every call. */
static float next_number(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (float)(1 << 23) - 1.0f;
}

/* Appends counts[b] tokens, rows of (kv_heads, rows, dim). */
static sqa_status append(sqa_kv_cache *cache, shadow *host, const uint32_t counts[SEQUENCES])
{
    sqa_kv_tokens tokens = SQA_KV_TOKENS_INIT;
    uint32_t rows = counts[0] + counts[1] + counts[2], row = 0;
    float *k = calloc(rows * TOKEN + 1u, sizeof *k), *v = calloc(rows * TOKEN + 1u, sizeof *v);
    ck_assert(k && v);
    for (uint32_t i = 0; i < rows * TOKEN; i++)
        k[i] = next_number(), v[i] = next_number();
    tokens.counts = counts;
    tokens.k.buffer = upload(k, rows * TOKEN + 1u);
    tokens.v.buffer = upload(v, rows * TOKEN + 1u);
    const sqa_status status = sqa_kv_cache_append(cache, test_queue, &tokens, 0, NULL, NULL);
    for (uint32_t b = 0; status == SQA_OK && b < SEQUENCES; b++)
        for (uint32_t i = 0; i < counts[b]; i++, row++, host->length[b]++)
            for (uint32_t h = 0; h < KV_HEADS; h++) {
                memcpy(host->k[b][host->length[b]] + h * DIM, k + (h * rows + row) * DIM,
                       DIM * sizeof *k);
                memcpy(host->v[b][host->length[b]] + h * DIM, v + (h * rows + row) * DIM,
                       DIM * sizeof *v);
            }
    clReleaseMemObject(tokens.k.buffer);
    clReleaseMemObject(tokens.v.buffer);
    free(k);
    free(v);
    return status;
}

static double expected(const shadow *host, const float *q, uint32_t b, uint32_t h, uint32_t d)
{
    const uint32_t kv = h / (Q_HEADS / KV_HEADS);
    double sum = 0.0, value = 0.0;
    for (uint32_t j = 0; j < host->length[b]; j++) {
        double s = 0.0;
        for (uint32_t e = 0; e < DIM; e++)
            s += (double)q[(b * Q_HEADS + h) * DIM + e] * (double)host->k[b][j][kv * DIM + e];
        s = exp(s / sqrt(DIM));
        sum += s;
        value += s * (double)host->v[b][j][kv * DIM + d];
    }
    return sum > 0.0 ? value / sum : 0.0;
}

/* A query of each sequence sees what its tokens make. */
static void expect_tokens(const sqa_kv_cache *cache, const shadow *host)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    float q[COUNT], o[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        q[i] = next_number();
    desc.q_heads = Q_HEADS;
    desc.q_length = 1;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    check(sqa_kv_cache_bind(cache, &desc, &tensors));
    tensors.q.buffer = upload(q, COUNT);
    tensors.o.buffer = new_buffer(COUNT, NAN);
    check(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, tensors.o.buffer, CL_TRUE, 0, sizeof o, o, 0, NULL, NULL),
        CL_SUCCESS);
    for (uint32_t b = 0; b < SEQUENCES; b++) {
        uint32_t length;
        check(sqa_kv_cache_length(cache, b, &length, NULL));
        ck_assert_uint_eq(length, host->length[b]);
        for (uint32_t h = 0; h < Q_HEADS; h++)
            for (uint32_t d = 0; d < DIM; d++)
                ck_assert_double_eq_tol((double)o[(b * Q_HEADS + h) * DIM + d],
                                        expected(host, q, b, h, d), 2e-6);
    }
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.o.buffer);
}

static void fork_to(sqa_kv_cache *cache, shadow *host, uint32_t from, uint32_t to)
{
    check(sqa_kv_cache_fork(cache, test_queue, from, to, 0, NULL, NULL));
    memcpy(host->k[to], host->k[from], sizeof host->k[to]);
    memcpy(host->v[to], host->v[from], sizeof host->v[to]);
    host->length[to] = host->length[from];
}

static void cut(sqa_kv_cache *cache, shadow *host, uint32_t sequence, uint32_t length)
{
    check(sqa_kv_cache_truncate(cache, test_queue, sequence, length, 0, NULL, NULL));
    host->length[sequence] = length;
}

START_TEST(sequences_grow_fork_and_shrink)
{
    static shadow host;
    sqa_kv_cache *cache = new_cache(0);
    expect_tokens(cache, &host);
    check(append(cache, &host, (const uint32_t[]){5, 0, 1}));
    expect_tokens(cache, &host);
    fork_to(cache, &host, 0, 1);
    expect_tokens(cache, &host);
    /* Both go on in a page that they share; then one ends within one that they do. */
    check(append(cache, &host, (const uint32_t[]){2, 3, 0}));
    expect_tokens(cache, &host);
    cut(cache, &host, 2, 0);
    fork_to(cache, &host, 1, 2);
    cut(cache, &host, 1, 6);
    check(append(cache, &host, (const uint32_t[]){0, 1, 0}));
    check(append(cache, &host, (const uint32_t[]){1, 0, 9}));
    expect_tokens(cache, &host);
    expect(SQA_INVALID_ARGUMENT, sqa_kv_cache_fork(cache, test_queue, 0, 1, 0, NULL, NULL), "to");
    expect(SQA_INVALID_ARGUMENT, sqa_kv_cache_fork(cache, test_queue, 3, 1, 0, NULL, NULL), "from");
    expect(SQA_INVALID_ARGUMENT, sqa_kv_cache_truncate(cache, test_queue, 1, 8, 0, NULL, NULL),
           "length");
    expect_tokens(cache, &host);
    sqa_kv_cache_destroy(cache);
}
END_TEST

START_TEST(full_is_full)
{
    static shadow host;
    sqa_kv_cache *cache = new_cache(0);
    uint32_t room;
    check(append(cache, &host, (const uint32_t[]){CAPACITY - 1, 2, 0}));
    expect(SQA_INVALID_ARGUMENT, append(cache, &host, (const uint32_t[]){2, 1, 1}),
           "of 2 new ones of sequence 0, which has 20, fit 1");
    expect_tokens(cache, &host);
    check(append(cache, &host, (const uint32_t[]){1, 0, CAPACITY}));
    check(sqa_kv_cache_length(cache, 0, NULL, &room));
    ck_assert_uint_eq(room, 0);
    expect(SQA_INVALID_ARGUMENT, append(cache, &host, (const uint32_t[]){0, 0, 1}), "sequence 2");
    expect_tokens(cache, &host);
    sqa_kv_cache_destroy(cache);
}
END_TEST

/* Fewer pages than sequences may ask for; a page that is shared takes one more. */
START_TEST(pages_run_out)
{
    static shadow host;
    sqa_kv_cache *cache = new_cache(4);
    uint32_t room;
    check(append(cache, &host, (const uint32_t[]){6, 0, 0}));
    fork_to(cache, &host, 0, 1);
    check(sqa_kv_cache_length(cache, 1, NULL, &room));
    ck_assert_uint_eq(room, 6); /* of its own copy, and of one more page */
    expect(SQA_INVALID_ARGUMENT, append(cache, &host, (const uint32_t[]){1, 7, 0}), "sequence 1");
    check(append(cache, &host, (const uint32_t[]){0, 6, 0}));
    check(append(cache, &host, (const uint32_t[]){2, 0, 0}));
    expect(SQA_INVALID_ARGUMENT, append(cache, &host, (const uint32_t[]){1, 0, 0}), "fit 0");
    expect_tokens(cache, &host);
    cut(cache, &host, 1, 0);
    check(append(cache, &host, (const uint32_t[]){0, 0, 8}));
    expect_tokens(cache, &host);
    sqa_kv_cache_destroy(cache);
}
END_TEST

START_TEST(a_call_that_fails_changes_nothing)
{
    static shadow host;
    sqa_kv_cache *cache = new_cache(0);
    sqa_kv_tokens tokens = SQA_KV_TOKENS_INIT;
    sqa_kv_cache_desc desc = SQA_KV_CACHE_DESC_INIT;
    sqa_kv_cache *none = NULL;
    check(append(cache, &host, (const uint32_t[]){3, 4, 5}));
    tokens.length = 2;
    tokens.k.buffer = new_buffer(SEQUENCES * 2 * TOKEN, 1.0f);
    tokens.v.buffer = new_buffer(SEQUENCES * 2 * TOKEN - 1, 1.0f);
    expect(SQA_INVALID_ARGUMENT, sqa_kv_cache_append(cache, test_queue, &tokens, 0, NULL, NULL),
           "tensors.v");
    tokens.version = 2;
    expect(SQA_INVALID_ARGUMENT, sqa_kv_cache_append(cache, test_queue, &tokens, 0, NULL, NULL),
           "tokens.version");
    expect_tokens(cache, &host);
    clReleaseMemObject(tokens.k.buffer);
    clReleaseMemObject(tokens.v.buffer);
    sqa_kv_cache_destroy(cache);
    desc.kv_heads = 0;
    desc.capacity = 9;
    expect(SQA_INVALID_ARGUMENT, sqa_kv_cache_create(&none, test_context, &desc), "desc.kv_heads");
    desc.kv_heads = 2;
    desc.page_size = 0;
    expect(SQA_INVALID_ARGUMENT, sqa_kv_cache_create(&none, test_context, &desc), "desc.page_size");
    ck_assert_ptr_null(none);
    sqa_kv_cache_destroy(NULL);
}
END_TEST

enum { STEPS = CAPACITY, PROMPT = 5 };
enum { Q_COUNT = Q_HEADS * STEPS * DIM, KV_COUNT = KV_HEADS * STEPS * DIM };

static void turn(cl_mem buffer, uint32_t heads, uint32_t length, const sqa_tensor *positions)
{
    sqa_rope_desc desc = SQA_ROPE_DESC_INIT;
    sqa_rope_tensors tensors = SQA_ROPE_TENSORS_INIT;
    desc.heads = heads;
    desc.length = length;
    desc.dim = DIM;
    desc.positions = positions != NULL;
    tensors.x.buffer = tensors.y.buffer = buffer;
    if (positions)
        tensors.positions = *positions;
    check(sqa_rope(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
}

static void read_floats(cl_mem buffer, float *out, size_t count)
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *out, out,
                                         0, NULL, NULL),
                     CL_SUCCESS);
}

/* O of all tokens in one pass, K and V (kv_heads, STEPS, DIM). */
static void whole_pass(const float *q, const float *k, const float *v, float *o)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    desc.q_heads = Q_HEADS;
    desc.kv_heads = KV_HEADS;
    desc.q_length = desc.kv_length = STEPS;
    desc.head_dim = DIM;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    tensors.q.buffer = upload(q, Q_COUNT);
    tensors.k.buffer = upload(k, KV_COUNT);
    tensors.v.buffer = upload(v, KV_COUNT);
    tensors.o.buffer = new_buffer(Q_COUNT, NAN);
    turn(tensors.q.buffer, Q_HEADS, STEPS, NULL);
    turn(tensors.k.buffer, KV_HEADS, STEPS, NULL);
    check(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    read_floats(tensors.o.buffer, o, Q_COUNT);
    const cl_mem made[] = {tensors.q.buffer, tensors.k.buffer, tensors.v.buffer, tensors.o.buffer};
    for (int i = 0; i < 4; i++)
        clReleaseMemObject(made[i]);
}

/* Rows first .. first + count - 1 of (heads, STEPS, DIM), as (heads, count, DIM). */
static cl_mem upload_rows(const float *of, uint32_t heads, uint32_t first, uint32_t count)
{
    float rows[Q_COUNT];
    for (uint32_t h = 0; h < heads; h++)
        memcpy(rows + h * count * DIM, of + (h * STEPS + first) * DIM, count * DIM * sizeof *rows);
    return upload(rows, heads * count * DIM);
}

/* Tokens first .. first + count - 1 through the cache; their O as (heads, count, DIM). */
static void step(sqa_kv_cache *cache, const float *q, const float *k, const float *v,
                 uint32_t first, uint32_t count, float *o)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    sqa_kv_tokens tokens = SQA_KV_TOKENS_INIT;
    const sqa_tensor positions = sqa_kv_cache_positions(cache);
    tokens.length = count;
    tokens.k.buffer = upload_rows(k, KV_HEADS, first, count);
    tokens.v.buffer = upload_rows(v, KV_HEADS, first, count);
    check(sqa_kv_cache_append(cache, test_queue, &tokens, 0, NULL, NULL));
    desc.q_heads = Q_HEADS;
    desc.q_length = count;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    check(sqa_kv_cache_bind(cache, &desc, &tensors));
    tensors.q.buffer = upload_rows(q, Q_HEADS, first, count);
    tensors.o.buffer = new_buffer(Q_HEADS * count * DIM, NAN);
    turn(tensors.q.buffer, Q_HEADS, count, count == 1 ? &positions : NULL);
    check(sqa_attention_forward(test_context, test_queue, &desc, &tensors, 0, NULL, NULL));
    read_floats(tensors.o.buffer, o, Q_HEADS * count * DIM);
    const cl_mem made[] = {tokens.k.buffer, tokens.v.buffer, tensors.q.buffer, tensors.o.buffer};
    for (int i = 0; i < 4; i++)
        clReleaseMemObject(made[i]);
}

/* A prompt, then token by token, turned by their positions: the rows of one pass over all. */
START_TEST(token_by_token_is_one_pass)
{
    float q[Q_COUNT], k[KV_COUNT], v[KV_COUNT], whole[Q_COUNT], o[Q_COUNT];
    sqa_kv_cache_desc desc = SQA_KV_CACHE_DESC_INIT;
    sqa_kv_cache *cache = NULL;
    desc.kv_heads = KV_HEADS;
    desc.head_dim = desc.rotary = DIM;
    desc.capacity = STEPS;
    desc.page_size = PAGE;
    check(sqa_kv_cache_create(&cache, test_context, &desc));
    for (int i = 0; i < Q_COUNT; i++)
        q[i] = next_number();
    for (int i = 0; i < KV_COUNT; i++)
        k[i] = next_number(), v[i] = next_number();
    whole_pass(q, k, v, whole);
    for (uint32_t first = 0, count = PROMPT; first < STEPS; first += count, count = 1) {
        step(cache, q, k, v, first, count, o);
        for (uint32_t h = 0; h < Q_HEADS; h++)
            for (uint32_t i = 0; i < count * DIM; i++)
                ck_assert_float_eq_tol(o[h * count * DIM + i], whole[(h * STEPS + first) * DIM + i],
                                       1e-6f);
    }
    sqa_kv_cache_destroy(cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kv_cache");
    TCase *tests = tcase_create("kv_cache");
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, wrong_descriptors, 0, WRONG);
    tcase_add_test(tests, what_does_not_fit_is_named);
    tcase_add_test(tests, sequences_grow_fork_and_shrink);
    tcase_add_test(tests, full_is_full);
    tcase_add_test(tests, pages_run_out);
    tcase_add_test(tests, a_call_that_fails_changes_nothing);
    tcase_add_test(tests, token_by_token_is_one_pass);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
