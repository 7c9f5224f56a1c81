/* A device as the library sees it: handles, identity and the limits that decide
 * which configurations can run. Everything that asks OpenCL about a device. */
#ifndef SQA_DEVICE_DEVICE_H
#define SQA_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/identity.h"
#include "sqa_cl/export.h"
#include "sqa_cl/status.h"

typedef struct sqa_device_limits {
    size_t max_work_group_size;
    size_t max_work_item_sizes[3];
    uint64_t local_memory_bytes;
    bool local_memory_is_global; /* CL_DEVICE_LOCAL_MEM_TYPE is CL_GLOBAL: staging copies for
                                    nothing */
    uint64_t global_memory_bytes;
    uint64_t max_allocation_bytes;
    uint32_t vector_width_float; /* native; 1 when unknown */
    /* What vendors' extensions say of a compute unit; 0: unknown. */
    uint32_t wavefront_width; /* work-items in step: a warp, a wavefront */
    uint32_t unit_registers;  /* of 32 bits */
    uint64_t unit_local_memory_bytes;
    /* Sub-groups with shuffles (cl_khr_subgroup_shuffle): sizes a kernel can ask for,
     * or the one size the hardware has. All zero: none, or of unknown size. */
    uint32_t subgroup_sizes[8];
    bool subgroup_size_on_request; /* cl_intel_required_subgroup_size */
    bool has_fp64;
    bool has_compiler;
} sqa_device_limits;

typedef struct sqa_device {
    cl_platform_id platform; /* NULL in tests that describe a device without one */
    cl_device_id id;
    sqa_device_strings strings;
    sqa_device_identity identity;
    sqa_device_limits limits;
} sqa_device;

/* Asks the device everything once. What a runtime does not know (an OpenCL 1.0
 * device, say) is left at its cautious value; that is no error. */
sqa_status sqa_device_query(sqa_device *out, cl_device_id id);

/* The smallest sub-group of at least `width` work-items; 0 when there is none. */
uint32_t sqa_subgroup_size_for(const sqa_device_limits *limits, uint32_t width);

/* Counts start at 0, in the order the ICD loader gives. No platform at all: 0. */
sqa_status sqa_platform_count(unsigned *out);
sqa_status sqa_device_count(unsigned platform, unsigned *out);

/* Errors: SQA_NO_DEVICE, saying which indices exist. */
sqa_status sqa_device_at(unsigned platform, unsigned device, cl_device_id *out);

#endif
