/* The search strategies against made-up landscapes: no device, no kernels. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run_suite.h"
#include "search/budget.h"
#include "search/search.h"
#include "search/walker.h"

/* Two families: a large one with a hole in its space, and a small one. */
static const sqa_parameter wide_parameters[] = {
    {"A", "", {1, 2, 3, 4, 5, 6, 7, 8}, 8},
    {"B", "", {1, 2, 3, 4, 5, 6, 7, 8}, 8},
    {"C", "", {1, 2, 4, 8}, 4},
};
static const sqa_parameter narrow_parameters[] = {{"A", "", {1, 2, 3}, 3}};

static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    (void)problem, (void)device, (void)why;
    return true;
}

static bool all_valid(const sqa_config *config, const sqa_problem *problem,
                      const sqa_device *device, const char **why)
{
    (void)config, (void)problem, (void)device, (void)why;
    return true;
}

/* A == 4 is the hole: walks along A have to step over it. */
static bool valid_but_hole(const sqa_config *config, const sqa_problem *problem,
                           const sqa_device *device, const char **why)
{
    (void)problem, (void)device;
    *why = "A is 4";
    return config->value[0] != 4;
}

static const sqa_kernel_family wide = {.name = "wide",
                                       .parameters = wide_parameters,
                                       .parameter_count = 3,
                                       .supports = supports,
                                       .is_valid = valid_but_hole};
static const sqa_kernel_family narrow = {.name = "narrow",
                                         .parameters = narrow_parameters,
                                         .parameter_count = 1,
                                         .supports = supports,
                                         .is_valid = all_valid};

enum { WIDE_COUNT = 7 * 8 * 4, ALL = WIDE_COUNT + 3 };

typedef struct landscape {
    sqa_problem problem;
    sqa_device device;
    sqa_config_space spaces[2];
    size_t budget; /* evaluations allowed */
    size_t count;
    sqa_point sequence[ALL + 1];
    bool all_fail;
} landscape;

/* A bowl with its bottom at A=7, B=6, C=4; the narrow family lies above it. */
static double bowl(const sqa_config_space *space, size_t config)
{
    const int32_t *v = space->configs[config].value;
    if (space->family == &narrow)
        return 500.0 + v[0];
    return 1.0 + (v[0] - 7) * (v[0] - 7) + (v[1] - 6) * (v[1] - 6) + fabs(log2(v[2]) - 2.0);
}

static bool evaluate(void *user, sqa_point point, double *cost)
{
    landscape *self = user;
    if (self->count == self->budget)
        return false;
    ck_assert_uint_le(self->count, ALL);
    self->sequence[self->count++] = point;
    *cost = self->all_fail ? (double)INFINITY : bowl(&self->spaces[point.family], point.config);
    return true;
}

static void open_landscape(landscape *self, size_t budget)
{
    memset(self, 0, sizeof *self);
    self->budget = budget;
    ck_assert_int_eq(
        sqa_config_space_create(&self->spaces[0], &wide, &self->problem, &self->device), SQA_OK);
    ck_assert_int_eq(
        sqa_config_space_create(&self->spaces[1], &narrow, &self->problem, &self->device), SQA_OK);
    ck_assert_uint_eq(self->spaces[0].count, WIDE_COUNT);
    ck_assert_uint_eq(self->spaces[1].count, 3);
}

static void close_landscape(landscape *self)
{
    sqa_config_space_free(&self->spaces[0]);
    sqa_config_space_free(&self->spaces[1]);
}

/* Runs a strategy on a fresh landscape; the caller closes it. */
static sqa_search search_with(landscape *self, const sqa_strategy *strategy, size_t budget,
                              uint64_t seed)
{
    sqa_search search;
    open_landscape(self, budget);
    ck_assert_int_eq(sqa_search_create(&search, self->spaces, 2, seed), SQA_OK);
    ck_assert_uint_eq(search.total, ALL);
    search.evaluate = evaluate;
    search.user = self;
    sqa_search_add_start(&search, (sqa_point){1, 0});
    sqa_search_add_start(&search, (sqa_point){0, 0});
    sqa_search_add_start(&search, (sqa_point){1, 0});
    ck_assert_uint_eq(search.start_count, 2);
    sqa_search_run(&search, strategy);
    return search;
}

