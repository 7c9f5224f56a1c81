/* Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1): attention over the
 * latent itself, with the up-projections absorbed into the queries and the output, is attention
 * over the keys and values that they give, head by head. K is latent and rotary part, V a view of
 * K, without the rotary part. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "opencl_fixture.h"
#include "run_suite.h"

enum {
    HEADS = 3,
    QUERIES = 2,
    KEYS = 45,
    OWN = 16, /* of a head's keys, not rotary */
    ROTARY = 64,
    LATENT = 512,
    VALUES = 24,
    PLAIN = OWN + ROTARY,       /* of keys, with the projections done */
    ABSORBED = LATENT + ROTARY, /* and without */
    ROW = 640,                  /* of the cache, in which garbage follows */
    BEFORE = 8
};

/* A token's row of the cache: latent, rotary part, NaN; the projections of each head. */
typedef struct model {
    float cache[BEFORE + KEYS * ROW];
    float up_keys[HEADS][OWN][LATENT], up_values[HEADS][VALUES][LATENT];
    float q[HEADS][QUERIES][PLAIN];
} model;

static model *new_model(void)
{
    sqa_random random = {11};
    model *m = malloc(sizeof *m);
    const float small = 1.0f / sqrtf((float)LATENT);
    ck_assert_ptr_nonnull(m);
    for (size_t i = 0; i < sizeof m->cache / sizeof *m->cache; i++)
        m->cache[i] = NAN;
    for (int j = 0; j < KEYS; j++)
        sqa_random_floats(&random, m->cache + BEFORE + j * ROW, ABSORBED, -1.0f, 1.0f);
    sqa_random_floats(&random, m->up_keys[0][0], HEADS * OWN * LATENT, -small, small);
    sqa_random_floats(&random, m->up_values[0][0], HEADS * VALUES * LATENT, -small, small);
    sqa_random_floats(&random, m->q[0][0], HEADS * QUERIES * PLAIN, -1.0f, 1.0f);
    return m;
}

