/* Every configuration, in the order of the space: for small spaces, and to judge
 * the other strategies by. */
#include "search/search.h"

static void run(sqa_search *search)
{
    double cost;
    for (size_t family = 0; family < search->space_count; family++)
        for (size_t config = 0; config < search->spaces[family].count; config++)
            if (!sqa_search_was_tried(search, (sqa_point){family, config}) &&
                !sqa_search_try(search, (sqa_point){family, config}, &cost))
                return;
}

const sqa_strategy sqa_strategy_exhaustive = {"exhaustive",
                                              "every configuration, one after the other", run};
