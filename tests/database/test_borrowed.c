/* Rows on a real device: which rung gives the plan, whether its row is borrowed, that
 * a borrowed one is checked before it is used, and that the file is read only once. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/fixture.h"
#include "kernels/families.h"
#include "opencl_fixture.h"
#include "refuse_launch.h"
#include "run_suite.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "store/probe.h"

static char path[512];

static void setup(void)
{
    fixture_setup();
    snprintf(path, sizeof path, "%s", fixture_path("tuning.db"));
}

static sqa_attention_desc wanted(void)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = 2;
    desc.q_length = desc.kv_length = 64;
    desc.head_dim = 16;
    return desc;
}

/* Stores CHUNK=4 of the naive family as the best for `wanted` on the device under
 * test; `sql` then changes what the file says. */
static void store_row(const char *sql)
{
    sqa_store *store = fixture_open(path);
    sqa_attention_desc desc = wanted();
    sqa_problem problem;
    int64_t environment, trial;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    ck_assert_int_eq(sqa_store_environment(store, &test_device, &environment), SQA_OK);
    sqa_trial_record record = fixture_record(environment, &problem, 1.0);
    sqa_config config = *record.config;
    ck_assert_int_eq(sqa_config_parse(record.family, "CHUNK=4", &config), SQA_OK);
    record.config = &config;
    ck_assert_msg(sqa_store_add_trial(store, &record, &trial) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_store_set_winner(store, trial), SQA_OK);
    sqa_store_close(store);
    if (sql)
        fixture_run(path, sql);
}

static sqa_context *open_context(void)
{
    sqa_context *context = NULL;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = path;
    options.skip_seed = 1;
    options.binary_cache = "";
    ck_assert_msg(sqa_context_create(&context, sqa_context_cl(test_context),
                                     sqa_context_cl_device(test_context), &options) == SQA_OK,
                  "%s", sqa_last_error());
    return context;
}

