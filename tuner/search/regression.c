/* See regression.h. */
#include "search/regression.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/moves.h"

/* What is this many times slower than the best is as bad as can be, and so is what
 * fails: the model need not know how bad. */
#define WORST 4.0

/* Of the variance: what one parameter alone explains, what only all together do, and
 * what is noise. */
#define ADDITIVE 0.5
#define JOINT 0.5
#define NOISE 0.01

/* How fast likeness falls along a parameter, from its first value to its last. */
static const double relevances[] = {0.1, 0.4, 1.6, 6.4};
enum { RELEVANCES = sizeof relevances / sizeof relevances[0] };
#define FIRST_RELEVANCE 1

/* Learning anew is worth it when so many points came in. */
#define LEARN_EVERY 6u

/* Of one family: the relevance of each parameter, and what follows from it. */
typedef struct metric {
    size_t relevance[SQA_MAX_PARAMETERS];
    double likeness[SQA_MAX_PARAMETERS][SQA_MAX_VALUES]; /* by steps apart */
    size_t varying;                                      /* parameters with several values */
} metric;

typedef struct observation {
    sqa_point point;
    uint8_t step[SQA_MAX_PARAMETERS]; /* index of each value */
} observation;

struct sqa_regression {
    const sqa_search *search;
    metric *metrics; /* per family */
    observation *observed;
    size_t count, learnt; /* points; points when the relevances were last learnt */
    double *factor;       /* Cholesky factor of the covariance, lower triangle, row by row */
    double *target;       /* standardised logarithms of the costs */
    double *weight;       /* covariance^-1 target */
    double *row;          /* scratch */
    double mean, scale;   /* of the logarithms */
};

static void set_relevance(metric *self, const sqa_parameter *parameter, size_t which, size_t level)
{
    self->relevance[which] = level;
    double span = parameter->value_count > 1 ? (double)(parameter->value_count - 1) : 1.0;
    for (size_t apart = 0; apart < parameter->value_count; apart++)
        self->likeness[which][apart] = exp(-relevances[level] * (double)apart / span);
}

static void start_metric(metric *self, const sqa_kernel_family *family)
{
    for (size_t i = 0; i < family->parameter_count; i++) {
        set_relevance(self, &family->parameters[i], i, FIRST_RELEVANCE);
        self->varying += family->parameters[i].value_count > 1;
    }
}

sqa_regression *sqa_regression_create(const sqa_search *search)
{
    sqa_regression *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    const size_t most = SQA_REGRESSION_MOST;
    self->search = search;
    self->metrics = calloc(search->space_count ? search->space_count : 1, sizeof *self->metrics);
    self->observed = calloc(most, sizeof *self->observed);
    self->factor = calloc(most * (most + 1) / 2, sizeof *self->factor);
    self->target = calloc(3 * most, sizeof *self->target);
    if (!self->metrics || !self->observed || !self->factor || !self->target) {
        sqa_regression_destroy(self);
        return NULL;
    }
    self->weight = self->target + most;
    self->row = self->weight + most;
    for (size_t i = 0; i < search->space_count; i++)
        start_metric(&self->metrics[i], search->spaces[i].family);
    return self;
}

void sqa_regression_destroy(sqa_regression *regression)
{
    if (!regression)
        return;
    free(regression->metrics);
    free(regression->observed);
    free(regression->factor);
    free(regression->target);
    free(regression);
}

static double cost_at(const sqa_regression *self, size_t index)
{
    sqa_point point = self->observed[index].point;
    return self->search->costs[point.family][point.config];
}

static observation observe(const sqa_regression *self, sqa_point point)
{
    const sqa_config_space *space = &self->search->spaces[point.family];
    observation result = {.point = point};
    for (size_t i = 0; i < space->family->parameter_count; i++)
        result.step[i] = (uint8_t)sqa_value_index(&space->family->parameters[i],
                                                  space->configs[point.config].value[i]);
    return result;
}

void sqa_regression_add(sqa_regression *self, sqa_point point)
{
    size_t at = self->count;
    if (self->count < SQA_REGRESSION_MOST) {
        self->count++;
    } else {
        at = 0;
        for (size_t i = 1; i < self->count; i++)
            if (cost_at(self, i) > cost_at(self, at))
                at = i;
    }
    self->observed[at] = observe(self, point);
}

static double covariance(const sqa_regression *self, const observation *a, const observation *b)
{
    if (a->point.family != b->point.family)
        return 0.0;
    const metric *own = &self->metrics[a->point.family];
    const sqa_kernel_family *family = self->search->spaces[a->point.family].family;
    double sum = 0.0, product = 1.0;
    for (size_t i = 0; i < family->parameter_count; i++) {
        if (family->parameters[i].value_count < 2)
            continue;
        int apart = abs(a->step[i] - b->step[i]);
        sum += own->likeness[i][apart];
        product *= own->likeness[i][apart];
    }
    return (own->varying ? ADDITIVE * sum / (double)own->varying : ADDITIVE) + JOINT * product;
}

