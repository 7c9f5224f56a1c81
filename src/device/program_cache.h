/* Programs built in this process, by source and options: plans that differ only
 * in lengths, heads or strides share one. What earlier processes left in the binary
 * cache is not compiled again, nor is what was built beforehand. Safe for several threads. */
#ifndef SQA_DEVICE_PROGRAM_CACHE_H
#define SQA_DEVICE_PROGRAM_CACHE_H

#include <stdbool.h>

#include "base/status.h"
#include "device/binary_cache.h"
#include "device/device.h"
#include "device/prebuilt.h"

typedef struct sqa_program_cache sqa_program_cache;

/* For one device of one context, both borrowed, as is `prebuilt`. `binaries` is taken
 * over, also when this fails. Either may be NULL: none. */
sqa_status sqa_program_cache_create(sqa_program_cache **out, cl_context context,
                                    const sqa_device *device, sqa_binary_cache *binaries,
                                    const sqa_prebuilt *prebuilt);
void sqa_program_cache_destroy(sqa_program_cache *cache);

/* The program, where it can be had soonest: from here, from the binary cache, pre-built,
 * from the compiler. The caller releases its reference.
 * Errors: those of sqa_program_build(); SQA_BUILD_FAILED without a compiler, naming the
 * key to build, the build options and where it was looked for. */
sqa_status sqa_program_cache_get(sqa_program_cache *cache, cl_program *out, const char *source,
                                 const char *options);

/* Puts a program of this cache into the binary cache, if it was compiled here; once per
 * program. For programs whose kernels have run: see sqa_program_binary(). */
void sqa_program_cache_keep(sqa_program_cache *cache, cl_program program);

/* Whether a program of this cache has passed its self-check; noting that it has. */
bool sqa_program_cache_is_checked(sqa_program_cache *cache, cl_program program);
void sqa_program_cache_set_checked(sqa_program_cache *cache, cl_program program);

#endif
