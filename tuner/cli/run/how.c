#include "cli/run/how.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cli/database_state.h"
#include "cli/device_option.h"
#include "cli/log_option.h"
#include "problem/names.h"
#include "tuning/lookup.h"
#include "tuning/tuning_table.h"

void sqa_run_how_options(sqa_run_how *how, sqa_option out[SQA_RUN_HOW_OPTIONS])
{
    const sqa_option rows[SQA_RUN_HOW_OPTIONS] = {
        {"dtype", "TYPE", "storage on the device: f32, f16 or bf16 (that of the files)",
         .text = &how->dtype},
        {"family", "NAME", "this kernel family instead of the best known", .text = &how->family},
        {"set", "NAME=VALUE,...", "with --family: its parameters", .text = &how->set,
         .needs = "family"},
        {"explain", NULL, "say on standard error which kernel was chosen, and why",
         .flag = &how->explain},
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .text = &how->device},
        {"db", "FILE", "tuning database instead of the user's own", .text = &how->database},
        {"log-level", "LEVEL", "error, warning (default), info or debug", .text = &how->log_level},
    };
    memcpy(out, rows, sizeof rows);
}

sqa_status sqa_run_how_dtype(const sqa_run_how *how, sqa_dtype *out)
{
    if (how->dtype && !sqa_dtype_from_name(how->dtype, out))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--dtype is '%s'; expected f32, f16 or bf16",
                        how->dtype);
    return SQA_OK;
}

sqa_status sqa_run_open_context(const sqa_run_how *how, sqa_context **out)
{
    sqa_context_options made = SQA_CONTEXT_OPTIONS_INIT;
    unsigned platform = 0, device = 0;
    made.user_database = how->database;
    sqa_status status = sqa_log_option(how->log_level, &made);
    if (!status)
        status = sqa_device_option(how->device, &platform, &device);
    return status ? status : sqa_context_open(out, platform, device, &made);
}

/* Whether it was measured on this very device. */
static bool is_own(const sqa_plan_info *info)
{
    static const sqa_rung rungs[] = {SQA_RUNG_EXACT, SQA_RUNG_OTHER_DRIVER, SQA_RUNG_NEAREST_SIZE};
    bool own = false;
    for (size_t i = 0; i < sizeof rungs / sizeof *rungs; i++)
        own = own || !strcmp(info->rung, sqa_rung_name(rungs[i]));
    return own;
}

/* Says so when nothing was ever measured for this device and problem: the answer
 * is right all the same, but tuning would make it faster. */
static void tell_fallback(const sqa_run_how *how, const sqa_plan_info *info)
{
    char found[4096] = "";
    const char *path = how->database;
    const char *to = !strcmp(info->source, "default")    ? "defaults"
                     : !strcmp(info->source, "seed-db")  ? "what is built in for one like it"
                     : !strcmp(info->source, "prebuilt") ? "the first program pre-built for it"
                                                         : NULL;
    if (!to || is_own(info))
        return;
    if (!path)
        path = sqa_user_database_path(found, sizeof found) ? found : "none";
    fprintf(stderr, "sqa run: nothing tuned for this device in %s: falling back to %s (%s)\n", path,
            to, info->family);
}

static void explain(const sqa_plan_info *info)
{
    fprintf(stderr, "rung:    %s\nsource:  %s\nfamily:  %s\nconfig:  %s\nreason:  %s\n", info->rung,
            info->source, info->family, info->config, info->reason);
}

sqa_status sqa_run_tell_choice(const sqa_run_how *how, const sqa_plan *plan)
{
    sqa_plan_info info = SQA_PLAN_INFO_INIT;
    sqa_status status = sqa_plan_explain(plan, &info);
    if (status)
        return status;
    if (how->explain)
        explain(&info);
    tell_fallback(how, &info);
    return SQA_OK;
}

sqa_status sqa_run_write(sqa_output *out, const char *option, const char *path,
                         const sqa_npy *tensor)
{
    sqa_status status = sqa_output_open(out, option, path);
    if (status)
        return status;
    sqa_npy_write(out->file, tensor);
    return sqa_output_complete(out);
}
