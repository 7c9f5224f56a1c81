/* The family for matrix units where there are none: its kernel with products by definition, which
 * lay elements out over lanes as each unit's documents say, against the reference, in shapes that
 * have every mask and score between them; and that what no query sees stays hidden, though products
 * hide nothing. NVIDIA's instructions themselves: tests/gpu/emulate.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/suite.h"
#include "kernels/families.h"
#include "opencl_fixture.h"
#include "operations/forward/properties.h"
#include "operations/shape.h"
#include "operations/tuner_operations.h"
#include "run_suite.h"

static const struct {
    const char *unit, *shape, *config;
} cases[] = {
    {"mma", "hq=2,hkv=1,nq=20,nk=75,d=32,dtype=f16,causal,lse", "BM=32,BN=64,ASYNC=1"},
    {"mma", "hq=2,hkv=1,nq=20,nk=75,d=32,dv=16,products=tf32,causal,alibi=slopes,softcap=30,lse",
     "BM=32,BN=32,ASYNC=1"},
    {"mma", "b=2,hq=2,nq=9,nk=40,d=16,products=tf32,page=16,keymask,sinks", "BM=16,BN=32,ASYNC=0"},
    {"mfma",
     "b=2,hq=2,n=40,d=16,dv=32,dtype=bf16,causal,window=20:0,globals=3,alibi=slopes,softcap=30,"
     "sinks,lse",
     "BM=16,BN=16,ASYNC=0"},
    {"wmma", "b=3,hq=2,hkv=1,nq=11,nk=60,d=16,dtype=f16,page=16,ragged=24:0,bias=f32/hq,keymask",
     "BM=16,BN=32,ASYNC=0"},
    {"mfma", "hq=2,n=70,d=16,dtype=f16,blocks=32x16@0.5/h,mask=hq", "BM=64,BN=64,ASYNC=0"},
    {"dpas8", "hq=1,nq=20,nk=37,d=32,dtype=bf16,causal,lse", "BM=16,BN=16,ASYNC=0"},
    {"dpas16", "hq=2,n=40,d=16,dtype=f16,window=9:3,keymask", "BM=32,BN=32,ASYNC=0"},
    {"wmma", "hq=1,n=24,d=16,dtype=bf16,causal", "BM=16,BN=16,ASYNC=0"},
};
enum { CASES = sizeof cases / sizeof *cases };

static const char *const units[] = {"mma", "mfma", "wmma", "dpas8", "dpas16"};
enum { UNITS = sizeof units / sizeof *units };

/* Which unit there is said to be. */
static void say_unit(const char *unit)
{
    ck_assert_int_eq(setenv("SQA_CL_TEST_MATRIX_UNITS", unit, 1), 0);
}

static void print_failure(void *user, const sqa_outcome *outcome)
{
    (void)user;
    if (outcome->verdict != SQA_VERDICT_PASSED)
        printf("FAILED: %s\n    %s\n", outcome->message, outcome->subject);
}

static sqa_suite suite_of(const char *config)
{
    return (sqa_suite){.context = test_context,
                       .queue = test_queue,
                       .device = &test_device,
                       .operation = SQA_OPERATION_FORWARD,
                       .family = &sqa_mma_forward,
                       .config = config,
                       .seed = 7,
                       .all_rows = true,
                       .report = print_failure};
}

START_TEST(agrees_with_the_reference)
{
    sqa_problem problem;
    sqa_suite_counts counts = {0};
    const sqa_suite suite = suite_of(cases[_i].config);
    say_unit(cases[_i].unit);
    ck_assert_msg(sqa_problem_parse(cases[_i].shape, &problem) == SQA_OK, "%s", sqa_last_error());
    sqa_suite_case(&suite, &problem, &counts);
    ck_assert_uint_eq(counts.passed, 1);
}
END_TEST

START_TEST(hides_what_no_query_sees)
{
    static sqa_property_check *const checks[] = {sqa_pattern_hides, sqa_property_hidden_values,
                                                 sqa_property_visible_nan};
    char finding[SQA_FINDING_TEXT] = "";
    sqa_problem problem;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = "mma";
    options.config = cases[_i].config;
    const sqa_property_run run = {test_context, test_queue, &options, 7, false};
    say_unit(cases[_i].unit);
    ck_assert_int_eq(sqa_problem_parse(cases[_i].shape, &problem), SQA_OK);
    /* The last two are of causal masks alone. */
    for (int i = 0; i < (_i == 0 ? 3 : 1); i++) {
        ck_assert_msg(checks[i](&run, &problem, finding) == SQA_OK, "%s", sqa_last_error());
        ck_assert_str_eq(finding, "");
    }
}
END_TEST

/* All of the grids, where there is time. */
START_TEST(passes_the_grids)
{
    const char *size = getenv("SQA_TEST_SIZE");
    const sqa_case_grid *grids = sqa_tuner_operation_find(SQA_OPERATION_FORWARD)->grids;
    if (!size || strcmp(size, "full") != 0)
        return;
    say_unit(units[_i]);
    for (int dtype = SQA_DTYPE_F16; dtype <= SQA_DTYPE_BF16; dtype++)
        for (const sqa_case_grid *grid = grids; grid->name; grid++) {
            sqa_suite_counts counts = {0};
            sqa_suite suite = suite_of(NULL);
            suite.dtype = (sqa_dtype)dtype;
            suite.all_rows = false;
            suite.report = NULL;
            ck_assert_int_eq(sqa_suite_grid(&suite, grid, SQA_GRID_QUICK, &counts), SQA_OK);
            ck_assert_msg(counts.failed == 0 && counts.passed > 0, "%s: %zu failed, %zu passed",
                          grid->name, counts.failed, counts.passed);
        }
}
END_TEST

