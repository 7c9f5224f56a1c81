/* A layer with a cache, as text is generated: prompts of several sequences, more of them in parts,
 * then token by token, give the rows of Y that all tokens at once give; what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum { SEQUENCES = 2, MODEL = 12, DIM = 8, LONG_DIM = 32, HEADS = 8, CAPACITY = 13, STEPS = 6 };
enum { MOST_COLUMNS = HEADS * LONG_DIM, Y_COUNT = SEQUENCES * CAPACITY * MODEL };

/* New tokens of each sequence, step by step; in an even batch all have the first one's. */
static const uint32_t counts[STEPS][SEQUENCES] = {{5, 3}, {3, 0}, {2, 4}, {1, 1}, {1, 1}, {1, 1}};

/* Between them: every variant, both kinds of pairs and none, one token to a page and all of them.
 */
static const struct generation {
    sqa_variant variant;
    sqa_layer_rope rope;
    uint32_t qk_norm, gate, fused, biases, ragged, page;
    sqa_dtype cache;
    double most; /* relative root mean square */
    uint32_t hadamard;
} generations[] = {
    {SQA_VARIANT_MHA, SQA_LAYER_ROPE_HALF, 0, 0, 0, 0, 1, 4, SQA_DTYPE_F32, 1e-6, 0},
    {SQA_VARIANT_GQA, SQA_LAYER_ROPE_INTERLEAVED, 1, 1, 1, 1, 1, 5, SQA_DTYPE_F32, 1e-6, 1},
    {SQA_VARIANT_MQA, SQA_LAYER_ROPE_HALF, 1, 0, 1, 0, 0, CAPACITY, SQA_DTYPE_F32, 1e-6, 0},
    {SQA_VARIANT_SQA, SQA_LAYER_ROPE_HALF, 0, 1, 0, 1, 0, 1, SQA_DTYPE_F16, 1e-3, 0},
    {SQA_VARIANT_SSQA, SQA_LAYER_ROPE_NONE, 0, 0, 1, 0, 1, CAPACITY, SQA_DTYPE_F32, 1e-6, 1},
    {SQA_VARIANT_XSQA, SQA_LAYER_ROPE_INTERLEAVED, 0, 0, 0, 0, 0, 4, SQA_DTYPE_F32, 1e-6, 0},
    {SQA_VARIANT_XSMQA, SQA_LAYER_ROPE_NONE, 1, 0, 0, 1, 1, 16, SQA_DTYPE_F32, 1e-6, 0},
    {SQA_VARIANT_LSQA, SQA_LAYER_ROPE_HALF, 1, 1, 0, 0, 1, 2, SQA_DTYPE_F16, 1e-3, 0},
    {SQA_VARIANT_RSQA, SQA_LAYER_ROPE_INTERLEAVED, 0, 1, 1, 0, 1, 4, SQA_DTYPE_BF16, 8e-3, 0},
    {SQA_VARIANT_SQA, SQA_LAYER_ROPE_HALF, 1, 0, 0, 0, 1, 4, SQA_DTYPE_INT8, 1e-2, 1},
    {SQA_VARIANT_XSQA, SQA_LAYER_ROPE_INTERLEAVED, 0, 0, 1, 0, 0, 5, SQA_DTYPE_INT4, 0.15, 1},
};
enum { GENERATIONS = sizeof generations / sizeof *generations };

/* A quantised group takes more than a page's worth of small vectors. */
static uint32_t dim_of(const struct generation *g)
{
    return g->cache > SQA_DTYPE_BF16 ? LONG_DIM : DIM;
}

static void check(sqa_status status)
{
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
}

static float next_number(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (float)(1 << 23) - 1.0f;
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

static cl_mem random_buffer(size_t count, float most)
{
    float values[MODEL * 3 * MOST_COLUMNS];
    for (size_t i = 0; i < count; i++)
        values[i] = most * next_number();
    return upload(values, count);
}

static void read(cl_mem buffer, float *out, size_t count)
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *out, out,
                                         0, NULL, NULL),
                     CL_SUCCESS);
}

