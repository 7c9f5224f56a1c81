/* sqa run --op layer and --op block: Y and all gradients in files; one line and no output where
 * what is asked for makes no sense. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/run/linear_files.h"
#include "cli/run_inputs.h"
#include "operations/block/reference.h"
#include "operations/layer/reference.h"
#include "operations/linear/reference.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "text/npy.h"

#define ON_FILES " --x %1$s/x.npy --weights %1$s/weights --out %1$s/y.npy"
#define XSQA " --variant xsqa --heads 8"
#define LINEAR " --attention linear"

static const struct {
    const char *op, *shape, *options;
} runs[] = {
    {"layer", "variant=xsqa,h=8,n=9,d=4,dmodel=12,causal", " --causal"},
    {"layer", "b=2,variant=xsqa,h=8,n=7,d=4,dmodel=12,fused,biases", ""},
    {"layer", "b=2,variant=xsqa,h=8,nq=7,nk=11,d=4,dv=3,dmodel=12,dcontext=5,biases",
     " --context %1$s/context.npy"},
    {"layer",
     "b=2,variant=xsqa,h=8,n=7,d=6,dmodel=12,biases,rope=half,ropebase=500,ropedim=4,"
     "ropeoffset=3,qknorm,gate",
     " --rope half --rope-base 500 --rope-dim 4 --rope-offset 3 --qk-norm --gate"},
    {"block",
     "b=2,variant=xsqa,h=8,n=7,d=4,dmodel=12,biases,mlp=10,mlpbiases,norm=layer,gated,act=relu",
     " --norm layer --activation relu"},
    {"block",
     "variant=xsqa,h=8,n=9,d=4,dmodel=12,causal,mlp=10,kind=parallel,act=silu,norm_eps=0.01",
     " --causal --kind parallel --norm-eps 0.01"},
    {"layer",
     "b=2,variant=xsqa,h=8,n=7,d=4,dmodel=12,causal,linear,decay=token,feature=elu1,normalise,"
     "eps=0.01,state=in_out",
     " --causal" LINEAR " --feature elu1 --normalise --epsilon 0.01 --decay %1$s/decay.npy"
     " --state-in %1$s/state_in.npy --sums-in %1$s/sums_in.npy --state-out %1$s/state.npy"
     " --sums-out %1$s/sums.npy"},
    {"layer", "variant=xsqa,h=8,n=9,d=4,dmodel=12,causal,linear,decay=channel,delta,qknorm",
     " --causal --qk-norm" LINEAR " --decay %1$s/decay.npy --beta %1$s/beta.npy"},
    {"layer",
     "b=2,variant=xsqa,h=8,n=7,d=4,dmodel=12,causal,biases,linear,decay=channel,delta,wdecay,wbeta",
     " --causal" LINEAR " --project-decay --project-beta"},
};
enum { RUNS = sizeof runs / sizeof runs[0] };

/* The command with the work folder in it. */
static const program_result *run_command(const char *command, const char *more)
{
    char both[1024], text[4096];
    size_t used = 0;
    snprintf(both, sizeof both, "%s%s", command, more);
    for (const char *at = both; *at; at++)
        if (!strncmp(at, "%1$s", 4)) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", work_folder);
            at += 3;
        } else {
            text[used++] = *at;
        }
    text[used] = '\0';
    return run_sqa("%s", text);
}

static void save_input(const sqa_host_tensors *tensors, uint32_t slot)
{
    const sqa_attention *a = &tensors->problem.of.attention;
    const bool weight = (slot >= SQA_LAYER_WQ && slot <= SQA_LAYER_BBETA) ||
                        (slot >= SQA_BLOCK_NORM1 && slot <= SQA_BLOCK_BDOWN);
    const bool bias = (slot >= SQA_LAYER_BQ && slot <= SQA_LAYER_BO) ||
                      (slot >= SQA_LAYER_BG && slot <= SQA_LAYER_K_NORM) ||
                      slot == SQA_LAYER_BDECAY || slot == SQA_LAYER_BBETA ||
                      (slot >= SQA_BLOCK_NORM1 && slot <= SQA_BLOCK_NORM2_BIAS) ||
                      (slot >= SQA_BLOCK_BUP && slot <= SQA_BLOCK_BDOWN);
    sqa_tensor_shape t;
    char name[64];
    if (!sqa_tensor_shape_of(&tensors->problem, slot, &t))
        return;
    const bool batched = !weight && a->batch > 1;
    const uint64_t shape[3] = {a->batch, batched ? t.length / a->batch : t.length, t.dim};
    const uint32_t skip = bias ? 2 : !batched;
    snprintf(name, sizeof name, "%s%s.npy", weight ? "weights/" : "",
             sqa_tensor_name(&tensors->problem, slot));
    save_array(name, "<f4", 3 - skip, shape + skip, sqa_host_tensor_view(&tensors->of[slot]),
               sizeof(float));
}

