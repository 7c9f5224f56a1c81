/* sqa bench as a user calls it: what it refuses, the forms of its answer, pictures,
 * interruptions. How fast anything is, is no test's
 * business; that the figures belong together is. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/found.h"
#include "cli/program.h"
#include "run_suite.h"
#include "trial/measure.h"

#define TINY "bench --heads 4 --seq 32,48 --dim 8 --rounds 2"

static const struct {
    const char *arguments;
    int code;
    const char *err; /* what standard error must contain */
} refused[] = {
    {"bench --preset xyzzy", 2, "--preset is 'xyzzy'; expected one of quick, paper"},
    {"bench --preset paper --dim 64", 2, "--preset and --dim exclude each other"},
    {"bench --preset paper --heads 8", 2, "--preset and --heads exclude each other"},
    {"bench --preset paper --variant mha", 2, "--preset and --variant exclude each other"},
    {"bench --preset paper --against-default", 2, "--preset paper and --against-default exclude"},
    {"bench --preset paper --globals 4", 2, "--preset and --globals exclude each other"},
    {"bench --preset paper --queries 1", 2, "--preset and --queries exclude each other"},
    {"bench --preset paper --op matmul", 2, "--preset is for variants, which --op matmul has not"},
    {"bench --preset paper --op forward,matmul", 2, "--preset paper is for operations that have"},
    {"bench --preset layer --op backward", 2, "--preset layer has nothing for --op backward"},
    {"bench --full", 2,
     "--full is for the paper's lengths; expected --preset paper, or --op layer"},
    {"bench --op layer --heads 8 --full", 2, "--full is for the paper's lengths"},
    {"bench --op layer --seq 64 --full", 2, "--full and --seq exclude each other"},
    {"bench --preset layer --causal", 2, "--causal is not for the shapes of a preset"},
    {"bench --op xyzzy", 2, "--op: 'xyzzy' is not one of forward, select_blocks"},
    {"bench --op backward+forward", 2, ", forward+backward"},
    {"bench --op forward,forward", 2, "--op names forward twice"},
    {"bench --op matmul --heads 4", 2, "--heads is for variants, which --op matmul has not"},
    {"bench --op backward_delta", 2, "--op backward_delta has no preset; expected --shape"},
    {"bench --op forward --shape op=matmul,m=4,n=4,k=4", 2, "says op=matmul, which --op does not"},
    {"bench --shape op=xyzzy,m=4", 2, "'xyzzy' is not one of forward"},
    {"bench --shape op=matmul,m=4,n=4", 2, "k is missing; expected a number from 0 to"},
    {"bench --shape hq=4,n=4,d=4 --heads 4", 2, "--shape and --heads exclude each other"},
    {"bench --op forward+backward --shape hq=4,n=4,d=4,lse", 2, "lse"},
    {"bench --op backward --family rows", 2, "--family is 'rows'; backward has no kernels of its"},
    {"bench --op backward --family all", 2, "--family is 'all'; backward has no kernels of its"},
    {"bench --op matmul --family rows,rows --shape m=4,n=4,k=4", 2, "--family names rows twice"},
    {"bench --op matmul --family rows,", 2, "--family is ''; of matmul, expected one of stream"},
    {"bench --queries 0", 2, "--queries is '0'; expected a number from 1 to"},
    {"bench --queries 2 --pattern nq=4", 2, "--pattern: nq is given twice"},
    {"bench --wide --csv", 2, "--wide and --csv exclude each other"},
    {"bench --dtype f8", 2, "--dtype is 'f8'; expected f32, f16 or bf16"},
    {"bench --op layer --attention flash", 2, "--attention is 'flash'; expected softmax or linear"},
    {"bench --op forward --attention linear", 2, "--attention is for layer and block, not for"},
    {"bench --op linear --decay row", 2, "--decay is 'row'; expected none, head, token or channel"},
    {"bench --op linear --feature exp", 2, "--feature is 'exp'; expected identity, elu1 or relu"},
    {"bench --op forward --feature elu1", 2, "--feature is for linear, layer and block, not for"},
    {"bench --op layer --attention linear --decay token", 2, "linear.decay: needs desc.causal"},
    {"bench --op layer --heads 4 --feature relu", 2, "go with linear only"},
    {"bench --op decode --seq 4 --kv-length 4", 2, "--kv-length and --seq exclude each other"},
    {"bench --op matmul --kv-length 4", 2, "--kv-length is for variants, which --op matmul has"},
    {"bench --preset paper --batch 1,8", 2, "--preset paper takes one --batch"},
    {"bench --kv-format f8", 2, "--kv-format is 'f8'; expected f32, f16, bf16, int8 or int4"},
    {"bench --kv-format f16,f16", 2, "--kv-format names f16 twice"},
    {"bench --op backward --kv-format f16", 2, "--kv-format is for forward and decode, not"},
    {"bench --batch 1,1", 2, "--batch names 1 twice"},
    {"bench --op decode --kv-length 8 --batch 2 --shortest 4", 2, "--shortest needs --page"},
    {"bench --op decode --kv-length 8 --page 4 --batch 2 --shortest 9", 2,
     "--shortest is 9; expected a number from 1 to --kv-length, 8"},
    {"bench --op forward+backward --kv-length 8 --page 4", 2, "--page is for forward and decode"},
    {"bench --op backward --seq 8 --variant mla", 2, "--variant mla is for forward and decode"},
    {"bench --dim 0", 2, "--dim is '0'; expected a number from 1 to 1024"},
    {"bench --dim 64,1025", 2, "--dim is '1025'"},
    {"bench --dim 64,64", 2, "--dim names 64 twice"},
    {"bench --seq 64,", 2, "--seq is ''"},
    {"bench --seq 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", 2, "--seq takes at most 16"},
    {"bench --heads none", 2, "--heads is 'none'"},
    {"bench --rounds 0", 2, "--rounds is '0'; expected a number from 1 to 1000"},
    {"bench --variant mha,mha", 2, "--variant names mha twice"},
    {"bench --variant sw-zqa", 2, "'sw-zqa' is not one of mha, gqa"},
    {"bench --preset paper --window 5,5", 2, "--preset and --window exclude each other"},
    {"bench --window 5", 2, "--window is '5'; expected L,R, each from 0 to 1073741823 or -1"},
    {"bench --globals 4", 2, "--globals is for flex- variants"},
    {"bench --variant flex-mha --globals 0", 2, "--globals is '0'; expected a number from 1 to"},
    {"bench --pattern n=4", 2, "--pattern: n is given twice"},
    {"bench --pattern softcap=0", 2, "--pattern: softcap is '0'; expected a finite number above 0"},
    {"bench --causal --pattern causal", 2, "--pattern: causal is given twice"},
    {"bench --variant sw-sqa --pattern window=4:4", 2, "expected --window and --globals"},
    {"bench --variant flex-sqa --pattern blocks=8x8@1", 2, "desc.globals: not together with"},
    {"bench --json --csv", 2, "--csv and --json exclude each other"},
    {"bench --plot picture.jpg", 2, "--plot is 'picture.jpg'; expected a name in .png or .svg"},
    {"bench --plot .png", 2, "--plot is '.png'"},
    {"bench --family xyzzy --seq 16", 2, "--family is 'xyzzy'; of forward, expected one of decode"},
    {"bench --family rows --op select_blocks --pattern blocks=4x4,topk=2 --seq 16", 2,
     "--family is 'rows'; of select_blocks, expected one of select"},
    {"bench --peer xyzzy", 2, "--peer is 'xyzzy'; expected torch, openblas"},
    {"bench --peer torch --op matmul", 2, "--peer is 'torch', which is for variants; expected an"},
    {"bench --peer torch --shape n=16,d=8,hq=1", 2, "--peer is 'torch', which is for variants"},
    {"bench --peer openblas", 2, "--peer is 'openblas', which is for matrix products"},
    {"bench --peer torch --preset paper", 2, "--preset paper and --peer exclude each other"},
    {"bench --peer torch --against-default", 2, "--peer and --against-default exclude each other"},
    {"bench --device 99:0", 1, "platform: 99"},
};
enum { REFUSED_COUNT = sizeof refused / sizeof refused[0] };

