/* Products that CLBlast computes: a stored winner runs, on queues of either order, and gives
 * way with one warning where CLBlast fails; whoever named the family hears why. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/program.h"
#include "conformance/check.h"
#include "database/failing_clblast.h"
#include "database/fixture.h"
#include "kernels/registry.h"
#include "opencl_fixture.h"
#include "operations/matmul/fields.h"
#include "operations/matmul/slots.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "runtime/choose.h"
#include "runtime/plan.h"
#include "sqa_cl/layer.h"

/* Small products take a kernel that needs no workspace; those of `large` take another. */
enum { SMALL = 1, LARGE = 14, M = 70, N = 90, K = 50, BATCH = 3, FIRST = 2 };

static char path[512];
static int warnings;
static char last_warning[1024];

static void count_warning(void *user, sqa_log_level level, const char *message)
{
    (void)user;
    if (level != SQA_LOG_WARNING)
        return;
    warnings++;
    snprintf(last_warning, sizeof last_warning, "%s", message);
}

static sqa_matmul_desc wanted(uint32_t batch, uint32_t times)
{
    sqa_matmul_desc desc = SQA_MATMUL_DESC_INIT;
    desc.batch = batch;
    desc.m = M * times;
    desc.n = N * times;
    desc.k = K * times;
    desc.bias = 1;
    return desc;
}

/* Of layers of ROWS rows and a width of WIDTH, two heads of it. */
enum { ROWS = 64, WIDTH = 32 };

static sqa_matmul_desc projection(void)
{
    sqa_matmul_desc desc = SQA_MATMUL_DESC_INIT;
    desc.m = ROWS;
    desc.n = desc.k = WIDTH;
    return desc;
}

