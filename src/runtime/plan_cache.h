/* Plans kept by a context for sqa_attention_forward(), by problem. A hit takes
 * one short lock and neither allocates nor asks the tuning table. */
#ifndef SQA_RUNTIME_PLAN_CACHE_H
#define SQA_RUNTIME_PLAN_CACHE_H

#include "problem/problem.h"
#include "sqa_cl/plan.h"

typedef struct sqa_plan_cache sqa_plan_cache;

sqa_status sqa_plan_cache_create(sqa_plan_cache **out);
void sqa_plan_cache_destroy(sqa_plan_cache *cache);

/* The plan for `problem`, built if it is not here; the caller releases its
 * reference. Where there is no more room, a plan leaves that was not used for long. */
sqa_status sqa_plan_cache_get(sqa_plan_cache *cache, sqa_context *context,
                              const sqa_problem *problem, sqa_plan **out);

#endif
