/* See target.h. */
#include "cli/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/device_option.h"
#include "device/profile.h"

static sqa_status read_file(const char *path, char **text)
{
    size_t capacity = 0;
    FILE *file = fopen(path, "r");
    errno = file ? 0 : errno;
    const ssize_t length = file ? getdelim(text, &capacity, '\0', file) : -1;
    const int failure = errno;
    if (file)
        fclose(file);
    if (length < 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--device-profile: %s: %s", path,
                        failure ? strerror(failure) : "empty");
    return strlen(*text) == (size_t)length
               ? SQA_OK
               : sqa_fail(SQA_INVALID_ARGUMENT, "--device-profile: %s: not a text", path);
}

static sqa_status read_profile(const char *path, sqa_device *out)
{
    char *text = NULL;
    sqa_status status = read_file(path, &text);
    if (status == SQA_OK && sqa_profile_read(text, out) != SQA_OK) {
        char why[512];
        snprintf(why, sizeof why, "%s", sqa_last_error());
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--device-profile: %s: %s", path, why);
    }
    free(text);
    return status;
}

sqa_status sqa_target_query_device(sqa_device *out, const char *device)
{
    unsigned platform = 0, index = 0;
    cl_device_id id = NULL;
    sqa_status status = sqa_device_option(device, &platform, &index);
    if (status == SQA_OK)
        status = sqa_device_at(platform, index, &id);
    return status == SQA_OK ? sqa_device_query(out, id) : status;
}

sqa_status sqa_target_open(sqa_target *out, const char *device, const char *profile,
                           const char *database, const sqa_log *log)
{
    *out = (sqa_target){.tuning = SQA_TUNING_TABLE_INIT};
    if (device && profile)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--device and --device-profile name two devices");
    sqa_status status = profile ? read_profile(profile, &out->device)
                                : sqa_target_query_device(&out->device, device);
    const sqa_tuning_sources sources = {.user_database = database};
    return status == SQA_OK ? sqa_tuning_table_load(&out->tuning, &sources, &out->device, log)
                            : status;
}

void sqa_target_close(sqa_target *target)
{
    sqa_tuning_table_free(&target->tuning);
}
