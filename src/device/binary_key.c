#include "device/binary_key.h"

#include <string.h>

#include "sqa_cl/version.h"

/* Each part with its length before it, so that no two lists of parts give one text. */
static void append_parts(sqa_text *out, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sqa_text_format(out, "%zu:%s\n", strlen(parts[i]), parts[i]);
}

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
    append_parts(out, parts, sizeof parts / sizeof *parts);
}

sqa_status sqa_prebuilt_key(char out[SQA_HASH_TEXT], const sqa_device_strings *device,
                            const char *options, const char *source)
{
    const char *const parts[] = {
        device->device_vendor, device->device_name, device->board_name, options, source,
    };
    sqa_text text = SQA_TEXT_INIT;
    append_parts(&text, parts, sizeof parts / sizeof *parts);
    sqa_status status = sqa_text_status(&text);
    out[0] = '\0';
    if (status == SQA_OK)
        sqa_hash_of_text(sqa_text_get(&text), out);
    sqa_text_free(&text);
    return status;
}
