/* See device_json.h. */
#include "cli/device_json.h"

void sqa_json_device(sqa_json *json, unsigned platform, unsigned index, const sqa_device *device)
{
    char id[32];
    snprintf(id, sizeof id, "%u:%u", platform, index);
    sqa_json_object(json, "device");
    sqa_json_string(json, "id", id);
    sqa_json_string(json, "name", device->strings.device_name);
    sqa_json_string(json, "type", sqa_device_type_name(device->strings.type));
    sqa_json_integer(json, "compute_units", device->strings.compute_units);
    sqa_json_object(json, "identity");
    sqa_json_string(json, "vendor", device->identity.vendor);
    sqa_json_string(json, "architecture", device->identity.architecture);
    sqa_json_string(json, "model", device->identity.model);
    sqa_json_string(json, "runtime", device->identity.runtime);
    sqa_json_close(json);
    sqa_json_string(json, "platform_name", device->strings.platform_name);
    sqa_json_string(json, "platform_version", device->strings.platform_version);
    sqa_json_string(json, "driver_version", device->strings.driver_version);
    sqa_json_close(json);
}

void sqa_json_ceiling(sqa_json *json, const sqa_ceiling *ceiling)
{
    sqa_json_object(json, "ceiling");
    sqa_json_number(json, "fma_gflops", ceiling->rate[SQA_CEILING_FMA]);
    sqa_json_number(json, "copy_gbs", ceiling->rate[SQA_CEILING_COPY]);
    sqa_json_number(json, "read_gbs", ceiling->rate[SQA_CEILING_READ]);
    sqa_json_close(json);
}