/* What a plan for `wanted` is made of. */
static void expect_plan(sqa_context *context, const char *rung, const char *config, bool checked)
{
    sqa_attention_desc desc = wanted();
    sqa_plan *plan = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    ck_assert_msg(sqa_plan_create(&plan, context, &desc, NULL) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_str_eq(info.rung, rung);
    ck_assert_str_eq(info.source, config ? "user-db" : "default");
    if (config)
        ck_assert_str_eq(info.config, config);
    ck_assert_int_eq(strstr(info.reason, "checked here") != NULL, checked);
    ck_assert_int_eq(sqa_program_cache_is_checked(context->programs, plan->stages[0].leaf->program),
                     checked);
    sqa_plan_destroy(plan);
}

/* As if a model had made the row. */
#define MODELLED                                                                                   \
    "DELETE FROM winner; UPDATE trial SET status = 'modelled', modelled = 0.625,"                  \
    " median_ms = NULL, samples = 0, final = 0"

/* A row as the tuner left it, and the same row after the world around it changed. */
static const struct {
    const char *sql, *rung;
    bool borrowed;
} rungs[] = {
    {NULL, "exact", false},
    {"UPDATE environment SET driver_version = 'the driver of last year'", "other-driver", true},
    {"UPDATE environment SET driver_version = driver_version || '.1'", "other-driver", true},
    {"UPDATE problem_class SET key = replace(key, ',q=6', ',q=8')", "nearest-size", false},
    {"UPDATE problem_class SET key = replace(key, 'rows=1', 'rows=2'); UPDATE environment SET"
     " driver_version = 'old'",
     "nearest-size", true},
    {"UPDATE device SET model = model || '-x', compute_units = compute_units + 3", "architecture",
     true},
    {"UPDATE device SET architecture = 'another'", "vendor", true},
    {MODELLED, "modelled", true},
    {MODELLED "; UPDATE environment SET driver_version = ''; UPDATE device SET model = 'other'",
     "modelled", true},
};
enum { RUNGS = sizeof rungs / sizeof rungs[0] };

START_TEST(a_row_is_used_on_its_rung)
{
    store_row(rungs[_i].sql);
    sqa_context *context = open_context();
    expect_plan(context, rungs[_i].rung, "CHUNK=4", rungs[_i].borrowed);
    sqa_context_destroy(context);
}
END_TEST

START_TEST(a_modelled_row_says_so)
{
    sqa_attention_desc desc = wanted();
    sqa_plan *plan = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    store_row(MODELLED);
    sqa_context *context = open_context();
    ck_assert_int_eq(sqa_plan_create(&plan, context, &desc, NULL), SQA_OK);
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_msg(strstr(info.reason, "never measured: a model gives it 62 % of the rate of "
                                      "multiply-adds of ") != NULL,
                  "%s", info.reason);
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
}
END_TEST

/* What must not be used is passed over, and the explanation says why. */
static const struct {
    const char *sql, *reason;
} refused[] = {
    {"UPDATE device SET runtime = 'another'", NULL},
    {"UPDATE device SET vendor = 'another'", NULL},
    {"UPDATE device SET type = 'accelerator'", NULL},
    {"UPDATE device SET architecture = 'another', vector_width_float = vector_width_float + 1",
     NULL},
    {"UPDATE problem_class SET key = replace(key, 'f32', 'f16')", NULL},
    {"UPDATE problem_class SET key = replace(key, ',d=16', ',d=17')", NULL},
    {MODELLED "; UPDATE device SET architecture = 'another'", NULL},
    {"UPDATE trial SET space_version = 99", "another version"},
    {"UPDATE trial SET family = 'clever'", "unknown kernel family"},
    {"UPDATE trial SET config = 'CHUNK=5'", "unreadable parameters"},
    {"UPDATE trial SET config = 'CHUNK=4; DROP TABLE trial'", "unreadable parameters"},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(a_row_is_passed_over)
{
    sqa_attention_desc desc = wanted();
    sqa_plan *plan = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    store_row(refused[_i].sql);
    sqa_context *context = open_context();
    ck_assert_msg(sqa_plan_create(&plan, context, &desc, NULL) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_str_eq(info.source, "default");
    if (refused[_i].reason)
        ck_assert_msg(strstr(info.reason, refused[_i].reason), "%s", info.reason);
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
}
END_TEST

/* Matrix units, where there are said to be some: nothing is assumed of the compiler, a probe that
 * failed is told, and one that did not is followed by the check of the program itself. */
static const struct {
    sqa_trial_status status; /* that the probe found; SQA_TRIAL_REJECTED: nobody asked */
    const char *family, *reason;
} probes[] = {
    {SQA_TRIAL_REJECTED, "rows", "mma passed over: not probed with this driver"},
    {SQA_TRIAL_CRASHED, "rows", "mma passed over: its probe with this driver: crashed, a phrase; "},
    {SQA_TRIAL_OK, "mma", "own default, probed with this driver and checked here"},
};
enum { PROBES = sizeof probes / sizeof probes[0] };

START_TEST(a_probe_decides)
{
    sqa_attention_desc desc = wanted();
    sqa_plan *plan = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    int64_t environment;
    const sqa_trial_result result = sqa_trial_failure(probes[_i].status, "a phrase");
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_environment(store, &test_device, &environment), SQA_OK);
    if (probes[_i].status != SQA_TRIAL_REJECTED)
        ck_assert_int_eq(sqa_store_set_probe(store, environment, &sqa_mma_forward, &result),
                         SQA_OK);
    sqa_store_close(store);
    ck_assert_int_eq(setenv("SQA_CL_TEST_MATRIX_UNITS", "mma", 1), 0);
    sqa_context *context = open_context();
    desc.dtype = SQA_DTYPE_F16;
    ck_assert_msg(sqa_plan_create(&plan, context, &desc, NULL) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_str_eq(info.family, probes[_i].family);
    ck_assert_str_eq(info.source, "default");
    ck_assert_msg(strstr(info.reason, probes[_i].reason) != NULL, "%s", info.reason);
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
}
END_TEST

/* The file may change, break or go away: a context has what it read. */
START_TEST(the_file_is_read_once)
{
    store_row(NULL);
    struct stat before, after;
    ck_assert_int_eq(stat(path, &before), 0);
    sqa_context *context = open_context();
    expect_plan(context, "exact", "CHUNK=4", false);
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_int_eq(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    ck_assert_int_eq(before.st_size, after.st_size);
    fixture_write(path, "no database", 11);
    expect_plan(context, "exact", "CHUNK=4", false);
    ck_assert_int_eq(unlink(path), 0);
    expect_plan(context, "exact", "CHUNK=4", false);
    sqa_context_destroy(context);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* A compiler may refuse what it should take: the next family is used, and explained. */
START_TEST(a_refused_build_is_passed_over)
{
    sqa_attention_desc desc = wanted();
    sqa_plan *plan = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    sqa_context *context = open_context();
    refuse_build = true;
    ck_assert_msg(sqa_plan_create(&plan, context, &desc, NULL) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_str_ne(info.family, "rows");
    ck_assert_msg(!strncmp(info.reason, "default rows(", 13) &&
                      strstr(info.reason, ") passed over: SQA_BUILD_FAILED, clBuildProgram failed"),
                  "%s", info.reason);
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
}
END_TEST

/* Some runtimes compile at the first launch, and find out there what they cannot run. */
START_TEST(a_refused_launch_is_passed_over)
{
    enum { ELEMENTS = 2 * 64 * 16 };
    float zeros[ELEMENTS] = {0}, o[ELEMENTS];
    cl_mem buffers[4];
    cl_int code;
    sqa_attention_desc desc = wanted();
    sqa_plan *plan = NULL;
    store_row(NULL);
    sqa_context *context = open_context();
    cl_command_queue queue =
        clCreateCommandQueue(sqa_context_cl(context), sqa_context_cl_device(context), 0, &code);
    memset(o, 0x7f, sizeof o);
    for (int i = 0; i < 4; i++)
        buffers[i] = clCreateBuffer(sqa_context_cl(context), CL_MEM_COPY_HOST_PTR, sizeof zeros,
                                    i == 3 ? o : zeros, &code);
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = buffers[0];
    tensors.k.buffer = buffers[1];
    tensors.v.buffer = buffers[2];
    tensors.o.buffer = buffers[3];
    ck_assert_int_eq(sqa_plan_create(&plan, context, &desc, NULL), SQA_OK);
    sqa_leaf *leaf = plan->stages[0].leaf;
    ck_assert_str_eq(leaf->config, "CHUNK=4");
    for (int call = 0; call < 2; call++) {
        refuse_launch = call == 0;
        ck_assert_msg(sqa_forward(plan, queue, &tensors, 0, NULL, NULL) == SQA_OK, "%s",
                      sqa_last_error());
        ck_assert_ptr_nonnull(atomic_load(&leaf->substitute));
    }
    ck_assert_int_eq(clEnqueueReadBuffer(queue, buffers[3], CL_TRUE, 0, sizeof o, o, 0, NULL, NULL),
                     CL_SUCCESS);
    for (int i = 0; i < ELEMENTS; i++)
        ck_assert_float_eq(o[i], 0.0f);
    /* What has run before is not passed over, and says what is wrong. */
    sqa_plan_destroy(plan);
    ck_assert_int_eq(sqa_plan_create(&plan, context, &desc, NULL), SQA_OK);
    ck_assert_int_eq(sqa_forward(plan, queue, &tensors, 0, NULL, NULL), SQA_OK);
    refuse_launch = true;
    ck_assert_int_eq(sqa_forward(plan, queue, &tensors, 0, NULL, NULL), SQA_OUT_OF_MEMORY);
    ck_assert_int_eq(clFinish(queue), CL_SUCCESS);
    sqa_plan_destroy(plan);
    for (int i = 0; i < 4; i++)
        clReleaseMemObject(buffers[i]);
    clReleaseCommandQueue(queue);
    sqa_context_destroy(context);
}
END_TEST

/* What a program ships beside the user's own database. */
static sqa_context *open_with(uint32_t version, const char *user, const char *const *extras)
{
    sqa_context *context = NULL;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.version = version;
    options.user_database = user;
    options.skip_seed = 1;
    options.binary_cache = "";
    options.extra_databases = extras;
    ck_assert_msg(sqa_context_create(&context, sqa_context_cl(test_context),
                                     sqa_context_cl_device(test_context), &options) == SQA_OK,
                  "%s", sqa_last_error());
    return context;
}

static void expect_source(sqa_context *context, const char *source, const char *reason)
{
    sqa_attention_desc desc = wanted();
    sqa_plan *plan = NULL;
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    ck_assert_msg(sqa_plan_create(&plan, context, &desc, NULL) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_str_eq(info.source, source);
    ck_assert_msg(strstr(info.reason, reason) != NULL, "'%s' has no '%s'", info.reason, reason);
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
}

START_TEST(extra_databases)
{
    char own[sizeof path], reason[sizeof path + 16];
    snprintf(own, sizeof own, "%s", fixture_path("own.db"));
    store_row(NULL);
    snprintf(reason, sizeof reason, "from %s: exact", path);
    const char *const extras[] = {fixture_path("missing.db"), path, NULL}, *const none[] = {NULL};
    expect_source(open_with(2, "", extras), "extra-db", reason);
    expect_source(open_with(2, own, extras), "extra-db", reason); /* there is none yet */
    expect_source(open_with(2, path, extras), "user-db", "exact");
    expect_source(open_with(2, "", none), "default", "no tuning result");
    /* A caller of before there was the option has it not: what stands there is not read. */
    expect_source(open_with(1, "", extras), "default", "no tuning result");
    ck_assert_int_eq(setenv("SQA_CL_EXTRA_DBS", path, 1), 0);
    expect_source(open_with(2, "", NULL), "extra-db", reason);
    expect_source(open_with(1, "", extras), "extra-db", reason);
    expect_source(open_with(2, "", none), "default", "no tuning result");
    ck_assert_int_eq(unsetenv("SQA_CL_EXTRA_DBS"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("borrowed");
    TCase *tests = tcase_create("rows on a device");
    tcase_set_timeout(tests, 240);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_checked_fixture(tests, setup, fixture_teardown);
    tcase_add_loop_test(tests, a_row_is_used_on_its_rung, 0, RUNGS);
    tcase_add_loop_test(tests, a_row_is_passed_over, 0, REFUSED);
    tcase_add_test(tests, a_modelled_row_says_so);
    tcase_add_loop_test(tests, a_probe_decides, 0, PROBES);
    tcase_add_test(tests, the_file_is_read_once);
    tcase_add_test(tests, a_refused_build_is_passed_over);
    tcase_add_test(tests, a_refused_launch_is_passed_over);
    tcase_add_test(tests, extra_databases);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
