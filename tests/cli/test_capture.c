/* A device without a compiler, from outside: sqa capture fills a folder, and with the
 * compiler switched off the library runs what is in it, tuning ranks it, and what is
 * missing or damaged is told. The device's own compiler stands in for a vendor's tool. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/device_option.h"
#include "cli/run_inputs.h"
#include "kernels/thin/tokens.h"
#include "run_suite.h"
#include "sqa_cl.h"

#define SHAPE "hq=2,n=40,d=16"
#define OTHER_SHAPE "hq=2,n=40,d=8"

static run_inputs inputs;

static void set_up(void)
{
    work_folder_set_up();
    make_run_inputs(&inputs, SHAPE, false);
}

static void tear_down(void)
{
    unsetenv("SQA_CL_TEST_NO_COMPILER");
    unsetenv("SQA_CL_PREBUILT");
    free_run_inputs(&inputs);
    work_folder_tear_down();
}

/* From now on there is only what was captured. */
static void leave_compiler(void)
{
    ck_assert_int_eq(setenv("SQA_CL_TEST_NO_COMPILER", "1", 1), 0);
    ck_assert_int_eq(setenv("SQA_CL_PREBUILT", work_folder, 1), 0);
}

static const program_result *capture(const char *options)
{
    const program_result *result = run_sqa("capture --out %s%s", work_folder, options);
    ck_assert_msg(result->code == 0, "capture%s: %s", options, result->err);
    return result;
}

/* The first key in a text. */
static void find_key(const char *text, char key[33])
{
    for (; *text; text++)
        if (strspn(text, "0123456789abcdef") == 32) {
            snprintf(key, 33, "%.32s", text);
            return;
        }
    ck_abort_msg("no key");
}

static void check_says(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted), "'%s' lacks '%s'", text, wanted);
}

static void check_run(const char *rung)
{
    const program_result *result = run_files(" --explain");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_says(result->err, rung);
    check_outputs(&inputs);
}

static void check_fails(const char *key, const char *why)
{
    const program_result *result = run_files("");
    ck_assert_int_eq(result->code, 1);
    check_says(result->err, key);
    check_says(result->err, why);
}

static void file_of(const char *key, const char *suffix, char path[128])
{
    snprintf(path, 128, "%s/%s%s", work_folder, key, suffix);
}

START_TEST(captured_programs_run)
{
    const program_result *result =
        capture(" --shape " SHAPE " --family naive --set CHUNK=4|16 --build");
    check_says(result->out, "2 programs, 2 of them new; 2 binaries, 2 of them new");
    check_says(capture(" --shape " SHAPE " --family naive --set CHUNK=16 --build")->out,
               "2 programs, 0 of them new; 2 binaries, 0 of them new");
    leave_compiler();
    check_run("rung:    prebuilt\nsource:  prebuilt\nfamily:  naive\nconfig:  CHUNK=4\n");
    result = run_files(" --family naive --set CHUNK=16 --explain");
    ck_assert_int_eq(result->code, 0);
    check_outputs(&inputs);
    result = run_files(" --family naive --set CHUNK=64");
    ck_assert_int_eq(result->code, 1);
    check_says(result->err, "--family naive --set CHUNK=64");
}
END_TEST

/* But for the comments: heading, and meanings of parameters. */
START_TEST(what_is_printed_is_captured)
{
    static char printed[SQA_KEPT_OUTPUT], captured[SQA_KEPT_OUTPUT];
    char key[33], path[128];
    size_t length = 0;
    const program_result *result =
        run_sqa("source --shape " SHAPE ",causal --family naive --set CHUNK=4");
    ck_assert_int_eq(result->code, 0);
    ck_assert(sqa_strip_comments(result->out, printed, &length));
    find_key(capture(" --shape " SHAPE ",causal --family naive --set CHUNK=4")->out, key);
    file_of(key, ".cl", path);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(captured, 1, sizeof captured, file), length);
    fclose(file);
    ck_assert_int_eq(memcmp(captured, printed, length), 0);
}
END_TEST

