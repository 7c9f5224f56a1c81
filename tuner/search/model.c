/* Model-guided search: a regression through what was tried says what to expect
 * elsewhere, and how surely; tried next is what promises the largest improvement
 * on average (Jones, Schonlau and Welch, 1998). */
#include <math.h>

#include "search/moves.h"
#include "search/regression.h"

/* Random points before the model is asked. */
#define FIRST_POINTS 8u

/* Points it is asked about: all that are left in a small space, else so many at
 * random, and the neighbourhood of the best. */
#define FEW 1024u
#define CANDIDATES 384u

#define SQRT_TAU 2.5066282746310002

/* Of an estimate, by how much it is on average below the best, counting as nothing
 * what is above. In logarithms over the best, which is 0 then. */
static double expected_improvement(sqa_estimate estimate)
{
    if (!(estimate.deviation > 0))
        return estimate.mean < 0 ? -estimate.mean : 0.0;
    double z = -estimate.mean / estimate.deviation;
    double density = exp(-z * z / 2) / SQRT_TAU, below = erfc(-z / sqrt(2.0)) / 2;
    return -estimate.mean * below + estimate.deviation * density;
}

/* The most promising point so far, while candidates are gone through. */
typedef struct choice {
    sqa_search *search;
    sqa_regression *regression;
    sqa_point point;
    double promise; /* negative: none yet */
} choice;

static void consider(choice *self, sqa_point point)
{
    if (sqa_search_was_tried(self->search, point))
        return;
    double promise = expected_improvement(sqa_regression_at(self->regression, point));
    if (promise > self->promise) {
        self->promise = promise;
        self->point = point;
    }
}

static void consider_all(choice *self)
{
    for (size_t family = 0; family < self->search->space_count; family++)
        for (size_t config = 0; config < self->search->spaces[family].count; config++)
            consider(self, (sqa_point){family, config});
}

static void consider_some(choice *self)
{
    sqa_search *search = self->search;
    sqa_point around[SQA_MOST_NEIGHBOURS], near;
    size_t count = sqa_neighbours(search, search->best, around);
    for (size_t i = 0; i < count; i++)
        consider(self, around[i]);
    for (size_t i = 0; i < CANDIDATES; i++) {
        if (i % 2 == 0)
            consider(self, sqa_search_random_point(search));
        else if (sqa_jump_near(search, search->best, &near))
            consider(self, near);
    }
}

static sqa_point choose(sqa_search *search, sqa_regression *regression)
{
    choice self = {.search = search, .regression = regression, .promise = -1.0};
    if (search->total <= FEW)
        consider_all(&self);
    else
        consider_some(&self);
    return self.promise >= 0 ? self.point : sqa_search_random_point(search);
}

/* What was tried before the strategy was asked: the starts. */
static void add_starts(const sqa_search *search, sqa_regression *regression)
{
    for (size_t i = 0; i < search->start_count; i++)
        if (sqa_search_was_tried(search, search->starts[i]))
            sqa_regression_add(regression, search->starts[i]);
}

static void run(sqa_search *search)
{
    sqa_regression *regression = sqa_regression_create(search);
    double cost;
    if (regression)
        add_starts(search, regression);
    while (sqa_search_goes_on(search)) {
        bool guided = regression && search->tried >= FIRST_POINTS && sqa_regression_fit(regression);
        sqa_point point = guided ? choose(search, regression) : sqa_search_random_point(search);
        if (!sqa_search_try(search, point, &cost))
            break;
        if (regression)
            sqa_regression_add(regression, point);
    }
    sqa_regression_destroy(regression);
}

const sqa_strategy sqa_strategy_model = {
    "model", "what a regression through the results so far finds most promising", run};
