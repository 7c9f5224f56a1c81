/* Which device a command works on: --device P:D, else $SQA_CL_DEVICE, else 0:0. */
#ifndef SQA_TUNER_DEVICE_OPTION_H
#define SQA_TUNER_DEVICE_OPTION_H

#include "sqa_cl/status.h"

/* `text` is the option's value, NULL when it was not given. Only the form is
 * checked here; whether the device exists is for whoever opens it.
 * Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_device_option(const char *text, unsigned *platform, unsigned *device);

#endif
