/* See budget.h. */
#include "search/budget.h"

#include <math.h>

/* Of the whole budget, for the finals at most, unless the fewest rounds need more; and for
 * them at most. */
#define FINALS_SHARE 0.15
#define MOST_FINALS_SHARE 0.5

/* Rounds beyond this long are fewer: a slow kernel's times differ little. */
#define SLOW_SECONDS 4.0

/* For the last worker to end, and the last row to be written. */
#define CLOSING_SECONDS 0.5
#define CLOSING_SHARE 0.05

/* Launches before the first round: the one that is checked, and whose time says how many make a
 * sample; and what a round takes beside the finalists: samples of the ceilings. */
#define FIRST_LAUNCHES 1.0
#define ROUND_SECONDS 0.07

/* A sample of a fast kernel takes so long, and a finalist's plan and check. */
#define SAMPLE_SECONDS 0.006
#define FINALIST_SECONDS 0.05

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

double sqa_finals_seconds(const sqa_finals_need *need, sqa_finals_plan plan)
{
    const uint32_t count = need->fixed + least_of(need->found, plan.top);
    if (!need->found)
        return 0.0;
    const double sample_s = fmax(1e-3 * need->best_ms, SAMPLE_SECONDS);
    return count * (need->build_s + FINALIST_SECONDS + (FIRST_LAUNCHES + plan.rounds) * sample_s) +
           plan.rounds * ROUND_SECONDS;
}

static double sum_of(const sqa_finals_need *needs, uint32_t count, uint32_t rounds, uint32_t top)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++)
        sum += sqa_finals_seconds(&needs[i], (sqa_finals_plan){rounds, top});
    return sum;
}

double sqa_budget_search_end(double begin_s, double seconds, const sqa_finals_need *needs,
                             uint32_t count)
{
    if (!(seconds > 0))
        return (double)INFINITY;
    const double least = sum_of(needs, count, SQA_FINALS_FEWEST_ROUNDS, SQA_FINALS_TOP);
    const double most = fmax(FINALS_SHARE * seconds, least);
    const double wanted = fmin(sum_of(needs, count, SQA_FINALS_MOST_ROUNDS, SQA_FINALS_TOP), most);
    return begin_s + seconds - fmin(CLOSING_SECONDS, CLOSING_SHARE * seconds) -
           fmin(wanted, MOST_FINALS_SHARE * seconds);
}

sqa_finals_plan sqa_budget_finals(double left_s, const sqa_finals_need *needs, uint32_t count)
{
    const sqa_finals_plan least = {SQA_FINALS_FEWEST_ROUNDS, 1}, none = {0, 0};
    sqa_finals_plan plan = {SQA_FINALS_MOST_ROUNDS, SQA_FINALS_TOP};
    while (plan.top > 1 && sum_of(needs, count, SQA_FINALS_FEWEST_ROUNDS, plan.top) > left_s)
        plan.top--;
    while (plan.rounds > SQA_FINALS_FEWEST_ROUNDS &&
           plan.rounds * 1e-3 * needs[0].best_ms > SLOW_SECONDS)
        plan.rounds--;
    while (plan.rounds > SQA_FINALS_FEWEST_ROUNDS &&
           sum_of(needs, count, plan.rounds, plan.top) > left_s)
        plan.rounds--;
    if (sum_of(needs, count, plan.rounds, plan.top) <= left_s)
        return plan;
    return sqa_finals_seconds(&needs[0], least) <= left_s ? least : none;
}
