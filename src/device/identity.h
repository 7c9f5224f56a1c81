/* Device identity: one name for one piece of hardware, whatever the platform,
 * driver or runtime version calls it. Pure text in, text out; no OpenCL calls. */
#ifndef SQA_DEVICE_IDENTITY_H
#define SQA_DEVICE_IDENTITY_H

#include <stdint.h>

typedef enum sqa_device_type {
    SQA_DEVICE_CPU = 0,
    SQA_DEVICE_GPU = 1,
    SQA_DEVICE_ACCELERATOR = 2, /* FPGA and the like */
    SQA_DEVICE_OTHER = 3
} sqa_device_type;

/* What the OpenCL runtime says, verbatim. */
typedef struct sqa_device_strings {
    char platform_name[128];
    char platform_version[128];
    char device_name[192];
    char device_vendor[128];
    char device_version[128];
    char driver_version[128];
    char board_name[128];        /* cl_amd_device_attribute_query; "" without it */
    uint32_t nv_major, nv_minor; /* cl_nv_device_attribute_query; 0 without it */
    uint32_t compute_units;
    sqa_device_type type;
} sqa_device_strings;

/* Lower case, words joined by '-', no driver, compiler or runtime versions.
 *   PoCL on an EPYC:  amd    / haswell      / epyc-2cu
 *   NVIDIA H100:      nvidia / sm_90        / h100-pcie
 *   AMD MI250X:       amd    / gfx90a       / instinct-mi250x
 * For CPUs the compute units are part of the model (cores may be partitioned).
 * `runtime` keeps implementations on one device apart: "pocl", "rusticl",
 * "nvidia", "oclgrind", "intel", ... */
typedef struct sqa_device_identity {
    char vendor[32];
    char architecture[64];
    char model[128];
    char runtime[32];
} sqa_device_identity;

void sqa_device_identify(const sqa_device_strings *strings, sqa_device_identity *out);

const char *sqa_device_type_name(sqa_device_type type); /* "cpu", "gpu", "accelerator", "other" */

#endif