static sqa_npy linear_shape(const sqa_problem *problem, uint32_t slot)
{
    sqa_tensor_shape shape;
    (void)sqa_tensor_shape_of(problem, slot, &shape);
    return sqa_run_linear_shape(&shape, sqa_layer_linear_slot(slot),
                                problem->of.layer.linear.decay);
}

/* Decay, beta and the first state of linear attention. */
static void save_linear(const sqa_host_tensors *tensors)
{
    for (uint32_t slot = SQA_LAYER_DECAY; slot <= SQA_LAYER_SUMS_IN; slot++) {
        const sqa_npy file = linear_shape(&tensors->problem, slot);
        char name[64];
        snprintf(name, sizeof name, "%s.npy", sqa_tensor_name(&tensors->problem, slot));
        if (tensors->of[slot].data)
            save_array(name, "<f4", file.rank, file.shape, sqa_host_tensor_view(&tensors->of[slot]),
                       sizeof(float));
    }
}

/* x.npy and the context, weights/wq.npy and so on; y.npy and dy.npy of dY. */
static void make_inputs(sqa_host_tensors *forward, sqa_host_tensors *dy, const char *op,
                        const char *shape)
{
    char text[512];
    sqa_problem problem;
    snprintf(text, sizeof text, "%s/weights", work_folder);
    ck_assert_int_eq(mkdir(text, 0777), 0);
    snprintf(text, sizeof text, "op=%s,%s", op, shape);
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(forward, &problem, 7, false), SQA_OK);
    snprintf(text, sizeof text, "op=%s_backward,%s", op, shape);
    ck_assert_int_eq(sqa_problem_parse(text, &problem), SQA_OK);
    ck_assert_int_eq(sqa_host_tensors_create(dy, &problem, 8, false), SQA_OK);
    for (uint32_t slot = SQA_LAYER_X; slot <= SQA_LAYER_BBETA; slot++)
        save_input(forward, slot);
    for (uint32_t slot = SQA_BLOCK_NORM1; slot <= SQA_BLOCK_BDOWN; slot++)
        save_input(forward, slot);
    save_linear(forward);
    save_input(dy, SQA_LAYER_DY);
}

/* Y or a gradient; how many numbers are to be there. */
static void read_output(sqa_npy *out, const char *name, uint32_t rank, size_t count)
{
    const sqa_npy_wish wish = {SQA_NPY_FLOATS, rank, rank, "as it should be"};
    char path[512];
    snprintf(path, sizeof path, "%s/%s", work_folder, name);
    ck_assert_msg(sqa_npy_read(out, path, &wish) == SQA_OK, "%s", sqa_last_error());
    ck_assert_uint_eq(out->count, count);
}

/* Rows of Y by the reference. */
static void expect_layer(const sqa_host_tensors *forward, double *out)
{
    const sqa_layer_pass *layer = &forward->problem.of.layer;
    const uint32_t length = layer->attention.q_length;
    const sqa_reference_inputs views = sqa_host_tensors_views(forward);
    sqa_layer_reference reference;
    ck_assert(sqa_layer_reference_forward(&reference, layer, &views));
    for (uint32_t row = 0; row < sqa_layer_q_rows(layer); row++, out += layer->d_model)
        sqa_layer_reference_y(&reference, &views, row / length, row % length, 0, layer->d_model,
                              out);
    sqa_layer_reference_free(&reference);
}

static void expect_block(const sqa_host_tensors *forward, double *out)
{
    const sqa_layer_pass *layer = &forward->problem.of.layer;
    const uint32_t length = layer->attention.q_length;
    const sqa_reference_inputs views = sqa_host_tensors_views(forward);
    sqa_block_reference *reference = sqa_block_reference_create(&forward->problem, &views);
    ck_assert_ptr_nonnull(reference);
    for (uint32_t row = 0; row < sqa_layer_q_rows(layer); row++, out += layer->d_model) {
        sqa_block_row of;
        ck_assert(sqa_block_reference_row(reference, row / length, row % length, row, &of));
        memcpy(out, of.y, layer->d_model * sizeof *out);
        sqa_block_row_free(&of);
    }
    sqa_block_reference_free(reference);
}

static void check_y(const sqa_host_tensors *forward)
{
    const sqa_layer_pass *layer = &forward->problem.of.layer;
    const sqa_attention *a = &layer->attention;
    double expected[32 * 12];
    sqa_npy y;
    read_output(&y, "y.npy", a->batch > 1 ? 3 : 2,
                (size_t)sqa_layer_q_rows(layer) * layer->d_model);
    ck_assert_uint_le(y.count, sizeof expected / sizeof *expected);
    if (forward->problem.operation == SQA_OPERATION_BLOCK)
        expect_block(forward, expected);
    else
        expect_layer(forward, expected);
    for (size_t i = 0; i < y.count; i++)
        ck_assert_double_eq_tol((double)y.data[i], expected[i], 1e-5);
    sqa_npy_free(&y);
}

