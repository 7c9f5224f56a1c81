/* How the time of a run is divided: the search, and after it the finals of every problem,
 * with as many rounds as there is time for. All times by sqa_clock_seconds(). */
#ifndef SQA_TUNER_BUDGET_H
#define SQA_TUNER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define SQA_FINALS_MOST_ROUNDS 15u
#define SQA_FINALS_FEWEST_ROUNDS 3u
#define SQA_FINALS_TOP 3u /* of the search, into the finals */

/* One problem's finals, as far as they can be foreseen. */
typedef struct sqa_finals_need {
    uint32_t fixed; /* finalists in any case: the fallback, and what is in use */
    uint32_t found; /* those of the search that are worth it; 0: there are no finals */
    double best_ms;
    double build_s; /* that a program takes, where it has to be built once more */
} sqa_finals_need;

/* How finals are held. */
typedef struct sqa_finals_plan {
    uint32_t rounds; /* 0: not at all */
    uint32_t top;    /* of what the search found, the best so many */
} sqa_finals_plan;

/* How long they take. */
double sqa_finals_seconds(const sqa_finals_need *need, sqa_finals_plan plan);

/* When the search has to end for the finals of all problems to fit; `seconds` is the whole
 * budget, 0 for none: INFINITY then. */
double sqa_budget_search_end(double begin_s, double seconds, const sqa_finals_need *needs,
                             uint32_t count);

/* For the first of `count` problems whose finals are still to come, such that the rest can have
 * as much: as many finalists as the fewest rounds leave time for, then rounds. Where that is not
 * to be had, the first comes first: the least there is, if it fits alone. */
sqa_finals_plan sqa_budget_finals(double left_s, const sqa_finals_need *needs, uint32_t count);

#endif
