/* What the families for GPUs share, whose work-groups of TX x TY threads compute tiles through
 * local memory. */
#ifndef SQA_KERNELS_THREAD_TILES_H
#define SQA_KERNELS_THREAD_TILES_H

#include "base/text.h"
#include "device/device.h"

/* Rows or keys of a thread, beyond which it only gets fewer threads to do the work. */
#define SQA_MOST_PER_THREAD 8

/* Whether such families run on the device at all; if not, *why says what it takes. */
bool sqa_thread_tiles_can_run(const sqa_device *device, const char **why);

/* Whether the device has work-groups of `across` x `down` threads, and whether those leave no lanes
 * idle; if not, *why says so. */
bool sqa_threads_can_run(const sqa_device *device, size_t across, size_t down, const char **why);
bool sqa_threads_fill_lanes(const sqa_device *device, size_t across, size_t down, const char **why);

uint32_t sqa_divide_up(uint32_t a, uint32_t b);

/* Vectors from one row of `elements` of a local tile to the next: PITCH of
 * cl/forward/tiled_shape.cl. */
uint32_t sqa_tile_pitch(int32_t vec, int32_t pad, uint32_t elements);

/* Whether a work-item that counts so many registers of its own keeps them all, where the
 * compiler was told as sqa_register_option() says: "" or a build option. */
bool sqa_registers_suffice(const sqa_device *device, uint32_t registers);
const char *sqa_register_option(const sqa_device *device, uint32_t registers);

/* Whether work-groups of that many threads and so much local memory keep a compute unit busy. */
bool sqa_wavefronts_suffice(const sqa_device *device, uint32_t threads, uint64_t local_bytes);

/* How weights are computed: SQA_EXP2 of cl/forward/weight.cl. */
void sqa_source_exp2(sqa_text *out, const sqa_device *device);

/* What instructions can do: PAIRED_FLOATS of cl/common/lanes.cl, NO_PREDICATES of
 * cl/forward/tiled_shape.cl. */
void sqa_source_instructions(sqa_text *out, const sqa_device *device);

/* Sub-groups of at least `width` where a kernel can ask for a size, as SUBGROUP_ATTRIBUTE:
 * the smallest, whose work-items have the most registers. */
void sqa_source_subgroup_size(sqa_text *out, const sqa_device *device, uint32_t width);

#endif