/* Stores the family as the best for the product on the device under test. */
static void store_winner(const sqa_matmul_desc desc)
{
    sqa_store *store = fixture_open(path);
    sqa_problem problem;
    sqa_config none;
    int64_t environment, trial;
    memset(&none, 0, sizeof none);
    ck_assert_int_eq(sqa_problem_from_matmul(&problem, &desc), SQA_OK);
    ck_assert_int_eq(sqa_store_environment(store, &test_device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, 1.0);
    record.family = sqa_family_find(SQA_OPERATION_MATMUL, "clblast");
    record.config = &none;
    ck_assert_msg(sqa_store_add_trial(store, &record, &trial) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_store_set_winner(store, trial), SQA_OK);
    sqa_store_close(store);
}

static sqa_context *context;

static void open_context(void)
{
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = path;
    options.skip_seed = 1;
    options.binary_cache = "";
    options.log = count_warning;
    options.log_level = SQA_LOG_WARNING;
    ck_assert_msg(sqa_context_create(&context, sqa_context_cl(test_context),
                                     sqa_context_cl_device(test_context), &options) == SQA_OK,
                  "%s", sqa_last_error());
}

static void setup(void)
{
    fixture_setup();
    work_folder_set_up();
    snprintf(path, sizeof path, "%s", fixture_path("tuning.db"));
    store_winner(wanted(1, SMALL));
    store_winner(wanted(BATCH, LARGE));
    open_context();
    clblast_calls = failing_clblast_call = warnings = 0;
    clblast_sizes_fail = false;
}

static void teardown(void)
{
    sqa_context_destroy(context);
    work_folder_tear_down();
    fixture_teardown();
}

/* A of ones, B of twos, a bias of halves; C is 10 as it was before. */
static sqa_matmul_tensors new_tensors(const sqa_matmul_desc *desc)
{
    sqa_matmul_tensors tensors = SQA_MATMUL_TENSORS_INIT;
    tensors.a.buffer = new_buffer(FIRST + (size_t)desc->batch * desc->m * desc->k, 1.0f);
    tensors.b.buffer = new_buffer(FIRST + (size_t)desc->batch * desc->k * desc->n, 2.0f);
    tensors.bias.buffer = new_buffer(FIRST + desc->n, 0.5f);
    tensors.c.buffer = new_buffer(FIRST + (size_t)desc->batch * desc->m * desc->n, 10.0f);
    tensors.a.offset = tensors.b.offset = tensors.bias.offset = tensors.c.offset = FIRST;
    return tensors;
}

static void release(const sqa_matmul_tensors *tensors)
{
    clReleaseMemObject(tensors->a.buffer);
    clReleaseMemObject(tensors->b.buffer);
    clReleaseMemObject(tensors->bias.buffer);
    clReleaseMemObject(tensors->c.buffer);
}

/* What C is then, and that nothing before it was touched. */
static void expect_all(cl_command_queue queue, const sqa_matmul_tensors *tensors,
                       const sqa_matmul_desc *desc, float value)
{
    const size_t count = FIRST + (size_t)desc->batch * desc->m * desc->n;
    float *c = malloc(count * sizeof *c);
    ck_assert_int_eq(clEnqueueReadBuffer(queue, tensors->c.buffer, CL_TRUE, 0, count * sizeof *c, c,
                                         0, NULL, NULL),
                     CL_SUCCESS);
    for (size_t i = 0; i < count; i++)
        ck_assert_float_eq(c[i], i < FIRST ? 10.0f : value);
    free(c);
}

static float product_of(const sqa_matmul_desc *desc)
{
    return 2.0f * (float)desc->k + 0.5f;
}

static sqa_plan *new_plan(const sqa_matmul_desc *desc, const sqa_plan_options *options)
{
    sqa_plan *plan = NULL;
    ck_assert_msg(sqa_matmul_plan_create(&plan, context, desc, options) == SQA_OK, "%s",
                  sqa_last_error());
    return plan;
}

static const char *family_of(const sqa_plan *plan)
{
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    return info.family;
}

/* Behind a user event, and before whoever waits for its own. */
static void run_on(cl_command_queue_properties order, const sqa_matmul_desc desc)
{
    cl_int code;
    cl_device_id device = sqa_context_cl_device(test_context);
    cl_command_queue queue =
        clCreateCommandQueue(sqa_context_cl(test_context), device, order, &code);
    cl_event gate = clCreateUserEvent(sqa_context_cl(test_context), &code), done = NULL;
    sqa_matmul_tensors tensors = new_tensors(&desc);
    sqa_plan *plan = new_plan(&desc, NULL);
    cl_int state = CL_COMPLETE;
    ck_assert_str_eq(family_of(plan), "clblast");
    ck_assert_msg(sqa_matmul_run(plan, queue, &tensors, 1, &gate, &done) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(
        clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL),
        CL_SUCCESS);
    ck_assert_int_ne(state, CL_COMPLETE);
    ck_assert_int_eq(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
    ck_assert_int_eq(clWaitForEvents(1, &done), CL_SUCCESS);
    expect_all(queue, &tensors, &desc, product_of(&desc));
    ck_assert_int_eq(warnings, 0);
    clReleaseEvent(gate);
    clReleaseEvent(done);
    sqa_plan_destroy(plan);
    release(&tensors);
    clReleaseCommandQueue(queue);
}

START_TEST(a_stored_winner_runs)
{
    run_on(0, wanted(1, SMALL));
    run_on(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, wanted(1, SMALL));
    run_on(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, wanted(BATCH, LARGE));
}
END_TEST

/* From the first call on, whatever the family was asked; once it has run, an error is one. */
START_TEST(a_failing_library_is_passed_over)
{
    const sqa_matmul_desc desc = wanted(1, SMALL);
    sqa_matmul_tensors tensors = new_tensors(&desc);
    sqa_plan *plan = new_plan(&desc, NULL);
    sqa_leaf *leaf = plan->stages[0].leaf;
    failing_clblast_call = 1;
    for (int call = 0; call < 2; call++)
        ck_assert_msg(sqa_matmul_run(plan, test_queue, &tensors, 0, NULL, NULL) == SQA_OK, "%s",
                      sqa_last_error());
    expect_all(test_queue, &tensors, &desc, product_of(&desc));
    ck_assert_ptr_nonnull(atomic_load(&leaf->substitute));
    ck_assert_str_ne(atomic_load(&leaf->substitute)->choice.family->name, "clblast");
    ck_assert_int_eq(warnings, 1);
    ck_assert_int_eq(clblast_calls, 1);
    sqa_plan_destroy(plan);
    plan = new_plan(&desc, NULL);
    failing_clblast_call = 0;
    ck_assert_int_eq(sqa_matmul_run(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    failing_clblast_call = clblast_calls + 1;
    ck_assert_int_eq(sqa_matmul_run(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OPENCL_ERROR);
    ck_assert_msg(strstr(sqa_last_error(), "CLBlast") != NULL, "%s", sqa_last_error());
    ck_assert_int_eq(warnings, 1);
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

START_TEST(a_failing_library_is_passed_over_by_warming_up)
{
    const sqa_matmul_desc desc = wanted(1, SMALL);
    sqa_matmul_tensors tensors = new_tensors(&desc);
    sqa_plan *plan = new_plan(&desc, NULL);
    failing_clblast_call = 1;
    ck_assert_msg(sqa_plan_warm_up(plan, test_queue) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(warnings, 1);
    ck_assert_int_eq(sqa_matmul_run(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OK);
    expect_all(test_queue, &tensors, &desc, product_of(&desc));
    ck_assert_int_eq(warnings, 1);
    ck_assert_int_eq(clblast_calls, 1);
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

/* Half a batch is no reason to begin again: C may be one of its inputs. */
START_TEST(a_batch_that_breaks_off_is_an_error)
{
    const sqa_matmul_desc desc = wanted(BATCH, LARGE);
    sqa_matmul_tensors tensors = new_tensors(&desc);
    sqa_plan *plan = new_plan(&desc, NULL);
    ck_assert_uint_gt(plan->workspace_bytes, 0);
    failing_clblast_call = 2;
    ck_assert_int_eq(sqa_matmul_run(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OPENCL_ERROR);
    ck_assert_ptr_null(atomic_load(&plan->stages[0].leaf->substitute));
    ck_assert_int_eq(clFinish(test_queue), CL_SUCCESS);
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

/* Y of a layer on numbers that are all alike. */
static float run_layer(sqa_plan *plan)
{
    sqa_layer_tensors tensors = SQA_LAYER_TENSORS_INIT;
    sqa_tensor *const matrices[] = {&tensors.x,  &tensors.wq, &tensors.wk,
                                    &tensors.wv, &tensors.wo, &tensors.y};
    float y = 0.0f;
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++)
        matrices[i]->buffer = new_buffer((size_t)ROWS * WIDTH, 0.125f);
    ck_assert_msg(sqa_layer_run(plan, test_queue, &tensors, 0, NULL, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, tensors.y.buffer, CL_TRUE, 0, sizeof y, &y, 0, NULL, NULL),
        CL_SUCCESS);
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++)
        clReleaseMemObject(matrices[i]->buffer);
    return y;
}

static sqa_plan *new_layer(void)
{
    sqa_attention_desc attention = SQA_ATTENTION_DESC_INIT;
    sqa_layer_desc layer = SQA_LAYER_DESC_INIT;
    sqa_plan *plan = NULL;
    attention.q_heads = attention.kv_heads = 2;
    attention.q_length = attention.kv_length = ROWS;
    attention.head_dim = WIDTH / 2;
    layer.attention = &attention;
    layer.d_model = WIDTH;
    ck_assert_msg(sqa_layer_plan_create(&plan, context, &layer, NULL) == SQA_OK, "%s",
                  sqa_last_error());
    return plan;
}

/* X Wv is 1/2, which attention leaves, and times Wo 2. */
#define OF_LAYER (0.125f * 0.125f * WIDTH * 0.125f * WIDTH)

/* Without parameters of CLBlast for the device; and where it fails as late as it can, with what
 * needs no more workspace. */
START_TEST(a_layer_runs_without_it)
{
    sqa_context_destroy(context);
    store_winner(projection());
    open_context();
    clblast_sizes_fail = true;
    sqa_plan *plan = new_layer();
    ck_assert_ptr_null(strstr(family_of(plan), "clblast"));
    ck_assert_int_ge(warnings, 1);
    ck_assert_msg(strstr(last_warning, "clblast") != NULL, "%s", last_warning);
    ck_assert_float_eq_tol(run_layer(plan), OF_LAYER, 1e-5f);
    sqa_plan_destroy(plan);
    clblast_sizes_fail = false;
    warnings = 0;
    plan = new_layer();
    ck_assert_msg(!strncmp(family_of(plan), "clblast+", 8), "%s", family_of(plan));
    failing_clblast_call = 1;
    ck_assert_float_eq_tol(run_layer(plan), OF_LAYER, 1e-5f);
    ck_assert_int_ge(warnings, 1);
    ck_assert_msg(strstr(last_warning, "clblast() passed over for "), "%s", last_warning);
    sqa_plan_destroy(plan);
}
END_TEST

START_TEST(what_cannot_be_planned_is_passed_over)
{
    const sqa_matmul_desc desc = wanted(1, SMALL);
    clblast_sizes_fail = true;
    sqa_plan *plan = new_plan(&desc, NULL);
    ck_assert_str_ne(family_of(plan), "clblast");
    ck_assert_int_eq(warnings, 1);
    sqa_plan_destroy(plan);
}
END_TEST

/* Who asked for the family gets no other. */
START_TEST(a_named_family_says_why)
{
    const sqa_matmul_desc desc = wanted(1, SMALL);
    sqa_matmul_tensors tensors = new_tensors(&desc);
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = "clblast";
    sqa_plan *plan = new_plan(&desc, &options);
    failing_clblast_call = 1;
    ck_assert_int_eq(sqa_matmul_run(plan, test_queue, &tensors, 0, NULL, NULL), SQA_OPENCL_ERROR);
    ck_assert_msg(strstr(sqa_last_error(), "CLBlast") != NULL, "%s", sqa_last_error());
    expect_all(test_queue, &tensors, &desc, 10.0f);
    sqa_plan_destroy(plan);
    release(&tensors);
}
END_TEST

/* Its kernels count by int. */
START_TEST(offsets_beyond_its_numbers_are_refused)
{
    const sqa_matmul_desc desc = wanted(1, SMALL);
    sqa_tensor tensors[SQA_MAX_SLOTS] = {{0}};
    bool refused = false;
    sqa_plan *plan = new_plan(&desc, NULL);
    const sqa_launch_step *step = &plan->stages[0].leaf->launch.steps[0];
    tensors[SQA_SLOT_MATRIX_B].offset = INT_MAX - K * N + 1;
    ck_assert_int_eq(
        step->call->enqueue(step->problem, tensors, test_queue, 0, NULL, NULL, &refused),
        SQA_UNSUPPORTED);
    ck_assert_msg(strstr(sqa_last_error(), "tensors.b.offset") != NULL, "%s", sqa_last_error());
    ck_assert(refused);
    ck_assert_int_eq(clblast_calls, 0);
    sqa_plan_destroy(plan);
}
END_TEST

/* Above what CLBlast computes in place on a CPU: copies of the matrices, in the workspace. */
static const char *const large[] = {
    "op=matmul,m=1000,n=900,k=850,act=silu",
    "op=matmul,b=2,m=903,n=1025,k=941,ta,tb,beta=0.5,alpha=0.25,sa=0:950,sc=930000:1027",
    "op=matmul,m=896,n=896,k=896,tb,bias,residual,act=gelu_tanh",
};
enum { LARGE_SHAPES = sizeof large / sizeof *large };

START_TEST(large_products_are_right)
{
    sqa_problem problem;
    sqa_judgement judgement;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = "clblast";
    ck_assert_int_eq(sqa_problem_parse(large[_i], &problem), SQA_OK);
    ck_assert_int_eq(sqa_check(context, test_queue, &problem, &options, 7, false, &judgement),
                     SQA_OK);
    ck_assert_msg(judgement.passed, "%s: %s", large[_i], judgement.message);
    ck_assert_int_gt(clblast_calls, 0);
}
END_TEST

static const struct {
    const char *what;
    sqa_matmul_desc desc;
} unsupported[] = {
    {"f32", {.dtype = SQA_DTYPE_F16, .k = 4}},
    {"f32", {.dtype = SQA_DTYPE_BF16, .k = 4}},
    {"gate", {.k = 4, .gated = 1}},
    {"add up", {.k = 0}},
    {"overlap", {.k = 4, .a = {0, 3}}},
    {"2^31", {.k = 4, .b = {0, 1 << 30}}},
};
enum { UNSUPPORTED = sizeof unsupported / sizeof *unsupported };

START_TEST(what_it_cannot_do_is_refused)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_matmul_desc desc = unsupported[_i].desc;
    sqa_plan *plan = NULL;
    options.family = "clblast";
    desc.version = SQA_MATMUL_DESC_VERSION;
    desc.batch = 1;
    desc.m = desc.n = 4;
    desc.alpha = 1.0f;
    ck_assert_int_eq(sqa_matmul_plan_create(&plan, context, &desc, &options), SQA_UNSUPPORTED);
    ck_assert_msg(strstr(sqa_last_error(), unsupported[_i].what) != NULL, "%s", sqa_last_error());
}
END_TEST

/* What is chosen where nothing was measured. */
static const char *default_family(const sqa_device *device)
{
    static const sqa_tuning_table nothing = SQA_TUNING_TABLE_INIT;
    const sqa_matmul_desc desc = wanted(1, LARGE);
    sqa_choices choices;
    sqa_problem problem;
    ck_assert_int_eq(sqa_problem_from_matmul(&problem, &desc), SQA_OK);
    ck_assert_int_eq(sqa_choose(&choices, device, &nothing, NULL, &problem, NULL), SQA_OK);
    sqa_text_free(&choices.passed_over);
    ck_assert_str_eq(choices.items[choices.count - 1].family->name, "naive");
    return choices.items[0].family->name;
}

START_TEST(it_is_the_default_of_gpus)
{
    sqa_device device = fixture_device();
    ck_assert_int_eq(device.strings.type, SQA_DEVICE_CPU);
    ck_assert_str_eq(default_family(&device), "rows");
    device.strings.type = SQA_DEVICE_GPU;
    ck_assert_str_eq(default_family(&device), "clblast");
    device.limits.has_compiler = false; /* CLBlast compiles by itself */
    ck_assert_str_eq(default_family(&device), "tiled");
}
END_TEST

static void expect_words(const char *text, const char *words)
{
    ck_assert_msg(strstr(text, words) != NULL, "'%s' has no '%s'", text, words);
}

/* There is no source of it, and none is captured. */
START_TEST(commands_say_whose_it_is)
{
    const char *shape = "op=matmul,m=70,n=90,k=50,bias";
    const program_result *result = run_sqa("info");
    expect_words(result->out, "built with CLBlast 1.");
    result = run_sqa("source --shape %s --db %s", shape, path);
    ck_assert_msg(result->code == 0, "%s", result->err);
    expect_words(result->out, "step 1    CLBlastSgemm of CLBlast 1.");
    expect_words(result->out, "step 2    sqa_naive_matmul");
    expect_words(result->out, "compiles the rest itself");
    result = run_sqa("source --shape op=matmul,m=7,n=9,k=5 --family clblast");
    ck_assert_ptr_null(strstr(result->out, "__kernel"));
    result = run_sqa("capture --shape %s --db %s --out %s/folder", shape, path, work_folder);
    ck_assert_msg(result->code == 0, "%s", result->err);
    expect_words(result->out, "1 programs, 1 of them new");
    ck_assert_ptr_null(strstr(result->out, "clblast("));
    result = run_sqa("capture --shape %s --family clblast --out %s/folder", shape, work_folder);
    ck_assert_int_ne(result->code, 0);
    expect_words(result->err, "--family: clblast has no source to capture");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clblast");
    TCase *tests = tcase_create("clblast");
    tcase_set_timeout(tests, 300);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_stored_winner_runs);
    tcase_add_test(tests, a_failing_library_is_passed_over);
    tcase_add_test(tests, a_failing_library_is_passed_over_by_warming_up);
    tcase_add_test(tests, a_layer_runs_without_it);
    tcase_add_test(tests, a_batch_that_breaks_off_is_an_error);
    tcase_add_test(tests, what_cannot_be_planned_is_passed_over);
    tcase_add_test(tests, a_named_family_says_why);
    tcase_add_test(tests, it_is_the_default_of_gpus);
    tcase_add_test(tests, commands_say_whose_it_is);
    tcase_add_test(tests, offsets_beyond_its_numbers_are_refused);
    tcase_add_loop_test(tests, large_products_are_right, 0, LARGE_SHAPES);
    tcase_add_loop_test(tests, what_it_cannot_do_is_refused, 0, UNSUPPORTED);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