static double product(const float *a, const float *b, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static cl_mem buffer_of(const void *values, size_t bytes)
{
    cl_int code;
    cl_mem buffer = clCreateBuffer(sqa_context_cl(test_context),
                                   CL_MEM_READ_WRITE | (values ? CL_MEM_COPY_HOST_PTR : 0), bytes,
                                   (void *)(uintptr_t)values, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

static sqa_attention_desc desc_of(uint32_t kv_heads, uint32_t head_dim, uint32_t value_dim)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = HEADS;
    desc.kv_heads = kv_heads;
    desc.q_length = QUERIES;
    desc.kv_length = KEYS;
    desc.head_dim = head_dim;
    desc.value_dim = value_dim;
    desc.scale = 1.0f / sqrtf((float)PLAIN);
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    return desc;
}

static void run(const sqa_attention_desc *desc, const char *family, const sqa_tensors *tensors,
                float *o, size_t bytes)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    options.family = family;
    ck_assert_msg(sqa_plan_create(&plan, test_context, desc, &options) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_uint_eq(sqa_plan_workspace_size(plan), 0);
    ck_assert_msg(sqa_forward(plan, test_queue, tensors, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, tensors->o.buffer, CL_TRUE, 0, bytes, o, 0, NULL, NULL),
        CL_SUCCESS);
    sqa_plan_destroy(plan);
}

/* With keys and values of every head. */
static void run_plain(const model *m, float o[HEADS][QUERIES][VALUES])
{
    static float k[HEADS][KEYS][PLAIN], v[HEADS][KEYS][VALUES];
    const sqa_attention_desc desc = desc_of(HEADS, PLAIN, VALUES);
    sqa_tensors tensors = SQA_TENSORS_INIT;
    for (int h = 0; h < HEADS; h++)
        for (int j = 0; j < KEYS; j++) {
            const float *token = m->cache + BEFORE + j * ROW;
            for (int d = 0; d < OWN; d++)
                k[h][j][d] = (float)product(m->up_keys[h][d], token, LATENT);
            memcpy(k[h][j] + OWN, token + LATENT, ROTARY * sizeof(float));
            for (int d = 0; d < VALUES; d++)
                v[h][j][d] = (float)product(m->up_values[h][d], token, LATENT);
        }
    tensors.q.buffer = buffer_of(m->q, sizeof m->q);
    tensors.k.buffer = buffer_of(k, sizeof k);
    tensors.v.buffer = buffer_of(v, sizeof v);
    tensors.o.buffer = buffer_of(NULL, sizeof(float[HEADS][QUERIES][VALUES]));
    run(&desc, "naive", &tensors, o[0][0], sizeof(float[HEADS][QUERIES][VALUES]));
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.k.buffer);
    clReleaseMemObject(tensors.v.buffer);
    clReleaseMemObject(tensors.o.buffer);
}

static void absorb_queries(const model *m, float q[HEADS][QUERIES][ABSORBED])
{
    for (int h = 0; h < HEADS; h++)
        for (int i = 0; i < QUERIES; i++) {
            for (int c = 0; c < LATENT; c++) {
                double sum = 0.0;
                for (int d = 0; d < OWN; d++)
                    sum += (double)m->q[h][i][d] * (double)m->up_keys[h][d][c];
                q[h][i][c] = (float)sum;
            }
            memcpy(q[h][i] + LATENT, m->q[h][i] + OWN, ROTARY * sizeof(float));
        }
}

/* Over the cache as it is; `latent` is the mean of latents of each row. */
static void run_absorbed(const model *m, const char *family, float latent[HEADS][QUERIES][LATENT])
{
    static float q[HEADS][QUERIES][ABSORBED], after[BEFORE + KEYS * ROW];
    sqa_attention_desc desc = desc_of(1, ABSORBED, LATENT);
    sqa_tensors tensors = SQA_TENSORS_INIT;
    desc.k = desc.v = (sqa_strides){0, 0, ROW};
    desc.q = sqa_strides_bhsd(HEADS, QUERIES, ABSORBED);
    desc.o = sqa_strides_bhsd(HEADS, QUERIES, LATENT);
    absorb_queries(m, q);
    tensors.q.buffer = buffer_of(q, sizeof q);
    tensors.k = tensors.v = (sqa_tensor){buffer_of(m->cache, sizeof m->cache), BEFORE};
    tensors.o.buffer = buffer_of(NULL, sizeof(float[HEADS][QUERIES][LATENT]));
    run(&desc, family, &tensors, latent[0][0], sizeof(float[HEADS][QUERIES][LATENT]));
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, tensors.k.buffer, CL_TRUE, 0, sizeof after,
                                         after, 0, NULL, NULL),
                     CL_SUCCESS);
    ck_assert_msg(!memcmp(after, m->cache, sizeof after), "%s wrote to the cache", family);
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.k.buffer);
    clReleaseMemObject(tensors.o.buffer);
}

static const char *const families[] = {"decode", "naive"};

START_TEST(absorbed_is_unabsorbed)
{
    static float plain[HEADS][QUERIES][VALUES], latent[HEADS][QUERIES][LATENT];
    model *m = new_model();
    double error = 0.0, size = 0.0;
    run_plain(m, plain);
    run_absorbed(m, families[_i], latent);
    for (int h = 0; h < HEADS; h++)
        for (int i = 0; i < QUERIES; i++)
            for (int d = 0; d < VALUES; d++) {
                const double wanted = (double)plain[h][i][d];
                const double got = product(m->up_values[h][d], latent[h][i], LATENT);
                error += (got - wanted) * (got - wanted);
                size += wanted * wanted;
            }
    ck_assert_double_gt(size, 0.0);
    ck_assert_msg(sqrt(error / size) <= 1e-5, "%s: %g", families[_i], sqrt(error / size));
    free(m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mla");
    TCase *tests = tcase_create("mla");
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, absorbed_is_unabsorbed, 0, 2);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
