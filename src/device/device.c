/* Asking OpenCL about devices. A query that a runtime refuses leaves the cautious
 * value set before it: an OpenCL 1.0 device must still be listed. */
#include "device/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "device/cl_status.h"

/* cl_nv_device_attribute_query, cl_amd_device_attribute_query; refused elsewhere. */
#define NV_COMPUTE_CAPABILITY_MAJOR 0x4000
#define NV_COMPUTE_CAPABILITY_MINOR 0x4001
#define AMD_BOARD_NAME 0x4038
#define NV_REGISTERS_PER_BLOCK 0x4002
#define NV_WARP_SIZE 0x4003
#define AMD_WAVEFRONT_WIDTH 0x4043
#define AMD_LOCAL_MEM_SIZE_PER_COMPUTE_UNIT 0x4047
/* cl_intel_required_subgroup_size */
#define INTEL_SUB_GROUP_SIZES 0x4108

/* Copies what a query returned, cut to the room there is. Names go into files that are
 * UTF-8, whatever a driver speaks. */
static void keep_text(cl_int code, char *value, size_t capacity, size_t length, char *out,
                      size_t size)
{
    out[0] = 0;
    if (code != CL_SUCCESS || length == 0)
        return;
    value[length < capacity ? length : capacity - 1] = 0;
    sqa_utf8_escape(value, out, size);
}

static void query_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    char value[1024];
    size_t length = 0;
    cl_int code = clGetDeviceInfo(id, what, sizeof value, value, &length);
    keep_text(code, value, sizeof value, length, out, size);
}

static void query_platform_text(cl_platform_id id, cl_platform_info what, char *out, size_t size)
{
    char value[1024];
    size_t length = 0;
    cl_int code = clGetPlatformInfo(id, what, sizeof value, value, &length);
    keep_text(code, value, sizeof value, length, out, size);
}

/* *out keeps its value when the device does not answer. */
static void query_value(cl_device_id id, cl_device_info what, void *out, size_t size)
{
    unsigned char value[64];
    size_t length = 0;
    if (clGetDeviceInfo(id, what, sizeof value, value, &length) == CL_SUCCESS && length == size)
        memcpy(out, value, size);
}

/* Extension lists have no length limit, hence no buffer of a fixed size. */
static bool has_extension(const char *extensions, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = extensions; (at = strstr(at, name)); at += length)
        if ((at == extensions || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0))
            return true;
    return false;
}

static void query_unit(sqa_device_limits *out, cl_device_id id)
{
    cl_uint local = 0;
    query_value(id, AMD_WAVEFRONT_WIDTH, &out->wavefront_width, sizeof out->wavefront_width);
    query_value(id, NV_WARP_SIZE, &out->wavefront_width, sizeof out->wavefront_width);
    query_value(id, NV_REGISTERS_PER_BLOCK, &out->unit_registers, sizeof out->unit_registers);
    query_value(id, AMD_LOCAL_MEM_SIZE_PER_COMPUTE_UNIT, &local, sizeof local);
    out->unit_local_memory_bytes = local;
}

/* Where the extensions of a device say how large its sub-groups are. */
static void query_subgroups(sqa_device_limits *out, cl_device_id id)
{
    size_t length = 0;
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &length) != CL_SUCCESS || length == 0)
        return;
    char *extensions = calloc(length + 1, 1);
    if (!extensions)
        return;
    cl_int code = clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, length, extensions, NULL);
    if (code == CL_SUCCESS && has_extension(extensions, "cl_khr_subgroup_shuffle")) {
        size_t sizes[8] = {0};
        out->subgroup_size_on_request =
            has_extension(extensions, "cl_intel_required_subgroup_size") &&
            clGetDeviceInfo(id, INTEL_SUB_GROUP_SIZES, sizeof sizes, sizes, NULL) == CL_SUCCESS;
        for (int i = 0; i < 8 && out->subgroup_size_on_request; i++)
            out->subgroup_sizes[i] = (uint32_t)sizes[i];
        if (!out->subgroup_size_on_request)
            out->subgroup_sizes[0] = out->wavefront_width;
    }
    free(extensions);
}

uint32_t sqa_subgroup_size_for(const sqa_device_limits *limits, uint32_t width)
{
    uint32_t best = 0;
    for (int i = 0; i < 8; i++) {
        uint32_t size = limits->subgroup_sizes[i];
        if (size >= width && (best == 0 || size < best))
            best = size;
    }
    return best;
}

static sqa_device_type device_type(cl_device_id id)
{
    cl_device_type type = 0;
    query_value(id, CL_DEVICE_TYPE, &type, sizeof type);
    /* A simulator claims every type, and runs what the host runs. */
    if (type & CL_DEVICE_TYPE_CPU)
        return SQA_DEVICE_CPU;
    if (type & CL_DEVICE_TYPE_GPU)
        return SQA_DEVICE_GPU;
    return type & CL_DEVICE_TYPE_ACCELERATOR ? SQA_DEVICE_ACCELERATOR : SQA_DEVICE_OTHER;
}

static void query_strings(sqa_device_strings *out, cl_platform_id platform, cl_device_id id)
{
    if (platform) {
        query_platform_text(platform, CL_PLATFORM_NAME, out->platform_name,
                            sizeof out->platform_name);
        query_platform_text(platform, CL_PLATFORM_VERSION, out->platform_version,
                            sizeof out->platform_version);
    }
    query_text(id, CL_DEVICE_NAME, out->device_name, sizeof out->device_name);
    query_text(id, CL_DEVICE_VENDOR, out->device_vendor, sizeof out->device_vendor);
    query_text(id, CL_DEVICE_VERSION, out->device_version, sizeof out->device_version);
    query_text(id, CL_DRIVER_VERSION, out->driver_version, sizeof out->driver_version);
    query_text(id, AMD_BOARD_NAME, out->board_name, sizeof out->board_name);
    query_value(id, NV_COMPUTE_CAPABILITY_MAJOR, &out->nv_major, sizeof out->nv_major);
    query_value(id, NV_COMPUTE_CAPABILITY_MINOR, &out->nv_minor, sizeof out->nv_minor);
    out->compute_units = 1;
    query_value(id, CL_DEVICE_MAX_COMPUTE_UNITS, &out->compute_units, sizeof out->compute_units);
    out->type = device_type(id);
}

