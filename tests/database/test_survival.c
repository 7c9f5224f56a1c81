/* The user's database in every state a file can be in: a context opens, attention is
 * right, and there is one clear warning, or none where nothing is lost; for the
 * library and for `sqa run`. Also a folder, a disk and a home that fail the tuner. */
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/program.h"
#include "database/fixture.h"
#include "opencl_fixture.h"
#include "run_suite.h"
#include "text/npy.h"

static char path[512];
static sqlite3 *holder; /* of a lock */

static void setup(void)
{
    fixture_setup();
    work_folder_set_up();
    /* For the program in a sanitizer's build, whose search for leaks trips over the
     * runtime's threads; it was compiled from what the other suites look at. */
    ck_assert_int_eq(setenv("ASAN_OPTIONS", "detect_leaks=0", 1), 0);
    snprintf(path, sizeof path, "%s", fixture_path("tuning.db"));
    holder = NULL;
}

static void teardown(void)
{
    sqlite3_close(holder);
    work_folder_tear_down();
    fixture_teardown();
}

static void nothing(void)
{
}

static void read_only_folder(void)
{
    fixture_fill(path, 2);
    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert_int_eq(chmod(fixture_path("."), 0555), 0);
}

static void locked(void)
{
    fixture_fill(path, 2);
    ck_assert_int_eq(sqlite3_open(path, &holder), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(holder, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
}

static void truncated(void)
{
    fixture_fill(path, 5);
    ck_assert_int_eq(truncate(path, 2 * 4096 + 100), 0);
}

static void cut_to_nothing(void)
{
    fixture_write(path, "", 0);
}

static void random_bytes(void)
{
    unsigned char bytes[30000];
    srand(11);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(rand() >> 5);
    fixture_write(path, bytes, sizeof bytes);
}

static void newer_schema(void)
{
    fixture_fill(path, 2);
    fixture_run(path, "PRAGMA user_version = 77");
}

static void schema_of_before_the_first(void)
{
    fixture_fill(path, 2);
    fixture_run(path, "PRAGMA user_version = 0");
}

static void another_programs(void)
{
    fixture_run(path, "CREATE TABLE bookmarks (url TEXT)");
}

static void folder(void)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void symlink_loop(void)
{
    ck_assert_int_eq(symlink(path, fixture_path("other")), 0);
    ck_assert_int_eq(symlink(fixture_path("other"), path), 0);
}

static void dangling_symlink(void)
{
    ck_assert_int_eq(symlink(fixture_path("nowhere"), path), 0);
}

static const struct {
    const char *name;
    void (*make)(void);
    const char *warning; /* words in it; NULL: there is none */
} states[] = {
    {"missing", nothing, NULL},
    {"read-only", read_only_folder, NULL},
    {"locked", locked, "locked"},
    {"truncated", truncated, "damaged"},
    {"empty", cut_to_nothing, NULL},
    {"random bytes", random_bytes, "not a tuning database"},
    {"newer schema", newer_schema, "newer"},
    {"older schema", schema_of_before_the_first, "older"},
    {"another program's", another_programs, "another program"},
    {"folder", folder, "not a file"},
    {"symlink loop", symlink_loop, "symbolic links"},
    {"dangling symlink", dangling_symlink, NULL},
};
enum { STATES = sizeof states / sizeof states[0] };

/* All keys are equal, so the output is V whatever the weights are. */
static void expect_right_answer(sqa_context *context)
{
    enum { COUNT = 2 * 8 * 8 };
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = 2;
    desc.q_length = desc.kv_length = desc.head_dim = 8;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = new_buffer(COUNT, 1.0f);
    tensors.k.buffer = new_buffer(COUNT, 2.0f);
    tensors.v.buffer = new_buffer(COUNT, 3.0f);
    tensors.o.buffer = new_buffer(COUNT, NAN);
    float o[COUNT];
    ck_assert_msg(sqa_attention_forward(context, test_queue, &desc, &tensors, 0, NULL, NULL) ==
                      SQA_OK,
                  "%s", sqa_last_error());
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, tensors.o.buffer, CL_TRUE, 0, sizeof o, o, 0, NULL, NULL),
        CL_SUCCESS);
    for (int i = 0; i < COUNT; i++)
        ck_assert_float_eq_tol(o[i], 3.0f, 1e-5f);
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.k.buffer);
    clReleaseMemObject(tensors.v.buffer);
    clReleaseMemObject(tensors.o.buffer);
}

