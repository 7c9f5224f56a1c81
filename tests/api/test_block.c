/* Transformer blocks through the public interface: what is refused and how it is said, what is
 * kept in one buffer, and that a backward call gives the slope of the forward call's loss. */
#include <math.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum { ROWS = 12, MODEL = 16, HEADS = 4, KV_HEADS = 2, DIM = 4, INNER = 24 };
enum { Q = HEADS * DIM, K = KV_HEADS * DIM };

static sqa_attention_desc attention;
static sqa_layer_desc layer;

static sqa_block_desc small_desc(sqa_block_kind kind)
{
    sqa_block_desc desc = SQA_BLOCK_DESC_INIT;
    attention = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    attention.q_heads = HEADS;
    attention.kv_heads = KV_HEADS;
    attention.q_length = attention.kv_length = ROWS;
    attention.head_dim = DIM;
    attention.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    layer = (sqa_layer_desc)SQA_LAYER_DESC_INIT;
    layer.attention = &attention;
    layer.d_model = MODEL;
    desc.layer = &layer;
    desc.kind = kind;
    desc.mlp_dim = INNER;
    return desc;
}

START_TEST(wrong_descriptors)
{
    sqa_block_desc desc = small_desc(SQA_BLOCK_SERIAL);
    sqa_plan *plan = NULL;
    const char *named = NULL;
    switch (_i) {
    case 0: desc.version = 0, named = "desc.version"; break;
    case 1: desc.layer = NULL, named = "desc.layer"; break;
    case 2: desc.kind = (sqa_block_kind)2, named = "desc.kind"; break;
    case 3: desc.mlp_dim = SQA_NOT_SET, named = "desc.mlp_dim"; break;
    case 4: desc.mlp_dim = 0, named = "desc.mlp_dim"; break;
    case 5: desc.activation = (sqa_activation)7, named = "desc.activation"; break;
    case 6: desc.gated = 2, named = "desc.gated"; break;
    case 7: desc.biases = 2, named = "desc.biases"; break;
    case 8: desc.norm = (sqa_norm_kind)2, named = "desc.norm"; break;
    case 9: desc.norm_eps = 0.0f, named = "desc.norm_eps"; break;
    case 10: desc.norm_eps = NAN, named = "desc.norm_eps"; break;
    case 11: desc.keep = 2, named = "desc.keep"; break;
    case 12: layer.context_dim = 8, named = "context_dim"; break;
    case 13: layer.d_model = (1u << 20) + 1, named = "d_model"; break;
    default: attention.q_heads = 3, named = "q_heads"; break;
    }
    ck_assert_int_eq(sqa_block_plan_create(&plan, test_context, &desc, NULL), SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
    ck_assert_ptr_null(plan);
}
END_TEST
enum { WRONG = 15 };

START_TEST(wrong_options)
{
    const sqa_block_desc desc = small_desc(SQA_BLOCK_SERIAL);
    sqa_block_backward_options options = SQA_BLOCK_BACKWARD_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    options.accumulate = 2;
    ck_assert_int_eq(sqa_block_backward_plan_create(&plan, test_context, &desc, &options, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "backward.accumulate"));
    options.version = 9;
    ck_assert_int_eq(sqa_block_backward_plan_create(&plan, test_context, &desc, &options, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "backward.version"));
}
END_TEST

/* Numbers that follow from `seed`, in [-scale, scale) about `middle`. */
static void fill(float *out, size_t count, unsigned seed, float middle, float scale)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = middle + scale * ((float)(seed >> 8) / (float)(1u << 23) - 1.0f);
    }
}

static cl_mem buffer_of(const float *values, size_t count)
{
    cl_mem buffer = new_buffer(count, 0.0f);
    ck_assert_int_eq(clEnqueueWriteBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *values,
                                          values, 0, NULL, NULL),
                     CL_SUCCESS);
    return buffer;
}

static sqa_tensor random_tensor(size_t count, unsigned seed, float middle, float scale)
{
    float values[MODEL * INNER + ROWS * MODEL];
    ck_assert_uint_le(count, sizeof values / sizeof *values);
    fill(values, count, seed, middle, scale);
    return (sqa_tensor){buffer_of(values, count), 0};
}

