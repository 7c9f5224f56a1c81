/* See pruning.h. */
#include "search/pruning.h"

#include <math.h>

/* Points that are seen before the model is believed. */
#define ENOUGH 12u

/* What is surely so much slower than the best is left out; how surely, in standard deviations. */
#define FAR_BEHIND 1.2
#define SURELY 2.0

sqa_pruner sqa_pruner_create(const sqa_search *search)
{
    return (sqa_pruner){.search = search, .regression = sqa_regression_create(search)};
}

void sqa_pruner_free(sqa_pruner *pruner)
{
    sqa_regression_destroy(pruner->regression);
    pruner->regression = NULL;
}

void sqa_pruner_add(sqa_pruner *pruner, sqa_point point)
{
    if (!pruner->regression)
        return;
    sqa_regression_add(pruner->regression, point);
    pruner->seen++;
    pruner->fitted = false;
}

bool sqa_pruner_rejects(sqa_pruner *pruner, sqa_point point)
{
    /* Families say nothing of each other. */
    if (!pruner->regression || pruner->seen < ENOUGH || point.family != pruner->search->best.family)
        return false;
    if (!pruner->fitted && !sqa_regression_fit(pruner->regression))
        return false;
    pruner->fitted = true;
    const sqa_estimate estimate = sqa_regression_at(pruner->regression, point);
    return estimate.mean - SURELY * estimate.deviation > log(FAR_BEHIND);
}