/* The last state of linear attention, by its own reference. */
static void check_state(const sqa_host_tensors *forward)
{
    const sqa_linear *linear = &forward->problem.of.layer.linear;
    const sqa_attention *a = &linear->attention;
    const sqa_reference_inputs views = sqa_host_tensors_views(forward);
    double column[SQA_MAX_HEAD_DIM];
    sqa_layer_reference reference;
    sqa_npy state;
    if (!forward->of[SQA_LAYER_STATE].data)
        return;
    read_output(&state, "state.npy", 4,
                (size_t)a->batch * a->kv_heads * a->head_dim * a->value_dim);
    ck_assert(sqa_layer_reference_forward(&reference, &forward->problem.of.layer, &views));
    for (uint32_t matrix = 0; matrix < a->batch * a->kv_heads; matrix++) {
        const sqa_linear_place at = sqa_linear_place_of(linear, &reference.attention,
                                                        matrix / a->kv_heads, matrix % a->kv_heads);
        for (uint32_t j = 0; j < a->value_dim; j++) {
            sqa_linear_state_column(&at, a->kv_length, j, column);
            for (uint32_t d = 0; d < a->head_dim; d++)
                ck_assert_double_eq_tol(
                    (double)state.data[(matrix * a->head_dim + d) * a->value_dim + j], column[d],
                    1e-5);
        }
    }
    sqa_layer_reference_free(&reference);
    sqa_npy_free(&state);
}

/* The rows of dY added up. */
static void check_bias(const sqa_host_tensors *dy, const sqa_npy *dbo)
{
    const float *values = sqa_host_tensor_view(&dy->of[SQA_LAYER_DY]);
    const sqa_layer_pass *layer = &dy->problem.of.layer;
    for (uint32_t j = 0; j < layer->d_model; j++) {
        double sum = 0.0;
        for (uint32_t row = 0; row < sqa_layer_q_rows(layer); row++)
            sum += (double)values[(size_t)row * layer->d_model + j];
        ck_assert_double_eq_tol((double)dbo->data[j], sum, 1e-5);
    }
}

/* Every gradient there is has a file of its size with numbers; that what they are is right, the
 * suite `layers` sees. */
static void check_gradients(const sqa_host_tensors *dy)
{
    const sqa_problem *problem = &dy->problem;
    const sqa_layer_pass *layer = &problem->of.layer;
    for (uint32_t slot = SQA_LAYER_DX; slot < SQA_BLOCK_SLOTS; slot++) {
        const bool input = slot <= SQA_LAYER_DCONTEXT;
        const bool matrix = slot < SQA_LAYER_DBQ || slot == SQA_LAYER_DWG ||
                            slot == SQA_LAYER_DWDECAY || slot == SQA_LAYER_DWBETA ||
                            (slot >= SQA_BLOCK_DWUP && slot <= SQA_BLOCK_DWDOWN);
        const uint32_t rank = input ? (layer->attention.batch > 1 ? 3 : 2) : matrix ? 2 : 1;
        const bool forward = slot >= SQA_LAYER_SLOTS && slot < SQA_BLOCK_DNORM1;
        if (forward || !sqa_tensor_name(problem, slot))
            continue;
        sqa_tensor_shape shape;
        char name[64];
        sqa_npy file;
        double sum = 0.0;
        snprintf(name, sizeof name, "grads/%s.npy", sqa_tensor_name(problem, slot) + 1);
        if (!sqa_tensor_shape_of(problem, slot, &shape)) {
            ck_assert_msg(!work_file_exists(name), "%s is there", name);
            continue;
        }
        if (slot >= SQA_LAYER_DDECAY && slot <= SQA_LAYER_DSUMS_IN) {
            const sqa_npy of_linear = linear_shape(problem, slot);
            read_output(&file, name, of_linear.rank, of_linear.count);
        } else {
            read_output(&file, name, rank, (size_t)shape.length * shape.dim);
        }
        for (size_t i = 0; i < file.count; i++)
            sum += fabs((double)file.data[i]);
        ck_assert_msg(isfinite(sum) && sum > 0.0, "%s: %g", name, sum);
        if (slot == SQA_LAYER_DBO && problem->operation == SQA_OPERATION_LAYER_BACKWARD)
            check_bias(dy, &file);
        sqa_npy_free(&file);
    }
}

