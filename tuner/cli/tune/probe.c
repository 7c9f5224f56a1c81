/* See probe.h. The probing itself is search/probe.c. */
#include "cli/tune/probe.h"

#include <stdio.h>

#include "cli/command.h"
#include "cli/device_json.h"
#include "operations/operations.h"
#include "search/probe.h"
#include "text/json.h"

typedef struct display {
    sqa_json *json; /* NULL: for people */
    size_t answers;
} display;

static void tell(void *user, const sqa_kernel_family *family, const sqa_trial_result *result)
{
    display *self = user;
    const char *operation = sqa_operation_name(family->operation);
    self->answers++;
    if (self->json) {
        sqa_json_object(self->json, NULL);
        sqa_json_string(self->json, "operation", operation);
        sqa_json_string(self->json, "family", family->name);
        sqa_json_string(self->json, "status", sqa_trial_status_name(result->status));
        sqa_json_string(self->json, "message", result->message[0] ? result->message : NULL);
        sqa_json_close(self->json);
    } else if (result->status == SQA_TRIAL_OK) {
        printf("%s of %s: right; it may be used without tuning from now on\n", family->name,
               operation);
    } else {
        printf("%s of %s: %s, %s; other families are used in its place\n", family->name, operation,
               sqa_trial_status_name(result->status), result->message);
    }
}

static sqa_status probe(sqa_probing *probing, const sqa_tuning_options *options)
{
    const sqa_runner_options runner = {.platform = options->platform,
                                       .device = options->device,
                                       .timeout_s = options->timeout_s,
                                       .memory_mib = options->memory_mib};
    sqa_status status = sqa_store_open(&probing->store, options->database);
    if (status == SQA_OK)
        status = sqa_store_environment(probing->store, probing->device, &probing->environment);
    if (status == SQA_OK)
        status = sqa_runner_create(&probing->runner, &runner);
    if (status == SQA_OK)
        status = sqa_probe_families(probing, NULL, 0, SQA_PROBE_ALL_AGAIN);
    sqa_runner_destroy(probing->runner);
    if (probing->store)
        sqa_store_close(probing->store);
    return status;
}

static sqa_status probe_device(const sqa_tune_words *words, const sqa_tuning_options *options)
{
    sqa_json json;
    sqa_device device;
    cl_device_id id = NULL;
    display shown = {.json = words->json ? &json : NULL};
    sqa_probing probing = {.device = &device, .tell = tell, .user = &shown};
    sqa_status status = sqa_device_at(options->platform, options->device, &id);
    if (status == SQA_OK)
        status = sqa_device_query(&device, id);
    if (status != SQA_OK)
        return status;
    if (words->json) {
        sqa_json_begin(&json, stdout);
        sqa_json_device(&json, options->platform, options->device, &device);
        sqa_json_array(&json, "probes");
    }
    status = probe(&probing, options);
    if (words->json)
        sqa_json_finish(&json);
    else if (status == SQA_OK && !shown.answers)
        printf("%s: no kernel family needs a probe there\n", device.strings.device_name);
    return status;
}

int sqa_tune_probe(const char *command, const sqa_tune_words *words, const sqa_tune_plan *plan)
{
    sqa_status status = probe_device(words, &plan->options);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(command, status);
}
