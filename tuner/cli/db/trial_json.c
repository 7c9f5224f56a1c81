/* One trial as JSON: the same members wherever a trial is written. */
#include <stdlib.h>
#include <string.h>

#include "cli/db/subcommand.h"
#include "operations/operations.h"
#include "problem/names.h"
#include "store/mask_names.h"

static void write_device(sqa_json *json, const sqa_device *device)
{
    sqa_json_object(json, "device");
    sqa_json_string(json, "vendor", device->identity.vendor);
    sqa_json_string(json, "architecture", device->identity.architecture);
    sqa_json_string(json, "model", device->identity.model);
    sqa_json_string(json, "runtime", device->identity.runtime);
    sqa_json_string(json, "type", sqa_device_type_name(device->strings.type));
    sqa_json_string(json, "name", device->strings.device_name);
    sqa_json_integer(json, "compute_units", device->strings.compute_units);
    sqa_json_close(json);
    sqa_json_string(json, "driver", device->strings.driver_version);
    sqa_json_string(json, "platform", device->strings.platform_version);
}

static void write_class(sqa_json *json, const sqa_stored_class *problem_class)
{
    sqa_json_object(json, "class");
    sqa_json_string(json, "operation", sqa_operation_name(problem_class->operation));
    sqa_json_string(json, "dtype", sqa_dtype_name(problem_class->dtype));
    sqa_json_integer(json, "head_dim", problem_class->head_dim);
    sqa_json_integer(json, "value_dim", problem_class->value_dim);
    sqa_json_string(json, "mask", sqa_mask_name(problem_class->mask));
    sqa_json_integer(json, "group_size", problem_class->group);
    sqa_json_integer(json, "q_bucket", problem_class->q_bucket);
    sqa_json_integer(json, "kv_bucket", problem_class->kv_bucket);
    sqa_json_integer(json, "rows_bucket", problem_class->rows_bucket);
    sqa_json_close(json);
}

static void write_problem(sqa_json *json, const sqa_stored_trial *trial)
{
    sqa_json_object(json, "problem");
    sqa_json_integer(json, "batch", trial->batch);
    sqa_json_integer(json, "q_heads", trial->q_heads);
    sqa_json_integer(json, "kv_heads", trial->kv_heads);
    sqa_json_integer(json, "q_length", trial->q_length);
    sqa_json_integer(json, "kv_length", trial->kv_length);
    sqa_json_string(json, "causal", sqa_causal_name(trial->causal));
    sqa_json_boolean(json, "write_lse", trial->write_lse != 0);
    sqa_json_string(json, "layout", trial->layout);
    sqa_json_close(json);
}

/* "NAME=value,..." as an object, without asking the family, which may be unknown. */
static void write_parameters(sqa_json *json, const char *config)
{
    char text[SQA_CONFIG_TEXT];
    memcpy(text, config, sizeof text);
    sqa_json_object(json, "parameters");
    for (char *item = text, *next; item && *item; item = next) {
        next = strchr(item, ',');
        if (next)
            *next++ = 0;
        char *value = strchr(item, '=');
        if (!value)
            continue;
        *value++ = 0;
        sqa_json_integer(json, item, strtol(value, NULL, 10));
    }
    sqa_json_close(json);
}

void sqa_db_write_trial(sqa_json *json, const sqa_stored_trial *trial)
{
    sqa_json_integer(json, "id", trial->id);
    write_device(json, &trial->device);
    write_class(json, &trial->problem_class);
    write_problem(json, trial);
    sqa_json_string(json, "family", trial->family);
    sqa_json_integer(json, "space_version", trial->space_version);
    write_parameters(json, trial->config);
    sqa_json_string(json, "config", trial->config);
    sqa_json_string(json, "status", sqa_trial_status_name(trial->result.status));
    sqa_json_number(json, "median_ms", trial->result.median_ms);
    sqa_json_number(json, "spread_ms", trial->result.spread_ms);
    sqa_json_number(json, "gflops", trial->gflops);
    sqa_json_number(json, "ceiling_gflops", trial->ceiling_gflops);
    sqa_json_number(json, "fraction_of_ceiling", trial->fraction_of_ceiling);
    sqa_json_number(json, "max_error", trial->result.max_error);
    sqa_json_number(json, "build_ms", trial->result.build_ms);
    sqa_json_integer(json, "samples", trial->result.samples);
    sqa_json_boolean(json, "final", trial->final);
    sqa_json_boolean(json, "winner", trial->winner);
    sqa_json_string(json, "message", trial->result.message);
    sqa_json_string(json, "recorded_at", trial->recorded_at);
    sqa_json_string(json, "library_version", trial->library_version);
}
