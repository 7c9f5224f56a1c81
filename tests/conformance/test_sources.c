/* Every OpenCL source compiles without the generator: each parameter has a default,
 * and beyond that a kernel needs only the fragments all kernels share and those of
 * its own family. */
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
static const char *const shared[] = {"common/types.cl",    "forward/arguments.cl",
                                     "forward/visible.cl", "forward/score.cl",
                                     "forward/sharing.cl", "forward/split.cl"};

/* The fragments of a family that has several, the kernel last; the same holds. */
static const char *const tiled[] = {"forward/tiled_shape.cl", "forward/tiled_stage.cl",
                                    "forward/tiled_rows.cl", "forward/tiled.cl"};
enum {
    SHARED_COUNT = sizeof shared / sizeof *shared,
    TILED_COUNT = sizeof tiled / sizeof *tiled,
    MAX_TEXTS = SHARED_COUNT + TILED_COUNT
};

/* Where `name` stands among `count`; `count` if it does not. */
static size_t place_of(const char *name, const char *const *names, size_t count)
{
    size_t place = 0;
    while (place < count && strcmp(name, names[place]) != 0)
        place++;
    return place;
}

static cl_uint add_texts(const char **texts, cl_uint at, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        texts[at] = sqa_embedded_text(sqa_embedded_kernels, names[i]);
        ck_assert_ptr_nonnull(texts[at++]);
    }
    return at;
}

static cl_uint texts_of(const sqa_embedded_file *file, const char *texts[MAX_TEXTS])
{
    const size_t in_tiled = place_of(file->name, tiled, TILED_COUNT);
    cl_uint count = add_texts(texts, 0, shared, place_of(file->name, shared, SHARED_COUNT));
    if (in_tiled < TILED_COUNT)
        count = add_texts(texts, count, tiled, in_tiled);
    texts[count] = file->text;
    return count + 1;
}

START_TEST(compiles_ungenerated)
{
    const sqa_embedded_file *file = &sqa_embedded_kernels[_i];
    const char *texts[MAX_TEXTS];
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
