/* Simulated annealing (Kirkpatrick, Gelatt and Vecchi, 1983): a walk that steps to
 * neighbours at random, always to better ones, and to worse ones the less often the
 * worse they are and the longer it has gone on.
 *
 * Costs are compared as logarithms, since kernels differ by factors. How long the
 * search may last is unknown here, so it cools by what was tried and starts again,
 * hot, somewhere else, once cold. */
#include <math.h>

#include "search/moves.h"

#define HOT 0.25      /* a neighbour 1.28 times as slow is taken with probability 1/e */
#define COLD 0.01     /* one 1 % slower likewise: hardly anything but downhill */
#define COOLING 0.90  /* per point tried */
#define MOST_IDLE 40u /* steps among points that were all tried, before it is moved */

static bool accepts(sqa_search *search, double from, double to, double temperature)
{
    if (to <= from)
        return true;
    if (isinf(to))
        return false;
    return sqa_random_unit(&search->random) < exp(-(log(to) - log(from)) / temperature);
}

/* Walks from `point` until it is cold or goes round in circles. false: stop. */
static bool walk(sqa_search *search, sqa_point point, double cost)
{
    double temperature = HOT;
    for (size_t idle = 0; temperature > COLD && idle < MOST_IDLE;) {
        sqa_point around[SQA_MOST_NEIGHBOURS];
        double next;
        if (!sqa_neighbours(search, point, around))
            break;
        bool new = !sqa_search_was_tried(search, around[0]);
        if (!sqa_search_try(search, around[0], &next))
            return false;
        if (accepts(search, cost, next, temperature)) {
            point = around[0];
            cost = next;
        }
        temperature *= new ? COOLING : 1.0;
        idle = new ? 0 : idle + 1;
    }
    return true;
}

static void run(sqa_search *search)
{
    if (isfinite(search->best_cost) && !walk(search, search->best, search->best_cost))
        return;
    while (sqa_search_goes_on(search)) {
        sqa_point point = sqa_jump(search);
        double cost;
        if (!sqa_search_try(search, point, &cost) || (isfinite(cost) && !walk(search, point, cost)))
            return;
    }
}

const sqa_strategy sqa_strategy_annealing = {"annealing",
                                             "a random walk that turns downhill as it cools", run};
