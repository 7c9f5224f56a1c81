/* What the families for CPUs share, whose work-items compute in vectors. Their register tiles
 * are named variables, because arrays would spill; the lists that macros are expanded over come
 * from here. */
#ifndef SQA_KERNELS_REGISTER_TILES_H
#define SQA_KERNELS_REGISTER_TILES_H

#include "base/text.h"
#include "device/device.h"

/* Whether such families run on the device at all; if not, *why says what it takes. */
bool sqa_vectors_can_run(const sqa_device *device, const char **why);

/* Appends what common/vectors.cl cannot find out about the device. */
void sqa_source_vectors(sqa_text *out, const sqa_device *device);

/* Appends "#define EACH_<name>(M) M(0) ..." over `count`. */
void sqa_source_each(sqa_text *out, const char *name, int32_t count);

/* Appends "#define EACH_<name>(M) M(0, 0) ..." over `count` times `vectors`, the smaller of
 * them inside: compilers keep that side of a product in registers and fetch the other one by
 * one. More is not left beside 3 x 4 or 4 x 3 accumulators, and the other order spills. */
void sqa_source_each_of(sqa_text *out, const char *name, int32_t count, int32_t vectors);

#endif
