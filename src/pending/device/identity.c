#include "device/identity.h"
#include <stdio.h>
void sqa_device_identify(const sqa_device_strings *strings, sqa_device_identity *out)
{
    snprintf(out->vendor, sizeof out->vendor, "%.31s", strings->device_vendor);
    snprintf(out->architecture, sizeof out->architecture, "unknown");
    snprintf(out->model, sizeof out->model, "%.127s", strings->device_name);
    snprintf(out->runtime, sizeof out->runtime, "unknown");
}
const char *sqa_device_type_name(sqa_device_type type)
{
    static const char *const names[] = {"cpu", "gpu", "accelerator", "other"};
    return names[type];
}