/* A layer of the kind, its weights in `tensors`. */
typedef struct model {
    sqa_attention_desc attention;
    sqa_layer_desc layer;
    sqa_layer_tensors tensors;
    float x[SEQUENCES][CAPACITY * MODEL];
} model;

static void start(model *self, const struct generation *g)
{
    sqa_layer_tensors *t = &self->tensors;
    *t = (sqa_layer_tensors)SQA_LAYER_TENSORS_INIT;
    self->attention = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    self->layer = (sqa_layer_desc)SQA_LAYER_DESC_INIT;
    self->layer.attention = &self->attention;
    self->layer.d_model = MODEL;
    self->layer.rope = g->rope;
    self->layer.qk_norm = g->qk_norm;
    self->layer.gate = g->gate;
    self->layer.fused_qkv = g->fused;
    self->layer.biases = g->biases;
    self->layer.hadamard = g->hadamard;
    check(
        sqa_variant_heads(g->variant, HEADS, &self->attention.q_heads, &self->attention.kv_heads));
    self->attention.head_dim = dim_of(g);
    self->attention.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    cl_mem *of[] = {&t->wq.buffer,     &t->wk.buffer,    &t->wv.buffer, &t->wqkv.buffer,
                    &t->wo.buffer,     &t->wg.buffer,    &t->bq.buffer, &t->bk.buffer,
                    &t->bv.buffer,     &t->bqkv.buffer,  &t->bo.buffer, &t->bg.buffer,
                    &t->q_norm.buffer, &t->k_norm.buffer};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        *of[i] = random_buffer(MODEL * 3 * MOST_COLUMNS, 0.5f);
    for (int b = 0; b < SEQUENCES; b++)
        for (int i = 0; i < CAPACITY * MODEL; i++)
            self->x[b][i] = next_number();
}

static void end(model *self)
{
    sqa_layer_tensors *t = &self->tensors;
    const cl_mem made[] = {t->wq.buffer,     t->wk.buffer,    t->wv.buffer, t->wqkv.buffer,
                           t->wo.buffer,     t->wg.buffer,    t->bq.buffer, t->bk.buffer,
                           t->bv.buffer,     t->bqkv.buffer,  t->bo.buffer, t->bg.buffer,
                           t->q_norm.buffer, t->k_norm.buffer};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        clReleaseMemObject(made[i]);
}

/* All tokens of a sequence at once, without a cache and what is for one only. */
static void whole_pass(const model *self, uint32_t sequence, float *y)
{
    sqa_attention_desc attention = self->attention;
    sqa_layer_desc layer = self->layer;
    sqa_layer_tensors tensors = self->tensors;
    layer.attention = &attention;
    layer.hadamard = 0;
    attention.q_length = attention.kv_length = CAPACITY;
    tensors.x.buffer = upload(self->x[sequence], CAPACITY * MODEL);
    tensors.y.buffer = new_buffer(CAPACITY * MODEL, NAN);
    check(sqa_layer(test_context, test_queue, &layer, &tensors, 0, NULL, NULL));
    read(tensors.y.buffer, y, CAPACITY * MODEL);
    clReleaseMemObject(tensors.x.buffer);
    clReleaseMemObject(tensors.y.buffer);
}

static sqa_kv_cache *new_cache(const model *self, const struct generation *g)
{
    sqa_kv_cache_desc desc = SQA_KV_CACHE_DESC_INIT;
    sqa_kv_cache *cache = NULL;
    desc.kv_dtype = (int32_t)g->cache;
    desc.sequences = SEQUENCES;
    desc.kv_heads = self->attention.kv_heads;
    desc.head_dim = dim_of(g);
    desc.capacity = CAPACITY;
    desc.page_size = g->page;
    desc.hadamard = g->hadamard; /* does not count */
    check(sqa_kv_cache_create(&cache, test_context, &desc));
    return cache;
}

