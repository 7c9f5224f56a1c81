/* Searching a set of configurations for the cheapest one.
 *
 * The space is the union of the valid configurations of a few families; a point
 * is one of them. A strategy decides which point to try next and asks for its
 * cost through sqa_search_try(), which remembers every answer: no point is ever
 * evaluated twice, and all randomness comes from one seeded generator, so that
 * the same seed and costs give the same sequence. Knows nothing of devices,
 * time or the database. */
#ifndef SQA_TUNER_SEARCH_H
#define SQA_TUNER_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/random.h"
#include "kernels/config_space.h"

typedef struct sqa_point {
    size_t family; /* index into the spaces */
    size_t config; /* index into that space's configs */
} sqa_point;

#define SQA_MAX_STARTS 16

typedef struct sqa_search {
    const sqa_config_space *spaces; /* borrowed */
    size_t space_count;
    sqa_point starts[SQA_MAX_STARTS]; /* tried first, in this order */
    size_t start_count;
    sqa_random random;

    /* Tries a point: *cost is what is minimised, INFINITY for a failure. false:
     * the budget is used up and the point was not tried. */
    bool (*evaluate)(void *user, sqa_point point, double *cost);
    void *user;

    /* Kept by sqa_search_try. */
    double **costs; /* [family][config]; NaN: not tried yet; see sqa_search_knows */
    size_t tried, on_their_way, total;
    size_t *awaited;   /* [family] of those on their way */
    bool *closed;      /* [family] by sqa_search_close_family */
    sqa_point *learnt; /* the points whose cost is known, in the order they became so */
    sqa_point best;
    double best_cost; /* INFINITY: none succeeded yet */
    bool stopped;     /* evaluate said so */
} sqa_search;

/* `spaces` must outlive the search. Starts, evaluate and user are set by the caller. */
sqa_status sqa_search_create(sqa_search *out, const sqa_config_space *spaces, size_t space_count,
                             uint64_t seed);
void sqa_search_free(sqa_search *search);

/* Adds a start, unless it is one already or there is no room. */
void sqa_search_add_start(sqa_search *search, sqa_point start);

/* The cost of a point, from memory or by evaluating it. false: stop searching. */
bool sqa_search_try(sqa_search *search, sqa_point point, double *cost);

/* Whether the cost of a point is known, and which it is. */
bool sqa_search_knows(const sqa_search *search, sqa_point point, double *cost);

/* Takes note that the cost of a point is on its way, or is not after all: as long as it is,
 * the point counts as tried. */
void sqa_search_expect(sqa_search *search, sqa_point point, bool on_its_way);

/* Tells the cost of a point, whoever asked; NaN is a failure. What is known stays. Without
 * memory to note it the search is stopped. */
void sqa_search_learn(sqa_search *search, sqa_point point, double cost);

/* Leaves a family out from here on: its other points count as tried, and failed. */
void sqa_search_close_family(sqa_search *search, size_t family);

/* Whether a strategy should go on: not stopped, and something is left to try. */
bool sqa_search_goes_on(const sqa_search *search);

bool sqa_search_was_tried(const sqa_search *search, sqa_point point);

/* A point not tried yet: a random family (of those with any left, and first of those of which
 * something is known or nothing asked), then a random configuration. Something must be left. */
sqa_point sqa_search_random_point(sqa_search *search);

/* The same within one family; false when it has none left. */
bool sqa_search_random_in_family(sqa_search *search, size_t family, sqa_point *out);

/* A way to walk through the space. */
typedef struct sqa_strategy {
    const char *name;
    const char *summary;
    void (*run)(sqa_search *search);
} sqa_strategy;

extern const sqa_strategy sqa_strategy_local, sqa_strategy_annealing, sqa_strategy_genetic,
    sqa_strategy_model, sqa_strategy_random, sqa_strategy_exhaustive;

/* The first one is the default. */
size_t sqa_strategy_count(void);
const sqa_strategy *sqa_strategy_at(size_t index);
const sqa_strategy *sqa_strategy_find(const char *name); /* NULL: none */
void sqa_strategy_names(sqa_text *out);                  /* "local, random, ..." */

/* Tries the starts, then lets the strategy walk. */
void sqa_search_run(sqa_search *search, const sqa_strategy *strategy);

#endif
