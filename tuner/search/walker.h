/* A strategy at arm's length: it walks in a thread of its own and stops wherever it wants to
 * know a cost, so that the one who owns the search can gather what several strategies ask,
 * and answer in any order. Only one of them ever runs at a time: the owner waits meanwhile,
 * so that the search's memory needs no lock. */
#ifndef SQA_TUNER_WALKER_H
#define SQA_TUNER_WALKER_H

#include "search/search.h"

#define SQA_MOST_WALKERS 64 /* of one search */

typedef struct sqa_walker sqa_walker;

/* Walkers may share a search: they then know what each of them found. The search's starts are
 * for the owner to try. Nothing walks yet.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_walker_create(sqa_walker **out, sqa_search *search, const sqa_strategy *strategy);

/* Lets it walk until it needs a cost that its search does not know; the point is the same
 * until then. false: it has ended. */
bool sqa_walker_ask(sqa_walker *walker, sqa_point *point);

/* Ends it, wherever it stands. */
void sqa_walker_destroy(sqa_walker *walker);

#endif
