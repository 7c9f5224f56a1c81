/* What the families for GPUs of linear attention share, of either pass: their first parameters, and
 * how they choose unmeasured. */
#ifndef SQA_KERNELS_LINEAR_TILES_H
#define SQA_KERNELS_LINEAR_TILES_H

#include "kernels/kernel_family.h"

/* CHUNK tokens are computed together, and COLUMNS of a state, by TX x TY threads. */
enum { SQA_TILES_CHUNK, SQA_TILES_COLUMNS, SQA_TILES_TX, SQA_TILES_TY, SQA_TILES_VEC };

/* Slices of a state, a work-group's each. */
uint32_t sqa_linear_slices(const int32_t *value, const sqa_linear *linear);

/* Whether threads divide the tiles evenly, and none has too much; if not, *why says so.
 * `least`: the fewest COLUMNS there are. */
bool sqa_linear_tiles_are_whole(const int32_t *value, const sqa_linear *linear, int32_t least,
                                const char **why);

/* Whether the device runs so many threads, and has the local memory and registers that they need;
 * if not, *why says so. */
bool sqa_linear_tiles_fit(const int32_t *value, const sqa_device *device, uint64_t local_bytes,
                          uint32_t registers, const char **why);

/* From large to small; narrow slices of few states, before those `for_little_memory`. */
typedef struct sqa_linear_defaults {
    const sqa_config *configs;
    size_t count, for_little_memory;
    bool (*is_valid)(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why);
    uint64_t (*local_bytes)(const int32_t *value, const sqa_linear *linear);
} sqa_linear_defaults;

/* Sound without measurement: the first valid one that has enough work-groups for the device, and
 * enough wavefronts at a time for a compute unit. Where there are few states, the last of those
 * before `for_little_memory`: narrower slices than theirs mostly compute scores, each its own.
 * False: there is none, and *why says so. */
bool sqa_linear_default(const sqa_linear_defaults *from, const sqa_problem *problem,
                        const sqa_device *device, sqa_config *config, const char **why);

#endif
