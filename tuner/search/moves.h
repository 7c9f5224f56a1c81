/* Moves in a configuration space that strategies share: to what differs in one
 * parameter by one step, and to what differs in a few. All at random, by the
 * search's own generator. */
#ifndef SQA_TUNER_MOVES_H
#define SQA_TUNER_MOVES_H

#include "search/search.h"

#define SQA_MOST_NEIGHBOURS (2 * SQA_MAX_PARAMETERS)

/* Where `value` stands among the parameter's. */
size_t sqa_value_index(const sqa_parameter *parameter, int32_t value);

/* The valid configurations one step away along one parameter each, in random order;
 * invalid ones are stepped over, so that a hole in the space is no wall. */
size_t sqa_neighbours(sqa_search *search, sqa_point point, sqa_point out[SQA_MOST_NEIGHBOURS]);

/* `point` with two or three parameters drawn anew; false when only points that were
 * tried, or are not valid, came up. */
bool sqa_jump_near(sqa_search *search, sqa_point point, sqa_point *out);

/* What to ask while the cost of the first start is on its way: by turns what is around it, which
 * will be asked about in any case, and what is anywhere in its family, in case it is bad. false:
 * nothing is left. */
bool sqa_ask_beside_start(sqa_search *search, sqa_point *out);

/* A point not tried yet: mostly near the best, sometimes anywhere. Something must
 * be left. */
sqa_point sqa_jump(sqa_search *search);

#endif
