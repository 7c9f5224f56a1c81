/* Leaving out configurations without building them, on the word of a model of what they
 * cost: a regression through what was measured for the same problem (regression.h). It has
 * to be sure, and to have seen enough. */
#ifndef SQA_TUNER_PRUNING_H
#define SQA_TUNER_PRUNING_H

#include "search/regression.h"

typedef struct sqa_pruner {
    const sqa_search *search;
    sqa_regression *regression; /* NULL: without memory nothing is pruned */
    size_t seen;                /* points that it learnt from */
    bool fitted;                /* to all that were seen */
} sqa_pruner;

sqa_pruner sqa_pruner_create(const sqa_search *search);
void sqa_pruner_free(sqa_pruner *pruner);

/* Takes note of a point that was measured, whose cost the search knows. */
void sqa_pruner_add(sqa_pruner *pruner, sqa_point point);

/* Whether the point is as good as surely far behind the best. */
bool sqa_pruner_rejects(sqa_pruner *pruner, sqa_point point);

#endif
