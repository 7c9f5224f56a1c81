/* See moves.h. */
#include "search/moves.h"

#include <assert.h>
#include <math.h>

/* Jumps near the best point rather than anywhere: 3 of 4. */
#define NEAR_JUMPS 3u
#define JUMPS 4u
#define MOST_CHANGES 3u /* parameters that a near jump changes */
#define JUMP_ATTEMPTS 32

size_t sqa_value_index(const sqa_parameter *parameter, int32_t value)
{
    for (size_t i = 0; i < parameter->value_count; i++)
        if (parameter->values[i] == value)
            return i;
    return 0;
}

static bool neighbour(const sqa_config_space *space, size_t config, size_t which, int direction,
                      size_t *out)
{
    const sqa_parameter *parameter = &space->family->parameters[which];
    sqa_config moved = space->configs[config];
    size_t index = sqa_value_index(parameter, moved.value[which]);
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

size_t sqa_neighbours(sqa_search *search, sqa_point point, sqa_point out[SQA_MOST_NEIGHBOURS])
{
    const sqa_config_space *space = &search->spaces[point.family];
    size_t count = 0;
    for (size_t which = 0; which < space->family->parameter_count; which++)
        for (int direction = -1; direction <= 1; direction += 2) {
            size_t config;
            if (neighbour(space, point.config, which, direction, &config))
                out[count++] = (sqa_point){point.family, config};
        }
    assert(count <= SQA_MOST_NEIGHBOURS);
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)sqa_random_below(&search->random, i);
        sqa_point swapped = out[i - 1];
        out[i - 1] = out[j];
        out[j] = swapped;
    }
    return count;
}

bool sqa_jump_near(sqa_search *search, sqa_point point, sqa_point *out)
{
    const sqa_config_space *space = &search->spaces[point.family];
    const sqa_kernel_family *family = space->family;
    if (!family->parameter_count)
        return false;
    for (int attempt = 0; attempt < JUMP_ATTEMPTS; attempt++) {
        sqa_config config = space->configs[point.config];
        size_t changes = 2 + (size_t)sqa_random_below(&search->random, MOST_CHANGES - 1);
        for (size_t i = 0; i < changes; i++) {
            size_t which = (size_t)sqa_random_below(&search->random, family->parameter_count);
            const sqa_parameter *parameter = &family->parameters[which];
            config.value[which] =
                parameter->values[sqa_random_below(&search->random, parameter->value_count)];
        }
        size_t found = sqa_config_space_find(space, &config);
        *out = (sqa_point){point.family, found};
        if (found != SIZE_MAX && !sqa_search_was_tried(search, *out))
            return true;
    }
    return false;
}

sqa_point sqa_jump(sqa_search *search)
{
    sqa_point point;
    bool near = sqa_random_below(&search->random, JUMPS) < NEAR_JUMPS;
    if (near && isfinite(search->best_cost) &&
        (sqa_jump_near(search, search->best, &point) ||
         sqa_search_random_in_family(search, search->best.family, &point)))
        return point;
    return sqa_search_random_point(search);
}

static bool ask_around(sqa_search *search, sqa_point start, sqa_point *out)
{
    sqa_point around[SQA_MOST_NEIGHBOURS];
    const size_t count = sqa_neighbours(search, start, around);
    for (size_t i = 0; i < count; i++)
        if (!sqa_search_was_tried(search, around[i])) {
            *out = around[i];
            return true;
        }
    return false;
}

bool sqa_ask_beside_start(sqa_search *search, sqa_point *out)
{
    const sqa_point start = search->starts[0];
    const bool anywhere = (search->tried + search->on_their_way) % 2;
    return (anywhere && sqa_search_random_in_family(search, start.family, out)) ||
           ask_around(search, start, out);
}
