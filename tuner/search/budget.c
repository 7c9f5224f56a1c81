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

double sqa_finals_seconds(const sqa_finals_need *need, uint32_t rounds)
{
    if (need->count < 2)
        return 0.0;
    const double sample_s = fmax(1e-3 * need->best_ms, SAMPLE_SECONDS);
    return need->count * (need->build_s + FINALIST_SECONDS + (FIRST_LAUNCHES + rounds) * sample_s) +
           rounds * ROUND_SECONDS;
}

static double sum_of(const sqa_finals_need *needs, uint32_t count, uint32_t rounds)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++)
        sum += sqa_finals_seconds(&needs[i], rounds);
    return sum;
}

double sqa_budget_search_end(double begin_s, double seconds, const sqa_finals_need *needs,
                             uint32_t count)
{
    if (!(seconds > 0))
        return (double)INFINITY;
    const double least = sum_of(needs, count, SQA_FINALS_FEWEST_ROUNDS);
    const double most = fmax(FINALS_SHARE * seconds, least);
    const double wanted = fmin(sum_of(needs, count, SQA_FINALS_MOST_ROUNDS), most);
    return begin_s + seconds - fmin(CLOSING_SECONDS, CLOSING_SHARE * seconds) -
           fmin(wanted, MOST_FINALS_SHARE * seconds);
}

uint32_t sqa_budget_rounds(double left_s, const sqa_finals_need *needs, uint32_t count)
{
    uint32_t rounds = SQA_FINALS_MOST_ROUNDS;
    while (rounds > SQA_FINALS_FEWEST_ROUNDS && rounds * 1e-3 * needs[0].best_ms > SLOW_SECONDS)
        rounds--;
    while (rounds >= SQA_FINALS_FEWEST_ROUNDS && sum_of(needs, count, rounds) > left_s)
        rounds--;
    return rounds >= SQA_FINALS_FEWEST_ROUNDS ? rounds : 0;
}
