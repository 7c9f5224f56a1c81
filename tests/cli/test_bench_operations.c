/* sqa bench of operations other than forward attention, and of several: which rows there are,
 * and that their figures belong together. Speeds are no test's business. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/found.h"
#include "cli/program.h"
#include "kernels/registry.h"
#include "run_suite.h"

/* The row of an operation and a variant. */
static const char *row_of_op(const char *json, const char *op, const char *variant)
{
    char key[64];
    snprintf(key, sizeof key, "\"op\": \"%s\"", op);
    for (const char *row = json; (row = strstr(row, key)) != NULL; row += strlen(key)) {
        const char *found = strstr(row, "\"variant\": \"");
        ck_assert_ptr_nonnull(found);
        found += strlen("\"variant\": \"");
        if (!strncmp(found, variant, strlen(variant)) && found[strlen(variant)] == '"')
            return row;
    }
    ck_abort_msg("no row of %s, %s", op, variant);
    return NULL;
}

static double flop_of(const char *row)
{
    return number_after(row, "\"gflops\": ") * number_after(row, "\"median_ms\": ") * 1e6;
}

/* Of what can take another's place, time over length; what has no windows goes without the variants
 * that do. */
START_TEST(times_over_lengths)
{
    static char picture[1 << 16];
    const bool draws = system("command -v gnuplot >/dev/null 2>&1") == 0;
    const program_result *result =
        run_sqa("bench --op forward,linear --variant mha,sw-mha --heads 1 --seq 8,40 --dim 8 "
                "--causal --rounds 1 --json%s%s%s",
                draws ? " --plot " : "", draws ? work_folder : "", draws ? "/l.svg" : "");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(row_of_op(result->out, "linear", "mha"));
    ck_assert_uint_eq(count_of(result->out, "\"op\": \"forward\""), 4);
    ck_assert_uint_eq(count_of(result->out, "\"op\": \"linear\""), 2);
    if (!draws)
        return;
    char path[128];
    snprintf(path, sizeof path, "%s/l.svg", work_folder);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    picture[fread(picture, 1, sizeof picture - 1, file)] = '\0';
    fclose(file);
    static const char *const needed[] = {">MHA<", ">window 128<", ">linear<", "length, tokens",
                                         "time, ms"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        ck_assert_msg(strstr(picture, needed[i]), "no %s in the picture", needed[i]);
    ck_assert_ptr_null(strstr(picture, "linear, window"));
}
END_TEST

/* A sentence tells from which length on linear attention is the faster one; by the figures
 * that stand above it. */
START_TEST(crossovers)
{
    const program_result *result = run_sqa("bench --op forward,linear --variant mha --heads 1 "
                                           "--seq 8,40 --dim 8 --causal --rounds 3 --wide");
    ck_assert_msg(result->code == 0, "%s", result->err);
    const char *line = strstr(result->out, "mha, D = 8: linear is faster than forward ");
    ck_assert_msg(line && !strstr(line + 1, "mha, D = 8:"), "%s", result->out);
    ck_assert_msg(strstr(line, "from length 8 on (") || strstr(line, "from length 40 on (") ||
                      strstr(line, "at none of these lengths ("),
                  "%s", line);
    ck_assert_msg(strstr(line, "x at 40)"), "%s", line);
    const bool faster = !strstr(line, "at none");
    ck_assert_int_eq(faster, number_after(line, faster ? "there, " : "lengths (") > 1.0);
}
END_TEST

/* Of every operation: MHA of the same; the backward pass counts 2.5 times the forward pass. */
START_TEST(training)
{
    static const struct {
        const char *op;
        double times;
    } ops[] = {{"forward", 1.0}, {"backward", 2.5}, {"forward+backward", 3.5}};
    const program_result *result =
        run_sqa("bench --op forward,backward,forward+backward --variant xsqa,mha --heads 4 "
                "--seq 48 --dim 8 --causal --rounds 3 --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "      \"op\": "), 6);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        const char *mha = row_of_op(result->out, ops[i].op, "mha");
        const char *xsqa = row_of_op(result->out, ops[i].op, "xsqa");
        const double seen = 48 * 49 / 2.0;
        ck_assert_double_eq_tol(flop_of(mha), ops[i].times * 4 * 4 * 8 * seen, 0.1);
        ck_assert_double_eq_tol(flop_of(xsqa), ops[i].times * 4 * 1 * 8 * seen, 0.1);
        ck_assert_double_eq_tol(
            number_after(xsqa, "\"speedup_vs_mha\": "),
            number_after(mha, "\"median_ms\": ") / number_after(xsqa, "\"median_ms\": "), 1e-6);
        ck_assert_double_lt(number_after(xsqa, "\"max_error\": "), 1e-5);
        ck_assert_double_gt(number_after(xsqa, "\"max_error\": "), 0.0);
    }
    const char *both = row_of_op(result->out, "forward+backward", "mha");
    const char *kernels = strstr(both, "\"family\": ");
    ck_assert_uint_ge(count_of(kernels, "+"), 2); /* forward's, and those of two stages */
}
END_TEST

