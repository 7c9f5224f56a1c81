#include "runtime/plan_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/plan.h"

/* Plans are small next to their programs, which the context keeps anyway. */
#define CAPACITY 256

typedef struct entry {
    uint64_t hash;
    uint64_t last_use;
    sqa_plan *plan;
} entry;

struct sqa_plan_cache {
    pthread_mutex_t lock; /* never held while planning or compiling */
    uint64_t clock;
    size_t count;
    entry entries[CAPACITY];
};

sqa_status sqa_plan_cache_create(sqa_plan_cache **out)
{
    sqa_plan_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return sqa_fail_memory("the plan cache");
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return SQA_OK;
}

void sqa_plan_cache_destroy(sqa_plan_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->count; i++)
        sqa_plan_release(cache->entries[i].plan);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* FNV-1a; problems are zero-filled, so their bytes are their value. */
static uint64_t hash_problem(const sqa_problem *problem)
{
    const unsigned char *bytes = (const unsigned char *)problem;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < sizeof *problem; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static sqa_plan *find(sqa_plan_cache *cache, uint64_t hash, const sqa_problem *problem)
{
    for (size_t i = 0; i < cache->count; i++) {
        entry *item = &cache->entries[i];
        if (item->hash == hash && !memcmp(&item->plan->problem, problem, sizeof *problem)) {
            item->last_use = ++cache->clock;
            sqa_plan_retain(item->plan);
            return item->plan;
        }
    }
    return NULL;
}

/* A place for one more plan, and the plan that had it, which is the caller's to
 * release once the lock is: that may take its time. */
static entry *make_room(sqa_plan_cache *cache, sqa_plan **evicted)
{
    if (cache->count < CAPACITY)
        return &cache->entries[cache->count++];
    entry *oldest = &cache->entries[0];
    for (size_t i = 1; i < cache->count; i++)
        if (cache->entries[i].last_use < oldest->last_use)
            oldest = &cache->entries[i];
    *evicted = oldest->plan;
    return oldest;
}

sqa_status sqa_plan_cache_get(sqa_plan_cache *cache, sqa_context *context,
                              const sqa_problem *problem, sqa_plan **out)
{
    uint64_t hash = hash_problem(problem);
    pthread_mutex_lock(&cache->lock);
    sqa_plan *plan = find(cache, hash, problem);
    pthread_mutex_unlock(&cache->lock);
    if (plan) {
        *out = plan;
        return SQA_OK;
    }
    sqa_plan *built = NULL, *evicted = NULL;
    sqa_status status = sqa_plan_build(&built, context, problem, NULL);
    if (status != SQA_OK)
        return status;
    pthread_mutex_lock(&cache->lock);
    plan = find(cache, hash, problem); /* another thread may have been faster */
    if (!plan) {
        sqa_plan_retain(built);
        *make_room(cache, &evicted) = (entry){hash, ++cache->clock, built};
        plan = built;
        built = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    sqa_plan_release(built);
    sqa_plan_release(evicted);
    *out = plan;
    return SQA_OK;
}
