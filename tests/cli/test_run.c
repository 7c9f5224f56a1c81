/* sqa run on real files: the right answer, checked by the reference; one line and no
 * output where the input is wrong; the right answer and a word of warning where
 * the tuning database is. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/run_inputs.h"
#include "operations/attention/slots.h"
#include "run_suite.h"

static const struct {
    const char *shape, *options;
} good_runs[] = {
    {"b=2,hq=4,hkv=2,nq=33,nk=40,d=16,dv=8", ""},
    {"hq=2,hkv=2,n=17,d=21,causal,lse", " --causal --lse=@/lse.npy"},
    {"hq=2,hkv=6,nq=9,nk=31,d=8,causal,align=top-left", " --causal --align top-left"},
    {"hq=4,hkv=1,n=12,d=16,scale=0.5", " --scale 0.5 --family naive"},
    {"hq=1,hkv=1,nq=5,nk=0,d=8,lse", " --lse=@/lse.npy --dtype f32"},
    {"hq=1,hkv=1,nq=0,nk=4,d=8", ""},
    {"b=0,hq=1,hkv=1,nq=3,nk=4,d=8", ""},
    {"hq=2,hkv=1,n=19,d=24,lse,dtype=f16", " --lse=@/lse.npy"},
    {"hq=2,hkv=1,nq=2,nk=19,d=24,kv=f16", " --kv-format f16"},
    {"hq=2,hkv=1,nq=2,nk=19,d=24", " --kv-format f32 --rotate"},
    {"hq=2,hkv=1,nq=2,nk=19,d=64,dv=32,kv=int8", " --kv-format int8"},
    {"hq=2,hkv=1,nq=2,nk=19,d=64,dv=32,kv=int4", " --kv-format int4"},
    {"hq=2,hkv=1,n=19,d=24,causal,products=tf32", " --tf32 --causal"},
    {"hq=2,hkv=1,n=19,d=24,causal,dtype=bf16", " --dtype bf16 --causal"},
};
enum { GOOD_COUNT = sizeof good_runs / sizeof good_runs[0] };

START_TEST(right_answer)
{
    run_inputs in;
    make_run_inputs(&in, good_runs[_i].shape, false);
    const program_result *result = run_files(good_runs[_i].options);
    ck_assert_msg(result->code == 0, "%s: %s", good_runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_outputs(&in);
    free_run_inputs(&in);
}
END_TEST

/* As NumPy makes them where nobody says which: told, and computed as f32. */
START_TEST(double_files)
{
    run_inputs in;
    make_run_inputs(&in, "hq=2,hkv=1,n=9,d=8,bias=f32/q", true);
    static const struct {
        const char *name;
        uint32_t slot, rank;
        uint64_t shape[4];
    } files[] = {{"q.npy", SQA_SLOT_Q, 4, {1, 2, 9, 8}},
                 {"k.npy", SQA_SLOT_K, 4, {1, 1, 9, 8}},
                 {"v.npy", SQA_SLOT_V, 4, {1, 1, 9, 8}},
                 {"bias.npy", SQA_SLOT_BIAS, 2, {9, 9}}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        double values[2 * 9 * 8];
        size_t count = 1;
        for (uint32_t j = 0; j < files[i].rank; j++)
            count *= (size_t)files[i].shape[j];
        for (size_t j = 0; j < count; j++)
            values[j] = ((const float *)in.given.by_slot[files[i].slot])[j];
        save_array(files[i].name, "<f8", files[i].rank, files[i].shape, values, sizeof *values);
    }
    const program_result *result = run_files(" --bias @/bias.npy");
    ck_assert_msg(result->code == 0, "%s", result->err);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char said[64];
        snprintf(said, sizeof said, "/%s: float64, rounded to float32\n", files[i].name);
        ck_assert_msg(strstr(result->err, said), "no '%s': %s", said, result->err);
    }
    check_outputs(&in);
    free_run_inputs(&in);
}
END_TEST

