/* For nftw(). */
#define _XOPEN_SOURCE 700

#include "database/fixture.h"

#include <check.h>
#include <ftw.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_suite.h"

static char folder[256];

void fixture_setup(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/sqa_database_XXXXXX", base && *base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

void fixture_teardown(void)
{
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *fixture_path(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

sqa_device fixture_device(void)
{
    sqa_device device;
    memset(&device, 0, sizeof device);
    snprintf(device.strings.platform_name, sizeof device.strings.platform_name, "Paper");
    snprintf(device.strings.platform_version, sizeof device.strings.platform_version,
             "OpenCL 3.0 Paper 1");
    snprintf(device.strings.device_name, sizeof device.strings.device_name, "Paper Tiger 8");
    snprintf(device.strings.device_vendor, sizeof device.strings.device_vendor, "Paper Inc.");
    snprintf(device.strings.device_version, sizeof device.strings.device_version, "OpenCL 3.0");
    snprintf(device.strings.driver_version, sizeof device.strings.driver_version, "1.0");
    device.strings.compute_units = 8;
    device.strings.type = SQA_DEVICE_CPU;
    snprintf(device.identity.vendor, sizeof device.identity.vendor, "paper");
    snprintf(device.identity.architecture, sizeof device.identity.architecture, "origami");
    snprintf(device.identity.model, sizeof device.identity.model, "tiger-8cu");
    snprintf(device.identity.runtime, sizeof device.identity.runtime, "pocl");
    device.limits.max_work_group_size = 4096;
    for (int i = 0; i < 3; i++)
        device.limits.max_work_item_sizes[i] = 4096;
    device.limits.local_memory_bytes = 1 << 20;
    device.limits.local_memory_is_global = true;
    device.limits.global_memory_bytes = UINT64_C(8) << 30;
    device.limits.max_allocation_bytes = UINT64_C(2) << 30;
    device.limits.vector_width_float = 8;
    device.limits.has_fp64 = true;
    device.limits.has_compiler = true;
    return device;
}

sqa_problem fixture_problem(uint32_t length)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = 8;
    desc.kv_heads = 8;
    desc.q_length = desc.kv_length = length;
    desc.head_dim = 64;
    sqa_problem problem;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    return problem;
}

sqa_trial_record fixture_record(int64_t environment, const sqa_problem *problem, double median_ms)
{
    static sqa_config config;
    static sqa_trial_result result;
    const sqa_kernel_family *family = sqa_family_find(SQA_OPERATION_FORWARD, "naive");
    ck_assert_ptr_nonnull(family);
    sqa_device device = fixture_device();
    family->default_config(problem, &device, &config);
    memset(&result, 0, sizeof result);
    result.median_ms = median_ms;
    result.spread_ms = median_ms / 50;
    result.max_error = 3.25e-7;
    result.build_ms = 210.5;
    result.samples = 11;
    return (sqa_trial_record){.environment = environment,
                              .problem = problem,
                              .family = family,
                              .config = &config,
                              .result = &result,
                              .ceilings = {.fma_gflops = 1e6},
                              .seed = UINT64_MAX - 6};
}

sqa_store *fixture_open(const char *path)
{
    sqa_store *store = NULL;
    ck_assert_msg(sqa_store_open(&store, path) == SQA_OK, "%s", sqa_last_error());
    return store;
}

int64_t fixture_fill(const char *path, int count)
{
    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    sqa_problem problem = fixture_problem(1024);
    int64_t environment = 0, trial = 0;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    for (int i = 0; i < count; i++) {
        sqa_trial_record record = fixture_record(environment, &problem, 10.0 - i);
        ck_assert_msg(sqa_store_add_trial(store, &record, &trial) == SQA_OK, "%s",
                      sqa_last_error());
    }
    sqa_store_close(store);
    return trial;
}

int64_t fixture_number(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_busy_timeout(database, 10000), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(database));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
    return number;
}

void fixture_run(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(database));
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

char *fixture_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(fread(text, 1, size, file), size);
    text[size] = 0;
    fclose(file);
    return text;
}

char *fixture_text(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(database));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const char *found = (const char *)sqlite3_column_text(statement, 0);
    char *text = strdup(found ? found : "");
    ck_assert_ptr_nonnull(text);
    sqlite3_finalize(statement);
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
    return text;
}

char *fixture_schema(const char *path)
{
    static const char sql[] =
        "SELECT group_concat(line, char(10)) FROM (SELECT s.type || ' ' || s.name || ' ' ||"
        " coalesce(c.cid || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || c.pk,"
        "          '') AS line"
        " FROM sqlite_schema AS s LEFT JOIN pragma_table_info(s.name) AS c"
        " ORDER BY s.type, s.name, c.cid)";
    return fixture_text(path, sql);
}

void fixture_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void keep(void *user, sqa_log_level level, const char *message)
{
    fixture_log *log = user;
    log->count[level]++;
    snprintf(log->last[level], sizeof log->last[level], "%s", message);
}

sqa_log fixture_listen(fixture_log *log)
{
    memset(log, 0, sizeof *log);
    return (sqa_log){keep, log, SQA_LOG_DEBUG};
}

int fixture_main(const char *suite_name, const char *name, double seconds,
                 const TTest *const *const *tests, size_t count)
{
    Suite *suite = suite_create(suite_name);
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_set_timeout(tcase, seconds);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, *tests[i]);
    suite_add_tcase(suite, tcase);
    return sqa_run_forked_suite(suite);
}
