/* Every OpenCL source compiles without the generator: each parameter has a default,
 * and beyond that a kernel needs only the fragments all kernels share. */
#include <string.h>

#include "base/embedded.h"
#include "kernels/kernel_family.h"
#include "opencl_fixture.h"
#include "run_suite.h"

static int file_count(void)
{
    int count = 0;
    while (sqa_embedded_kernels[count].name)
        count++;
    return count;
}

/* What comes before a kernel; a shared fragment needs those before itself. */
static const char *const shared[] = {"common/types.cl", "forward/arguments.cl",
                                     "forward/sharing.cl", "forward/split.cl"};
enum { SHARED_COUNT = sizeof shared / sizeof *shared };

static cl_uint texts_of(const sqa_embedded_file *file, const char *texts[SHARED_COUNT + 1])
{
    cl_uint count = 0;
    while (count < SHARED_COUNT && strcmp(file->name, shared[count]) != 0) {
        texts[count] = sqa_embedded_text(sqa_embedded_kernels, shared[count]);
        ck_assert_ptr_nonnull(texts[count]);
        count++;
    }
    texts[count] = file->text;
    return count + 1;
}

START_TEST(compiles_ungenerated)
{
    const sqa_embedded_file *file = &sqa_embedded_kernels[_i];
    const char *texts[SHARED_COUNT + 1];
    cl_uint text_count = texts_of(file, texts);
    char log[4096] = "";
    cl_int code;
    cl_device_id device = test_device.id;
    cl_program program =
        clCreateProgramWithSource(sqa_context_cl(test_context), text_count, texts, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    code = clCompileProgram(program, 1, &device, sqa_build_options, 0, NULL, NULL, NULL, NULL);
    clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    clReleaseProgram(program);
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
