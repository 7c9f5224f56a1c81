/* A context and a queue on the device under test: $SQA_TEST_DEVICE, numbered as `sqa
 * info` does, else 0:0 (under ctest PoCL, where it is installed). The user's tuning
 * database and binary cache are left aside. */
#ifndef SQA_TESTS_OPENCL_FIXTURE_H
#define SQA_TESTS_OPENCL_FIXTURE_H

#include "device/device.h"
#include "sqa_cl.h"

extern sqa_context *test_context;
extern cl_command_queue test_queue;
extern sqa_device test_device;

/* The numbers of the device under test, for a context with other options. */
void test_device_numbers(unsigned *platform, unsigned *device);

/* For tcase_add_unchecked_fixture(). */
void open_device(void);
void close_device(void);

/* Another queue on the same device. */
cl_command_queue new_queue(void);

/* A buffer of `count` floats, all `value`. */
cl_mem new_buffer(size_t count, float value);

#endif
