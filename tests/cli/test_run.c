/* sqa run on real files: the right answer, checked by the oracle; one line and no
 * output where the input is wrong; the right answer and a word of warning where
 * the tuning database is. */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/npy.h"
#include "cli/program.h"
#include "problem/problem.h"
#include "problem/storage.h"
#include "reference/reference.h"
#include "run_suite.h"
#include "shape/shape.h"

static void file_path(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", work_folder, name);
}

/* Values that `dtype` can store, so that storing them there changes nothing. */
static sqa_npy random_tensor(sqa_dtype dtype, uint64_t b, uint64_t h, uint64_t n, uint64_t d)
{
    sqa_npy tensor = {.rank = 4, .shape = {b, h, n, d}, .count = (size_t)(b * h * n * d)};
    tensor.data = malloc(tensor.count * sizeof(float) + 1);
    ck_assert_ptr_nonnull(tensor.data);
    for (size_t i = 0; i < tensor.count; i++)
        tensor.data[i] = (float)rand() / (float)RAND_MAX * 2.0f - 1.0f;
    void *stored = malloc(tensor.count * sizeof(float) + 1);
    ck_assert_ptr_nonnull(stored);
    sqa_storage_encode(dtype, tensor.data, stored, tensor.count);
    sqa_storage_decode(dtype, stored, tensor.data, tensor.count);
    free(stored);
    tensor.dtype = dtype == SQA_DTYPE_F16 ? SQA_DTYPE_F16 : SQA_DTYPE_F32;
    return tensor;
}

static void save(const char *name, const sqa_npy *tensor)
{
    char path[128];
    sqa_npy_draft draft = SQA_NPY_DRAFT_INIT;
    file_path(path, name);
    ck_assert_int_eq(sqa_npy_draft_write(&draft, path, tensor), SQA_OK);
    ck_assert_int_eq(sqa_npy_draft_keep(&draft), SQA_OK);
}

/* Q, K and V of a shape, in files and in memory. */
typedef struct inputs {
    sqa_problem problem;
    sqa_npy q, k, v;
} inputs;

static inputs make_inputs(const char *shape)
{
    inputs in;
    sqa_attention_desc desc;
    ck_assert_msg(sqa_shape_parse(shape, &desc) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_problem_from_desc(&in.problem, &desc), SQA_OK);
    const sqa_problem *p = &in.problem;
    in.q = random_tensor(p->dtype, p->batch, p->q_heads, p->q_length, p->head_dim);
    in.k = random_tensor(p->dtype, p->batch, p->kv_heads, p->kv_length, p->head_dim);
    in.v = random_tensor(p->dtype, p->batch, p->kv_heads, p->kv_length, p->value_dim);
    save("q.npy", &in.q);
    save("k.npy", &in.k);
    save("v.npy", &in.v);
    return in;
}

static void free_inputs(inputs *in)
{
    sqa_npy_free(&in->q);
    sqa_npy_free(&in->k);
    sqa_npy_free(&in->v);
}

static const program_result *run_files(const char *more)
{
    const char *f = work_folder;
    return run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy --out %s/o.npy%s", f, f, f, f, more);
}

static bool exists(const char *name)
{
    char path[128];
    file_path(path, name);
    return access(path, F_OK) == 0;
}

/* How far an output may be off, by storage: the short types round O itself. */
static double tolerance(sqa_dtype dtype)
{
    static const double most[] = {
        [SQA_DTYPE_F32] = 1e-5, [SQA_DTYPE_F16] = 1e-3, [SQA_DTYPE_BF16] = 8e-3};
    return most[dtype];
}

