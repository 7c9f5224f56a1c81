/* sqa bench beside what others say: the paper's table, and peers, which a script pretends to be.
 * How fast anything is, is no test's business. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/bench/paper.h"
#include "cli/found.h"
#include "cli/program.h"
#include "run_suite.h"

#define TINY "bench --heads 4 --seq 32,48 --dim 8 --rounds 2"

START_TEST(paper_table)
{
    const program_result *result = run_sqa("bench --preset paper --seq 48,64 --rounds 1");
    ck_assert_msg(result->code == 0, "%s", result->err);
    const char *at = result->out;
    static const char *const columns[] = {"xSQA", "SQA", "sSQA", "SWA(128)", "MQA", "GQA", "MHA\n"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        at = strstr(at, columns[i]);
        ck_assert_msg(at, "no %s in its place", columns[i]);
        at += strlen(columns[i]);
    }
    ck_assert_uint_eq(count_of(result->out, "x (-)"), 7 * 2); /* the paper has no 48, no 64 */
    result = run_sqa("bench --preset paper --seq 1024 --rounds 1 --csv");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(strstr(result->out, ",paper_speedup_vs_mha,"));
    ck_assert_uint_eq(count_of(result->out, ",1.52456"), 1); /* 0.0869 s / 0.0570 s */
    ck_assert_uint_eq(count_of(result->out, "forward,swa,1,16,16,1024,16,f32,false,"), 1);
    ck_assert_uint_eq(count_of(result->out, ",1.14492"), 1); /* 0.0869 s / 0.0759 s */
    ck_assert_uint_eq(count_of(result->out, ",window=64:64,"), 1);
}
END_TEST

static double paper(const char *name, uint32_t length)
{
    const sqa_bench_variant *variant = NULL;
    ck_assert_int_eq(sqa_bench_variant_find(name, &variant), SQA_OK);
    return sqa_bench_paper_speedup(variant, length);
}

/* What the paper says of its own table: xSQA over 3.4 times as fast at 200,000, SQA
 * over twice. */
START_TEST(paper_figures)
{
    ck_assert_double_eq_tol(paper("xsqa", 200000), 3.5067, 1e-3);
    ck_assert_double_eq_tol(paper("sqa", 200000), 2.0356, 1e-3);
    ck_assert_double_eq(paper("mha", 32768), 1.0);
    ck_assert(isnan(paper("xsqa", 2048)));
    ck_assert(isnan(paper("mha", 16384))); /* which layers are measured at */
    ck_assert(isnan(paper("sw-sqa", 1024)));
}
END_TEST

/* A python3 that says what it is told to, in front of any other. */
static void pretend_python(const char *answer_to_row)
{
    static char path[4096];
    char name[128];
    snprintf(name, sizeof name, "%s/python3", work_folder);
    FILE *script = fopen(name, "w");
    ck_assert_ptr_nonnull(script);
    fprintf(script,
            "#!/bin/sh\necho 'torch 0, pretended'\nwhile read word rest; do\n"
            "case $word in row|shape) echo '%s';; *) echo 'ms 50';; esac\ndone\n",
            answer_to_row);
    ck_assert_int_eq(fclose(script), 0);
    ck_assert_int_eq(chmod(name, 0700), 0);
    snprintf(path, sizeof path, "%s:%s", work_folder, getenv("PATH"));
    ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

/* Its rows stand beside ours, with what it says they take. */
START_TEST(peer)
{
    pretend_python("ready");
    const program_result *result = run_sqa(TINY " --variant mha --causal --peer torch --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "\"family\": \"torch 0, pretended\""), 2);
    ck_assert_uint_eq(count_of(result->out, "\"median_ms\": 50,"), 2);
}
END_TEST

/* Of a layer it is told the width, and rows of its own need no table of the paper's. */
START_TEST(peer_of_layers)
{
    pretend_python("ready");
    const program_result *result =
        run_sqa("bench --op layer_backward --seq 24 --rounds 1 --peer torch");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "torch 0, pretended (peer)"), 7);
    result = run_sqa(TINY " --op block --variant mha --peer torch --pattern "
                          "mlp=24,act=silu,gated,kind=parallel,rope=half,qknorm,gate");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "torch 0, pretended (peer)"), 2);
    result = run_sqa(TINY " --op layer --variant mha --pattern sinks --peer torch");
    ck_assert_int_eq(result->code, 1);
    ck_assert_ptr_nonnull(strstr(result->err, "not sinks"));
}
END_TEST

/* A peer of shapes stands below ours of the same shape, or says what it cannot compute. */
START_TEST(peer_of_products)
{
    pretend_python("ready");
    const program_result *result =
        run_sqa("bench --op matmul --shape m=8,n=8,k=8,ta --peer openblas --rounds 1");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "torch 0, pretended (peer)"), 1);
    pretend_python("cannot multiply with act=silu");
    result = run_sqa("bench --shape op=matmul,m=8,n=8,k=8,act=silu --peer openblas --rounds 1");
    ck_assert_int_eq(result->code, 1);
    ck_assert_ptr_nonnull(strstr(result->err, "n=8,k=8,act=silu: multiply with act=silu"));
}
END_TEST

START_TEST(peer_refuses)
{
    pretend_python("cannot do that");
    const program_result *result = run_sqa(TINY " --variant mha --peer torch");
    ck_assert_int_eq(result->code, 1);
    ck_assert_ptr_nonnull(strstr(result->err, "--peer torch: mha: do that"));
    pretend_python("ready");
    result = run_sqa(TINY " --variant sw-mha --window 4,4 --peer torch");
    ck_assert_int_eq(result->code, 1);
    ck_assert_ptr_nonnull(strstr(result->err, "nothing but a causal mask"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa bench beside others");
    TCase *tests = tcase_create("bench others");
    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_test(tests, paper_table);
    tcase_add_test(tests, paper_figures);
    tcase_add_test(tests, peer);
    tcase_add_test(tests, peer_of_layers);
    tcase_add_test(tests, peer_of_products);
    tcase_add_test(tests, peer_refuses);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
