/* Pruning keeps what is used, merging makes nothing up, and rankings compare like
 * with like. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "database/fixture.h"
#include "store/exchange.h"
#include "store/prune.h"
#include "store/trial_list.h"

static sqa_prune_report prune(const char *path, const sqa_prune_options *options)
{
    sqa_store *store = fixture_open(path);
    sqa_prune_report report;
    ck_assert_msg(sqa_store_prune(store, options, &report) == SQA_OK, "%s", sqa_last_error());
    sqa_store_report state;
    ck_assert_int_eq(sqa_store_check(store, &state), SQA_OK);
    ck_assert_msg(state.sound, "%s", state.problem);
    sqa_store_close(store);
    return report;
}

START_TEST(winner_and_fastest_stay)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 6); /* 10 ms to 5 ms */
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_set_winner(store, 2), SQA_OK);
    sqa_store_close(store);
    const sqa_prune_options dry = {.keep = 2, .dry_run = true}, real = {.keep = 2};
    ck_assert_int_eq(prune(path, &dry).losers, 3);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM trial"), 6);
    ck_assert_int_eq(prune(path, &real).losers, 3);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM trial WHERE id IN (2, 5, 6)"), 3);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM trial"), 3);
    ck_assert_int_eq(fixture_number(path, "SELECT id FROM best"), 2);
    ck_assert_int_eq(prune(path, &real).losers, 0);
}
END_TEST

START_TEST(failures_stay)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 3);
    fixture_run(path, "UPDATE trial SET status = 'crashed', median_ms = NULL,"
                      " spread_ms = NULL WHERE id = 1");
    const sqa_prune_options options = {.keep = 1};
    ck_assert_int_eq(prune(path, &options).losers, 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM trial WHERE id IN (1, 3)"), 2);
}
END_TEST

START_TEST(older_versions_go_and_newer_or_unknown_stay)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 3);
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_set_winner(store, 1), SQA_OK);
    sqa_store_close(store);
    const sqa_prune_options options = {0};
    fixture_run(path, "UPDATE trial SET space_version = 0 WHERE id = 1;"
                      "UPDATE trial SET space_version = 999 WHERE id = 2;"
                      "UPDATE trial SET family = 'unheard_of', space_version = 0 WHERE id = 3");
    ck_assert_int_eq(prune(path, &options).outdated, 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM trial WHERE id IN (2, 3)"), 2);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM winner"), 0);
    /* What nobody refers to any more goes with the last trial. */
    fixture_run(path, "UPDATE trial SET family = 'naive', space_version = 0");
    sqa_prune_report report = prune(path, &options);
    ck_assert_int_eq(report.outdated, 2);
    ck_assert_int_eq(report.classes, 1);
    ck_assert_int_eq(report.environments, 1);
    ck_assert_int_eq(report.devices, 1);
}
END_TEST

START_TEST(pruning_works_beside_a_reader)
{
    const char *path = fixture_path("tuning.db");
    fixture_fill(path, 4);
    sqa_store *reader = NULL;
    ck_assert_int_eq(sqa_store_open_read_only(&reader, path), SQA_OK);
    const sqa_prune_options options = {.keep = 1};
    ck_assert_int_eq(prune(path, &options).losers, 3);
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(reader, &report), SQA_OK);
    ck_assert_int_eq(report.trials, 1);
    sqa_store_close(reader);
}
END_TEST

/* Two databases of one device, with a problem in common. */
static void fill(const char *path, uint32_t length, uint32_t other, double first_ms)
{
    sqa_store *store = fixture_open(path);
    sqa_device device = fixture_device();
    const uint32_t lengths[] = {length, other};
    int64_t environment, trial = 0;
    ck_assert_int_eq(sqa_store_environment(store, &device, &environment), SQA_OK);
    for (int i = 0; i < 6; i++) {
        sqa_problem problem = fixture_problem(lengths[i % 2]);
        sqa_trial_record record = fixture_record(environment, &problem, first_ms + i);
        sqa_config config = *record.config;
        config.value[0] = record.family->parameters[0].values[i % 3];
        record.config = &config;
        record.final = i >= 4;
        ck_assert_msg(sqa_store_add_trial(store, &record, &trial) == SQA_OK, "%s",
                      sqa_last_error());
        if (i >= 4)
            ck_assert_int_eq(sqa_store_set_winner(store, trial), SQA_OK);
    }
    sqa_store_close(store);
}