/* o.npy, and lse.npy if there is one, against the oracle, row by row. */
static void check_outputs(const inputs *in)
{
    const sqa_problem *p = &in->problem;
    char path[128];
    sqa_npy o = {0}, lse = {0};
    file_path(path, "o.npy");
    ck_assert_msg(sqa_npy_read(&o, path, 4, "") == SQA_OK, "%s", sqa_last_error());
    const uint64_t shape[] = {p->batch, p->out_heads, p->q_length, p->value_dim};
    ck_assert_mem_eq(o.shape, shape, sizeof shape);
    ck_assert_int_eq(o.dtype, in->q.dtype);
    file_path(path, "lse.npy");
    if (p->write_lse)
        ck_assert_msg(sqa_npy_read(&lse, path, 3, "") == SQA_OK, "%s", sqa_last_error());
    double row[512], row_lse = 0;
    for (size_t at = 0; at < o.count / p->value_dim; at++) {
        uint32_t i = (uint32_t)(at % p->q_length);
        uint32_t head = (uint32_t)(at / p->q_length % p->out_heads);
        uint32_t batch = (uint32_t)(at / p->q_length / p->out_heads);
        const sqa_reference_inputs given = {
            {[SQA_ROLE_Q] = in->q.data, [SQA_ROLE_K] = in->k.data, [SQA_ROLE_V] = in->v.data}};
        sqa_reference_forward_row(p, &given, batch, head, i, row, &row_lse);
        for (uint32_t d = 0; d < p->value_dim; d++)
            ck_assert_double_eq_tol((double)o.data[at * p->value_dim + d], row[d],
                                    tolerance(p->dtype));
        if (p->write_lse && isinf(row_lse))
            ck_assert_float_eq(lse.data[at], -INFINITY);
        else if (p->write_lse)
            ck_assert_double_eq_tol((double)lse.data[at], row_lse, 1e-5 * (1 + fabs(row_lse)));
    }
    sqa_npy_free(&o);
    sqa_npy_free(&lse);
}

static const struct {
    const char *shape, *options;
} good_runs[] = {
    {"b=2,hq=4,hkv=2,nq=33,nk=40,d=16,dv=8", ""},
    {"hq=2,hkv=2,n=17,d=21,causal,lse", " --causal --lse=%s/lse.npy"},
    {"hq=2,hkv=6,nq=9,nk=31,d=8,causal,align=top-left", " --causal --align top-left"},
    {"hq=4,hkv=1,n=12,d=16,scale=0.5", " --scale 0.5 --family naive"},
    {"hq=1,hkv=1,nq=5,nk=0,d=8,lse", " --lse=%s/lse.npy --dtype f32"},
    {"hq=1,hkv=1,nq=0,nk=4,d=8", ""},
    {"b=0,hq=1,hkv=1,nq=3,nk=4,d=8", ""},
    {"hq=2,hkv=1,n=19,d=24,lse,dtype=f16", " --lse=%s/lse.npy"},
    {"hq=2,hkv=1,n=19,d=24,causal,dtype=bf16", " --dtype bf16 --causal"},
};
enum { GOOD_COUNT = sizeof good_runs / sizeof good_runs[0] };