/* Files that do not go together: what the message must say. */
static const struct {
    uint64_t q[4], k[4], v[4];
    const char *file, *message;
} mismatches[] = {
    {{1, 4, 8, 16}, {1, 2, 8, 8}, {1, 2, 8, 8}, "k.npy", "expected dim 16"},
    {{2, 4, 8, 16}, {1, 2, 8, 16}, {1, 2, 8, 16}, "k.npy", "expected batch 2"},
    {{1, 4, 8, 16}, {1, 3, 8, 16}, {1, 3, 8, 16}, "k.npy", "divisor or a multiple of the 4 heads"},
    {{1, 4, 8, 16}, {1, 2, 8, 16}, {1, 4, 8, 16}, "v.npy", "expected heads 2"},
    {{1, 4, 8, 16}, {1, 2, 8, 16}, {1, 2, 9, 16}, "v.npy", "expected length 8"},
    {{1, 4, 8, 1100}, {1, 2, 8, 1100}, {1, 2, 8, 16}, "q.npy", "dim from 1 to 1024"},
    {{1, 0, 8, 16}, {1, 0, 8, 16}, {1, 0, 8, 16}, "q.npy", "heads from 1 to 65535"},
};
enum { MISMATCH_COUNT = sizeof mismatches / sizeof mismatches[0] };

START_TEST(shapes_that_do_not_fit)
{
    save_array("q.npy", "<f4", 4, mismatches[_i].q, NULL, 4);
    save_array("k.npy", "<f4", 4, mismatches[_i].k, NULL, 4);
    save_array("v.npy", "<f4", 4, mismatches[_i].v, NULL, 4);
    check_refused(run_files(""), mismatches[_i].file, mismatches[_i].message);
}
END_TEST

START_TEST(hostile_file)
{
    run_inputs in;
    make_run_inputs(&in, "hq=2,hkv=2,n=8,d=8", false);
    char path[128];
    snprintf(path, sizeof path, "%s/k.npy", work_folder);
    ck_assert_int_eq(truncate(path, 300), 0);
    check_refused(run_files(""), "k.npy", "truncated");
    ck_assert_int_eq(truncate(path, 9), 0);
    check_refused(run_files(""), "k.npy", "not a .npy file");
    ck_assert_int_eq(unlink(path), 0);
    check_refused(run_files(""), "k.npy", "No such file");
    free_run_inputs(&in);
}
END_TEST

static const struct {
    const char *options, *message;
} usage_errors[] = {
    {" --scale nan", "--scale is 'nan'; expected a finite number"},
    {" --scale 1x", "--scale is '1x'"},
    {" --window 1,1 --align middle", "expected bottom-right or top-left"},
    {" --causal --align middle", "expected bottom-right or top-left"},
    {" --dtype f64", "--dtype is 'f64'; expected f32"},
    {" --kv-format f64", "--kv-format is 'f64'; expected f32, f16, bf16, int8 or int4"},
    {" --rotate", "--rotate needs --kv-format"},
    {" --tf32 --dtype f16", "tf32 is of tensors in f32"},
    {" --tf32 --kv-format f32", "--kv-format"},
    {" --set A=1", "--set needs --family"},
    {" --family nonsense", "'nonsense'"},
    {" --device 0", "--device is '0'; expected PLATFORM:DEVICE"},
    {" --device 0:0 --device 0:0", "--device is given twice"},
    {" --log-level loud", "expected error, warning, info or debug"},
    {" --explain=yes", "--explain takes no value"},
    {" --frobnicate", "'--frobnicate' is not an option"},
    {" stray", "'stray' is not an option"},
    {" --lse", "--lse needs a value"},
};
enum { USAGE_COUNT = sizeof usage_errors / sizeof usage_errors[0] };

START_TEST(called_wrongly)
{
    run_inputs in;
    make_run_inputs(&in, "hq=1,hkv=1,n=4,d=8", false);
    check_refused(run_files(usage_errors[_i].options), "sqa run: ", usage_errors[_i].message);
    free_run_inputs(&in);
}
END_TEST

START_TEST(places_that_cannot_be_written)
{
    run_inputs in;
    make_run_inputs(&in, "hq=1,hkv=1,n=4,d=8", false);
    const char *f = work_folder;
    check_refused(run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy", f, f, f), "--out",
                  "missing");
    check_refused(run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy --out %s", f, f, f, f), f,
                  "is a folder");
    check_refused(
        run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy --out %s/no/o.npy", f, f, f, f),
        "no/o.npy", "cannot be written");
    check_refused(run_files(" --lse /proc/none/lse.npy"), "/proc/none/lse.npy",
                  "cannot be written");
    free_run_inputs(&in);
}
END_TEST

