#include "opencl_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device_option.h"

sqa_context *test_context;
cl_command_queue test_queue;
sqa_device test_device;

cl_command_queue new_queue(void)
{
    cl_int code;
    cl_command_queue queue = clCreateCommandQueue(sqa_context_cl(test_context),
                                                  sqa_context_cl_device(test_context), 0, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return queue;
}

/* What ctest hides must be seen again before anything asks OpenCL. */
void test_device_numbers(unsigned *platform, unsigned *device)
{
    const char *chosen = getenv("SQA_TEST_DEVICE"), *vendors = getenv("OCL_ICD_VENDORS");
    if (chosen && vendors && !strcmp(vendors, SQA_TEST_VENDORS))
        ck_assert_int_eq(unsetenv("OCL_ICD_VENDORS"), 0);
    ck_assert_msg(sqa_device_option(chosen ? chosen : "0:0", platform, device) == SQA_OK,
                  "$SQA_TEST_DEVICE: %s", sqa_last_error());
}

void open_device(void)
{
    unsigned platform, device;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = "";
    options.binary_cache = "";
    test_device_numbers(&platform, &device);
    ck_assert_msg(sqa_context_open(&test_context, platform, device, &options) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_int_eq(sqa_device_query(&test_device, sqa_context_cl_device(test_context)), SQA_OK);
    test_queue = new_queue();
}

void close_device(void)
{
    clReleaseCommandQueue(test_queue);
    sqa_context_destroy(test_context);
}

cl_mem new_buffer(size_t count, float value)
{
    cl_int code;
    float *values = malloc(count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < count; i++)
        values[i] = value;
    cl_mem buffer =
        clCreateBuffer(sqa_context_cl(test_context), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                       count * sizeof *values, values, &code);
    free(values);
    ck_assert_int_eq(code, CL_SUCCESS);
    return buffer;
}
