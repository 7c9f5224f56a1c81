/* See target.h. */
#include "cli/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "cli/device_option.h"
#include "cli/shipped_profiles.h"
#include "device/profile.h"
#include "text/text_file.h"

static sqa_status parse_profile(const char *name, const char *text, sqa_device *out)
{
    char why[512];
    if (sqa_profile_read(text, out) == SQA_OK)
        return SQA_OK;
    snprintf(why, sizeof why, "%s", sqa_last_error());
    return sqa_fail(SQA_INVALID_ARGUMENT, "--device-profile: %s: %s", name, why);
}

/* What is neither a file nor a shipped name is most likely a name. */
static sqa_status name_shipped(sqa_status status, const char *path)
{
    char why[512];
    sqa_text names = SQA_TEXT_INIT;
    if (strchr(path, '/') || access(path, F_OK) == 0)
        return status;
    snprintf(why, sizeof why, "%s", sqa_last_error());
    sqa_shipped_profiles_list(&names);
    sqa_fail(status, "%s; the profiles that ship are %s", why, sqa_text_get(&names));
    sqa_text_free(&names);
    return status;
}

static sqa_status read_profile(const char *path, sqa_device *out)
{
    const char *shipped = sqa_shipped_profile(path);
    char *text = NULL;
    if (shipped)
        return parse_profile(path, shipped, out);
    sqa_status status = sqa_text_file_read("--device-profile", path, &text);
    if (status != SQA_OK)
        return name_shipped(status, path);
    status = *text ? parse_profile(path, text, out)
                   : sqa_fail(SQA_INVALID_ARGUMENT, "--device-profile: %s: empty", path);
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
