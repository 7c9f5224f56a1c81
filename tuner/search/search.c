/* The memory of a search: costs by point, and points not tried yet. */
#include "search/search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

/* Of a point that somebody asked about: less than any cost. */
#define ON_ITS_WAY (-(double)INFINITY)

sqa_status sqa_search_create(sqa_search *out, const sqa_config_space *spaces, size_t space_count,
                             uint64_t seed)
{
    memset(out, 0, sizeof *out);
    out->spaces = spaces;
    out->space_count = space_count;
    out->random.state = seed;
    out->best_cost = (double)INFINITY;
    out->costs = calloc(space_count ? space_count : 1, sizeof *out->costs);
    out->closed = calloc(space_count ? space_count : 1, sizeof *out->closed);
    out->awaited = calloc(space_count ? space_count : 1, sizeof *out->awaited);
    if (!out->costs || !out->closed || !out->awaited) {
        sqa_search_free(out);
        return sqa_fail_memory("the search");
    }
    for (size_t family = 0; family < space_count; family++) {
        size_t count = spaces[family].count;
        out->costs[family] = malloc((count ? count : 1) * sizeof **out->costs);
        if (!out->costs[family]) {
            sqa_search_free(out);
            return sqa_fail_memory("the search");
        }
        for (size_t config = 0; config < count; config++)
            out->costs[family][config] = (double)NAN;
        out->total += count;
    }
    return SQA_OK;
}

void sqa_search_free(sqa_search *search)
{
    for (size_t family = 0; search->costs && family < search->space_count; family++)
        free(search->costs[family]);
    free(search->costs);
    free(search->closed);
    free(search->awaited);
    free(search->learnt);
    search->costs = NULL;
    search->closed = NULL;
    search->awaited = NULL;
    search->learnt = NULL;
}

void sqa_search_add_start(sqa_search *search, sqa_point start)
{
    for (size_t i = 0; i < search->start_count; i++)
        if (search->starts[i].family == start.family && search->starts[i].config == start.config)
            return;
    if (search->start_count < SQA_MAX_STARTS)
        search->starts[search->start_count++] = start;
}

static bool is_known(double cost)
{
    return !isnan(cost) && cost != ON_ITS_WAY;
}

bool sqa_search_was_tried(const sqa_search *search, sqa_point point)
{
    return !isnan(search->costs[point.family][point.config]);
}

bool sqa_search_knows(const sqa_search *search, sqa_point point, double *cost)
{
    *cost = search->costs[point.family][point.config];
    return is_known(*cost);
}

void sqa_search_expect(sqa_search *search, sqa_point point, bool on_its_way)
{
    double *cost = &search->costs[point.family][point.config];
    if (is_known(*cost) || sqa_search_was_tried(search, point) == on_its_way)
        return;
    *cost = on_its_way ? ON_ITS_WAY : (double)NAN;
    search->on_their_way += on_its_way ? 1 : (size_t)-1;
    search->awaited[point.family] += on_its_way ? 1 : (size_t)-1;
}

/* A power of two is full. */
static bool note(sqa_search *search, sqa_point point)
{
    const size_t count = search->tried;
    if ((count & (count - 1)) == 0) {
        sqa_point *learnt = realloc(search->learnt, 2 * (count + 1) * sizeof *learnt);
        if (!learnt)
            return false;
        search->learnt = learnt;
    }
    search->learnt[search->tried++] = point;
    return true;
}

void sqa_search_learn(sqa_search *search, sqa_point point, double cost)
{
    double *known = &search->costs[point.family][point.config];
    if (is_known(*known))
        return;
    sqa_search_expect(search, point, false);
    if (!note(search, point)) {
        search->stopped = true;
        return;
    }
    *known = isnan(cost) ? (double)INFINITY : cost;
    if (*known < search->best_cost) {
        search->best_cost = *known;
        search->best = point;
    }
}

void sqa_search_close_family(sqa_search *search, size_t family)
{
    search->closed[family] = true;
    for (size_t i = 0; i < search->spaces[family].count; i++) {
        double *cost = &search->costs[family][i];
        if (!isnan(*cost))
            continue;
        *cost = (double)INFINITY;
        search->total--;
    }
}

bool sqa_search_goes_on(const sqa_search *search)
{
    return !search->stopped && search->tried + search->on_their_way < search->total;
}

bool sqa_search_try(sqa_search *search, sqa_point point, double *cost)
{
    assert(point.family < search->space_count);
    assert(point.config < search->spaces[point.family].count);
    if (!sqa_search_knows(search, point, cost)) {
        double found = (double)INFINITY;
        if (search->stopped || !search->evaluate(search->user, point, &found)) {
            search->stopped = true;
            return false;
        }
        sqa_search_learn(search, point, found);
        sqa_search_knows(search, point, cost);
    }
    return true;
}

bool sqa_search_random_in_family(sqa_search *search, size_t family, sqa_point *out)
{
    size_t count = search->spaces[family].count;
    size_t first = (size_t)sqa_random_below(&search->random, count);
    for (size_t step = 0; step < count; step++) {
        sqa_point point = {family, (first + step) % count};
        if (!sqa_search_was_tried(search, point)) {
            *out = point;
            return true;
        }
    }
    return false;
}

/* Whether its first answer is still on its way: it may say that the family is not worth more. */
static bool has_yet_to_answer(const sqa_search *search, size_t family)
{
    for (size_t i = 0; i < search->tried; i++)
        if (search->learnt[i].family == family)
            return false;
    return search->awaited[family] > 0;
}

static bool random_in_some_family(sqa_search *search, size_t first, bool waits, sqa_point *out)
{
    for (size_t step = 0; step < search->space_count; step++) {
        const size_t family = (first + step) % search->space_count;
        if (has_yet_to_answer(search, family) == waits &&
            sqa_search_random_in_family(search, family, out))
            return true;
    }
    return false;
}

sqa_point sqa_search_random_point(sqa_search *search)
{
    sqa_point point = {0, 0};
    assert(search->tried < search->total);
    const size_t first = (size_t)sqa_random_below(&search->random, search->space_count);
    if (!random_in_some_family(search, first, false, &point))
        random_in_some_family(search, first, true, &point);
    return point;
}

void sqa_search_run(sqa_search *search, const sqa_strategy *strategy)
{
    double cost;
    for (size_t i = 0; i < search->start_count; i++)
        if (!sqa_search_try(search, search->starts[i], &cost))
            return;
    if (sqa_search_goes_on(search))
        strategy->run(search);
}
