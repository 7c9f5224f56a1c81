/* Public entry points of contexts. */
#include "runtime/context.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "device/binary_folder.h"
#include "device/cl_status.h"
#include "problem/checks.h"
#include "sqa_cl/context.h"

static sqa_status open_programs(sqa_context *context, const sqa_context_options *options)
{
    char folder[4096];
    sqa_binary_cache *binaries = NULL;
    sqa_prebuilt_folder_path(options->prebuilt, folder, sizeof folder);
    sqa_status status = sqa_prebuilt_open(&context->prebuilt, folder, &context->log);
    if (status != SQA_OK)
        return status;
    sqa_binary_folder_path(options->binary_cache, folder, sizeof folder);
    status = sqa_binary_cache_create(&binaries, folder, SQA_BINARY_CACHE_BYTES, &context->log);
    return status == SQA_OK
               ? sqa_program_cache_create(&context->programs, context->cl, &context->device,
                                          binaries, context->prebuilt)
               : status;
}

static sqa_status set_up(sqa_context *context, cl_device_id device,
                         const sqa_context_options *options)
{
    sqa_status status = sqa_device_query(&context->device, device);
    const sqa_tuning_sources sources = {.user_database = options->user_database,
                                        .extra_databases = options->extra_databases,
                                        .skip_seed = options->skip_seed != 0};
    if (status == SQA_OK)
        status = sqa_tuning_table_load(&context->tuning, &sources, &context->device, &context->log);
    if (status == SQA_OK)
        status = open_programs(context, options);
    if (status == SQA_OK)
        status = sqa_plan_cache_create(&context->plans);
    if (status == SQA_OK)
        status = sqa_shape_record_open(&context->record);
    return status;
}

/* The options of an older caller end where its version did. */
static sqa_context_options settle_options(const sqa_context_options *given)
{
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    memcpy(&options, given,
           given->version < 2 ? offsetof(sqa_context_options, extra_databases) : sizeof options);
    return options;
}

sqa_status sqa_context_create(sqa_context **out, cl_context cl, cl_device_id device,
                              const sqa_context_options *options)
{
    static const sqa_context_options defaults = SQA_CONTEXT_OPTIONS_INIT;
    if (!options)
        options = &defaults;
    if (!out || !cl || !device)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: must not be NULL",
                        !out ? "out" : (!cl ? "context" : "device"));
    sqa_status status =
        sqa_check_version("options.version", options->version, SQA_CONTEXT_OPTIONS_VERSION);
    if (status != SQA_OK)
        return status;
    sqa_context *context = calloc(1, sizeof *context);
    if (!context)
        return sqa_fail_memory("a context");
    context->log = (sqa_log){options->log, options->log_user, options->log_level};
    cl_int code = clRetainContext(cl);
    if (code != CL_SUCCESS) {
        free(context);
        return sqa_fail_cl(code, "clRetainContext");
    }
    context->cl = cl;
    const sqa_context_options settled = settle_options(options);
    status = set_up(context, device, &settled);
    if (status != SQA_OK) {
        sqa_context_destroy(context);
        return status;
    }
    *out = context;
    return SQA_OK;
}

sqa_status sqa_context_open(sqa_context **out, unsigned platform, unsigned device,
                            const sqa_context_options *options)
{
    cl_device_id id = NULL;
    sqa_status status = sqa_device_at(platform, device, &id);
    if (status != SQA_OK)
        return status;
    cl_int code = CL_SUCCESS;
    cl_context cl = clCreateContext(NULL, 1, &id, NULL, NULL, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateContext");
    status = sqa_context_create(out, cl, id, options);
    clReleaseContext(cl);
    return status;
}

void sqa_context_destroy(sqa_context *context)
{
    if (!context)
        return;
    sqa_plan_cache_destroy(context->plans);
    sqa_shape_record_close(&context->record);
    sqa_program_cache_destroy(context->programs);
    sqa_prebuilt_close(context->prebuilt);
    sqa_tuning_table_free(&context->tuning);
    clReleaseContext(context->cl);
    free(context);
}

cl_context sqa_context_cl(const sqa_context *context)
{
    return context ? context->cl : NULL;
}

cl_device_id sqa_context_cl_device(const sqa_context *context)
{
    return context ? context->device.id : NULL;
}
