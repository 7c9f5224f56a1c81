#include "kernels/prebuilt_program.h"

#include <string.h>

#include "device/binary_key.h"
#include "kernels/registry.h"
#include "kernels/source.h"
#include "operations/operations.h"

sqa_status sqa_program_key(char out[SQA_HASH_TEXT], const sqa_kernel_family *family,
                           const sqa_config *config, const sqa_problem *problem,
                           const sqa_device *device)
{
    sqa_text source = SQA_TEXT_INIT;
    char options[SQA_OPTIONS_TEXT];
    sqa_family_options(family, config, problem, device, options);
    sqa_family_source(family, config, problem, device, &source);
    sqa_status status = sqa_text_status(&source);
    if (status == SQA_OK)
        status = sqa_prebuilt_key(out, &device->strings, options, sqa_text_get(&source));
    sqa_text_free(&source);
    return status;
}

bool sqa_program_is_at_hand(const sqa_prebuilt *prebuilt, const sqa_kernel_family *family,
                            const sqa_config *config, const sqa_problem *problem,
                            const sqa_device *device)
{
    char key[SQA_HASH_TEXT];
    return device->limits.has_compiler ||
           (prebuilt && sqa_program_key(key, family, config, problem, device) == SQA_OK &&
            sqa_prebuilt_has(prebuilt, key));
}

bool sqa_prebuilt_config(const sqa_manifest_entry *entry, const sqa_problem *problem,
                         const sqa_device *device, const sqa_kernel_family **family,
                         sqa_config *config)
{
    sqa_operation operation;
    char key[SQA_HASH_TEXT];
    if (!entry->binary || !sqa_operation_from_name(entry->operation, &operation) ||
        operation != problem->operation)
        return false;
    return !sqa_family_recall(entry->family, entry->space_version, entry->config, problem, device,
                              family, config) &&
           sqa_program_key(key, *family, config, problem, device) == SQA_OK &&
           !strcmp(key, entry->key);
}