START_TEST(right_layers)
{
    sqa_host_tensors forward, dy;
    make_inputs(&forward, &dy, runs[_i].op, runs[_i].shape);
    char more[512];
    snprintf(more, sizeof more, "%s%s%s%s", runs[_i].op, ON_FILES XSQA, runs[_i].options,
             " --dout %1$s/dy.npy --grads %1$s/grads");
    const program_result *result = run_command("run --op ", more);
    ck_assert_msg(result->code == 0, "%s: %.600s", runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_y(&forward);
    check_state(&forward);
    check_gradients(&dy);
    sqa_host_tensors_free(&forward);
    sqa_host_tensors_free(&dy);
}
END_TEST

static const struct refusal {
    const char *more, *named, *message;
} refused[] = {
    {XSQA " --dout %1$s/dy.npy", "--dout", "go together"},
    {" --heads 8 --variant none", "none", "is not one of"},
    {" --variant xsqa --heads 0", "--heads", "1 to 65535"},
    {XSQA " --family rows", "--family", "several operations"},
    {XSQA " --context %1$s/none.npy", "none.npy", ""},
    {XSQA " --dout %1$s/x2.npy --grads %1$s/grads", "x2.npy", "expected (9, 12)"},
    {XSQA " --q %1$s/x.npy", "--q", "is not an option"},
    {XSQA " --dtype f64", "--dtype", "expected f32, f16 or bf16"},
    {" --variant xsqa --heads 28", "wq.npy", "a multiple of 7 heads"},
    {XSQA " --dout %1$s/dy.npy --grads %1$s/weights", "--grads", "--weights"},
    {XSQA " --rope quarter", "--rope", "interleaved or half"},
    {XSQA " --rope-base 3", "--rope-base", "--rope"},
    {XSQA " --rope half --rope-base x", "--rope-base", "1 or more"},
    {XSQA " --rope half --rope-dim 3", "rope_dim", "even"},
    {XSQA " --gate", "wg.npy", ""},
    {XSQA " --attention none", "--attention", "softmax or linear"},
    {XSQA " --attention softmax --feature relu", "--feature", "--attention linear"},
    {XSQA " --causal" LINEAR " --project-decay --decay %1$s/x2.npy", "--project-decay", "--decay"},
    {XSQA " --causal" LINEAR " --project-decay", "wdecay.npy", ""},
    {XSQA LINEAR " --feature tanh", "--feature", "identity, elu1 or relu"},
    {XSQA LINEAR " --decay %1$s/x2.npy", "--decay", "--causal"},
    {XSQA LINEAR " --causal --decay %1$s/x2.npy", "x2.npy", "expected (1, "},
    {XSQA LINEAR " --normalise --state-in %1$s/x2.npy", "--sums-in", "goes with its sums"},
    {XSQA " --qk-norm", "q_norm.npy", ""},
    {XSQA " --kind serial", "--kind", "is not an option"},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

static const struct refusal refused_blocks[] = {
    {XSQA " --context %1$s/x.npy", "--context", "is not an option"},
    {XSQA " --kind sideways", "--kind", "serial or parallel"},
    {XSQA " --activation tanh", "--activation", "gelu_erf, sigmoid, relu or logsigmoid"},
    {XSQA " --norm-eps 0", "--norm-eps", "above 0"},
    {XSQA " --family rows", "--family", "not with --op block"},
    {XSQA, "norm1.npy", ""},
};
enum { REFUSED_BLOCKS = sizeof refused_blocks / sizeof refused_blocks[0] };

/* Of a folder with the inputs of a layer. */
static void check_refusal(const char *command, const struct refusal *of)
{
    static const float zeros[60] = {0.0f};
    static const uint64_t shape[2] = {5, 12};
    sqa_host_tensors forward, dy;
    make_inputs(&forward, &dy, "layer", runs[0].shape);
    save_array("x2.npy", "<f4", 2, shape, zeros, sizeof(float));
    const program_result *result = run_command(command, of->more);
    ck_assert_msg(result->code == 2, "exit %d: %s", result->code, result->err);
    ck_assert_msg(strstr(result->err, of->named) && strstr(result->err, of->message), "%s",
                  result->err);
    ck_assert(!work_file_exists("y.npy"));
    sqa_host_tensors_free(&forward);
    sqa_host_tensors_free(&dy);
}

START_TEST(nonsense_is_refused)
{
    check_refusal("run --op layer" ON_FILES, &refused[_i]);
}
END_TEST

START_TEST(nonsense_of_blocks_is_refused)
{
    check_refusal("run --op block" ON_FILES, &refused_blocks[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run layer");
    TCase *tests = tcase_create("run layer");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_layers, 0, RUNS);
    tcase_add_loop_test(tests, nonsense_is_refused, 0, REFUSED);
    tcase_add_loop_test(tests, nonsense_of_blocks_is_refused, 0, REFUSED_BLOCKS);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