/* The next tokens of each sequence through the cache; their rows of Y behind those of before. */
static void step(model *self, sqa_kv_cache *cache, const uint32_t *count, bool ragged,
                 uint32_t done[SEQUENCES], float y[SEQUENCES][CAPACITY * MODEL])
{
    sqa_kv_tokens tokens = SQA_KV_TOKENS_INIT;
    float rows[Y_COUNT];
    uint32_t total = 0, longest = 0;
    for (uint32_t b = 0; b < SEQUENCES; total += count[b], b++) {
        memcpy(rows + total * MODEL, self->x[b] + done[b] * MODEL, count[b] * MODEL * sizeof *rows);
        longest = count[b] > longest ? count[b] : longest;
    }
    tokens.length = longest;
    tokens.counts = ragged ? count : NULL;
    check(sqa_kv_cache_extend(cache, test_queue, &tokens, 0, NULL, NULL));
    self->attention.q_length = longest;
    self->attention.ragged = ragged ? (sqa_ragged){1, total, 0} : (sqa_ragged){0, 0, 0};
    check(sqa_kv_cache_bind_layer(cache, &self->attention, &self->tensors));
    self->tensors.x.buffer = upload(rows, total * MODEL);
    self->tensors.y.buffer = new_buffer(total * MODEL, NAN);
    check(sqa_layer(test_context, test_queue, &self->layer, &self->tensors, 0, NULL, NULL));
    read(self->tensors.y.buffer, rows, total * MODEL);
    for (uint32_t b = 0, row = 0; b < SEQUENCES; row += count[b], b++) {
        memcpy(y[b] + done[b] * MODEL, rows + row * MODEL, count[b] * MODEL * sizeof *rows);
        done[b] += count[b];
    }
    clReleaseMemObject(self->tensors.x.buffer);
    clReleaseMemObject(self->tensors.y.buffer);
}

START_TEST(token_by_token_is_one_pass)
{
    const struct generation *g = &generations[_i];
    static model self;
    uint32_t done[SEQUENCES] = {0};
    static float y[SEQUENCES][CAPACITY * MODEL], whole[SEQUENCES][CAPACITY * MODEL];
    start(&self, g);
    for (uint32_t b = 0; b < SEQUENCES; b++)
        whole_pass(&self, b, whole[b]);
    sqa_kv_cache *cache = new_cache(&self, g);
    for (int i = 0; i < STEPS; i++) {
        const uint32_t even[SEQUENCES] = {counts[i][0], counts[i][0]};
        step(&self, cache, g->ragged ? counts[i] : even, g->ragged, done, y);
    }
    for (uint32_t b = 0; b < SEQUENCES; b++) {
        double off = 0.0, all = 0.0;
        for (uint32_t i = 0; i < done[b] * MODEL; i++) {
            off += pow((double)y[b][i] - (double)whole[b][i], 2.0);
            all += pow((double)whole[b][i], 2.0);
        }
        ck_assert_msg(sqrt(off / all) <= g->most, "sequence %u of %s is off by %g", b,
                      sqa_variant_name(g->variant), sqrt(off / all));
    }
    sqa_kv_cache_destroy(cache);
    end(&self);
}
END_TEST

static void expect_refused(const model *self, const sqa_layer_backward_options *backward,
                           const char *said)
{
    sqa_plan *plan = NULL;
    const sqa_status status =
        backward ? sqa_layer_backward_plan_create(&plan, test_context, &self->layer, backward, NULL)
                 : sqa_layer_plan_create(&plan, test_context, &self->layer, NULL);
    ck_assert_msg(status == SQA_INVALID_ARGUMENT, "%s is no error", said);
    ck_assert_msg(strstr(sqa_last_error(), said) != NULL, "'%s' does not say %s", sqa_last_error(),
                  said);
}

