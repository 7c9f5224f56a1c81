/* A steady-state genetic algorithm: of the best points known, two are drawn, their
 * parameters mixed and now and then changed, and what comes out takes the place of
 * the worst if it is better. */
#include <math.h>

#include "search/moves.h"

#define POPULATION 12u
#define TOURNAMENT 3u /* drawn for each parent; the best of them it is */
#define MUTATION 6u   /* one parameter in so many is drawn anew */
#define ATTEMPTS 32   /* to breed something new, before it is left to a random jump */

typedef struct population {
    sqa_search *search;
    sqa_point members[POPULATION];
    size_t count;
} population;

static double cost_of(const population *self, size_t member)
{
    sqa_point point = self->members[member];
    return self->search->costs[point.family][point.config];
}

static void join(population *self, sqa_point point)
{
    if (self->count < POPULATION) {
        self->members[self->count++] = point;
        return;
    }
    size_t worst = 0;
    for (size_t i = 1; i < self->count; i++)
        if (cost_of(self, i) > cost_of(self, worst))
            worst = i;
    if (self->search->costs[point.family][point.config] < cost_of(self, worst))
        self->members[worst] = point;
}

static sqa_point draw_parent(population *self)
{
    size_t best = (size_t)sqa_random_below(&self->search->random, self->count);
    for (size_t i = 1; i < TOURNAMENT; i++) {
        size_t other = (size_t)sqa_random_below(&self->search->random, self->count);
        if (cost_of(self, other) < cost_of(self, best))
            best = other;
    }
    return self->members[best];
}

/* A child of two members. Families do not mix: of two kinds, the first parent's
 * values are all it gets. false: not valid, or tried. */
static bool breed(population *self, sqa_point *out)
{
    sqa_random *random = &self->search->random;
    const sqa_point mother = draw_parent(self), father = draw_parent(self);
    const sqa_config_space *space = &self->search->spaces[mother.family];
    sqa_config config = space->configs[mother.config];
    for (size_t i = 0; i < space->family->parameter_count; i++) {
        const sqa_parameter *parameter = &space->family->parameters[i];
        if (father.family == mother.family && sqa_random_below(random, 2))
            config.value[i] = space->configs[father.config].value[i];
        if (!sqa_random_below(random, MUTATION))
            config.value[i] = parameter->values[sqa_random_below(random, parameter->value_count)];
    }
    *out = (sqa_point){mother.family, sqa_config_space_find(space, &config)};
    return out->config != SIZE_MAX && !sqa_search_was_tried(self->search, *out);
}

static sqa_point next_point(population *self)
{
    sqa_point child;
    for (int attempt = 0; attempt < ATTEMPTS && self->count == POPULATION; attempt++)
        if (breed(self, &child))
            return child;
    return self->count < POPULATION ? sqa_search_random_point(self->search)
                                    : sqa_jump(self->search);
}

static void run(sqa_search *search)
{
    population self = {.search = search};
    double cost;
    if (isfinite(search->best_cost))
        join(&self, search->best);
    while (sqa_search_goes_on(search)) {
        sqa_point point = next_point(&self);
        if (!sqa_search_try(search, point, &cost))
            return;
        if (isfinite(cost))
            join(&self, point);
    }
}

const sqa_strategy sqa_strategy_genetic = {
    "genetic", "mixes the parameters of the best configurations known", run};
