/* What a compiled program depends on, as one text: two programs with the same key
 * are the same program. Pure text; no OpenCL calls, no files. */
#ifndef SQA_DEVICE_BINARY_KEY_H
#define SQA_DEVICE_BINARY_KEY_H

#include "base/text.h"
#include "device/identity.h"

/* Appends platform, device, driver, library version, options and source, each with
 * its length before it, so that no two lists of parts give one text. */
void sqa_binary_key(sqa_text *out, const sqa_device_strings *device, const char *options,
                    const char *source);

#endif