static void check_captured(const char *key)
{
    char path[128];
    file_of(key, ".cl", path);
    ck_assert_msg(access(path, R_OK) == 0, "no %s", path);
}

/* The message says which key, and `sqa capture` writes the source of that key. The key
 * that `sqa tune` asks for is the default's, which the best known may differ from. */
START_TEST(what_is_missing_is_named)
{
    char key[33];
    leave_compiler();
    unsetenv("SQA_CL_PREBUILT");
    check_fails("pre-built program ", "$SQA_CL_PREBUILT");
    find_key(run_files("")->err, key);
    leave_compiler();
    check_fails(key, "manifest.tsv");
    check_fails(key, "sqa capture --out /tmp/");
    capture(" --shape " SHAPE);
    check_captured(key);
    check_fails(key, "has no binary yet");
    const program_result *tuned = run_sqa("tune --shape " SHAPE " --budget 1t");
    check_says(tuned->out, "no OpenCL compiler here");
    check_says(tuned->out, "build ");
    find_key(strstr(tuned->out, "build "), key);
    check_captured(key);
    check_says(run_sqa("capture --out %s --shape " SHAPE " --build", work_folder)->err,
               "--build: this device has no OpenCL compiler");
}
END_TEST

/* As with a tool that is run elsewhere. */
START_TEST(a_binary_is_added)
{
    char key[33], made[128], vendors[128], list[128], words[256];
    find_key(capture(" --shape " SHAPE " --family naive --build")->out, key);
    file_of(key, ".bin", made);
    file_of("vendor", ".xclbin", vendors);
    file_of("manifest", ".tsv", list);
    ck_assert_int_eq(rename(made, vendors), 0);
    ck_assert_int_eq(unlink(list), 0);
    check_says(capture(" --shape " SHAPE " --family naive")->out, "1 programs, 1 of them new; 0");
    leave_compiler();
    check_fails(key, "has no binary yet");
    snprintf(words, sizeof words, " --add %s=%s", key, vendors);
    check_says(capture(words)->out, "1 binaries, 1 of them new");
    check_run("prebuilt");
    const program_result *result = run_sqa("capture --out %s --add %s=/none", work_folder, key);
    ck_assert_int_eq(result->code, 2);
    check_says(result->err, "No such file");
    result = run_sqa("capture --out %s --add 0000%.28s=%s", work_folder, key, vendors);
    ck_assert_int_eq(result->code, 2);
    check_says(result->err, key); /* of those it could have been */
}
END_TEST

START_TEST(tuning_ranks_what_is_there)
{
    capture(" --shape " SHAPE " --family naive --set CHUNK=4|64 --build");
    capture(" --shape " OTHER_SHAPE " --family naive");
    leave_compiler();
    const program_result *result =
        run_sqa("tune --shape " SHAPE " --budget 10t --log-level error --json");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_says(result->out, "\"ok\": 2");
    check_says(result->out, "\"space\": 2");
    check_says(result->out, "\"tuned\": true");
    char winner[128] = "";
    const char *config = strstr(strstr(result->out, "\"tuned\": true"), "\"config\": \"");
    ck_assert_ptr_nonnull(config);
    ck_assert_int_eq(sscanf(config, "\"config\": \"%100[^\"]", winner), 1);
    char expected[256];
    snprintf(expected, sizeof expected,
             "rung:    exact\nsource:  user-db\nfamily:  naive\nconfig:  %s", winner);
    check_run(expected);
}
END_TEST

static void overwrite(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
    int byte = fgetc(file);
    ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
    ck_assert_int_eq(fputc(byte ^ 1, file), byte ^ 1);
    ck_assert_int_eq(fclose(file), 0);
}