static void read(cl_mem buffer, float *out, size_t count)
{
    ck_assert_int_eq(clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, count * sizeof *out, out,
                                         0, NULL, NULL),
                     CL_SUCCESS);
}

static void check(sqa_status status)
{
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
}

static void set_inputs(sqa_block_tensors *t)
{
    t->layer.wq = random_tensor((size_t)MODEL * Q, 2, 0.0f, 0.3f);
    t->layer.wk = random_tensor((size_t)MODEL * K, 3, 0.0f, 0.3f);
    t->layer.wv = random_tensor((size_t)MODEL * K, 4, 0.0f, 0.3f);
    t->layer.wo = random_tensor((size_t)Q * MODEL, 5, 0.0f, 0.3f);
    t->norm1 = random_tensor(MODEL, 6, 1.0f, 0.5f);
    t->norm2 = random_tensor(MODEL, 7, 1.0f, 0.5f);
    t->wup = random_tensor((size_t)MODEL * INNER, 8, 0.0f, 0.3f);
    t->wgate = random_tensor((size_t)MODEL * INNER, 9, 0.0f, 0.3f);
    t->wdown = random_tensor((size_t)INNER * MODEL, 10, 0.0f, 0.3f);
}

static sqa_tensor view(cl_mem buffer, size_t offset)
{
    return (sqa_tensor){buffer, offset};
}

static void set_kept(const sqa_block_desc *desc, sqa_block_tensors *t, cl_mem *buffer)
{
    sqa_block_kept kept = SQA_BLOCK_KEPT_INIT;
    check(sqa_block_kept_layout(desc, &kept));
    ck_assert_uint_ge(kept.bytes, kept.layer.bytes + 2 * sizeof(float) * ROWS * INNER);
    ck_assert_uint_eq(kept.middle > 0, desc->kind == SQA_BLOCK_SERIAL);
    *buffer = new_buffer(kept.bytes / sizeof(float), 0.0f);
    t->layer.q = view(*buffer, kept.layer.q);
    t->layer.k = view(*buffer, kept.layer.k);
    t->layer.v = view(*buffer, kept.layer.v);
    t->layer.o = view(*buffer, kept.layer.o);
    t->layer.lse = view(*buffer, kept.layer.lse);
    t->middle = view(*buffer, kept.middle);
    t->up = view(*buffer, kept.up);
    t->gate = view(*buffer, kept.gate);
}

/* The sum of Y times dY. */
static double loss_of(const sqa_block_desc *desc, sqa_block_tensors *t, const float *x,
                      const float *dy)
{
    float y[ROWS * MODEL];
    double sum = 0.0;
    t->layer.x = (sqa_tensor){buffer_of(x, ROWS * MODEL), 0};
    t->layer.y = (sqa_tensor){new_buffer(ROWS * MODEL, 0.0f), 0};
    check(sqa_block(test_context, test_queue, desc, t, 0, NULL, NULL));
    read(t->layer.y.buffer, y, ROWS * MODEL);
    for (int i = 0; i < ROWS * MODEL; i++)
        sum += (double)y[i] * (double)dy[i];
    clReleaseMemObject(t->layer.x.buffer);
    clReleaseMemObject(t->layer.y.buffer);
    return sum;
}

static void share(const sqa_block_tensors *t, sqa_block_backward_tensors *b)
{
    b->layer.wq = t->layer.wq, b->layer.wk = t->layer.wk;
    b->layer.wv = t->layer.wv, b->layer.wo = t->layer.wo;
    b->layer.q = t->layer.q, b->layer.k = t->layer.k, b->layer.v = t->layer.v;
    b->layer.o = t->layer.o, b->layer.lse = t->layer.lse;
    b->norm1 = t->norm1, b->norm2 = t->norm2;
    b->wup = t->wup, b->wgate = t->wgate, b->wdown = t->wdown;
    b->middle = t->middle, b->up = t->up, b->gate = t->gate;
}

