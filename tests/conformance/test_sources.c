/* Every OpenCL source compiles without the generator: each parameter has a default, and
 * beyond the arguments of its family's kernels a fragment needs only those before it in the
 * family's list. */
#include <string.h>

#include "base/embedded.h"
#include "kernels/registry.h"
#include "opencl_fixture.h"
#include "operations/tuner_operations.h"
#include "run_suite.h"

static int file_count(void)
{
    int count = 0;
    while (sqa_embedded_kernels[count].name)
        count++;
    return count;
}

enum { MAX_TEXTS = 24 };

static bool has(const sqa_kernel_family *family, const char *name)
{
    const char *const *one = family->fragments;
    while (*one && strcmp(*one, name) != 0)
        one++;
    return *one != NULL;
}

/* The family that has the fragment, one that always has a source; NULL for kernels of none. */
static const sqa_kernel_family *family_of(const char *name)
{
    for (size_t i = 0; i < sqa_family_count(); i++)
        if (!sqa_family_at(i)->library && has(sqa_family_at(i), name))
            return sqa_family_at(i);
    return NULL;
}

/* The lines "#define SQA_..._ARGUMENTS ..." that the generator prints for an everyday problem. */
static void add_arguments(const sqa_kernel_family *family, sqa_text *out)
{
    const sqa_problem problem =
        sqa_tuner_operation_find(family->operation)->everyday(true, SQA_DTYPE_F32);
    sqa_text source = SQA_TEXT_INIT;
    sqa_config config;
    family->default_config(&problem, &test_device, &config);
    family->source(&config, &problem, &test_device, &source);
    for (const char *line = sqa_text_get(&source), *next; *line; line = next) {
        const size_t length = strcspn(line, "\n");
        next = line + length + (line[length] == '\n');
        const char *end = strstr(line, "_ARGUMENTS ");
        if (!strncmp(line, "#define SQA_", 12) && end && end < line + length)
            sqa_text_format(out, "%.*s\n", (int)length, line);
    }
    ck_assert_uint_gt(out->length, 0);
    sqa_text_free(&source);
}

/* A fragment behind those before it in its family's list. */
static cl_uint texts_of(const sqa_embedded_file *file, const char *texts[MAX_TEXTS],
                        sqa_text *arguments)
{
    const sqa_kernel_family *family = family_of(file->name);
    cl_uint count = 0;
    if (family) {
        add_arguments(family, arguments);
        texts[count++] = sqa_text_get(arguments);
    }
    for (size_t i = 0; family && strcmp(family->fragments[i], file->name) != 0; i++) {
        texts[count] = sqa_embedded_text(sqa_embedded_kernels, family->fragments[i]);
        ck_assert_ptr_nonnull(texts[count++]);
        ck_assert_uint_lt(count, MAX_TEXTS);
    }
    texts[count] = file->text;
    return count + 1;
}

START_TEST(compiles_ungenerated)
{
    const sqa_embedded_file *file = &sqa_embedded_kernels[_i];
    const char *texts[MAX_TEXTS];
    sqa_text arguments = SQA_TEXT_INIT;
    cl_uint text_count = texts_of(file, texts, &arguments);
    char log[4096] = "";
    cl_int code;
    cl_device_id device = test_device.id;
    cl_program program =
        clCreateProgramWithSource(sqa_context_cl(test_context), text_count, texts, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    code = clCompileProgram(program, 1, &device, sqa_build_options, 0, NULL, NULL, NULL, NULL);
    clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    clReleaseProgram(program);
    sqa_text_free(&arguments);
    ck_assert_msg(code == CL_SUCCESS, "cl/%s:\n%s", file->name, log);
}
END_TEST

START_TEST(there_are_sources)
{
    ck_assert_int_gt(file_count(), 3);
    ck_assert_ptr_nonnull(sqa_embedded_text(sqa_embedded_kernels, "forward/naive.cl"));
    ck_assert_ptr_null(sqa_embedded_text(sqa_embedded_kernels, "forward/none.cl"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel sources");
    TCase *sources = tcase_create("sources");
    tcase_add_unchecked_fixture(sources, open_device, close_device);
    tcase_add_test(sources, there_are_sources);
    tcase_add_loop_test(sources, compiles_ungenerated, 0, file_count());
    suite_add_tcase(suite, sources);
    return sqa_run_suite(suite);
}
