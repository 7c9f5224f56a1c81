/* The attention layer through the public interface: what is refused and how it is said, what is
 * kept in one buffer, fused and separate weights, the workspace. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum { ROWS = 24, MODEL = 16, HEADS = 4, KV_HEADS = 2, DIM = 8 };
enum { Q = HEADS * DIM, K = KV_HEADS * DIM, ALL = Q + 2 * K };

static sqa_attention_desc attention;

static sqa_layer_desc small_desc(void)
{
    sqa_layer_desc desc = SQA_LAYER_DESC_INIT;
    attention = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    attention.q_heads = HEADS;
    attention.kv_heads = KV_HEADS;
    attention.q_length = attention.kv_length = ROWS;
    attention.head_dim = DIM;
    attention.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    desc.attention = &attention;
    desc.d_model = MODEL;
    return desc;
}

static void expect_refused(const sqa_layer_desc *desc, const sqa_layer_backward_options *backward,
                           const char *named)
{
    sqa_plan *plan = NULL;
    const sqa_status status =
        backward ? sqa_layer_backward_plan_create(&plan, test_context, desc, backward, NULL)
                 : sqa_layer_plan_create(&plan, test_context, desc, NULL);
    ck_assert_msg(status == SQA_INVALID_ARGUMENT, "%s is no error", named);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
    ck_assert_ptr_null(plan);
}

START_TEST(wrong_descriptors)
{
    sqa_layer_desc desc = small_desc();
    const char *named = NULL;
    switch (_i) {
    case 0: desc.version = 0, named = "desc.version"; break;
    case 1: desc.version = SQA_LAYER_DESC_VERSION + 1, named = "desc.version"; break;
    case 2: desc.attention = NULL, named = "desc.attention"; break;
    case 3: desc.d_model = SQA_NOT_SET, named = "desc.d_model"; break;
    case 4: desc.d_model = 0, named = "desc.d_model"; break;
    case 5: desc.fused_qkv = 2, named = "desc.fused_qkv"; break;
    case 6: desc.fused_qkv = 1, desc.context_dim = 8, named = "desc.fused_qkv"; break;
    case 7: desc.biases = 2, named = "desc.biases"; break;
    case 8: desc.keep = 7, named = "desc.keep"; break;
    case 9: desc.context_dim = 1u << 25, named = "desc.context_dim"; break;
    case 10: attention.kv_length = ROWS + 1, named = "desc.attention.kv_length"; break;
    case 11: attention.batch = 1u << 29, named = "desc.attention"; break;
    case 12: desc.rope = (sqa_layer_rope)3, named = "desc.rope"; break;
    case 13: desc.rope = SQA_LAYER_ROPE_HALF, desc.context_dim = 8, named = "desc.rope"; break;
    case 14: desc.rope = SQA_LAYER_ROPE_HALF, desc.rope_base = 0.5f, named = "rope_base"; break;
    case 15: desc.rope = SQA_LAYER_ROPE_HALF, desc.rope_dim = 7, named = "rope_dim"; break;
    case 16: desc.rope = SQA_LAYER_ROPE_HALF, desc.rope_dim = DIM + 2, named = "rope_dim"; break;
    case 17: desc.rope_offset = (1u << 30) + 1, named = "desc.rope_offset"; break;
    case 18: desc.positions = 1, named = "desc.positions"; break;
    case 19: desc.qk_norm = 2, named = "desc.qk_norm"; break;
    case 20: desc.qk_norm = 1, desc.qk_norm_eps = 0.0f, named = "desc.qk_norm_eps"; break;
    case 21: desc.gate = 2, named = "desc.gate"; break;
    case 22:
        desc.rope = SQA_LAYER_ROPE_HALF, attention.ragged = (sqa_ragged){1, 9, 9},
        named = "positions";
        break;
    default: attention.q_heads = 3, named = "q_heads"; break;
    }
    expect_refused(&desc, NULL, named);
}
END_TEST
enum { WRONG = 24 };

/* What linear attention has not, by the name of the field; and what its options may not say. */
START_TEST(wrong_linear_descriptors)
{
    static sqa_linear_options linear;
    sqa_layer_desc desc = small_desc();
    sqa_layer_backward_options backward = SQA_LAYER_BACKWARD_OPTIONS_INIT;
    const char *named = NULL;
    bool gradients = false;
    linear = (sqa_linear_options)SQA_LINEAR_OPTIONS_INIT;
    desc.linear = &linear;
    switch (_i) {
    case 0: linear.feature = (sqa_feature)7, named = "linear.feature"; break;
    case 1: linear.delta = 1, linear.normalise = 1, named = "linear.normalise"; break;
    case 2: attention.softcap = 2.0f, named = "softcap"; break;
    case 3: attention.dropout = 0.5f, named = "dropout"; break;
    case 4: attention.window = (sqa_window){3, 0}, named = "window"; break;
    case 5: attention.sinks = 1, named = "sinks"; break;
    case 6:
        attention.causal = SQA_CAUSAL_NONE, linear.decay = SQA_DECAY_HEAD, named = "linear.decay";
        break;
    case 7: linear.state = SQA_STATE_IN_PLACE, gradients = true, named = "linear.state"; break;
    case 8:
        backward.gradients = SQA_LAYER_GRADIENT_DECAY, gradients = true, named = "gradients";
        break;
    case 9: desc.project_decay = 2, named = "project_decay"; break;
    case 10:
        linear.decay = SQA_DECAY_HEAD, desc.project_decay = 1, named = "SQA_DECAY_TOKEN";
        break;
    case 11:
        linear.decay = SQA_DECAY_TOKEN, desc.project_decay = 1;
        linear.decay_strides.sequence = 9, named = "packed";
        break;
    case 12: desc.project_beta = 1, named = "linear->delta"; break;
    case 13: desc.linear = NULL, desc.project_beta = 1, named = "project_beta"; break;
    case 14:
        backward.gradients = SQA_LAYER_GRADIENT_WDECAY, gradients = true, named = "gradients";
        break;
    default: desc.context_dim = MODEL, attention.kv_length = ROWS + 1, named = "kv_length"; break;
    }
    expect_refused(&desc, gradients ? &backward : NULL, named);
}
END_TEST
enum { WRONG_LINEAR = 16 };

