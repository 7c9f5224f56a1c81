/* Device profiles: a device as a text, so that sources can be generated and captured for
 * one that is not here. A line says key=value, up to its end as it stands, under the names
 * of the columns of table `device` in db/schema.sql; lines that begin with # and empty ones
 * say nothing. Knows nothing of files and asks OpenCL nothing. */
#ifndef SQA_DEVICE_PROFILE_H
#define SQA_DEVICE_PROFILE_H

#include "base/text.h"
#include "device/device.h"

/* Appends every key, in the table's order.
 * Errors: SQA_UNSUPPORTED for a text of the device that has control characters. */
sqa_status sqa_profile_write(sqa_text *out, const sqa_device *device);

/* Reads a zero-terminated text over all of *out, whose handles become NULL.
 *
 * These may be left out, and are then what a device is taken for that does not say:
 *   platform_name, platform_version, device_version, driver_version, board_name  empty
 *   subgroups                                                                     none
 *   nv_major, nv_minor, wavefront_width, unit_registers, unit_local_memory_bytes  0
 *   vector_width_float, has_compiler                                              1
 *   has_fp64                                                                      0
 *
 * Errors: SQA_INVALID_ARGUMENT, naming the line, the key and what it takes, or the key
 * that is missing. */
sqa_status sqa_profile_read(const char *text, sqa_device *out);

#endif