START_TEST(refusals)
{
    const program_result *result = run_sqa("%s", refused[_i].arguments);
    ck_assert_msg(result->code == refused[_i].code, "sqa %s: exit %d: %s", refused[_i].arguments,
                  result->code, result->err);
    ck_assert_str_eq(result->out, "");
    ck_assert_msg(strstr(result->err, refused[_i].err), "sqa %s: '%s' lacks '%s'",
                  refused[_i].arguments, result->err, refused[_i].err);
    char *line_end = strchr(result->err, '\n');
    ck_assert_msg(line_end && !line_end[1], "not one line: %s", result->err);
}
END_TEST

START_TEST(table)
{
    const program_result *result =
        run_sqa(TINY " --variant mha,xsqa,sw-xsqa --causal --window 5,0 --against-default");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(strstr(result->out, "of ceiling"));
    ck_assert_ptr_nonnull(strstr(result->out, "vs default"));
    ck_assert_uint_eq(count_of(result->out, "\nmha "), 2);
    ck_assert_uint_eq(count_of(result->out, "\nxsqa "), 2);
    ck_assert_ptr_nonnull(strstr(result->out, "batch 1, f32, causal, medians of 2 rounds"));
    ck_assert_uint_eq(count_of(result->out, "  causal,window=5:0  "), 2);
}
END_TEST

