/* Who goes to a problem's finals; see tune_problem.h. */
#include <math.h>
#include <string.h>

#include "search/tune_problem.h"

/* What seems this much slower than the best does not go, unless nobody else is there: a trial
 * that matters is off by 3 % (PRECISE in trial/sampling.c), and so is the best's. */
#define NEAR 1.06

static void add_contender(sqa_contender *contenders, uint32_t *count,
                          const sqa_contender *contender)
{
    for (uint32_t i = 0; i < *count; i++)
        if (sqa_contender_equal(&contenders[i], contender))
            return;
    contenders[(*count)++] = *contender;
}

static bool is_taken(const sqa_contender *contenders, uint32_t count,
                     const sqa_contender *contender)
{
    for (uint32_t i = 0; i < count; i++)
        if (sqa_contender_equal(&contenders[i], contender))
            return true;
    return false;
}

/* The cheapest point of the search that is none of the contenders yet. */
static bool next_best(const sqa_problem_search *self, const sqa_contender *contenders,
                      uint32_t count, sqa_contender *out)
{
    const double most = count > 1 ? NEAR * self->search.best_cost : (double)INFINITY;
    double best = most, cost;
    for (size_t i = 0; i < self->search.tried; i++) {
        const sqa_point point = self->search.learnt[i];
        sqa_search_knows(&self->search, point, &cost);
        if (!(cost < best))
            continue;
        const sqa_contender contender = sqa_problem_search_at(self, point);
        if (!is_taken(contenders, count, &contender)) {
            best = cost;
            *out = contender;
        }
    }
    return best < most;
}

uint32_t sqa_problem_search_finalists(const sqa_problem_search *self, uint32_t top,
                                      sqa_contender contenders[SQA_MAX_FINALISTS])
{
    const sqa_contender *defender = self->has_incumbent ? &self->incumbent : &self->fallback;
    sqa_contender set[SQA_MAX_FINALISTS] = {*defender}, next;
    uint32_t count = 1;
    add_contender(set, &count, &self->fallback);
    for (uint32_t i = 0; i < top && next_best(self, set, count, &next); i++)
        set[count++] = next;
    memcpy(contenders, set + 1, (count - 1) * sizeof *set);
    contenders[count - 1] = *defender;
    return count;
}
