/* Random points without repetition: the yardstick any cleverer strategy has to
 * beat. */
#include "search/search.h"

static void run(sqa_search *search)
{
    double cost;
    while (sqa_search_goes_on(search) &&
           sqa_search_try(search, sqa_search_random_point(search), &cost))
        ;
}

const sqa_strategy sqa_strategy_random = {"random", "random configurations", run};