START_TEST(json_document)
{
    static const char *const fields[] = {
        "op",
        "variant",
        "batch",
        "q_heads",
        "kv_heads",
        "seq",
        "dim",
        "dtype",
        "causal",
        "median_ms",
        "spread_ms",
        "best_ms",
        "noisy",
        "gflops",
        "gbs",
        "ceiling_gflops",
        "fraction_of_ceiling",
        "speedup_vs_mha",
        "max_error",
        "family",
        "config",
        "rung",
        "source",
        "pattern",
        "queries",
        "shape",
        "ceiling_read_gbs",
        "fraction_of_read",
        "fraction_of_roofline",
        "cache_bytes_per_token",
        "kv_dtype",
        "shortest",
    };
    const program_result *result = run_sqa(TINY " --variant sqa,xsqa --dtype bf16 --causal --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(strstr(result->out, "\"schema\": 1,"));
    ck_assert_ptr_nonnull(strstr(result->out, "\"fma_gflops\": "));
    ck_assert_ptr_nonnull(strstr(result->out, "\"read_gbs\": "));
    ck_assert_ptr_nonnull(strstr(result->out, "\"interrupted\": false"));
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char key[64];
        snprintf(key, sizeof key, "      \"%s\": ", fields[i]); /* as deep as a row's */
        ck_assert_msg(count_of(result->out, key) == 4, "%s: %zu times", fields[i],
                      count_of(result->out, key));
    }
    ck_assert_uint_eq(count_of(result->out, "\"dtype\": \"bf16\""), 4);
    ck_assert_uint_eq(count_of(result->out, "\"causal\": true"), 4);
    ck_assert_ptr_null(strstr(result->out, "default_ms"));
    ck_assert_ptr_null(strstr(result->out, "\"variant\": \"mha\"")); /* measured, not shown */
}
END_TEST

START_TEST(figures_belong_together)
{
    const program_result *result = run_sqa(TINY " --variant mha,xsqa --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    const char *mha = strstr(result->out, "\"variant\": \"mha\"");
    const char *xsqa = strstr(result->out, "\"variant\": \"xsqa\"");
    ck_assert(mha && xsqa);
    double ms = number_after(xsqa, "\"median_ms\": ");
    ck_assert_double_gt(ms, 0.0);
    ck_assert_double_le(number_after(xsqa, "\"best_ms\": "), ms);
    ck_assert_double_eq_tol(number_after(xsqa, "\"speedup_vs_mha\": "),
                            number_after(mha, "\"median_ms\": ") / ms, 1e-6);
    double gflops = number_after(xsqa, "\"gflops\": ");
    ck_assert_double_eq_tol(gflops * ms * 1e6, 4.0 * 1 * 32 * 32 * 8, 1e-2); /* 4 Hq Nq Nk D */
    ck_assert_double_eq_tol(number_after(xsqa, "\"fraction_of_ceiling\": "),
                            gflops / number_after(xsqa, "\"ceiling_gflops\": "), 1e-6);
    ck_assert_double_lt(number_after(xsqa, "\"max_error\": "), 1e-5);
}
END_TEST