START_TEST(right_answer)
{
    char options[256] = "";
    const char *folder = strstr(good_runs[_i].options, "%s");
    snprintf(options, sizeof options, "%.*s%s%s",
             folder ? (int)(folder - good_runs[_i].options) : 200, good_runs[_i].options,
             folder ? work_folder : "", folder ? folder + 2 : "");
    inputs in = make_inputs(good_runs[_i].shape);
    const program_result *result = run_files(options);
    ck_assert_msg(result->code == 0, "%s: %s", good_runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_outputs(&in);
    free_inputs(&in);
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
    {{1, 4, 8, 600}, {1, 2, 8, 600}, {1, 2, 8, 16}, "q.npy", "dim from 1 to 512"},
    {{1, 0, 8, 16}, {1, 0, 8, 16}, {1, 0, 8, 16}, "q.npy", "heads from 1 to 65535"},
};
enum { MISMATCH_COUNT = sizeof mismatches / sizeof mismatches[0] };

static void save_random(const char *name, const uint64_t shape[4])
{
    sqa_npy tensor = random_tensor(SQA_DTYPE_F32, shape[0], shape[1], shape[2], shape[3]);
    save(name, &tensor);
    sqa_npy_free(&tensor);
}

/* One line that names what is wrong, exit 2, no output under any name. */
static void check_refused(const program_result *result, const char *file, const char *message)
{
    ck_assert_msg(result->code == 2, "exit %d: %s", result->code, result->err);
    ck_assert_msg(strstr(result->err, file) && strstr(result->err, message), "%s", result->err);
    char *line = strchr(result->err, '\n');
    ck_assert_msg(line && line[1] == '\0', "not one line: %s", result->err);
    ck_assert_str_eq(result->out, "");
    ck_assert(!exists("o.npy"));
    ck_assert(!exists("lse.npy"));
}

START_TEST(shapes_that_do_not_fit)
{
    save_random("q.npy", mismatches[_i].q);
    save_random("k.npy", mismatches[_i].k);
    save_random("v.npy", mismatches[_i].v);
    check_refused(run_files(""), mismatches[_i].file, mismatches[_i].message);
}
END_TEST

START_TEST(hostile_file)
{
    inputs in = make_inputs("hq=2,hkv=2,n=8,d=8");
    char path[128];
    file_path(path, "k.npy");
    ck_assert_int_eq(truncate(path, 300), 0);
    check_refused(run_files(""), "k.npy", "truncated");
    ck_assert_int_eq(truncate(path, 9), 0);
    check_refused(run_files(""), "k.npy", "not a .npy file");
    ck_assert_int_eq(unlink(path), 0);
    check_refused(run_files(""), "k.npy", "No such file");
    free_inputs(&in);
}
END_TEST

static const struct {
    const char *options, *message;
} usage_errors[] = {
    {" --scale nan", "--scale is 'nan'; expected a finite number"},
    {" --scale 1x", "--scale is '1x'"},
    {" --align top-left", "--align needs --causal"},
    {" --causal --align middle", "expected bottom-right or top-left"},
    {" --dtype f64", "--dtype is 'f64'; expected f32"},
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
    inputs in = make_inputs("hq=1,hkv=1,n=4,d=8");
    check_refused(run_files(usage_errors[_i].options), "sqa run: ", usage_errors[_i].message);
    free_inputs(&in);
}
END_TEST

START_TEST(places_that_cannot_be_written)
{
    inputs in = make_inputs("hq=1,hkv=1,n=4,d=8");
    const char *f = work_folder;
    check_refused(run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy", f, f, f), "--out",
                  "missing");
    check_refused(run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy --out %s", f, f, f, f), f,
                  "not a regular file");
    check_refused(
        run_sqa("run --q %s/q.npy --k %s/k.npy --v %s/v.npy --out %s/no/o.npy", f, f, f, f),
        "no/o.npy", "cannot be written");
    check_refused(run_files(" --lse /proc/none/lse.npy"), "/proc/none/lse.npy",
                  "cannot be written");
    free_inputs(&in);
}
END_TEST

/* A device that does not exist is a failure, not a wrong call. */
START_TEST(no_such_device)
{
    inputs in = make_inputs("hq=1,hkv=1,n=4,d=8");
    const program_result *result = run_files(" --device 77:0");
    ck_assert_int_eq(result->code, 1);
    ck_assert_ptr_nonnull(strstr(result->err, "77"));
    ck_assert(!exists("o.npy"));
    free_inputs(&in);
}
END_TEST

START_TEST(explains)
{
    inputs in = make_inputs("hq=1,hkv=1,n=4,d=8");
    const program_result *result = run_files(" --explain --family naive");
    ck_assert_int_eq(result->code, 0);
    ck_assert_ptr_nonnull(strstr(result->err, "rung:    override"));
    ck_assert_ptr_nonnull(strstr(result->err, "family:  naive"));
    ck_assert_ptr_nonnull(strstr(result->err, "reason:  "));
    free_inputs(&in);
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
    file_path(path, "tuning.db");
    damages[_i](path);
    inputs in = make_inputs("hq=2,hkv=2,n=9,d=8");
    const program_result *result = run_files("");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_msg(strstr(result->err, "falling back to") && strstr(result->err, path), "%s",
                  result->err);
    if (damages[_i] != no_database)
        ck_assert_msg(strstr(result->err, "sqa: warning: "), "%s", result->err);
    check_outputs(&in);
    free_inputs(&in);
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
    tcase_add_test(tests, hostile_file);
    tcase_add_test(tests, places_that_cannot_be_written);
    tcase_add_test(tests, no_such_device);
    tcase_add_test(tests, explains);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