static sqa_status open_with(sqa_context **out, const char *database, fixture_log *heard)
{
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    sqa_log log = fixture_listen(heard);
    options.user_database = database;
    options.binary_cache = "";
    options.log = log.callback;
    options.log_user = log.user;
    options.log_level = SQA_LOG_WARNING;
    return sqa_context_create(out, sqa_context_cl(test_context),
                              sqa_context_cl_device(test_context), &options);
}

START_TEST(context_survives)
{
    sqa_context *context = NULL;
    fixture_log heard;
    states[_i].make();
    ck_assert_msg(open_with(&context, path, &heard) == SQA_OK, "%s: %s", states[_i].name,
                  sqa_last_error());
    expect_right_answer(context);
    ck_assert_msg(heard.count[SQA_LOG_WARNING] == (states[_i].warning != NULL), "%s: %d: %s",
                  states[_i].name, heard.count[SQA_LOG_WARNING], heard.last[SQA_LOG_WARNING]);
    ck_assert_int_eq(heard.count[SQA_LOG_ERROR], 0);
    if (states[_i].warning) {
        ck_assert_msg(strstr(heard.last[SQA_LOG_WARNING], states[_i].warning) &&
                          strstr(heard.last[SQA_LOG_WARNING], path),
                      "%s: %s", states[_i].name, heard.last[SQA_LOG_WARNING]);
    }
    sqa_context_destroy(context);
    chmod(fixture_path("."), 0755);
}
END_TEST

static void save_tensor(const char *name)
{
    char file[128];
    sqa_npy tensor = {.rank = 4, .shape = {1, 2, 8, 8}, .count = 128, .element = SQA_ELEMENT_F32};
    tensor.data = malloc(tensor.count * sizeof *tensor.data);
    ck_assert_ptr_nonnull(tensor.data);
    for (size_t i = 0; i < tensor.count; i++)
        tensor.data[i] = 3.0f;
    snprintf(file, sizeof file, "%s/%s.npy", work_folder, name);
    FILE *out = fopen(file, "wb");
    ck_assert_ptr_nonnull(out);
    sqa_npy_write(out, &tensor);
    ck_assert_int_eq(fclose(out), 0);
    sqa_npy_free(&tensor);
}

static int count_lines_with(const char *text, const char *words)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, words)); at++)
        count++;
    return count;
}

/* Runs attention on files and gives what it said. */
static const program_result *run_on_files(void)
{
    const char *f = work_folder;
    save_tensor("q");
    save_tensor("k");
    save_tensor("v");
    const program_result *result =
        run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy --out %s/o.npy", f, f, f, f);
    char file[128];
    sqa_npy o = {0};
    const sqa_npy_wish floats = {SQA_NPY_FLOATS, 4, 4, ""};
    ck_assert_msg(result->code == 0, "exit %d: %s", result->code, result->err);
    snprintf(file, sizeof file, "%s/o.npy", work_folder);
    ck_assert_msg(sqa_npy_read(&o, file, &floats) == SQA_OK, "%s", sqa_last_error());
    for (size_t i = 0; i < o.count; i++)
        ck_assert_float_eq_tol(o.data[i], 3.0f, 1e-5f);
    sqa_npy_free(&o);
    return result;
}

START_TEST(run_survives)
{
    states[_i].make();
    ck_assert_int_eq(setenv("SQA_CL_DB", path, 1), 0);
    const program_result *result = run_on_files();
    ck_assert_msg(count_lines_with(result->err, "sqa: warning: ") == (states[_i].warning != NULL),
                  "%s: %s", states[_i].name, result->err);
    if (states[_i].warning)
        ck_assert_msg(strstr(result->err, states[_i].warning), "%s: %s", states[_i].name,
                      result->err);
    chmod(fixture_path("."), 0755);
}
END_TEST