/* Nothing of it reaches the driver; where there is a compiler, the answer is the same. */
START_TEST(damaged_binaries)
{
    char key[33], path[128];
    find_key(capture(" --shape " SHAPE " --family naive --build")->out, key);
    file_of(key, ".bin", path);
    overwrite(path, 1000);
    leave_compiler();
    check_fails(key, "damaged");
    unsetenv("SQA_CL_TEST_NO_COMPILER");
    const program_result *result = run_files(" --family naive");
    ck_assert_int_eq(result->code, 0);
    check_says(result->err, "warning: pre-built program ");
    check_outputs(&inputs);
    overwrite(path, 1000);
    leave_compiler();
    check_run("prebuilt");
    ck_assert_int_eq(truncate(path, 1000), 0);
    check_fails(key, "not as long as the manifest says");
    unsetenv("SQA_CL_TEST_NO_COMPILER");
    check_says(capture(" --shape " SHAPE " --family naive --build")->out, "1 of them new");
    leave_compiler();
    check_run("prebuilt");
}
END_TEST

/* Whole by size and hash, but nothing that the driver takes. */
START_TEST(what_the_driver_refuses)
{
    char key[33], path[128], words[256];
    find_key(capture(" --shape " SHAPE " --family naive")->out, key);
    file_of(key, ".cl", path);
    snprintf(words, sizeof words, " --add %s=%s", key, path);
    capture(words);
    leave_compiler();
    check_fails(key, "refused by the driver");
}
END_TEST

/* The folder can also be named by the program. */
START_TEST(options_of_a_context)
{
    sqa_context *context = NULL;
    sqa_plan *plan = NULL;
    unsigned platform = 0, device = 0;
    capture(" --shape " SHAPE " --family naive --build");
    leave_compiler();
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = 3; /* what a program does not depend on */
    desc.q_length = desc.kv_length = 7;
    desc.head_dim = 16;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    ck_assert_int_eq(sqa_device_option(NULL, &platform, &device), SQA_OK);
    options.user_database = options.prebuilt = "";
    ck_assert_int_eq(sqa_context_open(&context, platform, device, &options), SQA_OK);
    ck_assert_int_eq(sqa_plan_create(&plan, context, &desc, NULL), SQA_BUILD_FAILED);
    check_says(sqa_last_error(), "$SQA_CL_PREBUILT");
    sqa_context_destroy(context);
    unsetenv("SQA_CL_PREBUILT");
    options.prebuilt = work_folder;
    ck_assert_int_eq(sqa_context_open(&context, platform, device, &options), SQA_OK);
    ck_assert_msg(sqa_plan_create(&plan, context, &desc, NULL) == SQA_OK, "%s", sqa_last_error());
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    ck_assert_int_eq(sqa_plan_explain(plan, &info), SQA_OK);
    ck_assert_str_eq(info.rung, "prebuilt");
    ck_assert_str_eq(info.source, "prebuilt");
    check_says(info.reason, "pre-built; not measured, but checked here");
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
}
END_TEST

START_TEST(a_damaged_manifest_is_not_written_over)
{
    char path[128];
    capture(" --shape " SHAPE " --family naive");
    file_of("manifest", ".tsv", path);
    FILE *file = fopen(path, "ab");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs("nonsense\n", file), 0);
    ck_assert_int_eq(fclose(file), 0);
    const program_result *result = run_sqa("capture --out %s --shape " OTHER_SHAPE, work_folder);
    ck_assert_int_eq(result->code, 2);
    check_says(result->err, "manifest.tsv, line 3: ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("capture");
    TCase *tests = tcase_create("capture");
    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, captured_programs_run);
    tcase_add_test(tests, what_is_printed_is_captured);
    tcase_add_test(tests, what_is_missing_is_named);
    tcase_add_test(tests, a_binary_is_added);
    tcase_add_test(tests, tuning_ranks_what_is_there);
    tcase_add_test(tests, damaged_binaries);
    tcase_add_test(tests, what_the_driver_refuses);
    tcase_add_test(tests, options_of_a_context);
    tcase_add_test(tests, a_damaged_manifest_is_not_written_over);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