static bool same_point(sqa_point a, sqa_point b)
{
    return a.family == b.family && a.config == b.config;
}

/* Lets several walkers ask, and answers what they asked all at once, the last question first;
 * gives the costs of the points in the order they became known. */
static size_t walk_together(landscape *self, const sqa_strategy *strategy, size_t walkers,
                            size_t budget, sqa_search *search)
{
    sqa_walker *all[8];
    size_t asked = 1;
    open_landscape(self, budget);
    ck_assert_int_eq(sqa_search_create(search, self->spaces, 2, 3), SQA_OK);
    for (size_t i = 0; i < walkers; i++)
        ck_assert_int_eq(sqa_walker_create(&all[i], search, strategy), SQA_OK);
    while (asked && search->tried < budget) {
        sqa_point points[8];
        asked = 0;
        for (size_t i = 0; i < walkers; i++) {
            sqa_point point, same;
            if (!sqa_walker_ask(all[i], &point))
                continue;
            ck_assert(sqa_walker_ask(all[i], &same)); /* it stays at its question */
            ck_assert(point.family == same.family && point.config == same.config);
            if (sqa_search_was_tried(search, point))
                continue; /* another one asked the same */
            sqa_search_expect(search, point, true);
            points[asked++] = point;
        }
        for (size_t i = asked; i-- > 0;)
            sqa_search_learn(search, points[i],
                             bowl(&self->spaces[points[i].family], points[i].config));
    }
    for (size_t i = 0; i < walkers; i++)
        sqa_walker_destroy(all[i]);
    return search->tried;
}

/* No point twice, the best in the end, and the same every time. */
START_TEST(walkers_share_a_search)
{
    const sqa_strategy *strategy = sqa_strategy_at((size_t)_i);
    landscape first, second;
    sqa_search one, other;
    const size_t tried = walk_together(&first, strategy, 4, ALL, &one);
    ck_assert_uint_eq(tried, ALL);
    ck_assert_uint_eq(one.on_their_way, 0);
    ck_assert_double_eq(one.best_cost, 1.0);
    ck_assert_uint_eq(walk_together(&second, strategy, 4, ALL, &other), ALL);
    for (size_t i = 0; i < tried; i++)
        ck_assert(one.learnt[i].family == other.learnt[i].family &&
                  one.learnt[i].config == other.learnt[i].config);
    sqa_search_free(&one);
    sqa_search_free(&other);
    close_landscape(&first);
    close_landscape(&second);
}
END_TEST

/* A walker may be sent home before it began, and at any question. */
START_TEST(walkers_end_where_they_stand)
{
    for (size_t budget = 0; budget < 20; budget++) {
        landscape self;
        sqa_search search;
        walk_together(&self, sqa_strategy_at((size_t)_i), 3, budget, &search);
        sqa_search_free(&search);
        close_landscape(&self);
    }
}
END_TEST

START_TEST(a_closed_family_is_left_alone)
{
    landscape self;
    sqa_search search;
    double cost;
    open_landscape(&self, ALL);
    ck_assert_int_eq(sqa_search_create(&search, self.spaces, 2, 1), SQA_OK);
    sqa_search_learn(&search, (sqa_point){1, 0}, 500.0);
    sqa_search_close_family(&search, 1);
    ck_assert(sqa_search_knows(&search, (sqa_point){1, 1}, &cost));
    ck_assert(isinf(cost));
    ck_assert(sqa_search_knows(&search, (sqa_point){1, 0}, &cost));
    ck_assert_double_eq(cost, 500.0);
    for (size_t i = 0; i < WIDE_COUNT; i++) {
        ck_assert(sqa_search_goes_on(&search));
        const sqa_point point = sqa_search_random_point(&search);
        ck_assert_uint_eq(point.family, 0);
        sqa_search_learn(&search, point, 1.0);
    }
    ck_assert(!sqa_search_goes_on(&search));
    sqa_search_free(&search);
    close_landscape(&self);
}
END_TEST

