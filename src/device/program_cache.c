#include "device/program_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device/program.h"

typedef struct entry {
    struct entry *next;
    cl_program program;
    char *source;
    char *options;
    bool checked; /* its results were held against the reference */
} entry;

struct sqa_program_cache {
    cl_context context;
    cl_device_id device;
    pthread_mutex_t lock; /* guards entries; never held while compiling */
    entry *entries;
};

sqa_status sqa_program_cache_create(sqa_program_cache **out, cl_context context,
                                    cl_device_id device)
{
    sqa_program_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return sqa_fail_memory("the program cache");
    cache->context = context;
    cache->device = device;
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
    sqa_status status =
        sqa_program_build(&item->program, cache->context, cache->device, source, options);
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