static void set_gradients(sqa_block_backward_tensors *b)
{
    b->layer.dx = (sqa_tensor){new_buffer(ROWS * MODEL, 0.0f), 0};
    b->layer.dwq = (sqa_tensor){new_buffer((size_t)MODEL * Q, 1.0f), 0};
    b->layer.dwk = (sqa_tensor){new_buffer((size_t)MODEL * K, 1.0f), 0};
    b->layer.dwv = (sqa_tensor){new_buffer((size_t)MODEL * K, 1.0f), 0};
    b->layer.dwo = (sqa_tensor){new_buffer((size_t)Q * MODEL, 1.0f), 0};
    b->dnorm1 = (sqa_tensor){new_buffer(MODEL, 1.0f), 0};
    b->dnorm2 = (sqa_tensor){new_buffer(MODEL, 1.0f), 0};
    b->dwup = (sqa_tensor){new_buffer((size_t)MODEL * INNER, 1.0f), 0};
    b->dwgate = (sqa_tensor){new_buffer((size_t)MODEL * INNER, 1.0f), 0};
    b->dwdown = (sqa_tensor){new_buffer((size_t)INNER * MODEL, 1.0f), 0};
}

/* Along a direction in X, whose slope dX has; what is added up begins with 1. */
START_TEST(a_step_of_training)
{
    sqa_block_desc desc = small_desc((sqa_block_kind)_i);
    sqa_block_backward_options options = SQA_BLOCK_BACKWARD_OPTIONS_INIT;
    sqa_block_tensors t = SQA_BLOCK_TENSORS_INIT;
    sqa_block_backward_tensors b = SQA_BLOCK_BACKWARD_TENSORS_INIT;
    float x[ROWS * MODEL], dy[ROWS * MODEL], direction[ROWS * MODEL], moved[ROWS * MODEL];
    float dx[ROWS * MODEL], once[MODEL * INNER], twice[MODEL * INNER];
    double along = 0.0, sides[2];
    cl_mem kept;
    fill(x, ROWS * MODEL, 1, 0.0f, 1.0f);
    fill(dy, ROWS * MODEL, 11, 0.0f, 1.0f);
    fill(direction, ROWS * MODEL, 12, 0.0f, 1.0f);
    set_inputs(&t);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < ROWS * MODEL; i++)
            moved[i] = x[i] + (side ? -0x1p-6f : 0x1p-6f) * direction[i];
        sides[side] = loss_of(&desc, &t, moved, dy);
    }
    desc.keep = 1;
    set_kept(&desc, &t, &kept);
    loss_of(&desc, &t, x, dy);
    share(&t, &b);
    set_gradients(&b);
    b.layer.x = (sqa_tensor){buffer_of(x, ROWS * MODEL), 0};
    b.layer.dy = (sqa_tensor){buffer_of(dy, ROWS * MODEL), 0};
    check(sqa_block_backward(test_context, test_queue, &desc, NULL, &b, 0, NULL, NULL));
    read(b.layer.dx.buffer, dx, ROWS * MODEL);
    read(b.dwgate.buffer, once, MODEL * INNER);
    for (int i = 0; i < ROWS * MODEL; i++)
        along += (double)dx[i] * (double)direction[i];
    const double slope = (sides[0] - sides[1]) / 0x1p-5;
    ck_assert_msg(fabs(slope - along) < 2e-3 * (1.0 + fabs(along)), "%g is not %g", along, slope);

    options.accumulate = 1;
    check(sqa_block_backward(test_context, test_queue, &desc, &options, &b, 0, NULL, NULL));
    read(b.dwgate.buffer, twice, MODEL * INNER);
    for (int i = 0; i < MODEL * INNER; i++)
        ck_assert_float_eq_tol(twice[i], 2.0f * once[i], 1e-5f);
    read(b.layer.dx.buffer, moved, ROWS * MODEL);
    ck_assert_mem_eq(moved, dx, sizeof dx);
    clReleaseMemObject(kept);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block api");
    TCase *block = tcase_create("block");
    tcase_add_unchecked_fixture(block, open_device, close_device);
    tcase_add_loop_test(block, wrong_descriptors, 0, WRONG);
    tcase_add_test(block, wrong_options);
    tcase_add_loop_test(block, a_step_of_training, 0, 2);
    suite_add_tcase(suite, block);
    return sqa_run_suite(suite);
}
