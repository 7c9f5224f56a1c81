/* Configurations and their pre-built programs: which of one there is the other. What a
 * device without a compiler can run is decided here, for dispatch and tuning alike. */
#ifndef SQA_KERNELS_PREBUILT_PROGRAM_H
#define SQA_KERNELS_PREBUILT_PROGRAM_H

#include "device/prebuilt.h"
#include "kernels/kernel_family.h"

/* The key of a configuration's program for a problem on a device.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_program_key(char out[SQA_HASH_TEXT], const sqa_kernel_family *family,
                           const sqa_config *config, const sqa_problem *problem,
                           const sqa_device *device);

/* Whether the device can come by that program: compiled, or else pre-built. */
bool sqa_program_is_at_hand(const sqa_prebuilt *prebuilt, const sqa_kernel_family *family,
                            const sqa_config *config, const sqa_problem *problem,
                            const sqa_device *device);

/* The configuration that an entry of the manifest was built for. false: its program is
 * none for this problem on this device, or not built yet. */
bool sqa_prebuilt_config(const sqa_manifest_entry *entry, const sqa_problem *problem,
                         const sqa_device *device, const sqa_kernel_family **family,
                         sqa_config *config);

#endif
