/* What a compiled program depends on: two programs with the same key are the same
 * program. Pure text; no OpenCL calls, no files. */
#ifndef SQA_DEVICE_BINARY_KEY_H
#define SQA_DEVICE_BINARY_KEY_H

#include "base/hash.h"
#include "base/text.h"
#include "device/identity.h"

/* Of a program that this device's driver compiled. Appends platform, device, driver,
 * library version, options and source. */
void sqa_binary_key(sqa_text *out, const sqa_device_strings *device, const char *options,
                    const char *source);

/* Of a program that the vendor's tool built: the hash of vendor, device, board, options
 * and source. Neither the driver nor the library's version: another one of either asks
 * for no new build, and a driver says itself which binaries it does not take.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_prebuilt_key(char out[SQA_HASH_TEXT], const sqa_device_strings *device,
                            const char *options, const char *source);

#endif