/* CL_DEVICE_COMPILER_AVAILABLE; a runtime that does not say has one. In builds with
 * tests, $SQA_CL_TEST_NO_COMPILER takes it away from every device. */
static bool query_compiler(cl_device_id id)
{
    cl_bool compiler = CL_TRUE;
    query_value(id, CL_DEVICE_COMPILER_AVAILABLE, &compiler, sizeof compiler);
#ifdef SQA_CL_TEST_SWITCHES
    if (getenv("SQA_CL_TEST_NO_COMPILER"))
        compiler = CL_FALSE;
#endif
    return compiler == CL_TRUE;
}

static void query_limits(sqa_device_limits *out, cl_device_id id)
{
    cl_ulong local = 0, global = 0, allocation = 0;
    cl_uint vector_width = 0;
    cl_device_local_mem_type local_type = CL_GLOBAL;
    cl_device_fp_config fp64 = 0;
    out->max_work_group_size = 1;
    for (int i = 0; i < 3; i++)
        out->max_work_item_sizes[i] = 1;
    query_value(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, &out->max_work_group_size, sizeof(size_t));
    query_value(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, out->max_work_item_sizes, 3 * sizeof(size_t));
    query_value(id, CL_DEVICE_LOCAL_MEM_SIZE, &local, sizeof local);
    query_value(id, CL_DEVICE_LOCAL_MEM_TYPE, &local_type, sizeof local_type);
    query_value(id, CL_DEVICE_GLOBAL_MEM_SIZE, &global, sizeof global);
    query_value(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, &allocation, sizeof allocation);
    query_value(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, &vector_width, sizeof vector_width);
    query_value(id, CL_DEVICE_DOUBLE_FP_CONFIG, &fp64, sizeof fp64);
    query_unit(out, id);
    query_subgroups(out, id);
    out->local_memory_bytes = local;
    out->local_memory_is_global = local_type != CL_LOCAL;
    out->global_memory_bytes = global;
    out->max_allocation_bytes = allocation;
    out->vector_width_float = vector_width ? vector_width : 1;
    out->has_fp64 = fp64 != 0;
    out->has_compiler = query_compiler(id);
}

sqa_status sqa_device_query(sqa_device *out, cl_device_id id)
{
    memset(out, 0, sizeof *out);
    cl_int code =
        clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof out->platform, &out->platform, NULL);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clGetDeviceInfo(CL_DEVICE_PLATFORM)");
    out->id = id;
    query_strings(&out->strings, out->platform, id);
    query_limits(&out->limits, id);
    sqa_device_identify(&out->strings, &out->identity);
    return SQA_OK;
}

/* The ICD loader reports "no platform" as an error of its own. */
#define NO_PLATFORM (-1001)

enum { MAX_LISTED = 64 };

static sqa_status list_platforms(cl_platform_id *out, cl_uint *count)
{
    cl_int code = clGetPlatformIDs(MAX_LISTED, out, count);
    if (code == NO_PLATFORM)
        *count = 0;
    else if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clGetPlatformIDs");
    if (*count > MAX_LISTED)
        *count = MAX_LISTED;
    return SQA_OK;
}

static sqa_status list_devices(unsigned platform, cl_device_id *out, cl_uint *count)
{
    cl_platform_id platforms[MAX_LISTED];
    cl_uint platform_count = 0;
    sqa_status status = list_platforms(platforms, &platform_count);
    if (status != SQA_OK)
        return status;
    if (platform_count == 0)
        return sqa_fail(SQA_NO_DEVICE, "there is no OpenCL platform");
    if (platform >= platform_count)
        return sqa_fail(SQA_NO_DEVICE, "platform: %u is outside 0..%u", platform,
                        platform_count - 1);
    cl_int code = clGetDeviceIDs(platforms[platform], CL_DEVICE_TYPE_ALL, MAX_LISTED, out, count);
    if (code == CL_DEVICE_NOT_FOUND)
        *count = 0;
    else if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clGetDeviceIDs");
    if (*count > MAX_LISTED)
        *count = MAX_LISTED;
    return SQA_OK;
}

sqa_status sqa_platform_count(unsigned *out)
{
    cl_platform_id platforms[MAX_LISTED];
    cl_uint count = 0;
    sqa_status status = list_platforms(platforms, &count);
    if (status == SQA_OK)
        *out = count;
    return status;
}

sqa_status sqa_device_count(unsigned platform, unsigned *out)
{
    cl_device_id devices[MAX_LISTED];
    cl_uint count = 0;
    sqa_status status = list_devices(platform, devices, &count);
    if (status == SQA_OK)
        *out = count;
    return status;
}

sqa_status sqa_device_at(unsigned platform, unsigned device, cl_device_id *out)
{
    cl_device_id devices[MAX_LISTED];
    cl_uint count = 0;
    sqa_status status = list_devices(platform, devices, &count);
    if (status != SQA_OK)
        return status;
    if (count == 0)
        return sqa_fail(SQA_NO_DEVICE, "platform %u has no device", platform);
    if (device >= count)
        return sqa_fail(SQA_NO_DEVICE, "device: %u is outside 0..%u on platform %u", device,
                        count - 1, platform);
    *out = devices[device];
    return SQA_OK;
}