/* Each operation's rows are told apart, for people too. */
START_TEST(table_of_operations)
{
    const program_result *result = run_sqa("bench --op forward,backward --variant mha --heads 2 "
                                           "--seq 16,24 --dim 8 --rounds 1");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "\nforward   mha"), 2);
    ck_assert_uint_eq(count_of(result->out, "\nbackward  mha"), 2);
    ck_assert_ptr_nonnull(strstr(result->out, "GB/s read ("));
}
END_TEST

/* A query over a cache, of every length and batch; beside forward, which has as many as keys. */
START_TEST(decode)
{
    const program_result *result =
        run_sqa("bench --op decode,forward --variant gqa --heads 8 --kv-length 24,40 --dim 8 "
                "--batch 1,3 --dtype f16 --rounds 1 --csv");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "\ndecode,gqa,"), 4);
    ck_assert_uint_eq(count_of(result->out, "\"b=3,hq=8,hkv=2,nq=1,nk=40,d=8,dtype=f16\""), 1);
    ck_assert_uint_eq(count_of(result->out, "\"b=1,hq=8,hkv=2,nq=24,nk=24,d=8,dtype=f16\""), 1);
    ck_assert_uint_eq(count_of(result->out, ",64,f16,0\n"),
                      8); /* K and V: 2 heads, 8 times 2 bytes */
    result = run_sqa("bench --op decode --variant mqa --heads 8 --kv-length 24 --dim 8 --rounds 1 "
                     "--batch 2 --kv-format f32,f16 --wide");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(
        strstr(result->out, "decode, batch 2, f32, 1 query on seq keys, medians of 1"));
    ck_assert_ptr_nonnull(strstr(result->out, "  of roofline  bytes/token  "));
    ck_assert_uint_eq(count_of(result->out, "\nmqa "), 2);
    ck_assert_uint_eq(count_of(result->out, "  f16  "), 1);
    result = run_sqa("bench --op decode --variant mha --heads 2 --seq 24 --dim 8 --rounds 1 "
                     "--json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    const char *row = row_of_op(result->out, "decode", "mha");
    const double of_read = number_after(row, "\"fraction_of_read\": ");
    const double of_ceiling = number_after(row, "\"fraction_of_ceiling\": ");
    ck_assert_double_eq_tol(number_after(row, "\"fraction_of_roofline\": "),
                            of_read > of_ceiling ? of_read : of_ceiling, 1e-9);
    ck_assert_double_eq(number_after(row, "\"cache_bytes_per_token\": "), 2 * 2 * 8 * 4);
}
END_TEST