/* Pairs that a window of `left` and `right` shows of length n, with `globals` leading
 * tokens that see and are seen. */
static double pairs(int n, int left, int right, int globals)
{
    double count = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            count += (j >= i - left && j <= i + right) || i < globals || j < globals;
    return count;
}

static const char *row_of(const char *json, const char *variant)
{
    char key[64];
    snprintf(key, sizeof key, "\"variant\": \"%s\"", variant);
    const char *row = strstr(json, key);
    ck_assert_msg(row, "no row of %s", variant);
    return row;
}

/* GFLOP/s are those of the keys seen: 4 heads D per pair. */
static void check_pairs(const char *json, const char *variant, int heads, double expected)
{
    const char *row = row_of(json, variant);
    double flops = number_after(row, "\"gflops\": ") * number_after(row, "\"median_ms\": ") * 1e6;
    ck_assert_double_eq_tol(flops / (4.0 * heads * 8), expected, 0.1);
    ck_assert_double_lt(number_after(row, "\"max_error\": "), 1e-5);
}

static void check_pattern(const char *json, const char *variant, const char *pattern)
{
    char field[128];
    snprintf(field, sizeof field, "\"pattern\": \"%s\"", pattern);
    const char *row = row_of(json, variant), *found = strstr(row, "\"pattern\"");
    ck_assert_msg(found && !strncmp(found, field, strlen(field)), "%s: %.60s", variant, found);
}

#define SHORT "bench --heads 4 --seq 200 --dim 8 --rounds 1 --json"

START_TEST(windowed_variants)
{
    const program_result *result = run_sqa(SHORT " --variant mha,sw-sqa,flex-sqa,swa");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_pattern(result->out, "mha", "");
    check_pattern(result->out, "sw-sqa", "window=64:64");
    check_pattern(result->out, "flex-sqa", "window=64:64,globals=16");
    check_pattern(result->out, "swa", "window=64:64");
    check_pairs(result->out, "mha", 4, 200.0 * 200);
    check_pairs(result->out, "sw-sqa", 2, pairs(200, 64, 64, 0));
    check_pairs(result->out, "flex-sqa", 2, pairs(200, 64, 64, 16));
    check_pairs(result->out, "swa", 4, pairs(200, 64, 64, 0));
    result = run_sqa(SHORT " --variant sw-sqa --causal");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_pattern(result->out, "sw-sqa", "causal,window=128:0");
    result = run_sqa(SHORT " --variant sw-sqa,flex-mha --causal --window 9,0 --globals 3");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_pattern(result->out, "sw-sqa", "causal,window=9:0");
    check_pattern(result->out, "flex-mha", "causal,window=9:0,globals=3");
    check_pairs(result->out, "sw-sqa", 2, pairs(200, 9, 0, 0));
    ck_assert_double_gt(number_after(row_of(result->out, "sw-sqa"), "\"speedup_vs_mha\": "), 0.0);
}
END_TEST

/* --window and --pattern are every row's, MHA's too. */
START_TEST(patterns_of_all)
{
    const program_result *result =
        run_sqa(SHORT " --variant mha,sqa --window 5,2 --pattern softcap=30,globals=4,sinks");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_pattern(result->out, "mha", "window=5:2,globals=4,softcap=30,sinks");
    check_pairs(result->out, "mha", 4, pairs(200, 5, 2, 4));
    check_pairs(result->out, "sqa", 2, pairs(200, 5, 2, 4));
    result = run_sqa(SHORT " --variant mha,sqa --pattern blocks=50x40@0.4/h,mask=q,bias=f16/");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_pattern(result->out, "sqa", "bias=f16/,mask=q,blocks=50x40@0.4/h");
    check_pairs(result->out, "mha", 4, 200.0 * 80);
}
END_TEST