/* A device that does not exist is a failure, not a wrong call. */
START_TEST(no_such_device)
{
    run_inputs in;
    make_run_inputs(&in, "hq=1,hkv=1,n=4,d=8", false);
    const program_result *result = run_files(" --device 77:0");
    ck_assert_int_eq(result->code, 1);
    ck_assert_ptr_nonnull(strstr(result->err, "77"));
    ck_assert(!work_file_exists("o.npy"));
    free_run_inputs(&in);
}
END_TEST

START_TEST(explains)
{
    run_inputs in;
    make_run_inputs(&in, "hq=1,hkv=1,n=4,d=8", false);
    const program_result *result = run_files(" --explain --family naive");
    ck_assert_int_eq(result->code, 0);
    ck_assert_ptr_nonnull(strstr(result->err, "rung:    override"));
    ck_assert_ptr_nonnull(strstr(result->err, "family:  naive"));
    ck_assert_ptr_nonnull(strstr(result->err, "reason:  "));
    free_run_inputs(&in);
}
END_TEST

/* A result that is built in for this very device is none to fall back to. */
START_TEST(built_in_results)
{
    static const char *const own[] = {"rung:    exact\n", "rung:    other-driver\n",
                                      "rung:    nearest-size\n"};
    run_inputs in;
    make_run_inputs(&in, "hq=2,n=64,d=64", false);
    const program_result *result = run_files(" --explain");
    ck_assert_msg(result->code == 0, "%s", result->err);
    bool fits = false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        fits = fits || (strstr(result->err, own[i]) && strstr(result->err, "source:  seed-db"));
    const char *said = strstr(result->err, "falling back to ");
    ck_assert_msg(fits == !said, "%s", result->err);
    if (said) {
        ck_assert_ptr_null(strstr(said + 1, "falling back"));
        ck_assert_ptr_nonnull(strstr(result->err, "sqa run: nothing tuned for this device in "));
    }
    free_run_inputs(&in);
}
END_TEST

/* The user database as it may be found: the answer stays right and is told apart. */
static void no_database(const char *path)
{
    (void)path;
}

static void random_bytes(const char *path)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 40000; i++)
        fputc(rand() % 256, file);
    fclose(file);
}

static void a_folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void broken_header(const char *path)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fwrite("SQLite format 3", 1, 16, file);
    for (int i = 0; i < 8000; i++)
        fputc(0xff, file);
    fclose(file);
}

static void (*const damages[])(const char *) = {no_database, random_bytes, a_folder, broken_header};
enum { DAMAGE_COUNT = sizeof damages / sizeof damages[0] };

START_TEST(damaged_database)
{
    char path[128];
    snprintf(path, sizeof path, "%s/tuning.db", work_folder);
    damages[_i](path);
    run_inputs in;
    make_run_inputs(&in, "hq=2,hkv=2,n=9,d=8", false);
    const program_result *result = run_files("");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_msg(strstr(result->err, "falling back to") && strstr(result->err, path), "%s",
                  result->err);
    if (damages[_i] != no_database)
        ck_assert_msg(strstr(result->err, "sqa: warning: "), "%s", result->err);
    check_outputs(&in);
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa run");
    TCase *tests = tcase_create("run");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_answer, 0, GOOD_COUNT);
    tcase_add_loop_test(tests, shapes_that_do_not_fit, 0, MISMATCH_COUNT);
    tcase_add_loop_test(tests, called_wrongly, 0, USAGE_COUNT);
    tcase_add_loop_test(tests, damaged_database, 0, DAMAGE_COUNT);
    tcase_add_test(tests, double_files);
    tcase_add_test(tests, hostile_file);
    tcase_add_test(tests, places_that_cannot_be_written);
    tcase_add_test(tests, no_such_device);
    tcase_add_test(tests, explains);
    tcase_add_test(tests, built_in_results);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
