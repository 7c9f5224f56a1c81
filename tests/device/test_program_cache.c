/* The binary cache with a device behind it: a later context loads what an earlier one
 * compiled, gets the same bits from it, and compiles again where the file is no good. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/binary_folder.h"
#include "device/binary_key.h"
#include "device/program_cache.h"
#include "kernels/registry.h"
#include "opencl_fixture.h"
#include "run_suite.h"

enum { LENGTH = 40, DIM = 8, COUNT = LENGTH * DIM };

static const char source[] = "__kernel void fill(__global int *out) { out[0] = NUMBER; }";

static char folder[64];
static int loaded, kept, discarded, warned;

static void count_message(void *user, sqa_log_level level, const char *message)
{
    (void)user;
    loaded += strstr(message, "binary cache: loaded") != NULL;
    kept += strstr(message, "binary cache: kept") != NULL;
    discarded += strstr(message, "discarded") != NULL;
    warned += level <= SQA_LOG_WARNING;
}

static void forget_messages(void)
{
    loaded = kept = discarded = warned = 0;
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/sqa_programs_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    forget_messages();
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static sqa_program_cache *open_programs(const sqa_device *device)
{
    static const sqa_log log = {count_message, NULL, SQA_LOG_DEBUG};
    sqa_binary_cache *binaries = NULL;
    sqa_program_cache *programs = NULL;
    ck_assert_int_eq(sqa_binary_cache_create(&binaries, folder, SQA_BINARY_CACHE_BYTES, &log),
                     SQA_OK);
    ck_assert_int_eq(
        sqa_program_cache_create(&programs, sqa_context_cl(test_context), device, binaries, NULL),
        SQA_OK);
    return programs;
}

/* What the program's kernel writes. */
static int run_program(cl_program program)
{
    cl_int code, result = 0;
    const size_t one = 1;
    cl_kernel kernel = clCreateKernel(program, "fill", &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    cl_mem buffer = new_buffer(1, 0.0f);
    ck_assert_int_eq(clSetKernelArg(kernel, 0, sizeof buffer, &buffer), CL_SUCCESS);
    ck_assert_int_eq(clEnqueueNDRangeKernel(test_queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL),
                     CL_SUCCESS);
    ck_assert_int_eq(
        clEnqueueReadBuffer(test_queue, buffer, CL_TRUE, 0, sizeof result, &result, 0, NULL, NULL),
        CL_SUCCESS);
    clReleaseMemObject(buffer);
    clReleaseKernel(kernel);
    return result;
}

/* Builds, runs and keeps, as one process would. */
static int use_program(const sqa_device *device, const char *text, const char *options)
{
    sqa_program_cache *programs = open_programs(device);
    cl_program program = NULL;
    ck_assert_msg(sqa_program_cache_get(programs, &program, text, options) == SQA_OK, "%s",
                  sqa_last_error());
    const int result = run_program(program);
    sqa_program_cache_keep(programs, program);
    sqa_program_cache_keep(programs, program); /* once is enough */
    clReleaseProgram(program);
    sqa_program_cache_destroy(programs);
    return result;
}

static void only_file(char *out, size_t size)
{
    DIR *directory = opendir(folder);
    ck_assert_ptr_nonnull(directory);
    out[0] = '\0';
    for (struct dirent *item; (item = readdir(directory));)
        if (item->d_name[0] != '.') {
            ck_assert_msg(!out[0], "more than one file");
            snprintf(out, size, "%s/%s", folder, item->d_name);
        }
    closedir(directory);
    ck_assert_msg(out[0], "no file");
}

START_TEST(a_kept_program_is_loaded)
{
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=17"), 17);
    ck_assert_int_eq(loaded, 0);
    ck_assert_int_eq(kept, 1);
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=17"), 17);
    ck_assert_int_eq(loaded, 1);
    ck_assert_int_eq(kept, 1);
    ck_assert_int_eq(discarded + warned, 0);
}
END_TEST

START_TEST(another_program_is_not)
{
    sqa_device updated = test_device;
    char longer[sizeof source + 2];
    snprintf(longer, sizeof longer, "%s ", source);
    snprintf(updated.strings.driver_version, sizeof updated.strings.driver_version, "next");
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=1"), 1);
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=2"), 2);
    ck_assert_int_eq(use_program(&test_device, longer, "-DNUMBER=1"), 1);
    ck_assert_int_eq(use_program(&updated, source, "-DNUMBER=1"), 1);
    ck_assert_int_eq(loaded, 0);
    ck_assert_int_eq(kept, 4);
}
END_TEST

START_TEST(a_damaged_file_is_compiled_again)
{
    char path[512];
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=3"), 3);
    only_file(path, sizeof path);
    ck_assert_int_eq(truncate(path, 1000), 0);
    forget_messages();
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=3"), 3);
    ck_assert_int_eq(loaded, 0);
    ck_assert_int_eq(discarded, 1);
    ck_assert_int_eq(kept, 1);
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=3"), 3);
    ck_assert_int_eq(loaded, 1);
}
END_TEST

/* Whole and under the right key, but nothing that the runtime would call a program. */
START_TEST(what_the_runtime_refuses_is_compiled_again)
{
    static const char nonsense[] = "this is not a program of any kind";
    static const sqa_log quiet = {NULL, NULL, SQA_LOG_ERROR};
    sqa_binary_cache *binaries = NULL;
    sqa_text key = SQA_TEXT_INIT;
    sqa_binary_key(&key, &test_device.strings, "-DNUMBER=4", source);
    ck_assert_int_eq(sqa_binary_cache_create(&binaries, folder, SQA_BINARY_CACHE_BYTES, &quiet),
                     SQA_OK);
    sqa_binary_cache_store(binaries, &key, nonsense, sizeof nonsense);
    ck_assert_int_eq(use_program(&test_device, source, "-DNUMBER=4"), 4);
    ck_assert_int_eq(loaded, 1);
    ck_assert_int_eq(discarded, 1);
    ck_assert_int_eq(kept, 1);
    sqa_binary_cache_destroy(binaries);
    sqa_text_free(&key);
}
END_TEST

START_TEST(a_program_that_does_not_build_is_not_kept)
{
    sqa_binary_usage usage;
    sqa_program_cache *programs = open_programs(&test_device);
    cl_program program = NULL;
    ck_assert_int_eq(sqa_program_cache_get(programs, &program, "nonsense", ""), SQA_BUILD_FAILED);
    sqa_program_cache_destroy(programs);
    ck_assert_int_eq(sqa_binary_folder_usage(folder, &usage), 0);
    ck_assert_uint_eq(usage.entries, 0);
}
END_TEST

/* A context of its own, as another process would have it. */
static sqa_context *open_context(const char *where)
{
    sqa_context *context = NULL;
    unsigned platform, device;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = "";
    options.binary_cache = where;
    options.log = count_message;
    options.log_level = SQA_LOG_DEBUG;
    test_device_numbers(&platform, &device);
    ck_assert_int_eq(sqa_context_open(&context, platform, device, &options), SQA_OK);
    return context;
}

typedef enum use { PLAN_ONLY, WARM_UP, FORWARD, ATTENTION } use;

static cl_mem make_buffer(cl_context cl, const float *values)
{
    cl_int code;
    cl_mem buffer = clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                   COUNT * sizeof *values, (void *)(size_t)values, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}

static void use_plan(sqa_plan *plan, use how, sqa_context *context, const sqa_attention_desc *desc,
                     float out[COUNT])
{
    cl_int code;
    cl_context cl = sqa_context_cl(context);
    cl_command_queue queue = clCreateCommandQueue(cl, sqa_context_cl_device(context), 0, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    for (int i = 0; i < COUNT; i++)
        out[i] = (float)(i * 7 % 31) / 16.0f - 1.0f;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q.buffer = tensors.k.buffer = tensors.v.buffer = make_buffer(cl, out);
    tensors.o.buffer = make_buffer(cl, out);
    sqa_status status = SQA_OK;
    if (how == WARM_UP)
        status = sqa_plan_warm_up(plan, queue);
    if (how == FORWARD)
        status = sqa_forward(plan, queue, &tensors, 0, NULL, NULL);
    if (how == ATTENTION)
        status = sqa_attention_forward(context, queue, desc, &tensors, 0, NULL, NULL);
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(clEnqueueReadBuffer(queue, tensors.o.buffer, CL_TRUE, 0, COUNT * sizeof *out,
                                         out, 0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.o.buffer);
    clReleaseCommandQueue(queue);
}

/* Everything from the context's opening to its end. */
static void use_context(const char *family, use how, const char *where, float out[COUNT])
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_length = desc.kv_length = LENGTH;
    desc.head_dim = DIM;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    sqa_context *context = open_context(where);
    sqa_plan *plan = NULL;
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = family;
    if (how != ATTENTION)
        ck_assert_msg(sqa_plan_create(&plan, context, &desc, &options) == SQA_OK, "%s",
                      sqa_last_error());
    use_plan(plan, how, context, &desc, out);
    sqa_plan_destroy(plan);
    sqa_context_destroy(context);
}

static bool supported(const sqa_kernel_family *family)
{
    sqa_problem problem;
    const char *why;
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_length = desc.kv_length = LENGTH;
    desc.head_dim = DIM;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    ck_assert_int_eq(sqa_problem_from_desc(&problem, &desc), SQA_OK);
    return family->operation == SQA_OPERATION_FORWARD &&
           family->supports(&problem, &test_device, &why);
}

/* A binary is as good as a compiler: the same bits, whatever the family. */
START_TEST(every_family_is_kept_and_loaded)
{
    for (size_t i = 0; i < sqa_family_count(); i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        float compiled[COUNT], binary[COUNT];
        if (!supported(family))
            continue;
        forget_messages();
        use_context(family->name, FORWARD, folder, compiled);
        ck_assert_msg(loaded == 0 && kept == 1, "%s was not kept", family->name);
        use_context(family->name, FORWARD, folder, binary);
        ck_assert_msg(loaded == 1 && kept == 1, "%s was not loaded", family->name);
        ck_assert_msg(!memcmp(compiled, binary, sizeof binary), "%s: other bits", family->name);
    }
}
END_TEST

START_TEST(programs_are_kept_once_they_ran)
{
    static const int keeps[] = {[PLAN_ONLY] = 0, [WARM_UP] = 1, [FORWARD] = 1, [ATTENTION] = 1};
    float out[COUNT];
    for (use how = PLAN_ONLY; how <= ATTENTION; how++) {
        remove_folder();
        forget_messages();
        use_context("naive", how, folder, out);
        ck_assert_msg(kept == keeps[how], "use %d kept %d", (int)how, kept);
        ck_assert_int_eq(warned, 0);
    }
}
END_TEST

START_TEST(switched_off_nothing_is_kept)
{
    float out[COUNT];
    use_context("naive", FORWARD, "", out);
    ck_assert_int_eq(setenv("SQA_CL_CACHE", "off", 1), 0);
    use_context("naive", FORWARD, NULL, out);
    ck_assert_int_eq(kept, 0);
    ck_assert_int_eq(setenv("SQA_CL_CACHE", folder, 1), 0);
    use_context("naive", FORWARD, NULL, out);
    ck_assert_int_eq(kept, 1);
    ck_assert_int_eq(setenv("SQA_CL_CACHE", "off", 1), 0);
}
END_TEST

START_TEST(a_useless_folder_fails_nothing)
{
    float out[COUNT], expected[COUNT];
    use_context("naive", FORWARD, "", expected);
    use_context("naive", FORWARD, "/dev/null/cache", out);
    ck_assert_int_eq(warned, 1);
    ck_assert_mem_eq(out, expected, sizeof out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("program_cache");
    TCase *tests = tcase_create("program_cache");
    tcase_set_timeout(tests, 600);
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, a_kept_program_is_loaded);
    tcase_add_test(tests, another_program_is_not);
    tcase_add_test(tests, a_damaged_file_is_compiled_again);
    tcase_add_test(tests, what_the_runtime_refuses_is_compiled_again);
    tcase_add_test(tests, a_program_that_does_not_build_is_not_kept);
    tcase_add_test(tests, every_family_is_kept_and_loaded);
    tcase_add_test(tests, programs_are_kept_once_they_ran);
    tcase_add_test(tests, switched_off_nothing_is_kept);
    tcase_add_test(tests, a_useless_folder_fails_nothing);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
