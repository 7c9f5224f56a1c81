#include "runtime/plan_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "runtime/plan.h"

/* Shards by hash, each with a lock of its own: threads with different problems do not
 * meet, and a search is short. Plans are small next to their programs, which the
 * context keeps anyway. */
enum { SHARDS = 16, SHARD_PLANS = 16 };

typedef struct entry {
    uint64_t hash;
    uint64_t last_use;
    sqa_plan *plan;
} entry;

typedef struct shard {
    pthread_mutex_t lock; /* never held while planning or compiling */
    uint64_t clock;
    size_t count;
    entry entries[SHARD_PLANS];
} shard;

struct sqa_plan_cache {
    shard shards[SHARDS];
};

sqa_status sqa_plan_cache_create(sqa_plan_cache **out)
{
    sqa_plan_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return sqa_fail_memory("the plan cache");
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    *out = cache;
    return SQA_OK;
}

void sqa_plan_cache_destroy(sqa_plan_cache *cache)
{
    for (size_t i = 0; cache && i < SHARDS; i++) {
        shard *part = &cache->shards[i];
        for (size_t j = 0; j < part->count; j++)
            sqa_plan_release(part->entries[j].plan);
        pthread_mutex_destroy(&part->lock);
    }
    free(cache);
}

static sqa_plan *find(shard *part, uint64_t hash, const sqa_problem *problem)
{
    for (size_t i = 0; i < part->count; i++) {
        entry *item = &part->entries[i];
        if (item->hash == hash && !memcmp(&item->plan->problem, problem, sizeof *problem)) {
            item->last_use = ++part->clock;
            sqa_plan_retain(item->plan);
            return item->plan;
        }
    }
    return NULL;
}

/* A place for one more plan, and the plan that had it, which is the caller's to
 * release once the lock is: that may take its time. */
static entry *make_room(shard *part, sqa_plan **evicted)
{
    if (part->count < SHARD_PLANS)
        return &part->entries[part->count++];
    entry *oldest = &part->entries[0];
    for (size_t i = 1; i < part->count; i++)
        if (part->entries[i].last_use < oldest->last_use)
            oldest = &part->entries[i];
    *evicted = oldest->plan;
    return oldest;
}

sqa_status sqa_plan_cache_get(sqa_plan_cache *cache, sqa_context *context,
                              const sqa_problem *problem, sqa_plan **out)
{
    /* Problems are zero-filled, so their bytes are their value. */
    const uint64_t hash = sqa_hash_short(problem, sizeof *problem);
    shard *part = &cache->shards[hash % SHARDS];
    pthread_mutex_lock(&part->lock);
    sqa_plan *plan = find(part, hash, problem);
    pthread_mutex_unlock(&part->lock);
    if (plan) {
        *out = plan;
        return SQA_OK;
    }
    sqa_plan *built = NULL, *evicted = NULL;
    sqa_status status = sqa_plan_build(&built, context, problem, NULL);
    if (status != SQA_OK)
        return status;
    pthread_mutex_lock(&part->lock);
    plan = find(part, hash, problem); /* another thread may have been faster */
    if (!plan) {
        sqa_plan_retain(built);
        *make_room(part, &evicted) = (entry){hash, ++part->clock, built};
        plan = built;
        built = NULL;
    }
    pthread_mutex_unlock(&part->lock);
    sqa_plan_release(built);
    sqa_plan_release(evicted);
    *out = plan;
    return SQA_OK;
}
