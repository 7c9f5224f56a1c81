/* The device that a command generates for: one that is here (--device), or one that a
 * profile tells of (--device-profile), with all that decides what would run on it. */
#ifndef SQA_TUNER_TARGET_H
#define SQA_TUNER_TARGET_H

#include "base/log.h"
#include "device/device.h"
#include "tuning/tuning_table.h"

typedef struct sqa_target {
    sqa_device device;
    sqa_tuning_table tuning;
} sqa_target;

/* `device`: the option's value, NULL for the default. With `profile`, a file or the name of
 * one that ships (shipped_profiles.h), no device is asked anything. `database` NULL: the
 * user's own. Close it also after a failure.
 * Errors: SQA_INVALID_ARGUMENT naming the option, SQA_NO_DEVICE. */
sqa_status sqa_target_open(sqa_target *out, const char *device, const char *profile,
                           const char *database, const sqa_log *log);
void sqa_target_close(sqa_target *target);

/* Of the option's value, NULL for the default. Errors: as above. */
sqa_status sqa_target_query_device(sqa_device *out, const char *device);

#endif
