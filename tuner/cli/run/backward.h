/* `sqa run --op backward`: what it takes beyond the forward pass, and what it writes. O and LSE
 * come from files, or from a forward pass on the way. */
#ifndef SQA_TUNER_RUN_BACKWARD_H
#define SQA_TUNER_RUN_BACKWARD_H

#include "cli/options.h"
#include "cli/run/pattern.h"
#include "cli/run/tensor_files.h"
#include "operations/backward/slots.h"
#include "text/command_files.h"
#include "text/output.h"

typedef struct sqa_run_backward {
    const char *paths[SQA_BACKWARD_SLOTS]; /* of dO, O, LSE and the gradients; NULL: not given */
    sqa_npy files[SQA_BACKWARD_SLOTS];
    sqa_output outputs[SQA_BACKWARD_SLOTS];
    cl_mem there[SQA_BACKWARD_SLOTS]; /* inputs on the device */
    sqa_problem problem;
    sqa_plan *plan;
} sqa_run_backward;

void sqa_run_backward_init(sqa_run_backward *backward);

/* The rows of the option table, which write to *backward. */
enum { SQA_RUN_BACKWARD_OPTIONS = 8 };
void sqa_run_backward_options(sqa_run_backward *backward, sqa_option out[SQA_RUN_BACKWARD_OPTIONS]);

/* Whether any of them was given, and the first of them. */
const char *sqa_run_backward_given(const sqa_run_backward *backward);

/* All files of it, for sqa_command_files_check(). */
enum { SQA_RUN_BACKWARD_FILES = 9 };
void sqa_run_backward_name(const sqa_run_backward *backward,
                           sqa_command_file out[SQA_RUN_BACKWARD_FILES]);

/* Reads the files and makes the problem, of which the outputs' paths say what it is asked for,
 * and arrays for its outputs. `desc`: of the forward pass. Errors: SQA_INVALID_ARGUMENT, one
 * line that names option, file and what was expected. */
sqa_status sqa_run_backward_read(sqa_run_backward *backward, const sqa_tensor_files *inputs,
                                 const sqa_run_pattern *pattern, const sqa_attention_desc *desc);

/* Builds the plan; takes the inputs to the device, where they stay for both passes. */
sqa_status sqa_run_backward_prepare(sqa_run_backward *backward, sqa_context *context,
                                    const sqa_plan_options *options, sqa_tensor_files *inputs,
                                    sqa_run_pattern *pattern);

/* Whether the forward pass has to be run: O and LSE are not from files. */
bool sqa_run_backward_needs_forward(const sqa_run_backward *backward);

/* Runs it; without files of O and LSE, after the forward pass, which `forward` plans. */
sqa_status sqa_run_backward_call(sqa_run_backward *backward, sqa_context *context,
                                 sqa_plan *forward, const sqa_run_pattern *pattern);

/* All outputs, or none. */
sqa_status sqa_run_backward_write(sqa_run_backward *backward);

/* Also after a failure. */
void sqa_run_backward_free(sqa_run_backward *backward);

#endif