/* Caches of 8, 16 and 24 keys; of latents, the values are no bytes of their own. */
START_TEST(caches_in_pages)
{
    enum { KEYS = 8 + 16 + 24, TABLE = 3 * 6 * 4 + 3 * 4 };
    const program_result *result =
        run_sqa("bench --op decode --variant mha,mla --heads 2 --kv-length 24 --dim 8 --batch 3 "
                "--page 4 --shortest 8 --kv-format f16 --rounds 1 --json");
    const struct {
        const char *variant;
        double token, others, flop;
    } rows[] = {{"mha", 2 * 2 * 8 * 2, 2 * 3 * 2 * 8 * 4 + TABLE, KEYS * 2 * 4.0 * 8},
                {"mla", 576 * 2, 3 * 16 * (576 + 512) * 4 + TABLE, KEYS * 16 * 2.0 * (576 + 512)}};
    ck_assert_msg(result->code == 0, "%s", result->err);
    for (size_t i = 0; i < 2; i++) {
        const char *row = row_of_op(result->out, "decode", rows[i].variant);
        const double ms = number_after(row, "\"median_ms\": ");
        const double bytes = rows[i].token * KEYS + rows[i].others;
        ck_assert_double_eq(number_after(row, "\"cache_bytes_per_token\": "), rows[i].token);
        ck_assert_double_eq_tol(number_after(row, "\"gbs\": ") * ms * 1e6 / bytes, 1.0, 1e-3);
        ck_assert_double_eq_tol(number_after(row, "\"gflops\": ") * ms * 1e6 / rows[i].flop, 1.0,
                                0.2);
    }
}
END_TEST

static const char *row_of_shape(const char *json, const char *shape, const char *family)
{
    char key[160];
    snprintf(key, sizeof key, "\"shape\": \"%s\"", shape);
    for (const char *at = json; (at = strstr(at, key)) != NULL; at += strlen(key)) {
        const char *row = at;
        while (strncmp(row, "\"op\": ", 6) != 0)
            row--;
        const char *found = strstr(row, "\"family\": \"");
        if (!strncmp(found + strlen("\"family\": \""), family, strlen(family)))
            return row;
    }
    ck_abort_msg("no row of %s by %s", shape, family);
    return NULL;
}

/* With that of CLBlast, where it was there to build with. */
static size_t matmul_families(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sqa_family_count(); i++)
        count += sqa_family_at(i)->operation == SQA_OPERATION_MATMUL;
    return count;
}

/* Shapes of an operation that has no variants, by all families that can compute them. */
START_TEST(shapes)
{
    const program_result *result =
        run_sqa("bench --op matmul --shape m=1,n=40,k=24 --shape op=matmul,m=33,n=20,k=8,tb "
                "--family all --rounds 2 --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    const size_t rows = 2 * matmul_families() - 1; /* not stream, of 33 rows */
    ck_assert_uint_eq(count_of(result->out, "      \"op\": \"matmul\""), rows);
    ck_assert_ptr_null(strstr(result->out, "\"variant\""));
    const char *first = row_of_shape(result->out, "b=1,m=1,n=40,k=24", "stream");
    const char *naive = row_of_shape(result->out, "b=1,m=1,n=40,k=24", "naive");
    ck_assert_double_eq(number_after(first, "\"speedup_vs_first_family\": "), 1.0);
    ck_assert_double_eq_tol(
        number_after(naive, "\"speedup_vs_first_family\": "),
        number_after(first, "\"median_ms\": ") / number_after(naive, "\"median_ms\": "), 1e-6);
    ck_assert_double_eq_tol(flop_of(naive), 2.0 * 40 * 24, 1e-2);
    ck_assert_double_eq_tol(number_after(naive, "\"gbs\": ") *
                                number_after(naive, "\"median_ms\": "),
                            4e-6 * (24 + 24 * 40 + 40), 1e-9);
    ck_assert_double_eq_tol(
        number_after(naive, "\"fraction_of_read\": "),
        number_after(naive, "\"gbs\": ") / number_after(naive, "\"ceiling_read_gbs\": "), 1e-6);
    row_of_shape(result->out, "b=1,m=33,n=20,k=8,tb", "rows");
}
END_TEST

/* Shapes and variants in one table each; a shape may be of what is made of several. */
START_TEST(shapes_of_all_operations)
{
    const program_result *result =
        run_sqa("bench --op forward,forward+backward --shape hq=2,n=24,d=8 --rounds 1 --csv");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "\nforward,"), 1);
    ck_assert_uint_eq(count_of(result->out, "\nforward+backward,"), 1);
    ck_assert_uint_eq(count_of(result->out, "\"b=1,hq=2,hkv=2,nq=24,nk=24,d=8\""), 2);
    result = run_sqa("bench --shape op=matmul,m=1,n=40,k=24 --rounds 1");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(strstr(result->out, "\nmatmul, medians of 1 rounds\n"));
    ck_assert_ptr_nonnull(strstr(result->out, "\nb=1,m=1,n=40,k=24 "));
}
END_TEST

