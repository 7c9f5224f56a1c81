/* Gaussian process regression over the configurations of a few spaces: from the
 * costs of some points to an estimate, and its uncertainty, at any other
 * (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006).
 *
 * Two points are alike when few parameters differ, by few steps, and in parameters
 * that matter little; which matter is learnt from the data. Points of different
 * families say nothing of each other. */
#ifndef SQA_TUNER_REGRESSION_H
#define SQA_TUNER_REGRESSION_H

#include "search/search.h"

/* Beyond this many, the costliest points are forgotten. */
#define SQA_REGRESSION_MOST 256

typedef struct sqa_regression sqa_regression;

/* NULL: out of memory. */
sqa_regression *sqa_regression_create(const sqa_search *search);
void sqa_regression_destroy(sqa_regression *regression);

/* Takes note of a point that was tried, with its cost. */
void sqa_regression_add(sqa_regression *regression, sqa_point point);

/* Makes it ready to estimate; now and then learns anew which parameters matter.
 * false: there is nothing to go by, no point that worked. */
bool sqa_regression_fit(sqa_regression *regression);

/* Estimates of the logarithm of a cost, relative to the best: mean and standard
 * deviation. */
typedef struct sqa_estimate {
    double mean, deviation;
} sqa_estimate;
sqa_estimate sqa_regression_at(sqa_regression *regression, sqa_point point);

#endif
