/* The folder that `sqa capture` fills: sources, what a vendor's tool made of them, and
 * the manifest, which is written anew after every change. One writer at a time. */
#ifndef SQA_TUNER_CAPTURE_FOLDER_H
#define SQA_TUNER_CAPTURE_FOLDER_H

#include "base/hash.h"
#include "device/prebuilt_manifest.h"
#include "kernels/kernel_family.h"

typedef struct sqa_capture_folder {
    const char *path; /* borrowed */
    sqa_manifest manifest;
    size_t added; /* programs that were not there before */
    size_t built; /* binaries that came in */
} sqa_capture_folder;

/* Makes the folder, or reads what is in it. Close it also after a failure.
 * Errors: SQA_INVALID_ARGUMENT for a folder that cannot be used or a manifest that is
 * damaged, which is left as it is. */
sqa_status sqa_capture_open(sqa_capture_folder *out, const char *path);
void sqa_capture_close(sqa_capture_folder *folder);

/* Writes the program of a configuration, unless it is there already, and tells its key. */
sqa_status sqa_capture_source(sqa_capture_folder *folder, const sqa_kernel_family *family,
                              const sqa_config *config, const sqa_problem *problem,
                              const char *shape, const sqa_device *device, char key[SQA_HASH_TEXT]);

/* Whether the key's binary is there, and what the manifest says it is. */
bool sqa_capture_has_binary(const sqa_capture_folder *folder, const char *key);

/* Puts the key's binary in, in place of one that may be there.
 * Errors: SQA_INVALID_ARGUMENT for a key that is not in the manifest, naming those that are. */
sqa_status sqa_capture_binary(sqa_capture_folder *folder, const char *key, const void *bytes,
                              size_t size);

#endif
