/* Compiled programs kept on disk between processes, by everything they depend on.
 * Nothing here ever fails a computation: what cannot be read is compiled again, what
 * cannot be written is not kept, and the log hears of it once. Safe for several
 * threads and processes. Knows files, not OpenCL. */
#ifndef SQA_DEVICE_BINARY_CACHE_H
#define SQA_DEVICE_BINARY_CACHE_H

#include "base/log.h"
#include "base/text.h"
#include "device/binary_file.h"

#define SQA_BINARY_CACHE_BYTES (UINT64_C(256) << 20)

typedef struct sqa_binary_cache sqa_binary_cache;

/* A cache in `folder`, which is made when the first program is kept, of at most
 * `limit` bytes. *out is NULL when `folder` is "": NULL is a cache that keeps nothing. */
sqa_status sqa_binary_cache_create(sqa_binary_cache **out, const char *folder, uint64_t limit,
                                   const sqa_log *log);
void sqa_binary_cache_destroy(sqa_binary_cache *cache);

/* Whether there is a sound binary for the key. The caller frees out->image. */
bool sqa_binary_cache_load(sqa_binary_cache *cache, const sqa_text *key, sqa_binary *out);

/* Keeps a binary; the least recently used ones leave where there are too many. */
void sqa_binary_cache_store(sqa_binary_cache *cache, const sqa_text *key, const void *binary,
                            size_t size);

/* Removes the key's binary: the runtime would not have it. */
void sqa_binary_cache_discard(sqa_binary_cache *cache, const sqa_text *key, const char *why);

#endif
