/* Building OpenCL programs, from source or from what an earlier build gave. */
#ifndef SQA_DEVICE_PROGRAM_H
#define SQA_DEVICE_PROGRAM_H

#include <stddef.h>

#include "base/status.h"
#include "sqa_cl/export.h"

/* Compiles `source` for one device. On SQA_BUILD_FAILED the detail holds the head
 * of the compiler's log. The caller releases *out. */
sqa_status sqa_program_build(cl_program *out, cl_context context, cl_device_id device,
                             const char *source, const char *options);

/* The same from a binary, which must be a sound one: some runtimes crash on others. */
sqa_status sqa_program_build_binary(cl_program *out, cl_context context, cl_device_id device,
                                    const unsigned char *binary, size_t size, const char *options);

/* The device's binary of a program that was built; the caller frees it. Runtimes
 * that compile at a kernel's first launch put native code in only after that, and
 * may take long here, as they complete what is still missing. */
sqa_status sqa_program_binary(cl_program program, cl_device_id device, unsigned char **out,
                              size_t *size);

#endif