START_TEST(wrong_gradients)
{
    const sqa_layer_desc desc = small_desc();
    sqa_layer_backward_options backward = SQA_LAYER_BACKWARD_OPTIONS_INIT;
    backward.gradients = SQA_LAYER_GRADIENT_X | SQA_LAYER_GRADIENT_WQKV;
    expect_refused(&desc, &backward, "backward.gradients");
    backward.gradients = SQA_LAYER_GRADIENT_BO;
    expect_refused(&desc, &backward, "backward.gradients");
    backward.gradients = SQA_LAYER_GRADIENT_Q_NORM;
    expect_refused(&desc, &backward, "backward.gradients");
    backward.gradients = 1u << 19;
    expect_refused(&desc, &backward, "backward.gradients");
    backward.gradients = 0;
    backward.accumulate = 2;
    expect_refused(&desc, &backward, "backward.accumulate");
    backward.version = 9;
    expect_refused(&desc, &backward, "backward.version");
}
END_TEST

/* Numbers that follow from `seed`, about 0. */
static void fill(float *out, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = ((float)(seed >> 8) / (float)(1u << 24) - 0.5f);
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

typedef struct weights {
    bool turned; /* with positions, norms and a gate, too */
    float x[ROWS * MODEL], wqkv[MODEL * ALL], wo[Q * MODEL], dy[ROWS * MODEL];
    float wg[MODEL * Q], norm[DIM];
} weights;

typedef struct results {
    float y[ROWS * MODEL], dx[ROWS * MODEL], dw[MODEL * ALL], dwo[Q * MODEL];
    float dwg[MODEL * Q], dnorm[DIM];
} results;

/* A part of the columns of Wqkv. */
static cl_mem part_of(const weights *w, uint32_t first, uint32_t columns)
{
    float part[MODEL * ALL];
    for (uint32_t i = 0; i < MODEL; i++)
        memcpy(part + (size_t)i * columns, w->wqkv + (size_t)i * ALL + first,
               columns * sizeof *part);
    return buffer_of(part, (size_t)MODEL * columns);
}

static void put_part(cl_mem buffer, uint32_t first, uint32_t columns, float *out)
{
    float part[MODEL * ALL];
    read(buffer, part, (size_t)MODEL * columns);
    for (uint32_t i = 0; i < MODEL; i++)
        memcpy(out + (size_t)i * ALL + first, part + (size_t)i * columns, columns * sizeof *part);
}

/* Forward and backward, with everything that is kept in one buffer; the gradients of weights are
 * added to 1. */
static void train(const weights *w, bool fused, results *out)
{
    sqa_layer_desc desc = small_desc();
    sqa_layer_tensors t = SQA_LAYER_TENSORS_INIT;
    sqa_layer_backward_tensors b = SQA_LAYER_BACKWARD_TENSORS_INIT;
    sqa_layer_backward_options options = SQA_LAYER_BACKWARD_OPTIONS_INIT;
    sqa_layer_kept kept = SQA_LAYER_KEPT_INIT;
    desc.fused_qkv = fused;
    desc.keep = 1;
    options.accumulate = 1;
    desc.rope = w->turned ? SQA_LAYER_ROPE_HALF : SQA_LAYER_ROPE_NONE;
    desc.qk_norm = desc.gate = w->turned;
    check(sqa_layer_kept_layout(&desc, &kept));
    ck_assert_uint_ge(kept.bytes, (ROWS * (ALL + Q) + ROWS * HEADS) * sizeof(float));
    cl_mem buffer = new_buffer(kept.bytes / sizeof(float), NAN);
    t.x.buffer = b.x.buffer = buffer_of(w->x, ROWS * MODEL);
    t.wo.buffer = b.wo.buffer = buffer_of(w->wo, Q * MODEL);
    t.y.buffer = new_buffer(ROWS * MODEL, NAN);
    t.wqkv.buffer = b.wqkv.buffer = buffer_of(w->wqkv, MODEL * ALL);
    t.wq.buffer = b.wq.buffer = part_of(w, 0, Q);
    t.wk.buffer = b.wk.buffer = part_of(w, Q, K);
    t.wv.buffer = b.wv.buffer = part_of(w, Q + K, K);
    t.q = b.q = (sqa_tensor){buffer, kept.q};
    t.k = b.k = (sqa_tensor){buffer, kept.k};
    t.v = b.v = (sqa_tensor){buffer, kept.v};
    t.qkv = b.qkv = (sqa_tensor){buffer, kept.qkv};
    t.o = b.o = (sqa_tensor){buffer, kept.o};
    t.lse = b.lse = (sqa_tensor){buffer, kept.lse};
    t.q_projected = b.q_projected = (sqa_tensor){buffer, kept.q_projected};
    t.k_projected = b.k_projected = (sqa_tensor){buffer, kept.k_projected};
    t.g = b.g = (sqa_tensor){buffer, kept.g};
    t.wg.buffer = b.wg.buffer = buffer_of(w->wg, MODEL * Q);
    t.q_norm.buffer = b.q_norm.buffer = t.k_norm.buffer = b.k_norm.buffer = buffer_of(w->norm, DIM);
    b.dwg.buffer = new_buffer(MODEL * Q, 1.0f);
    b.dq_norm.buffer = new_buffer(DIM, 1.0f);
    b.dk_norm.buffer = new_buffer(DIM, 1.0f);
    b.dy.buffer = buffer_of(w->dy, ROWS * MODEL);
    b.dx.buffer = new_buffer(ROWS * MODEL, NAN);
    b.dwq.buffer = new_buffer(MODEL * Q, 1.0f);
    b.dwk.buffer = new_buffer(MODEL * K, 1.0f);
    b.dwv.buffer = new_buffer(MODEL * K, 1.0f);
    b.dwqkv.buffer = new_buffer(MODEL * ALL, 1.0f);
    b.dwo.buffer = new_buffer(Q * MODEL, 1.0f);
    check(sqa_layer(test_context, test_queue, &desc, &t, 0, NULL, NULL));
    check(sqa_layer_backward(test_context, test_queue, &desc, &options, &b, 0, NULL, NULL));
    read(t.y.buffer, out->y, ROWS * MODEL);
    read(b.dx.buffer, out->dx, ROWS * MODEL);
    read(b.dwo.buffer, out->dwo, Q * MODEL);
    read(b.dwqkv.buffer, out->dw, MODEL * ALL);
    read(b.dwg.buffer, out->dwg, MODEL * Q);
    read(b.dq_norm.buffer, out->dnorm, DIM);
    if (!fused) {
        put_part(b.dwq.buffer, 0, Q, out->dw);
        put_part(b.dwk.buffer, Q, K, out->dw);
        put_part(b.dwv.buffer, Q + K, K, out->dw);
    }
    const cl_mem made[] = {buffer,          t.x.buffer,     t.wo.buffer,      t.y.buffer,
                           t.wqkv.buffer,   t.wq.buffer,    t.wk.buffer,      t.wv.buffer,
                           b.dy.buffer,     b.dx.buffer,    b.dwq.buffer,     b.dwk.buffer,
                           b.dwv.buffer,    b.dwqkv.buffer, b.dwo.buffer,     t.wg.buffer,
                           t.q_norm.buffer, b.dwg.buffer,   b.dq_norm.buffer, b.dk_norm.buffer};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        clReleaseMemObject(made[i]);
}

static void expect_same(const float *a, const float *b, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(fabsf(a[i] - b[i]) <= 1e-5f, "%s[%zu]: %g and %g", what, i, (double)a[i],
                      (double)b[i]);
}

/* The slope of the sum of Y times dY along all of a direction, which the gradient says. */
static double loss_of(const weights *w)
{
    results r;
    double sum = 0.0;
    train(w, true, &r);
    for (int i = 0; i < ROWS * MODEL; i++)
        sum += (double)r.y[i] * (double)w->dy[i];
    return sum;
}

START_TEST(fused_and_separate_weights)
{
    static weights w, moved;
    static results fused, separate;
    fill(w.x, ROWS * MODEL, 1);
    fill(w.wqkv, MODEL * ALL, 2);
    fill(w.wo, Q * MODEL, 3);
    fill(w.dy, ROWS * MODEL, 4);
    fill(w.wg, MODEL * Q, 5);
    fill(w.norm, DIM, 6);
    w.turned = _i;
    train(&w, true, &fused);
    train(&w, false, &separate);
    expect_same(fused.y, separate.y, ROWS * MODEL, "y");
    expect_same(fused.dx, separate.dx, ROWS * MODEL, "dx");
    expect_same(fused.dw, separate.dw, MODEL * ALL, "dw");
    expect_same(fused.dwo, separate.dwo, Q * MODEL, "dwo");
    expect_same(fused.dwg, separate.dwg, MODEL * Q, "dwg");
    expect_same(fused.dnorm, separate.dnorm, DIM, "dq_norm");
    ck_assert_int_eq(fused.dnorm[0] != 1.0f && fused.dwg[0] != 1.0f, w.turned);
    /* Along its own gradient the loss changes by that one's square. */
    double square = 0.0;
    const float step = 1e-3f;
    moved = w;
    for (int i = 0; i < MODEL * ALL; i++) {
        const float gradient = fused.dw[i] - 1.0f;
        moved.wqkv[i] += step * gradient;
        square += (double)gradient * (double)gradient;
    }
    const double change = (loss_of(&moved) - loss_of(&w)) / (double)step;
    ck_assert_msg(square > 0.1 && fabs(change - square) < 0.03 * square, "%g instead of %g", change,
                  square);
}
END_TEST

START_TEST(plans_explain_their_stages)
{
    const sqa_layer_desc desc = small_desc();
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_layer_tensors tensors = SQA_LAYER_TENSORS_INIT;
    sqa_layer_backward_tensors wrong = SQA_LAYER_BACKWARD_TENSORS_INIT;
    sqa_plan *plan = NULL;
    options.family = "rows";
    ck_assert_int_eq(sqa_layer_plan_create(&plan, test_context, &desc, &options),
                     SQA_INVALID_ARGUMENT);
    check(sqa_layer_plan_create(&plan, test_context, &desc, NULL));
    check(sqa_plan_explain(plan, &info));
    ck_assert_ptr_nonnull(strstr(info.reason, "matmul: "));
    ck_assert_ptr_nonnull(strstr(info.reason, "forward: "));
    ck_assert_uint_ge(sqa_plan_workspace_size(plan), ROWS * (ALL + Q) * sizeof(float));
    ck_assert_int_eq(sqa_layer_run(plan, test_queue, &tensors, 0, NULL, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "tensors.x"));
    ck_assert_int_eq(sqa_layer_backward_run(plan, test_queue, &wrong, 0, NULL, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "is one for layer"));
    sqa_plan_destroy(plan);
}
END_TEST

/* A pass of `rows` rows of a gated delta layer from the row `first` on; the state goes on. */
static void run_linear(const sqa_tensor *parts, uint32_t first, uint32_t rows, cl_mem state,
                       cl_mem y)
{
    sqa_linear_options linear = SQA_LINEAR_OPTIONS_INIT;
    sqa_layer_desc desc = small_desc();
    sqa_layer_tensors t = SQA_LAYER_TENSORS_INIT;
    linear.decay = SQA_DECAY_TOKEN;
    linear.delta = 1;
    linear.state = SQA_STATE_IN_PLACE;
    linear.decay_strides = linear.beta_strides = (sqa_strides){ROWS * KV_HEADS, 1, KV_HEADS};
    attention.q_length = attention.kv_length = rows;
    desc.linear = &linear;
    desc.fused_qkv = 1;
    desc.rope = SQA_LAYER_ROPE_HALF;
    desc.rope_offset = first;
    t.x = (sqa_tensor){parts[0].buffer, (size_t)first * MODEL};
    t.wqkv = parts[1];
    t.wo = parts[2];
    t.decay = (sqa_tensor){parts[3].buffer, (size_t)first * KV_HEADS};
    t.beta = (sqa_tensor){parts[4].buffer, (size_t)first * KV_HEADS};
    t.state.buffer = state;
    t.y = (sqa_tensor){y, (size_t)first * MODEL};
    check(sqa_layer(test_context, test_queue, &desc, &t, 0, NULL, NULL));
}

/* Decays and betas lie as projections of X give them: (rows, heads). */
START_TEST(token_by_token_is_the_whole)
{
    enum { STATE = KV_HEADS * DIM * DIM };
    static float x[ROWS * MODEL], wqkv[MODEL * ALL], wo[Q * MODEL], gates[2][ROWS * KV_HEADS];
    static const float zeros[STATE];
    float whole[ROWS * MODEL], tokens[ROWS * MODEL], states[2][STATE];
    fill(x, ROWS * MODEL, 1);
    fill(wqkv, MODEL * ALL, 2);
    fill(wo, Q * MODEL, 3);
    fill(gates[0], ROWS * KV_HEADS, 4);
    fill(gates[1], ROWS * KV_HEADS, 5);
    for (uint32_t i = 0; i < ROWS * KV_HEADS; i++)
        gates[0][i] -= 0.5f, gates[1][i] = 0.2f * (gates[1][i] + 0.5f);
    sqa_tensor parts[5] = {{buffer_of(x, ROWS * MODEL), 0},
                           {buffer_of(wqkv, MODEL * ALL), 0},
                           {buffer_of(wo, Q * MODEL), 0},
                           {buffer_of(gates[0], ROWS * KV_HEADS), 0},
                           {buffer_of(gates[1], ROWS * KV_HEADS), 0}};
    const cl_mem y[2] = {new_buffer(ROWS * MODEL, 0.0f), new_buffer(ROWS * MODEL, 0.0f)};
    const cl_mem state[2] = {buffer_of(zeros, STATE), buffer_of(zeros, STATE)};
    run_linear(parts, 0, ROWS, state[0], y[0]);
    for (uint32_t i = 0; i < ROWS; i++)
        run_linear(parts, i, 1, state[1], y[1]);
    read(y[0], whole, ROWS * MODEL);
    read(y[1], tokens, ROWS * MODEL);
    for (int i = 0; i < 2; i++)
        read(state[i], states[i], STATE);
    for (uint32_t i = 0; i < ROWS * MODEL; i++)
        ck_assert_float_eq_tol(tokens[i], whole[i], 2e-6f);
    for (uint32_t i = 0; i < STATE; i++)
        ck_assert_float_eq_tol(states[1][i], states[0][i], 2e-6f);
    ck_assert_float_ne(whole[0], 0.0f);
    for (int i = 0; i < 5; i++)
        clReleaseMemObject(parts[i].buffer);
    for (int i = 0; i < 2; i++) {
        clReleaseMemObject(y[i]);
        clReleaseMemObject(state[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer");
    TCase *layer = tcase_create("layer");
    tcase_add_unchecked_fixture(layer, open_device, close_device);
    tcase_add_loop_test(layer, wrong_descriptors, 0, WRONG);
    tcase_add_loop_test(layer, wrong_linear_descriptors, 0, WRONG_LINEAR);
    tcase_add_test(layer, wrong_gradients);
    tcase_add_loop_test(layer, fused_and_separate_weights, 0, 2);
    tcase_add_test(layer, token_by_token_is_the_whole);
    tcase_add_test(layer, plans_explain_their_stages);
    tcase_set_timeout(layer, 120);
    suite_add_tcase(suite, layer);
    return sqa_run_suite(suite);
}
