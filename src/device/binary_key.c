#include "device/binary_key.h"

#include <string.h>

#include "sqa_cl/version.h"

void sqa_binary_key(sqa_text *out, const sqa_device_strings *device, const char *options,
                    const char *source)
{
    const char *const parts[] = {
        device->platform_name,
        device->platform_version,
        device->device_vendor,
        device->device_name,
        device->board_name,
        device->driver_version,
        device->device_version,
        SQA_CL_VERSION_STRING,
        options,
        source,
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        sqa_text_format(out, "%zu:%s\n", strlen(parts[i]), parts[i]);
}