static double *row_of(const sqa_regression *self, size_t index)
{
    return self->factor + index * (index + 1) / 2;
}

/* Solves L x = b for the first `count` rows, in place. */
static void solve_lower(const sqa_regression *self, double *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const double *row = row_of(self, i);
        double sum = b[i];
        for (size_t j = 0; j < i; j++)
            sum -= row[j] * b[j];
        b[i] = sum / row[i];
    }
}

static void solve_upper(const sqa_regression *self, double *b)
{
    for (size_t i = self->count; i-- > 0;) {
        const double *row = row_of(self, i);
        b[i] /= row[i];
        for (size_t j = 0; j < i; j++)
            b[j] -= row[j] * b[i];
    }
}

/* Covariance of the observed and its Cholesky factor, a row at a time: a row's
 * leading part solves the rows before it. */
static void factorise(sqa_regression *self)
{
    for (size_t i = 0; i < self->count; i++) {
        double *row = row_of(self, i);
        for (size_t j = 0; j <= i; j++)
            row[j] = covariance(self, &self->observed[i], &self->observed[j]);
        solve_lower(self, row, i);
        double rest = row[i] + NOISE;
        for (size_t j = 0; j < i; j++)
            rest -= row[j] * row[j];
        row[i] = sqrt(rest > NOISE * NOISE ? rest : NOISE * NOISE);
    }
}

/* Logarithms of the costs over the best, standardised. */
static void standardise(sqa_regression *self)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < self->count; i++) {
        double slowdown = fmin(cost_at(self, i) / self->search->best_cost, WORST);
        self->target[i] = log(slowdown);
        sum += self->target[i];
    }
    self->mean = sum / (double)self->count;
    for (size_t i = 0; i < self->count; i++)
        squares += (self->target[i] - self->mean) * (self->target[i] - self->mean);
    self->scale = fmax(sqrt(squares / (double)self->count), 0.01);
    for (size_t i = 0; i < self->count; i++)
        self->target[i] = (self->target[i] - self->mean) / self->scale;
}

/* The logarithm of how likely the data are under the metrics, but for a constant. */
static double likelihood(sqa_regression *self)
{
    factorise(self);
    memcpy(self->row, self->target, self->count * sizeof *self->row);
    solve_lower(self, self->row, self->count);
    double result = 0.0;
    for (size_t i = 0; i < self->count; i++)
        result -= self->row[i] * self->row[i] / 2 + log(row_of(self, i)[i]);
    return result;
}

/* One parameter after the other gets the relevance that makes the data likeliest. */
static void learn_family(sqa_regression *self, size_t which)
{
    const sqa_kernel_family *family = self->search->spaces[which].family;
    metric *own = &self->metrics[which];
    double best = likelihood(self);
    for (size_t i = 0; i < family->parameter_count; i++) {
        const sqa_parameter *parameter = &family->parameters[i];
        size_t chosen = own->relevance[i];
        for (size_t level = 0; level < RELEVANCES && parameter->value_count > 1; level++) {
            if (level == own->relevance[i] && level == chosen)
                continue;
            set_relevance(own, parameter, i, level);
            double found = likelihood(self);
            if (found > best) {
                best = found;
                chosen = level;
            }
        }
        set_relevance(own, parameter, i, chosen);
    }
}

static void learn(sqa_regression *self)
{
    if (self->count == self->learnt || (self->learnt && self->count < self->learnt + LEARN_EVERY))
        return;
    /* Only the best point's family: elsewhere the model has to be no better than it is. */
    learn_family(self, self->search->best.family);
    self->learnt = self->count;
}

bool sqa_regression_fit(sqa_regression *self)
{
    if (!self->count || !isfinite(self->search->best_cost))
        return false;
    standardise(self);
    learn(self);
    factorise(self);
    memcpy(self->weight, self->target, self->count * sizeof *self->weight);
    solve_lower(self, self->weight, self->count);
    solve_upper(self, self->weight);
    return true;
}

sqa_estimate sqa_regression_at(sqa_regression *self, sqa_point point)
{
    const observation at = observe(self, point);
    double mean = 0.0, variance = ADDITIVE + JOINT;
    for (size_t i = 0; i < self->count; i++) {
        self->row[i] = covariance(self, &at, &self->observed[i]);
        mean += self->row[i] * self->weight[i];
    }
    solve_lower(self, self->row, self->count);
    for (size_t i = 0; i < self->count; i++)
        variance -= self->row[i] * self->row[i];
    return (sqa_estimate){self->mean + self->scale * mean,
                          self->scale * sqrt(variance > 0 ? variance : 0)};
}