START_TEST(what_a_cache_rules_out)
{
    const sqa_layer_backward_options backward = SQA_LAYER_BACKWARD_OPTIONS_INIT;
    static model self;
    start(&self, &generations[0]);
    self.attention.batch = SEQUENCES;
    self.attention.q_length = 1;
    self.attention.kv_length = CAPACITY;
    self.attention.paged = (sqa_paged){4, 8};
    expect_refused(&self, &backward, "no gradients");
    self.layer.keep = 1;
    expect_refused(&self, NULL, "no gradients");
    self.layer.keep = 0;
    self.layer.rope_offset = 3;
    expect_refused(&self, NULL, "desc.rope_offset: 3");
    self.layer.rope_offset = 0;
    self.attention.dtype = SQA_DTYPE_F16;
    self.attention.kv_dtype = SQA_DTYPE_F32;
    expect_refused(&self, NULL, "desc.attention.kv_dtype");
    self.attention.kv_dtype = SQA_DTYPE_INT8; /* of which a group is longer than the vectors */
    expect_refused(&self, NULL, "int8");
    self.attention.dtype = SQA_DTYPE_F32;
    self.attention.kv_dtype = -1;
    self.layer.rope = SQA_LAYER_ROPE_NONE;
    self.layer.context_dim = 5;
    expect_refused(&self, NULL, "desc.context_dim");
    self.layer.context_dim = 0;
    self.attention.batch = 65536;
    expect_refused(&self, NULL, "desc.attention.batch");
    /* Nor does a layer without a cache store K and V in a way of their own. */
    self.attention.batch = 1;
    self.attention.paged.page_size = 0;
    self.attention.q_length = CAPACITY;
    self.attention.kv_dtype = SQA_DTYPE_F16;
    expect_refused(&self, NULL, "desc.attention.kv_dtype");
    self.attention.kv_dtype = -1;
    self.layer.hadamard = 1;
    expect_refused(&self, NULL, "desc.hadamard: must be 0 without a cache");
    self.layer.hadamard = 2;
    expect_refused(&self, NULL, "desc.hadamard: 2 is outside 0..1");
    end(&self);
}
END_TEST

/* A struct of the first version ends before the cache's tensors. */
START_TEST(first_version_has_no_cache)
{
    static model self;
    start(&self, &generations[0]);
    sqa_kv_cache *cache = new_cache(&self, &generations[0]);
    self.attention.q_length = 1;
    self.tensors.version = 1;
    ck_assert_int_eq(sqa_kv_cache_bind_layer(cache, &self.attention, &self.tensors),
                     SQA_INVALID_ARGUMENT);
    ck_assert(strstr(sqa_last_error(), "tensors.version"));
    self.tensors.version = SQA_LAYER_TENSORS_VERSION;
    check(sqa_kv_cache_bind_layer(cache, &self.attention, &self.tensors));
    self.tensors.version = 1;
    ck_assert_int_eq(sqa_layer(test_context, test_queue, &self.layer, &self.tensors, 0, NULL, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), "tensors.version: 1 has no"), "%s", sqa_last_error());
    sqa_kv_cache_destroy(cache);
    end(&self);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer_cache");
    TCase *generate = tcase_create("generate"), *refused = tcase_create("refused");
    tcase_add_unchecked_fixture(generate, open_device, close_device);
    tcase_add_unchecked_fixture(refused, open_device, close_device);
    tcase_set_timeout(generate, 600);
    tcase_add_loop_test(generate, token_by_token_is_one_pass, 0, GENERATIONS);
    tcase_add_test(refused, what_a_cache_rules_out);
    tcase_add_test(refused, first_version_has_no_cache);
    suite_add_tcase(suite, generate);
    suite_add_tcase(suite, refused);
    return sqa_run_suite(suite);
}
