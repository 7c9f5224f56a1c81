/* Loaded before OpenCL (LD_PRELOAD): gives the first device a name and a driver that are no
 * UTF-8, as some drivers have. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

typedef cl_int asks(cl_device_id, cl_device_info, size_t, void *, size_t *);

/* ISO C has no way from an object's pointer to a function's. */
static asks *find_original(void)
{
    void *const found = dlsym(RTLD_NEXT, "clGetDeviceInfo");
    asks *original = NULL;
    if (!found)
        abort();
    memcpy(&original, &found, sizeof original);
    return original;
}

__attribute__((visibility("default"))) cl_int
clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *value, size_t *length)
{
    static const char name[] = "cpu-Paper\xae Tiger\xe9 \\xae", driver[] = "1.0\xff-beta";
    const char *text = what == CL_DEVICE_NAME ? name : what == CL_DRIVER_VERSION ? driver : NULL;
    if (!text)
        return find_original()(device, what, size, value, length);
    if (value && size <= strlen(text))
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, text, strlen(text) + 1);
    if (length)
        *length = strlen(text) + 1;
    return CL_SUCCESS;
}