START_TEST(without_a_home)
{
    static const char *const names[] = {"SQA_CL_DB", "XDG_DATA_HOME", "HOME"};
    char *kept[3];
    for (int i = 0; i < 3; i++) {
        kept[i] = getenv(names[i]) ? strdup(getenv(names[i])) : NULL;
        ck_assert_int_eq(unsetenv(names[i]), 0);
    }
    sqa_context *context = NULL;
    fixture_log heard;
    ck_assert_int_eq(open_with(&context, NULL, &heard), SQA_OK);
    expect_right_answer(context);
    ck_assert_int_eq(heard.count[SQA_LOG_WARNING], 0);
    sqa_context_destroy(context);
    ck_assert_int_eq(count_lines_with(run_on_files()->err, "sqa: warning: "), 0);
    const program_result *result = run_sqa("db list --user-db");
    ck_assert_int_eq(result->code, 1);
    ck_assert_ptr_nonnull(strstr(result->err, "set SQA_CL_DB or HOME, or say --db FILE"));
    result = run_sqa("info");
    ck_assert_int_eq(result->code, 0);
    ck_assert_ptr_nonnull(strstr(result->out, "no place: set SQA_CL_DB or HOME, or say --db FILE"));
    ck_assert_ptr_null(strstr(result->out, "missing"));
    ck_assert_ptr_nonnull(strstr(run_sqa("info --json")->out, "\"state\": \"no place\""));
    for (int i = 0; i < 3; i++)
        if (kept[i])
            ck_assert_int_eq(setenv(names[i], kept[i], 1), 0);
    for (int i = 0; i < 3; i++)
        free(kept[i]);
}
END_TEST

/* A disk that is full: reading goes on as ever, writing says why and loses nothing. */
START_TEST(full_disk)
{
    char disk[512];
    snprintf(disk, sizeof disk, "%s", fixture_path("disk"));
    ck_assert_int_eq(mkdir(disk, 0755), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=256k"))
        return; /* only root may */
    snprintf(path, sizeof path, "%s", fixture_path("disk/tuning.db"));
    fixture_fill(path, 2);
    FILE *filler = fopen(fixture_path("disk/filler"), "w");
    ck_assert_ptr_nonnull(filler);
    setvbuf(filler, NULL, _IONBF, 0);
    while (fputc('x', filler) != EOF)
        continue;
    fclose(filler);

    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    sqa_problem problem = fixture_problem(1024);
    int64_t environment;
    sqa_status status = sqa_store_environment(store, &device, &environment);
    for (int i = 0; i < 2000 && status == SQA_OK; i++) {
        sqa_trial_record record = fixture_record(environment, &problem, 4.0);
        status = sqa_store_add_trial(store, &record, NULL);
    }
    ck_assert_int_eq(status, SQA_DATABASE_ERROR);
    ck_assert_msg(strstr(sqa_last_error(), "disk is full"), "%s", sqa_last_error());
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    ck_assert_msg(report.sound && report.trials >= 2, "%s", report.problem);
    sqa_store_close(store);

    sqa_context *context = NULL;
    fixture_log heard;
    ck_assert_int_eq(open_with(&context, path, &heard), SQA_OK);
    expect_right_answer(context);
    ck_assert_msg(heard.count[SQA_LOG_WARNING] == 0, "%s", heard.last[SQA_LOG_WARNING]);
    sqa_context_destroy(context);
    ck_assert_int_eq(umount(disk), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("survival");
    TCase *tests = tcase_create("states of the database");
    tcase_set_timeout(tests, 240);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, context_survives, 0, STATES);
    tcase_add_loop_test(tests, run_survives, 0, STATES);
    tcase_add_test(tests, without_a_home);
    tcase_add_test(tests, full_disk);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