/* Of a family that was asked and has not answered yet, nothing more is asked at random. */
START_TEST(a_first_answer_is_waited_for)
{
    enum { DRAWS = 20 };
    landscape self;
    sqa_search search;
    open_landscape(&self, ALL);
    ck_assert_int_eq(sqa_search_create(&search, self.spaces, 2, 1), SQA_OK);
    sqa_search_expect(&search, (sqa_point){1, 0}, true);
    for (int i = 0; i < DRAWS; i++)
        ck_assert_uint_eq(sqa_search_random_point(&search).family, 0);
    sqa_search_learn(&search, (sqa_point){1, 0}, 500.0);
    bool asked = false;
    for (int i = 0; i < DRAWS; i++)
        asked = asked || sqa_search_random_point(&search).family == 1;
    ck_assert(asked);
    for (size_t i = 0; i < WIDE_COUNT; i++)
        sqa_search_learn(&search, (sqa_point){0, i}, 1.0);
    sqa_search_expect(&search, (sqa_point){1, 1}, true);
    ck_assert_uint_eq(sqa_search_random_point(&search).config, 2); /* nothing else is left */
    sqa_search_free(&search);
    close_landscape(&self);
}
END_TEST

/* Finals get what they need, at most their share, and in any case the fewest rounds. */
START_TEST(the_budget_is_divided)
{
    const sqa_finals_need quick = {1, 3, 1.0, 0.0}, slow = {1, 3, 400.0, 0.0},
                          none = {1, 0, 9.0, 0.0};
    const sqa_finals_need two[] = {slow, slow}, idle[] = {none, none};
    const sqa_finals_plan fewest = {SQA_FINALS_FEWEST_ROUNDS, SQA_FINALS_TOP};
    const sqa_finals_plan most = {SQA_FINALS_MOST_ROUNDS, SQA_FINALS_TOP};
    ck_assert(isinf(sqa_budget_search_end(5.0, 0.0, two, 2)));
    ck_assert_double_eq_tol(sqa_budget_search_end(5.0, 60.0, idle, 2), 64.5, 1e-9);
    const double end = sqa_budget_search_end(0.0, 60.0, &quick, 1);
    ck_assert_double_lt(60.0 - end, 9.0);
    ck_assert_double_ge(59.5 - end, sqa_finals_seconds(&quick, most) - 1e-9);
    const double least = 2 * sqa_finals_seconds(&slow, fewest);
    ck_assert_double_eq_tol(59.5 - sqa_budget_search_end(0.0, 60.0, two, 2), least, 1e-6);
    ck_assert_double_ge(sqa_budget_search_end(0.0, 8.0, two, 2), 3.0);
    ck_assert_uint_eq(sqa_budget_finals((double)INFINITY, &quick, 1).rounds,
                      SQA_FINALS_MOST_ROUNDS);
    for (double left = least; left < 40.0; left += 1.0) {
        const sqa_finals_plan plan = sqa_budget_finals(left, two, 2);
        ck_assert_uint_eq(plan.top, SQA_FINALS_TOP);
        ck_assert_double_le(2 * sqa_finals_seconds(&slow, plan), left + 1e-9);
    }
}
END_TEST

