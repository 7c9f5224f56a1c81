/* Iterated local search: walk downhill from the best point known, one parameter
 * one step at a time; in a valley, jump and walk again.
 *
 * Kernel spaces are mostly smooth along single parameters (a tile a step larger
 * is nearly as good), with cliffs where registers or caches run out. Walking
 * follows the smooth part, jumping gets across the cliffs. */
#include <math.h>

#include "search/moves.h"

/* A landing this much worse than the best is not worth walking down from. */
#define PROMISING 1.5

/* As long as fewer are known, random points are looked at before the first walk, by all walkers
 * together: a walk from just anywhere, or from a bad default, is slower than chance at first. */
#define LOOK_AROUND 4

/* Walks downhill, taking the first improvement found, until no neighbour is
 * better. false: stop searching. */
static bool descend(sqa_search *search, sqa_point point, double cost)
{
    for (bool moved = true; moved;) {
        sqa_point around[SQA_MOST_NEIGHBOURS];
        size_t count = sqa_neighbours(search, point, around);
        moved = false;
        for (size_t i = 0; i < count && !moved; i++) {
            double next_cost;
            if (!sqa_search_try(search, around[i], &next_cost))
                return false;
            if (next_cost < cost) {
                point = around[i];
                cost = next_cost;
                moved = true;
            }
        }
    }
    return true;
}

static void run(sqa_search *search)
{
    double cost;
    for (int i = 0; i < LOOK_AROUND && sqa_search_goes_on(search); i++) {
        if (isfinite(search->best_cost) && search->tried >= LOOK_AROUND)
            break;
        if (!sqa_search_try(search, sqa_search_random_point(search), &cost))
            return;
    }
    if (isfinite(search->best_cost) && !descend(search, search->best, search->best_cost))
        return;
    while (sqa_search_goes_on(search)) {
        sqa_point point = sqa_jump(search);
        if (!sqa_search_try(search, point, &cost) ||
            (cost < PROMISING * search->best_cost && !descend(search, point, cost)))
            return;
    }
}

const sqa_strategy sqa_strategy_local = {
    "local", "downhill from the best known configuration, with jumps", run};
