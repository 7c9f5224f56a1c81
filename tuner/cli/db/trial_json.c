/* One trial as JSON: the same members wherever a trial is written. */
#include "cli/db/subcommand.h"

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

static void write_class(sqa_json *json, const sqa_stored_trial *trial)
{
    sqa_problem_values values;
    sqa_problem_values_of_class(&values, trial);
    sqa_json_object(json, "class");
    sqa_json_string(json, "operation", trial->operation);
    sqa_json_string(json, "key", trial->class_key);
    sqa_problem_values_write_json(&values, json);
    sqa_json_close(json);
}

static void write_problem(sqa_json *json, const sqa_stored_trial *trial)
{
    sqa_problem_values values;
    sqa_problem_values_of_shape(&values, trial);
    sqa_json_object(json, "problem");
    sqa_json_string(json, "shape", trial->shape);
    sqa_problem_values_write_json(&values, json);
    sqa_json_close(json);
}

/* Without asking the family, which may be unknown. */
static void write_parameters(sqa_json *json, const char *config)
{
    sqa_named_value item;
    int64_t value;
    sqa_json_object(json, "parameters");
    while (sqa_named_value_next(&config, &item))
        if (sqa_named_value_integer(&item, &value))
            sqa_json_integer(json, item.name, value);
    sqa_json_close(json);
}

static void write_ceilings(sqa_json *json, const sqa_trial_ceilings *ceilings)
{
    sqa_json_number(json, "ceiling_gflops", ceilings->fma_gflops);
    sqa_json_number(json, "ceiling_matrix_gflops", ceilings->matrix_gflops);
    sqa_json_number(json, "ceiling_copy_gbs", ceilings->copy_gbs);
    sqa_json_number(json, "ceiling_read_gbs", ceilings->read_gbs);
}

void sqa_db_write_trial(sqa_json *json, const sqa_stored_trial *trial)
{
    sqa_json_integer(json, "id", trial->id);
    sqa_json_string(json, "source", trial->source[0] ? trial->source : NULL);
    write_device(json, &trial->device);
    write_class(json, trial);
    write_problem(json, trial);
    sqa_json_string(json, "family", trial->family);
    sqa_json_integer(json, "space_version", trial->space_version);
    sqa_json_string(json, "candidates", trial->candidates[0] ? trial->candidates : NULL);
    write_parameters(json, trial->config);
    sqa_json_string(json, "config", trial->config);
    sqa_json_string(json, "status", sqa_trial_status_name(trial->result.status));
    sqa_json_number(json, "median_ms", trial->result.median_ms);
    sqa_json_number(json, "spread_ms", trial->result.spread_ms);
    sqa_json_number(json, "yardstick_ms", trial->result.yardstick_ms);
    sqa_json_number(json, "gflops", trial->gflops);
    sqa_json_number(json, "gbs", trial->gbs);
    sqa_json_number(json, "flop", trial->flop);
    sqa_json_number(json, "bytes", trial->bytes);
    write_ceilings(json, &trial->ceilings);
    sqa_json_number(json, "fraction_of_ceiling", trial->fraction_of_ceiling);
    sqa_json_number(json, "fraction_of_roofline", trial->fraction_of_roofline);
    sqa_json_number(json, "max_error", trial->result.max_error);
    sqa_json_number(json, "modelled", trial->modelled);
    sqa_json_number(json, "build_ms", trial->result.build_ms);
    sqa_json_integer(json, "samples", trial->result.samples);
    sqa_json_boolean(json, "final", trial->final);
    sqa_json_boolean(json, "winner", trial->winner);
    sqa_json_string(json, "message", trial->result.message);
    sqa_json_string(json, "recorded_at", trial->recorded_at);
    sqa_json_string(json, "library_version", trial->library_version);
}
