/* What hardware is called: runtimes by platform, vendors by name, architectures by
 * chip or product line. Tables only; identity.c decides what to look up where. */
#ifndef SQA_DEVICE_HARDWARE_NAMES_H
#define SQA_DEVICE_HARDWARE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* All arguments are lower case. NULL where nothing is known. */
const char *sqa_runtime_of_platform(const char *platform_name);

/* Whether the runtime itself keeps what it compiled, so that another process has it at once. */
bool sqa_runtime_keeps_programs(const char *runtime);

/* `text` is a device or vendor name; vendors are recognised by whole words. */
const char *sqa_vendor_in_text(const char *text);

/* The architecture of a chip or product, such as "navi23" or "arc-a770-graphics". */
const char *sqa_architecture_of(const char *vendor, const char *name);

/* Words that say nothing about the model: vendors, "cpu", "64-core", "13th", ... */
bool sqa_is_filler_word(const char *word, size_t length);

#endif
