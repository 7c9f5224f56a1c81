/* The sub-groups of a device as one text, for the database and profiles: "" without any,
 * "fixed 32" for the one size of the hardware, "choice 8,16,32" for sizes that a
 * kernel can ask for. */
#ifndef SQA_DEVICE_SUBGROUPS_H
#define SQA_DEVICE_SUBGROUPS_H

#include <stdbool.h>

#include "device/device.h"

#define SQA_SUBGROUP_TEXT 104

void sqa_subgroups_format(const sqa_device_limits *limits, char out[SQA_SUBGROUP_TEXT]);

/* Sets the sub-group members of *limits; false for a text that is none of those. */
bool sqa_subgroups_parse(const char *text, sqa_device_limits *limits);

/* The standard of OpenCL C that shuffles of sub-groups are built with: clang's own header has
 * them from 2.0 on. */
const char *sqa_subgroup_standard(const sqa_device_strings *strings);

#endif