/* Where time is short fewer take part, before anybody goes without. */
START_TEST(short_finals_are_of_fewer)
{
    const sqa_finals_need slow = {2, 3, 400.0, 0.0}, two[] = {slow, slow};
    const sqa_finals_plan fewest = {SQA_FINALS_FEWEST_ROUNDS, SQA_FINALS_TOP},
                          least = {SQA_FINALS_FEWEST_ROUNDS, 1};
    const sqa_finals_plan enough = sqa_budget_finals(2 * sqa_finals_seconds(&slow, fewest), two, 2);
    ck_assert_uint_eq(enough.top, SQA_FINALS_TOP);
    ck_assert_uint_eq(enough.rounds, SQA_FINALS_FEWEST_ROUNDS);
    const double short_s = 2 * sqa_finals_seconds(&slow, least);
    const sqa_finals_plan fewer = sqa_budget_finals(short_s, two, 2);
    ck_assert_uint_eq(fewer.top, 1);
    ck_assert_uint_eq(fewer.rounds, SQA_FINALS_FEWEST_ROUNDS);
    const sqa_finals_plan alone = sqa_budget_finals(0.6 * short_s, two, 2);
    ck_assert_uint_eq(alone.top, 1);
    ck_assert_uint_eq(alone.rounds, SQA_FINALS_FEWEST_ROUNDS);
    ck_assert_uint_eq(sqa_budget_finals(0.4 * short_s, two, 2).rounds, 0);
}
END_TEST

START_TEST(finds_the_optimum_given_time)
{
    landscape self;
    sqa_search search = search_with(&self, sqa_strategy_at((size_t)_i), ALL + 1, 3);
    ck_assert_uint_eq(self.count, ALL);
    ck_assert_double_eq(search.best_cost, 1.0);
    const int32_t *best = self.spaces[0].configs[search.best.config].value;
    ck_assert_uint_eq(search.best.family, 0);
    ck_assert_int_eq(best[0], 7);
    ck_assert_int_eq(best[1], 6);
    ck_assert_int_eq(best[2], 4);
    ck_assert(!search.stopped);
    sqa_search_free(&search);
    close_landscape(&self);
}
END_TEST

START_TEST(never_tries_a_point_twice)
{
    landscape self;
    sqa_search search = search_with(&self, sqa_strategy_at((size_t)_i), ALL + 1, 11);
    for (size_t i = 0; i < self.count; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert(!same_point(self.sequence[i], self.sequence[j]));
    sqa_search_free(&search);
    close_landscape(&self);
}
END_TEST

START_TEST(starts_come_first)
{
    landscape self;
    sqa_search search = search_with(&self, sqa_strategy_at((size_t)_i), 5, 1);
    ck_assert(same_point(self.sequence[0], (sqa_point){1, 0}));
    ck_assert(same_point(self.sequence[1], (sqa_point){0, 0}));
    sqa_search_free(&search);
    close_landscape(&self);
}
END_TEST

START_TEST(respects_the_budget)
{
    landscape self;
    for (size_t budget = 0; budget < 20; budget += 3) {
        sqa_search search = search_with(&self, sqa_strategy_at((size_t)_i), budget, 5);
        ck_assert_uint_eq(self.count, budget);
        ck_assert_uint_eq(search.tried, budget);
        ck_assert(search.stopped);
        sqa_search_free(&search);
        close_landscape(&self);
    }
}
END_TEST

START_TEST(same_seed_same_sequence)
{
    landscape first, second;
    sqa_search a = search_with(&first, sqa_strategy_at((size_t)_i), 60, 77);
    sqa_search b = search_with(&second, sqa_strategy_at((size_t)_i), 60, 77);
    ck_assert_uint_eq(first.count, second.count);
    for (size_t i = 0; i < first.count; i++)
        ck_assert(same_point(first.sequence[i], second.sequence[i]));
    sqa_search_free(&a);
    sqa_search_free(&b);
    close_landscape(&first);
    close_landscape(&second);
}
END_TEST

START_TEST(another_seed_another_sequence)
{
    static const sqa_strategy *const seeded[] = {&sqa_strategy_local, &sqa_strategy_annealing,
                                                 &sqa_strategy_genetic, &sqa_strategy_model,
                                                 &sqa_strategy_random};
    landscape first, second;
    sqa_search a = search_with(&first, seeded[_i], 60, 1);
    sqa_search b = search_with(&second, seeded[_i], 60, 2);
    bool differ = false;
    for (size_t i = 0; i < 60; i++)
        differ = differ || !same_point(first.sequence[i], second.sequence[i]);
    ck_assert(differ);
    sqa_search_free(&a);
    sqa_search_free(&b);
    close_landscape(&first);
    close_landscape(&second);
}
END_TEST

START_TEST(goes_on_when_everything_fails)
{
    landscape self;
    sqa_search search;
    open_landscape(&self, ALL + 1);
    self.all_fail = true;
    ck_assert_int_eq(sqa_search_create(&search, self.spaces, 2, 9), SQA_OK);
    search.evaluate = evaluate;
    search.user = &self;
    sqa_search_run(&search, sqa_strategy_at((size_t)_i));
    ck_assert_uint_eq(self.count, ALL);
    ck_assert(isinf(search.best_cost));
    sqa_search_free(&search);
    close_landscape(&self);
}
END_TEST

/* What each is for: the bottom of the bowl, across the hole, whatever the seed, after
 * far fewer evaluations than there are points. */
static const struct {
    const sqa_strategy *strategy;
    size_t budget;
} clever[] = {
    {&sqa_strategy_local, 70},
    {&sqa_strategy_annealing, 120},
    {&sqa_strategy_genetic, 120},
    {&sqa_strategy_model, 50},
};

START_TEST(finds_the_bottom_early)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        landscape self;
        sqa_search search = search_with(&self, clever[_i].strategy, clever[_i].budget, seed);
        ck_assert_msg(search.best_cost == 1.0, "%s, seed %d: %g after %zu",
                      clever[_i].strategy->name, (int)seed, search.best_cost, search.tried);
        sqa_search_free(&search);
        close_landscape(&self);
    }
}
END_TEST

