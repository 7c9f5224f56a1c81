/* How a command runs an operation on a user's tensors, whichever that is: storage, kernel family,
 * device, database. */
#ifndef SQA_TUNER_RUN_HOW_H
#define SQA_TUNER_RUN_HOW_H

#include <stdbool.h>

#include "cli/options.h"
#include "sqa_cl.h"
#include "text/npy.h"
#include "text/output.h"

typedef struct sqa_run_how {
    const char *dtype, *family, *set, *device, *database, *log_level;
    bool explain;
} sqa_run_how;

enum { SQA_RUN_HOW_OPTIONS = 7 };

/* The rows of an option table. */
void sqa_run_how_options(sqa_run_how *how, sqa_option out[SQA_RUN_HOW_OPTIONS]);

/* --dtype; left as it is where that is not given. Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_run_how_dtype(const sqa_run_how *how, sqa_dtype *out);

sqa_status sqa_run_open_context(const sqa_run_how *how, sqa_context **out);

/* Says on standard error why the plan looks as it does, where that was asked for, and that
 * nothing was measured for it, where nothing was. */
sqa_status sqa_run_tell_choice(const sqa_run_how *how, const sqa_plan *plan);

/* Writes a tensor to where the option says, to be kept by the caller. */
sqa_status sqa_run_write(sqa_output *out, const char *option, const char *path,
                         const sqa_npy *tensor);

#endif