static bool is_among(const sqa_trial_list *list, const sqa_stored_trial *trial)
{
    for (size_t i = 0; i < list->count; i++) {
        const sqa_stored_trial *other = &list->trials[i];
        if (!strcmp(other->config, trial->config) && !strcmp(other->family, trial->family) &&
            !strcmp(other->shape, trial->shape) &&
            fabs(other->result.median_ms - trial->result.median_ms) < 1e-9 &&
            other->final == trial->final)
            return true;
    }
    return false;
}

START_TEST(merging_makes_nothing_up)
{
    const char *names[] = {"one.db", "two.db"};
    const sqa_store_filter all = {0};
    sqa_trial_list sources = SQA_TRIAL_LIST_INIT, merged = SQA_TRIAL_LIST_INIT;
    fill(fixture_path("one.db"), 256, 1024, 3);
    fill(fixture_path("two.db"), 1024, 4096, 2.5);
    for (int i = 0; i < 2; i++) {
        sqa_store *from = NULL, *to = fixture_open(fixture_path("merged.db"));
        sqa_exchange exchange = {0};
        ck_assert_int_eq(sqa_store_open_read_only(&from, fixture_path(names[i])), SQA_OK);
        ck_assert_int_eq(sqa_trial_list_read(&sources, from, &all), SQA_OK);
        ck_assert_int_eq(sqa_store_merge(to, from, &exchange), SQA_OK);
        ck_assert_uint_eq(exchange.added, 6);
        sqa_store_close(from);
        sqa_store_close(to);
    }
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open_read_only(&store, fixture_path("merged.db")), SQA_OK);
    ck_assert_int_eq(sqa_trial_list_read(&merged, store, &all), SQA_OK);
    sqa_store_close(store);
    ck_assert_uint_eq(merged.count, 12);
    for (size_t i = 0; i < merged.count; i++)
        ck_assert(is_among(&sources, &merged.trials[i]));
    /* One winner per class; of the two for 1024, the faster. */
    ck_assert_int_eq(fixture_number(fixture_path("merged.db"), "SELECT count(*) FROM winner"), 3);
    ck_assert_int_eq(
        fixture_number(fixture_path("merged.db"),
                       "SELECT round(median_ms * 10) FROM best WHERE fields ->> 'nq' = 1024"),
        65);
    sqa_trial_list_free(&sources);
    sqa_trial_list_free(&merged);
}
END_TEST

/* A measurement of a final is better founded than a faster one of the search. */
START_TEST(a_final_outweighs_a_lucky_trial)
{
    fill(fixture_path("one.db"), 256, 1024, 3);
    fill(fixture_path("two.db"), 256, 1024, 1);
    fixture_run(fixture_path("two.db"), "UPDATE trial SET final = 0");
    for (int round = 0; round < 2; round++) {
        const char *order[] = {"one.db", "two.db"}, *path = fixture_path("merged.db");
        remove(path);
        for (int i = 0; i < 2; i++) {
            sqa_store *from = NULL, *to = fixture_open(path);
            sqa_exchange exchange = {0};
            ck_assert_int_eq(sqa_store_open_read_only(&from, fixture_path(order[(i + round) % 2])),
                             SQA_OK);
            ck_assert_int_eq(sqa_store_merge(to, from, &exchange), SQA_OK);
            sqa_store_close(from);
            sqa_store_close(to);
        }
        ck_assert_int_eq(fixture_number(path, "SELECT min(final) FROM best"), 1);
    }
}
END_TEST

START_TEST(ranking_is_by_exact_problem_and_speed)
{
    const char *path = fixture_path("tuning.db");
    fill(path, 256, 1024, 3);
    fill(path, 1000, 1024, 1); /* 1000 is of the class of 1024 */
    const sqa_store_filter filter = {.ranking = true};
    sqa_trial_list list = SQA_TRIAL_LIST_INIT;
    sqa_store *store = NULL;
    ck_assert_int_eq(sqa_store_open_read_only(&store, path), SQA_OK);
    ck_assert_msg(sqa_trial_list_read(&list, store, &filter) == SQA_OK, "%s", sqa_last_error());
    sqa_store_close(store);
    ck_assert_uint_eq(list.count, 3);
    static const char *const lengths[] = {",nq=256,", ",nq=1000,", ",nq=1024,"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(strstr(list.trials[i].shape, lengths[i]));
        ck_assert(list.trials[i].final);
    }
    sqa_trial_list_free(&list);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &winner_and_fastest_stay,
        &failures_stay,
        &older_versions_go_and_newer_or_unknown_stay,
        &pruning_works_beside_a_reader,
        &merging_makes_nothing_up,
        &a_final_outweighs_a_lucky_trial,
        &ranking_is_by_exact_problem_and_speed,
    };
    return fixture_main("prune", "prune, merge, rank", 120, tests, sizeof tests / sizeof tests[0]);
}
