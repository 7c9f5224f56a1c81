/* sqa run on numbers at the ends of their ranges: what fp64 gives. Each by the family for CPUs
 * and by one of the others. */
#include <check.h>
#include <float.h>
#include <stdio.h>

#include "cli/run_inputs.h"
#include "operations/attention/slots.h"
#include "run_suite.h"

#define LSE " --lse @/lse.npy"
#define BIAS " --bias @/bias.npy"
#define FAMILIES 2

static void multiply(sqa_host_tensors *tensors, float q, float k, float v)
{
    sqa_host_tensor_multiply(&tensors->of[SQA_SLOT_Q], q);
    sqa_host_tensor_multiply(&tensors->of[SQA_SLOT_K], k);
    sqa_host_tensor_multiply(&tensors->of[SQA_SLOT_V], v);
}

/* Of key j by every query; there is one head. */
static void set_bias(sqa_host_tensors *tensors, uint32_t j, float value)
{
    for (uint32_t i = 0; i < tensors->problem.of.attention.q_length; i++)
        sqa_host_tensor_at(&tensors->of[SQA_SLOT_BIAS], 0, 0, i)[j] = value;
}

static void nothing(sqa_host_tensors *tensors)
{
    (void)tensors;
}

static void sinks(sqa_host_tensors *tensors)
{
    float *of_heads = sqa_host_tensor_at(&tensors->of[SQA_SLOT_SINKS], 0, 0, 0);
    of_heads[0] = 3e38f;
    of_heads[1] = -3e38f;
}

static void high_bias(sqa_host_tensors *tensors)
{
    set_bias(tensors, 7, 3e38f);
}

/* Of which documents say that they are finite, and so not one value. */
static void low_biases(sqa_host_tensors *tensors)
{
    for (uint32_t j = 0; j < tensors->problem.of.attention.kv_length; j++)
        set_bias(tensors, j, j % 2 ? -8e37f : -9e37f);
}

static void high_values(sqa_host_tensors *tensors)
{
    sqa_host_tensor_fill(&tensors->of[SQA_SLOT_V], 1e37f);
}

static void highest_values(sqa_host_tensors *tensors)
{
    sqa_host_tensor_fill(&tensors->of[SQA_SLOT_V], -FLT_MAX);
}

static void weightless(sqa_host_tensors *tensors)
{
    set_bias(tensors, 3, -1e4f);
    for (uint32_t d = 0; d < tensors->problem.of.attention.value_dim; d++)
        sqa_host_tensor_at(&tensors->of[SQA_SLOT_V], 0, 0, 3)[d] = 1e38f;
}

static void large_q_small_k(sqa_host_tensors *tensors)
{
    multiply(tensors, 3e37f, 1e-39f, 1.0f);
}

static void small_q_large_k(sqa_host_tensors *tensors)
{
    multiply(tensors, 1e-39f, 3e37f, 1.0f);
}

static void large_q_and_k(sqa_host_tensors *tensors)
{
    multiply(tensors, 1e19f, 1e19f, 1.0f);
}

static const struct {
    const char *shape, *options;
    void (*change)(sqa_host_tensors *tensors);
} runs[] = {
    {"hq=2,n=41,d=16,lse,softcap=3e38", " --softcap 3e38" LSE, nothing},
    {"hq=2,n=41,d=16,lse,softcap=1e-42", " --softcap 1e-42" LSE, nothing},
    {"hq=2,n=41,d=16,lse,sinks", " --sinks @/sinks.npy" LSE, sinks},
    {"hq=2,n=41,d=16,lse,scale=3e38", " --scale 3e38" LSE, nothing},
    {"hq=2,n=41,d=16,lse,scale=-3e38", " --scale=-3e38" LSE, nothing},
    {"hq=1,n=41,d=16,lse,bias=f32/q", BIAS LSE, high_bias},
    {"hq=1,n=41,d=16,lse,bias=f32/q", BIAS LSE, low_biases},
    {"hq=1,n=41,d=16,lse,bias=f32/q", BIAS LSE, weightless},
    {"hq=2,n=41,d=16,lse", LSE, high_values},
    {"hq=2,n=41,d=16,lse,causal", " --causal" LSE, highest_values},
    {"hq=2,n=41,d=16,lse,scale=20", " --scale 20" LSE, large_q_small_k},
    {"hq=2,n=41,d=16,lse,scale=20", " --scale 20" LSE, small_q_large_k},
    {"hq=2,n=41,d=16,lse,scale=1e-39", " --scale 1e-39" LSE, large_q_and_k},
};
enum { RUN_COUNT = sizeof runs / sizeof runs[0] };

START_TEST(what_fp64_gives)
{
    const size_t number = (size_t)_i / FAMILIES;
    const char *const families[FAMILIES] = {"rows", number % 2 ? "tiled" : "naive"};
    run_inputs in;
    char options[256];
    snprintf(options, sizeof options, "%s --family %s", runs[number].options,
             families[_i % FAMILIES]);
    make_run_inputs(&in, runs[number].shape, false);
    runs[number].change(&in.tensors);
    save_run_inputs(&in, false);
    const program_result *result = run_files(options);
    ck_assert_msg(result->code == 0, "%s: %s", runs[number].shape, result->err);
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa run, numbers");
    TCase *tests = tcase_create("numbers");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, what_fp64_gives, 0, RUN_COUNT * FAMILIES);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