/* The row stands in the block of the table that has this heading. */
static void expect_row(const char *table, const char *heading, const char *row)
{
    const char *at = strstr(table, heading);
    ck_assert_msg(at, "no '%s' in:\n%s", heading, table);
    const char *end = strstr(at, "\n\n");
    at = strstr(at, row);
    ck_assert_msg(at && (!end || at < end), "no '%s' below '%s' in:\n%s", row, heading, table);
}

/* A layer by itself is one of the paper's model, forward and a step of training, 8 times of it
 * beside Table 3; products and attention are what is counted. */
START_TEST(layers)
{
    static const double width = 256, seq = 24;
    const program_result *result = run_sqa("bench --op layer --seq 24 --rounds 1 --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_eq(count_of(result->out, "\"op\": \"layer\""), 7);
    ck_assert_uint_eq(count_of(result->out, "\"op\": \"layer+layer_backward\""), 7);
    ck_assert_uint_eq(count_of(result->out, "dmodel=256"), 2 * 14); /* shape and pattern */
    ck_assert_uint_eq(count_of(result->out, "\"paper_speedup_vs_mha\": null"), 14);
    const char *mha = row_of_op(result->out, "layer", "mha");
    const char *xsqa = row_of_op(result->out, "layer", "xsqa");
    const char *both = row_of_op(result->out, "layer+layer_backward", "xsqa");
    ck_assert_double_eq_tol(flop_of(mha), 8 * seq * width * width + 4 * seq * seq * width, 1.0);
    ck_assert_double_eq_tol(flop_of(xsqa), flop_of(mha) / 4, 1.0);
    /* Of each product two more; of attention 2.5 times as much. */
    ck_assert_double_eq_tol(flop_of(both), 3 * 2 * seq * width * width + 3.5 * seq * seq * width,
                            1.0);
    ck_assert_double_gt(number_after(both, "\"max_error\": "), 0.0);
    ck_assert_double_lt(number_after(both, "\"max_error\": "), 1e-5);
}
END_TEST

/* Keys of linear attention by options. */
START_TEST(linear_layers)
{
    const program_result *result =
        run_sqa("bench --op layer --attention linear --variant mha --heads 2 --dim 8 --seq 24 "
                "--causal --decay token --delta --project-decay --project-beta --rounds 1 --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    const char *row = row_of_op(result->out, "layer", "mha");
    ck_assert_msg(strstr(row, "linear,wdecay,wbeta,decay=token,delta"), "%s", row);
    result = run_sqa("bench --op linear --variant mha --heads 2 --dim 8 --seq 24 --feature elu1 "
                     "--normalise --rounds 1 --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(
        strstr(row_of_op(result->out, "linear", "mha"), "feature=elu1,normalise"));
}
END_TEST

/* Beside the paper's only where the model is the paper's. */
START_TEST(layers_of_table)
{
    const program_result *result = run_sqa("bench --op layer_backward --seq 24 --rounds 1");
    ck_assert_msg(result->code == 0, "%s", result->err);
    expect_row(result->out, "layer_backward: time of one attention layer, ms", "\n 24");
    expect_row(result->out, "layer_backward: 8 times that, s", " (-)");
    result = run_sqa("bench --op layer --variant xsqa --heads 4 --dim 4 --seq 24 --rounds 1");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_null(strstr(result->out, "Table 3"));
    ck_assert_ptr_null(strstr(result->out, "layer_backward"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa bench, operations");
    TCase *tests = tcase_create("operations");
    tcase_set_timeout(tests, 180);
    tcase_add_unchecked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_test(tests, training);
    tcase_add_test(tests, crossovers);
    tcase_add_test(tests, times_over_lengths);
    tcase_add_test(tests, table_of_operations);
    tcase_add_test(tests, decode);
    tcase_add_test(tests, caches_in_pages);
    tcase_add_test(tests, shapes);
    tcase_add_test(tests, shapes_of_all_operations);
    tcase_add_test(tests, layers);
    tcase_add_test(tests, linear_layers);
    tcase_add_test(tests, layers_of_table);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
