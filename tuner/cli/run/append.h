/* Keys and values from files into a cache on the device, as sqa_kv_append() stores them. */
#ifndef SQA_TUNER_RUN_APPEND_H
#define SQA_TUNER_RUN_APPEND_H

#include <stdbool.h>

#include "cli/run/tensor_files.h"
#include "sqa_cl.h"

/* K and V of `files`, whose numbers are freed: buffers of `dtype`, packed and shaped as the files
 * are, in pages or not; with `rotate` keys go through Hadamard matrices on their way. The caller
 * releases both, also after a failure; NULL where there are no elements. Errors: those of running.
 */
sqa_status sqa_run_append(sqa_context *context, sqa_tensor_files *files, sqa_dtype dtype,
                          bool rotate, cl_mem out[2]);

#endif
