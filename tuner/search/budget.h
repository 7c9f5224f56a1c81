/* How the time of a run is divided: the search, and after it the finals of every problem,
 * with as many rounds as there is time for. All times by sqa_clock_seconds(). */
#ifndef SQA_TUNER_BUDGET_H
#define SQA_TUNER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define SQA_FINALS_MOST_ROUNDS 15u
#define SQA_FINALS_FEWEST_ROUNDS 3u

/* One problem's finals, as far as they can be foreseen. */
typedef struct sqa_finals_need {
    uint32_t count; /* finalists; fewer than 2: there are none */
    double best_ms;
    double build_s; /* that a program takes, where it has to be built once more */
} sqa_finals_need;

/* How long finals of so many rounds take. */
double sqa_finals_seconds(const sqa_finals_need *need, uint32_t rounds);

/* When the search has to end for the finals of all problems to fit; `seconds` is the whole
 * budget, 0 for none: INFINITY then. */
double sqa_budget_search_end(double begin_s, double seconds, const sqa_finals_need *needs,
                             uint32_t count);

/* Rounds for the first of `count` problems whose finals are still to come, for the rest to get
 * as many; 0: not even the fewest fit. */
uint32_t sqa_budget_rounds(double left_s, const sqa_finals_need *needs, uint32_t count);

#endif
