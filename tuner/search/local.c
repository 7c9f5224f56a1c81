/* Iterated local search: walk downhill from the best point known, one parameter
 * one step at a time; in a valley, jump and walk again.
 *
 * Kernel spaces are mostly smooth along single parameters (a tile a step larger
 * is nearly as good), with cliffs where registers or caches run out. Walking
 * follows the smooth part, jumping gets across the cliffs. */
#include <math.h>

#include "search/search.h"

/* Jumps near the best point rather than anywhere: 3 of 4. */
#define NEAR_JUMPS 3u
#define JUMPS 4u
#define MOST_CHANGES 3u /* parameters that a near jump changes */
#define JUMP_ATTEMPTS 32

/* A landing this much worse than the best is not worth walking down from. */
#define PROMISING 1.5

#define MOST_NEIGHBOURS (2 * SQA_MAX_PARAMETERS)

static size_t value_index(const sqa_parameter *parameter, int32_t value)
{
    for (size_t i = 0; i < parameter->value_count; i++)
        if (parameter->values[i] == value)
            return i;
    return 0;
}

/* The next valid configuration along one parameter: invalid ones are stepped
 * over, so that a hole in the space is no wall. */
static bool neighbour(const sqa_config_space *space, size_t config, size_t which, int direction,
                      size_t *out)
{
    const sqa_parameter *parameter = &space->family->parameters[which];
    sqa_config moved = space->configs[config];
    size_t index = value_index(parameter, moved.value[which]);
    for (;;) {
        if (direction < 0 ? index == 0 : index + 1 >= parameter->value_count)
            return false;
        index = direction < 0 ? index - 1 : index + 1;
        moved.value[which] = parameter->values[index];
        *out = sqa_config_space_find(space, &moved);
        if (*out != SIZE_MAX)
            return true;
    }
}

/* All neighbours of a point, in random order. */
static size_t neighbours(sqa_search *search, sqa_point point, size_t out[MOST_NEIGHBOURS])
{
    const sqa_config_space *space = &search->spaces[point.family];
    size_t count = 0;
    for (size_t which = 0; which < space->family->parameter_count; which++)
        for (int direction = -1; direction <= 1; direction += 2)
            if (neighbour(space, point.config, which, direction, &out[count]))
                count++;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)sqa_random_below(&search->random, i);
        size_t swapped = out[i - 1];
        out[i - 1] = out[j];
        out[j] = swapped;
    }
    return count;
}

/* Walks downhill, taking the first improvement found, until no neighbour is
 * better. false: stop searching. */
static bool descend(sqa_search *search, sqa_point point, double cost)
{
    for (bool moved = true; moved;) {
        size_t around[MOST_NEIGHBOURS];
        size_t count = neighbours(search, point, around);
        moved = false;
        for (size_t i = 0; i < count && !moved; i++) {
            sqa_point next = {point.family, around[i]};
            double next_cost;
            if (!sqa_search_try(search, next, &next_cost))
                return false;
            if (next_cost < cost) {
                point = next;
                cost = next_cost;
                moved = true;
            }
        }
    }
    return true;
}

/* The best point with a few parameters drawn anew; false when only points that
 * were tried, or are not valid, came up. */
static bool jump_near(sqa_search *search, sqa_point *out)
{
    const sqa_config_space *space = &search->spaces[search->best.family];
    const sqa_kernel_family *family = space->family;
    if (!family->parameter_count)
        return false;
    for (int attempt = 0; attempt < JUMP_ATTEMPTS; attempt++) {
        sqa_config config = space->configs[search->best.config];
        size_t changes = 2 + (size_t)sqa_random_below(&search->random, MOST_CHANGES - 1);
        for (size_t i = 0; i < changes; i++) {
            size_t which = (size_t)sqa_random_below(&search->random, family->parameter_count);
            const sqa_parameter *parameter = &family->parameters[which];
            config.value[which] =
                parameter->values[sqa_random_below(&search->random, parameter->value_count)];
        }
        size_t found = sqa_config_space_find(space, &config);
        *out = (sqa_point){search->best.family, found};
        if (found != SIZE_MAX && !sqa_search_was_tried(search, *out))
            return true;
    }
    return false;
}

static sqa_point jump(sqa_search *search)
{
    sqa_point point;
    bool near = sqa_random_below(&search->random, JUMPS) < NEAR_JUMPS;
    if (near && isfinite(search->best_cost) &&
        (jump_near(search, &point) ||
         sqa_search_random_in_family(search, search->best.family, &point)))
        return point;
    return sqa_search_random_point(search);
}

static void run(sqa_search *search)
{
    if (isfinite(search->best_cost) && !descend(search, search->best, search->best_cost))
        return;
    while (sqa_search_goes_on(search)) {
        sqa_point point = jump(search);
        double cost;
        if (!sqa_search_try(search, point, &cost) ||
            (cost < PROMISING * search->best_cost && !descend(search, point, cost)))
            return;
    }
}

const sqa_strategy sqa_strategy_local = {
    "local", "downhill from the best known configuration, with jumps", run};