/* Those of f32, with products of tf32. */
START_TEST(passes_the_grids_in_tf32)
{
    const char *size = getenv("SQA_TEST_SIZE");
    if (!size || strcmp(size, "full") != 0)
        return;
    const sqa_case_grid *grid = sqa_tuner_operation_find(SQA_OPERATION_FORWARD)->grids;
    sqa_suite_counts counts = {0};
    say_unit("mma");
    for (; grid->name; grid++) {
        sqa_case_list list = {NULL, 0};
        sqa_suite suite = suite_of(NULL);
        suite.all_rows = false;
        suite.report = NULL;
        ck_assert_int_eq(grid->list(SQA_GRID_QUICK, SQA_DTYPE_F32, &list), SQA_OK);
        for (size_t i = 0; i < list.count; i++, suite.seed++) {
            list.cases[i].of.attention.products = SQA_PRODUCTS_TF32;
            sqa_suite_case(&suite, &list.cases[i], &counts);
        }
        sqa_case_list_free(&list);
        ck_assert_msg(counts.failed == 0, "%s: %zu failed", grid->name, counts.failed);
    }
    ck_assert_uint_gt(counts.passed, 0);
}
END_TEST

/* It is for its devices, and no default where nobody probed. */
START_TEST(needs_matrix_units)
{
    static const struct {
        const char *vendor, *runtime, *architecture, *shape, *why;
        uint32_t major;
    } devices[] = {
        {"nvidia", "nvidia", "sm_80", "hq=2,n=64,d=64,dtype=f16", NULL, 8},
        {"nvidia", "nvidia", "sm_90", "hq=2,n=64,d=128,dtype=bf16", NULL, 9},
        {"nvidia", "nvidia", "sm_75", "hq=2,n=64,d=64,dtype=f16", "capability 8.0", 7},
        {"nvidia", "pocl", "sm_80", "hq=2,n=64,d=64,dtype=f16", "capability 8.0", 8},
        {"amd", "amd", "gfx90a", "hq=2,n=64,d=64,dtype=bf16", NULL, 0},
        {"amd", "amd", "gfx942", "hq=2,n=64,d=64,dtype=f16", NULL, 0},
        {"amd", "amd", "gfx1100", "hq=2,n=64,d=64,dtype=f16", NULL, 0},
        {"amd", "mesa", "gfx1100", "hq=2,n=64,d=64,dtype=f16", "gfx11xx", 0},
        {"amd", "amd", "gfx908", "hq=2,n=64,d=64,dtype=f16", "of gfx90a", 0},
        {"amd", "amd", "gfx1030", "hq=2,n=64,d=64,dtype=f16", "gfx11xx", 0},
        {"intel", "intel", "xe-hpc", "hq=2,n=64,d=64,dtype=f16", NULL, 0},
        {"intel", "intel", "xe-hpg", "hq=2,n=64,d=64,dtype=bf16", NULL, 0},
        {"intel", "intel", "xe-lp", "hq=2,n=64,d=64,dtype=f16", "Xe-HPG", 0},
        {"nvidia", "nvidia", "sm_80", "hq=2,n=64,d=64", "f16 or bf16", 8},
        {"nvidia", "nvidia", "sm_80", "hq=2,n=64,d=64,products=tf32", NULL, 8},
        {"amd", "amd", "gfx942", "hq=2,n=64,d=64,products=tf32", "NVIDIA's units only", 0},
        {"nvidia", "nvidia", "sm_80", "hq=2,n=64,d=72,dtype=f16", "multiples of 16", 8},
        {"nvidia", "nvidia", "sm_80", "hq=2,n=64,d=144,dtype=f16", "of 128 at most", 8},
        {"nvidia", "nvidia", "sm_80", "hq=2,n=64,d=64,dtype=f16,dropout=0.5", "drop weights", 8},
    };
    ck_assert_int_eq(unsetenv("SQA_CL_TEST_MATRIX_UNITS"), 0);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        sqa_device device = test_device;
        sqa_problem problem;
        const char *why = NULL;
        device.strings.type = SQA_DEVICE_GPU;
        device.strings.nv_major = devices[i].major;
        snprintf(device.identity.vendor, sizeof device.identity.vendor, "%s", devices[i].vendor);
        snprintf(device.identity.runtime, sizeof device.identity.runtime, "%s", devices[i].runtime);
        snprintf(device.identity.architecture, sizeof device.identity.architecture, "%s",
                 devices[i].architecture);
        ck_assert_msg(sqa_problem_parse(devices[i].shape, &problem) == SQA_OK, "%s",
                      sqa_last_error());
        ck_assert_int_eq(sqa_mma_forward.supports(&problem, &device, &why), !devices[i].why);
        if (devices[i].why)
            ck_assert_msg(strstr(why, devices[i].why) != NULL, "%s", why);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mma");
    TCase *tests = tcase_create("mma");
    tcase_set_timeout(tests, 3600);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_loop_test(tests, agrees_with_the_reference, 0, CASES);
    tcase_add_loop_test(tests, hides_what_no_query_sees, 0, CASES);
    tcase_add_loop_test(tests, passes_the_grids, 0, UNITS);
    tcase_add_test(tests, needs_matrix_units);
    suite_add_tcase(suite, tests);
    TCase *tf32 = tcase_create("tf32");
    tcase_set_timeout(tf32, 3600);
    tcase_add_unchecked_fixture(tf32, open_device, close_device);
    tcase_add_test(tf32, passes_the_grids_in_tf32);
    suite_add_tcase(suite, tf32);
    return sqa_run_suite(suite);
}
