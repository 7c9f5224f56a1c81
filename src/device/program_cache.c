#include "device/program_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device/binary_key.h"
#include "device/program.h"

typedef struct entry {
    struct entry *next;
    cl_program program;
    char *source;
    char *options;
    bool kept;    /* on disk already, or an attempt was made */
    bool checked; /* its results were held against the reference */
} entry;

struct sqa_program_cache {
    cl_context context;
    const sqa_device *device;
    sqa_binary_cache *binaries;   /* NULL: none */
    const sqa_prebuilt *prebuilt; /* borrowed; NULL: none */
    pthread_mutex_t lock;         /* guards entries; never held while compiling */
    entry *entries;
};

sqa_status sqa_program_cache_create(sqa_program_cache **out, cl_context context,
                                    const sqa_device *device, sqa_binary_cache *binaries,
                                    const sqa_prebuilt *prebuilt)
{
    sqa_program_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        sqa_binary_cache_destroy(binaries);
        return sqa_fail_memory("the program cache");
    }
    cache->context = context;
    cache->device = device;
    cache->binaries = binaries;
    cache->prebuilt = prebuilt;
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return SQA_OK;
}

static void free_entry(entry *item)
{
    if (item->program)
        clReleaseProgram(item->program);
    free(item->source);
    free(item->options);
    free(item);
}

void sqa_program_cache_destroy(sqa_program_cache *cache)
{
    if (!cache)
        return;
    while (cache->entries) {
        entry *next = cache->entries->next;
        free_entry(cache->entries);
        cache->entries = next;
    }
    sqa_binary_cache_destroy(cache->binaries);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static cl_program find(sqa_program_cache *cache, const char *source, const char *options)
{
    for (entry *item = cache->entries; item; item = item->next)
        if (!strcmp(item->options, options) && !strcmp(item->source, source)) {
            clRetainProgram(item->program);
            return item->program;
        }
    return NULL;
}

static entry *make_entry(const char *source, const char *options)
{
    entry *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->source = strdup(source);
    item->options = strdup(options);
    if (item->source && item->options)
        return item;
    free_entry(item);
    return NULL;
}

/* The key of an entry; the caller frees it. false: no cache, or no memory. */
static bool make_key(const sqa_program_cache *cache, const entry *item, sqa_text *key)
{
    *key = (sqa_text)SQA_TEXT_INIT;
    if (cache->binaries)
        sqa_binary_key(key, &cache->device->strings, item->options, item->source);
    return cache->binaries && !key->failed;
}

/* From the binary cache. One that the runtime does not take after all is no failure. */
static bool load_program(sqa_program_cache *cache, entry *item)
{
    sqa_text key;
    sqa_binary binary;
    if (make_key(cache, item, &key) && sqa_binary_cache_load(cache->binaries, &key, &binary)) {
        item->kept = sqa_program_build_binary(&item->program, cache->context, cache->device->id,
                                              binary.payload, binary.size, item->options) == SQA_OK;
        if (!item->kept)
            sqa_binary_cache_discard(cache->binaries, &key, sqa_last_error());
        free(binary.image);
    }
    sqa_text_free(&key);
    return item->kept;
}

/* From the folder of pre-built programs. false: *why gets a phrase that goes on after
 * the key. One that the runtime does not take after all is no failure either. */
static bool load_prebuilt(sqa_program_cache *cache, entry *item, const char *key, sqa_text *why)
{
    sqa_file binary;
    if (!sqa_prebuilt_load(cache->prebuilt, key, &binary, why))
        return false;
    item->kept = sqa_program_build_binary(&item->program, cache->context, cache->device->id,
                                          binary.bytes, binary.size, item->options) == SQA_OK;
    free(binary.bytes);
    if (!item->kept) {
        sqa_prebuilt_complain(cache->prebuilt, key, sqa_last_error());
        sqa_text_format(why, "is refused by the driver: %s", sqa_last_error());
    }
    return item->kept;
}

/* Pre-built, or else compiled where there is a compiler. */
static sqa_status build_program(sqa_program_cache *cache, entry *item)
{
    const bool has_compiler = cache->device->limits.has_compiler;
    char key[SQA_HASH_TEXT];
    sqa_text why = SQA_TEXT_INIT;
    sqa_status status = SQA_OK;
    if (cache->prebuilt || !has_compiler) {
        status = sqa_prebuilt_key(key, &cache->device->strings, item->options, item->source);
        if (status == SQA_OK && !load_prebuilt(cache, item, key, &why))
            status = sqa_fail(SQA_BUILD_FAILED,
                              "this device has no OpenCL compiler, and its pre-built program %s "
                              "(options '%s') %s",
                              key, item->options, sqa_text_get(&why));
        sqa_text_free(&why);
    }
    return item->program || !has_compiler
               ? status
               : sqa_program_build(&item->program, cache->context, cache->device->id, item->source,
                                   item->options);
}

void sqa_program_cache_keep(sqa_program_cache *cache, cl_program program)
{
    entry *found = NULL;
    pthread_mutex_lock(&cache->lock);
    for (entry *item = cache->entries; item && cache->binaries; item = item->next)
        if (item->program == program && !item->kept)
            found = item;
    if (found)
        found->kept = true; /* whoever sets it does it; entries stay as long as the cache */
    pthread_mutex_unlock(&cache->lock);
    if (!found)
        return;
    sqa_text key;
    unsigned char *binary = NULL;
    size_t size = 0;
    if (make_key(cache, found, &key) &&
        sqa_program_binary(program, cache->device->id, &binary, &size) == SQA_OK)
        sqa_binary_cache_store(cache->binaries, &key, binary, size);
    free(binary);
    sqa_text_free(&key);
}

sqa_status sqa_program_cache_get(sqa_program_cache *cache, cl_program *out, const char *source,
                                 const char *options)
{
    pthread_mutex_lock(&cache->lock);
    cl_program program = find(cache, source, options);
    pthread_mutex_unlock(&cache->lock);
    if (program) {
        *out = program;
        return SQA_OK;
    }
    entry *item = make_entry(source, options);
    if (!item)
        return sqa_fail_memory("the program cache");
    sqa_status status = load_program(cache, item) ? SQA_OK : build_program(cache, item);
    if (status != SQA_OK) {
        free_entry(item);
        return status;
    }
    pthread_mutex_lock(&cache->lock);
    program = find(cache, source, options); /* another thread may have been faster */
    if (!program) {
        item->next = cache->entries;
        cache->entries = item;
        program = item->program;
        clRetainProgram(program);
        item = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    if (item)
        free_entry(item);
    *out = program;
    return SQA_OK;
}

bool sqa_program_cache_is_checked(sqa_program_cache *cache, cl_program program)
{
    bool checked = false;
    pthread_mutex_lock(&cache->lock);
    for (const entry *item = cache->entries; item; item = item->next)
        checked = checked || (item->program == program && item->checked);
    pthread_mutex_unlock(&cache->lock);
    return checked;
}

void sqa_program_cache_set_checked(sqa_program_cache *cache, cl_program program)
{
    pthread_mutex_lock(&cache->lock);
    for (entry *item = cache->entries; item; item = item->next)
        if (item->program == program)
            item->checked = true;
    pthread_mutex_unlock(&cache->lock);
}
