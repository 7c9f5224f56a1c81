/* The table of strategies. Adding one is a file and a line here. */
#include <string.h>

#include "search/search.h"

static const sqa_strategy *const strategies[] = {
    &sqa_strategy_local, &sqa_strategy_annealing, &sqa_strategy_genetic,
    &sqa_strategy_model, &sqa_strategy_random,    &sqa_strategy_exhaustive,
};

size_t sqa_strategy_count(void)
{
    return sizeof strategies / sizeof strategies[0];
}

const sqa_strategy *sqa_strategy_at(size_t index)
{
    return strategies[index];
}

const sqa_strategy *sqa_strategy_find(const char *name)
{
    for (size_t i = 0; i < sqa_strategy_count(); i++)
        if (!strcmp(strategies[i]->name, name))
            return strategies[i];
    return NULL;
}

void sqa_strategy_names(sqa_text *out)
{
    for (size_t i = 0; i < sqa_strategy_count(); i++)
        sqa_text_format(out, "%s%s", i ? ", " : "", strategies[i]->name);
}