/* One query against many keys: a step of decoding. */
START_TEST(few_queries)
{
    const program_result *result = run_sqa(SHORT " --variant mha,xsqa --queries 1 --causal");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_pairs(result->out, "mha", 4, 200.0);
    check_pairs(result->out, "xsqa", 1, 200.0);
    const char *row = row_of(result->out, "xsqa");
    ck_assert_double_eq(number_after(row, "\"queries\": "), 1.0);
    ck_assert_double_eq(number_after(row, "\"seq\": "), 200.0);
    /* Q and O of a row of 8, K and V of 200 rows; a head each. */
    ck_assert_double_eq_tol(number_after(row, "\"gbs\": ") * number_after(row, "\"median_ms\": "),
                            4e-6 * 8 * (2 + 2 * 200), 1e-9);
    result = run_sqa("bench --heads 4 --seq 200 --dim 8 --rounds 1 --variant mha --queries 3");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(strstr(result->out, "batch 1, f32, 3 queries on seq keys, medians of 1"));
    ck_assert_ptr_nonnull(strstr(result->out, "  GB/s"));
}
END_TEST

/* Commas outside quotes, plus one. */
static size_t csv_columns(const char *line, size_t length)
{
    size_t columns = 1;
    int quoted = 0;
    for (size_t i = 0; i < length; i++) {
        quoted ^= line[i] == '"';
        columns += line[i] == ',' && !quoted;
    }
    ck_assert_int_eq(quoted, 0);
    return columns;
}

START_TEST(csv)
{
    static const char header[] =
        "op,variant,batch,q_heads,kv_heads,seq,dim,dtype,causal,median_ms,spread_ms,best_ms,noisy,"
        "gflops,gbs,ceiling_gflops,fraction_of_ceiling,speedup_vs_mha,max_error,family,config,rung,"
        "source,pattern,queries,shape,ceiling_read_gbs,fraction_of_read,fraction_of_roofline,"
        "cache_bytes_per_token,kv_dtype,shortest\n";
    const program_result *result =
        run_sqa("bench --heads 4 --seq 16,24 --dim 8,5 --rounds 1 --variant mha,xsqa --csv");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_int_eq(strncmp(result->out, header, strlen(header)), 0);
    size_t lines = 0;
    for (const char *at = result->out; *at; at += strcspn(at, "\n") + 1) {
        ck_assert_uint_eq(csv_columns(at, strcspn(at, "\n")), 32);
        lines++;
    }
    ck_assert_uint_eq(lines, 1 + 2 * 2 * 2);
    ck_assert_uint_eq(count_of(result->out, "forward,xsqa,1,1,1,16,5,f32,false,"), 1);
    ck_assert_uint_eq(count_of(result->out, "forward,mha,1,4,4,24,8,f32,false,"), 1);
}
END_TEST

static bool has_gnuplot(void)
{
    return system("command -v gnuplot >/dev/null 2>&1") == 0;
}

static size_t read_start(const char *name, char *out, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", work_folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t length = fread(out, 1, size - 1, file);
    out[length] = '\0';
    fclose(file);
    return length;
}