START_TEST(names_are_found)
{
    sqa_text names = SQA_TEXT_INIT;
    sqa_strategy_names(&names);
    ck_assert_uint_eq(sqa_strategy_count(), 6);
    for (size_t i = 0; i < sqa_strategy_count(); i++) {
        const sqa_strategy *strategy = sqa_strategy_at(i);
        ck_assert_ptr_eq(sqa_strategy_find(strategy->name), strategy);
        ck_assert_ptr_nonnull(strstr(sqa_text_get(&names), strategy->name));
    }
    ck_assert_ptr_null(sqa_strategy_find("telepathy"));
    sqa_text_free(&names);
}
END_TEST

int main(void)
{
    enum { STRATEGIES = 6 };
    TCase *tests = tcase_create("search");
    tcase_set_timeout(tests, 300); /* sanitizers take their time */
    tcase_add_loop_test(tests, finds_the_optimum_given_time, 0, STRATEGIES);
    tcase_add_loop_test(tests, never_tries_a_point_twice, 0, STRATEGIES);
    tcase_add_loop_test(tests, starts_come_first, 0, STRATEGIES);
    tcase_add_loop_test(tests, respects_the_budget, 0, STRATEGIES);
    tcase_add_loop_test(tests, same_seed_same_sequence, 0, STRATEGIES);
    tcase_add_loop_test(tests, another_seed_another_sequence, 0, 5);
    tcase_add_loop_test(tests, goes_on_when_everything_fails, 0, STRATEGIES);
    tcase_add_loop_test(tests, finds_the_bottom_early, 0, 4);
    tcase_add_test(tests, names_are_found);
    tcase_add_loop_test(tests, walkers_share_a_search, 0, STRATEGIES);
    tcase_add_loop_test(tests, walkers_end_where_they_stand, 0, STRATEGIES);
    tcase_add_test(tests, a_closed_family_is_left_alone);
    tcase_add_test(tests, a_first_answer_is_waited_for);
    tcase_add_test(tests, the_budget_is_divided);
    tcase_add_test(tests, short_finals_are_of_fewer);
    Suite *suite = suite_create("search");
    suite_add_tcase(suite, tests);
    return sqa_run_forked_suite(suite);
}
