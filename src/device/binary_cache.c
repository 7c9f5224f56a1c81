#include "device/binary_cache.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/binary_folder.h"

struct sqa_binary_cache {
    char *folder;
    uint64_t limit;
    sqa_log log;
    atomic_flag complained; /* one warning is enough */
};

typedef struct file_name {
    char text[SQA_HASH_TEXT + sizeof SQA_BINARY_SUFFIX];
} file_name;

sqa_status sqa_binary_cache_create(sqa_binary_cache **out, const char *folder, uint64_t limit,
                                   const sqa_log *log)
{
    *out = NULL;
    if (!folder[0])
        return SQA_OK;
    sqa_binary_cache *cache = calloc(1, sizeof *cache);
    char *copy = strdup(folder);
    if (!cache || !copy) {
        free(cache);
        free(copy);
        return sqa_fail_memory("the binary cache");
    }
    cache->folder = copy;
    cache->limit = limit;
    cache->log = *log;
    atomic_flag_clear(&cache->complained);
    *out = cache;
    return SQA_OK;
}

void sqa_binary_cache_destroy(sqa_binary_cache *cache)
{
    if (!cache)
        return;
    free(cache->folder);
    free(cache);
}

static file_name name_of(const sqa_text *key)
{
    file_name name;
    char hash[SQA_HASH_TEXT];
    assert(!key->failed); /* half a key would be another program's */
    sqa_hash_of_text(sqa_text_get(key), hash);
    snprintf(name.text, sizeof name.text, "%s" SQA_BINARY_SUFFIX, hash);
    return name;
}

static bool path_of(const sqa_binary_cache *cache, const sqa_text *key, char out[4096])
{
    const file_name name = name_of(key);
    int length = snprintf(out, 4096, "%s/%s", cache->folder, name.text);
    return length > 0 && length < 4096;
}

static void complain(sqa_binary_cache *cache, const char *what, const char *why)
{
    if (!atomic_flag_test_and_set(&cache->complained))
        sqa_log_write(&cache->log, SQA_LOG_WARNING, "binary cache %s: %s: %s", cache->folder, what,
                      why);
}

bool sqa_binary_cache_load(sqa_binary_cache *cache, const sqa_text *key, sqa_binary *out)
{
    char path[4096];
    if (!cache || !path_of(cache, key, path))
        return false;
    switch (sqa_binary_read(path, sqa_text_get(key), key->length, out)) {
    case SQA_FILE_LOADED:
        sqa_log_write(&cache->log, SQA_LOG_DEBUG, "binary cache: loaded %s", path);
        return true;
    case SQA_FILE_UNREADABLE: complain(cache, "a file in it", out->why); break;
    case SQA_FILE_REFUSED: sqa_binary_cache_discard(cache, key, out->why); break;
    case SQA_FILE_ABSENT: break;
    }
    return false;
}

void sqa_binary_cache_store(sqa_binary_cache *cache, const sqa_text *key, const void *binary,
                            size_t size)
{
    if (!cache || size > cache->limit)
        return;
    const file_name name = name_of(key);
    char why[128];
    int failure = sqa_binary_folder_make(cache->folder);
    if (!failure)
        failure = sqa_binary_write(cache->folder, name.text, sqa_text_get(key), key->length, binary,
                                   size);
    if (!failure) {
        sqa_binary_folder_trim(cache->folder, cache->limit);
        sqa_log_write(&cache->log, SQA_LOG_DEBUG, "binary cache: kept %s/%s, %zu bytes",
                      cache->folder, name.text, size);
    } else {
        if (strerror_r(failure, why, sizeof why) != 0)
            snprintf(why, sizeof why, "error %d", failure);
        complain(cache, "nothing can be kept", why);
    }
}

void sqa_binary_cache_discard(sqa_binary_cache *cache, const sqa_text *key, const char *why)
{
    char path[4096];
    if (!cache || !path_of(cache, key, path))
        return;
    sqa_log_write(&cache->log, SQA_LOG_INFO, "binary cache: %s is %s; discarded", path, why);
    unlink(path);
}