START_TEST(pictures)
{
    static char picture[1 << 17];
    if (!has_gnuplot())
        return;
    const program_result *result =
        run_sqa(TINY " --variant mha,xsqa,sw-xsqa --plot %s/p.svg", work_folder);
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_null(strstr(result->err, "warning"));
    ck_assert_uint_gt(read_start("p.svg", picture, sizeof picture), 1000);
    static const char *const needed[] = {"<svg",
                                         "xSQA",
                                         "SW-xSQA",
                                         "32 tokens",
                                         "48 tokens",
                                         "speed-up against MHA",
                                         "multiply-add ceiling",
                                         "median and middle half",
                                         "rgb( 64,  64,  64)", /* ranges */
                                         "</svg>"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        ck_assert_msg(strstr(picture, needed[i]), "no %s in the picture", needed[i]);
    result = run_sqa(
        "bench --shape op=matmul,m=1,n=40,k=24 --family stream,rows --rounds 1 --plot %s/m.svg",
        work_folder);
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_null(strstr(result->err, "warning"));
    ck_assert_uint_gt(read_start("m.svg", picture, sizeof picture), 1000);
    ck_assert_ptr_nonnull(strstr(picture, "matmul, stream"));
    ck_assert_ptr_nonnull(strstr(picture, "in % of reading"));
    result = run_sqa("bench --seq 16 --dim 8 --rounds 1 --csv --plot %s/p.PNG", work_folder);
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_uint_gt(read_start("p.PNG", picture, sizeof picture), 1000);
    ck_assert_int_eq(memcmp(picture, "\x89PNG", 4), 0);
    ck_assert_uint_eq(read_start("p.PNG.part", picture, sizeof picture), 0);
}
END_TEST

START_TEST(no_picture)
{
    if (has_gnuplot()) {
        const program_result *result = run_sqa(TINY " --plot %s/none/p.svg", work_folder);
        ck_assert_int_eq(result->code, 2);
        ck_assert_str_eq(result->out, ""); /* before anything is measured */
        ck_assert_ptr_nonnull(strstr(result->err, "cannot be written"));
    }
    const char *path = getenv("PATH");
    char kept[4096];
    ck_assert_ptr_nonnull(path);
    snprintf(kept, sizeof kept, "%s", path);
    setenv("PATH", work_folder, 1);
    const program_result *result = run_sqa(TINY " --plot %s/p.svg", work_folder);
    setenv("PATH", kept, 1);
    ck_assert_int_eq(result->code, 1);
    ck_assert_str_eq(result->out, "");
    ck_assert_ptr_nonnull(strstr(result->err, "gnuplot-nox"));
    ck_assert_uint_eq(count_of(result->err, "\n"), 1);
}
END_TEST

/* Runs a benchmark of minutes, interrupts it after `seconds`; gives the exit code. */
static int interrupted_after(unsigned seconds, const char *out, const char *err)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setpgid(0, 0); /* Ctrl-C is for all of it, compilers too */
        if (!freopen(out, "w", stdout) || !freopen(err, "w", stderr))
            _exit(126);
        execl(SQA_PROGRAM, "sqa", "bench", "--variant", "mha", "--seq", "64", "--rounds", "1000",
              "--dim", "64", "--batch", "64", (char *)NULL);
        _exit(127);
    }
    sleep(seconds);
    kill(-child, SIGINT);
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Ctrl-C: the rounds that were complete are shown; at first there may be none yet. */
START_TEST(interruption)
{
    char out[128], err[128], said[4096];
    snprintf(out, sizeof out, "%s/out", work_folder);
    snprintf(err, sizeof err, "%s/err", work_folder);
    size_t length = 0;
    for (unsigned seconds = 5; seconds <= 20 && length == 0; seconds += 15) {
        ck_assert_int_eq(interrupted_after(seconds, out, err), 1);
        ck_assert_uint_gt(read_start("err", said, sizeof said), 0);
        ck_assert_msg(strstr(said, "interrupted"), "%s", said);
        length = read_start("out", said, sizeof said);
    }
    ck_assert_msg(length > 0 && strstr(said, "\nmha "), "no rows: %s", said);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa bench");
    TCase *tests = tcase_create("bench");
    tcase_set_timeout(tests, 180);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, refusals, 0, REFUSED_COUNT);
    tcase_add_test(tests, table);
    tcase_add_test(tests, json_document);
    tcase_add_test(tests, figures_belong_together);
    tcase_add_test(tests, windowed_variants);
    tcase_add_test(tests, patterns_of_all);
    tcase_add_test(tests, few_queries);
    tcase_add_test(tests, csv);
    tcase_add_test(tests, pictures);
    tcase_add_test(tests, no_picture);
    tcase_add_test(tests, interruption);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
