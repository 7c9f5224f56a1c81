/* sqa run --op matmul: the right products of matrices in files; one line and no output where
 * what is asked for makes no sense. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_inputs.h"
#include "operations/matmul/slots.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "problem/storage.h"
#include "run_suite.h"

#define AB "run --op matmul --a %1$s/a.npy --b %1$s/b.npy"
#define C " --out %1$s/c.npy"
#define BIAS " --bias %1$s/bias.npy"

static const struct {
    const char *shape, *command;
} runs[] = {
    {"m=17,n=33,k=40", AB C},
    {"m=17,n=33,k=40,ta,tb", AB C " --ta --tb"},
    {"b=3,m=5,n=9,k=12,sb=0:9,bias,act=silu", AB C BIAS " --activation silu"},
    {"b=2,m=5,n=9,k=12,tb,bias,act=gelu_erf,dtype=f16", AB C BIAS " --tb --activation=gelu"},
    {"m=5,n=9,k=12,dtype=bf16,alpha=0.5", AB C " --alpha 0.5 --dtype bf16 --family naive"},
    {"m=9,n=7,k=12,gated,act=gelu_tanh,bias,residual",
     AB C BIAS " --bias2 %1$s/bias2.npy --b2 %1$s/b2.npy --residual %1$s/residual.npy "
               "--activation gelu_tanh"},
    {"m=4,n=3,k=0", AB C},
    {"m=0,n=3,k=2", AB C},
};
enum { RUNS = sizeof runs / sizeof runs[0] };

/* Vectors as such, one matrix where all of a batch read it or there is no batch. */
static void save_input(const sqa_host_tensors *tensors, uint32_t slot)
{
    const sqa_problem *problem = &tensors->problem;
    sqa_tensor_shape t;
    char name[32];
    if (!sqa_tensor_shape_of(problem, slot, &t) || sqa_tensor_is_output(problem, slot))
        return;
    const bool vector = slot == SQA_SLOT_COLUMN_BIAS || slot == SQA_SLOT_COLUMN_BIAS2;
    const uint64_t shape[3] = {t.batch, t.length, t.dim};
    const uint32_t skip = vector ? 2 : t.batch == 1 || t.strides.batch == 0;
    const size_t count = (size_t)sqa_tensor_extent(&t);
    const float *data = sqa_host_tensor_view(&tensors->of[slot]);
    uint16_t stored[4096];
    ck_assert_uint_lt(count, 4096);
    snprintf(name, sizeof name, "%s.npy", sqa_tensor_name(problem, slot));
    if (t.element == SQA_ELEMENT_F16)
        sqa_storage_encode(SQA_DTYPE_F16, data, stored, count);
    if (t.element == SQA_ELEMENT_F16)
        save_array(name, "<f2", 3 - skip, shape + skip, stored, sizeof *stored);
    else
        save_array(name, "<f4", 3 - skip, shape + skip, data, sizeof *data);
}

static void make_inputs(run_inputs *in, const char *shape)
{
    char text[512];
    sqa_problem problem;
    snprintf(text, sizeof text, "op=matmul,%s", shape);
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&in->tensors, &problem, 7, false), SQA_OK);
    for (uint32_t slot = 0; slot < SQA_MATMUL_SLOTS; slot++)
        save_input(&in->tensors, slot);
}

START_TEST(right_products)
{
    run_inputs in;
    make_inputs(&in, runs[_i].shape);
    const program_result *result = run_with_folder(runs[_i].command);
    ck_assert_msg(result->code == 0, "%s: %.600s", runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

static const struct {
    const char *command, *named, *message;
} refused[] = {
    {"run --op matmul --a %1$s/a.npy" C, "--b", "is missing"},
    {AB, "--out", "is missing"},
    {AB C " --ta", "b.npy", "expected (9, 7)"},
    {AB C " --bias %1$s/a.npy", "a.npy", "expected 1 dimension (N)"},
    {AB C " --bias2 %1$s/a.npy", "--bias2", "needs --b2"},
    {AB C " --b2 %1$s/b.npy" BIAS, "--bias2", "go together"},
    {AB C " --residual %1$s/a.npy", "a.npy", "expected (9, 7)"},
    {AB C " --activation relu", "--activation", "expected silu, gelu or gelu_tanh"},
    {AB C " --dtype f64", "--dtype", "expected f32, f16 or bf16"},
    {AB C " --set MR=4", "--set", "needs --family"},
    {AB C " --family tiled", "tiled", "is not one of"},
    {AB C " --q %1$s/a.npy", "--q", "is not an option"},
    {AB " --out %1$s/a.npy", "--out", "--a"},
    {"run --op=matmul --a %1$s/none.npy --b %1$s/b.npy" C, "none.npy", ""},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(nonsense_is_refused)
{
    run_inputs in;
    make_inputs(&in, "m=9,n=7,k=5,bias");
    const program_result *result = run_with_folder(refused[_i].command);
    ck_assert_msg(result->code == 2, "exit %d: %s", result->code, result->err);
    ck_assert_msg(strstr(result->err, refused[_i].named) &&
                      strstr(result->err, refused[_i].message),
                  "%s", result->err);
    ck_assert(!work_file_exists("c.npy"));
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run matmul");
    TCase *tests = tcase_create("run matmul");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_products, 0, RUNS);
    tcase_add_loop_test(tests, nonsense_is_refused, 0, REFUSED);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
