/* The lookup ladder: which rows serve a problem on a device, in which order. */
#include <check.h>
#include <limits.h>
#include <string.h>

#include "database/fixture.h"
#include "run_suite.h"
#include "tuning/lookup.h"

/* Places in the class of an attention. */
enum {
    DTYPE_PART,
    HEAD_DIM_PART,
    VALUE_DIM_PART,
    MASK_PART,
    GROUP_PART,
    Q_BUCKET_PART,
    KV_BUCKET_PART,
    ROWS_BUCKET_PART
};

enum { CAPACITY = 8 };

static sqa_device device;
static sqa_problem_class wanted;
static sqa_tuning_row rows[16];
static size_t row_count;
static sqa_candidate found[CAPACITY];

static void setup(void)
{
    device = fixture_device();
    sqa_problem problem = fixture_problem(1024);
    wanted = sqa_problem_class_of(&problem);
    memset(rows, 0, sizeof rows);
    row_count = 0;
}

/* A row that fits exactly, to be changed where a test wants it to differ. */
static sqa_tuning_row *add_row(const char *config)
{
    sqa_tuning_row *row = &rows[row_count++];
    row->source = SQA_SOURCE_USER;
    row->identity = device.identity;
    row->device_type = device.strings.type;
    row->compute_units = device.strings.compute_units;
    row->vector_width_float = device.limits.vector_width_float;
    snprintf(row->driver_version, sizeof row->driver_version, "%s", device.strings.driver_version);
    row->problem_class = wanted;
    snprintf(row->family, sizeof row->family, "naive");
    snprintf(row->config, sizeof row->config, "%s", config);
    row->space_version = 1;
    row->fraction = 0.5;
    return row;
}

static size_t look(void)
{
    const sqa_tuning_table table = {.rows = rows, .count = row_count};
    return sqa_lookup(&table, &device, &wanted, INT_MAX, found, CAPACITY);
}

/* Expects exactly one candidate, on this rung. */
static void expect_rung(sqa_rung rung)
{
    ck_assert_uint_eq(look(), 1);
    ck_assert_str_eq(sqa_rung_name(found[0].rung), sqa_rung_name(rung));
    ck_assert_ptr_eq(found[0].row, &rows[0]);
}

START_TEST(rung_names)
{
    ck_assert_str_eq(sqa_rung_name(SQA_RUNG_OVERRIDE), "override");
    ck_assert_str_eq(sqa_rung_name(SQA_RUNG_NEAREST_SIZE), "nearest-size");
    ck_assert_str_eq(sqa_rung_name(SQA_RUNG_NAIVE), "naive");
    ck_assert_ptr_null(sqa_rung_name((sqa_rung)99));
}
END_TEST

START_TEST(empty_table)
{
    ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(exact)
{
    add_row("");
    expect_rung(SQA_RUNG_EXACT);
}
END_TEST

START_TEST(other_driver)
{
    snprintf(add_row("")->driver_version, sizeof rows[0].driver_version, "0.9");
    expect_rung(SQA_RUNG_OTHER_DRIVER);
}
END_TEST

START_TEST(nearest_size)
{
    add_row("")->problem_class.value[Q_BUCKET_PART]++;
    expect_rung(SQA_RUNG_NEAREST_SIZE);
    rows[0].problem_class = wanted;
    rows[0].problem_class.value[GROUP_PART] = 4;
    expect_rung(SQA_RUNG_NEAREST_SIZE);
}
END_TEST

START_TEST(architecture)
{
    sqa_tuning_row *row = add_row("");
    snprintf(row->identity.model, sizeof row->identity.model, "lion-16cu");
    row->compute_units = 16;
    expect_rung(SQA_RUNG_ARCHITECTURE);
}
END_TEST

START_TEST(vendor)
{
    sqa_tuning_row *row = add_row("");
    snprintf(row->identity.architecture, sizeof row->identity.architecture, "kirigami");
    expect_rung(SQA_RUNG_VENDOR);
    /* The same model name under another architecture is another device. */
    snprintf(row->identity.model, sizeof row->identity.model, "other");
    expect_rung(SQA_RUNG_VENDOR);
    /* What suits longer vectors does not suit shorter ones. */
    row->vector_width_float = 16;
    ck_assert_uint_eq(look(), 0);
    row->identity = device.identity;
    expect_rung(SQA_RUNG_EXACT);
}
END_TEST

/* A model is of an architecture; what was measured, wherever that was, comes before it. */
START_TEST(modelled_rows_come_last)
{
    sqa_tuning_row *modelled = add_row("modelled");
    modelled->modelled = 0.9;
    modelled->driver_version[0] = 0;
    expect_rung(SQA_RUNG_MODELLED);
    snprintf(modelled->identity.model, sizeof modelled->identity.model, "lion-16cu");
    expect_rung(SQA_RUNG_MODELLED);

    sqa_tuning_row *borrowed = add_row("borrowed");
    borrowed->source = SQA_SOURCE_SEED;
    snprintf(borrowed->identity.architecture, sizeof borrowed->identity.architecture, "kirigami");
    ck_assert_uint_eq(look(), 2);
    ck_assert_ptr_eq(found[0].row, borrowed);
    ck_assert_int_eq(found[0].rung, SQA_RUNG_VENDOR);
    ck_assert_ptr_eq(found[1].row, modelled);
    ck_assert_int_lt(found[1].rung, SQA_RUNG_PREBUILT);

    snprintf(modelled->identity.architecture, sizeof modelled->identity.architecture, "kirigami");
    ck_assert_uint_eq(look(), 1);
    ck_assert_ptr_eq(found[0].row, borrowed);
}
END_TEST

START_TEST(never_across_vendor_runtime_or_type)
{
    snprintf(add_row("")->identity.vendor, sizeof rows[0].identity.vendor, "stone");
    snprintf(add_row("")->identity.runtime, sizeof rows[0].identity.runtime, "rusticl");
    add_row("")->device_type = SQA_DEVICE_GPU;
    ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(unknown_names_are_not_alike)
{
    device.identity.architecture[0] = 0;
    add_row("");
    expect_rung(SQA_RUNG_VENDOR);
    device.identity.vendor[0] = 0;
    rows[0].identity = device.identity;
    ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(never_across_kinds_of_problem)
{
    add_row("")->problem_class.value[HEAD_DIM_PART] = 128;
    add_row("")->problem_class.value[VALUE_DIM_PART] = 32;
    add_row("")->problem_class.value[DTYPE_PART] = (sqa_dtype)1;
    add_row("")->problem_class.operation = (sqa_operation)1;
    ck_assert_uint_eq(look(), 0);
}
END_TEST

static void expect_order(const char *order)
{
    char text[64] = "";
    size_t count = look();
    for (size_t i = 0; i < count; i++) {
        strcat(text, found[i].row->config);
        if (i)
            ck_assert_int_ge(found[i].rung, found[i - 1].rung);
    }
    ck_assert_str_eq(text, order);
}

START_TEST(rungs_in_order)
{
    sqa_tuning_row *row = add_row("e");
    snprintf(row->identity.architecture, sizeof row->identity.architecture, "kirigami");
    row = add_row("d");
    snprintf(row->identity.model, sizeof row->identity.model, "lion");
    add_row("c")->problem_class.value[KV_BUCKET_PART]--;
    snprintf(add_row("b")->driver_version, sizeof row->driver_version, "0.9");
    add_row("a");
    /* Speed does not lift a row over a rung. */
    for (size_t i = 0; i < row_count; i++)
        rows[i].fraction = 1.0 - 0.1 * (double)i;
    expect_order("abcde");
}
END_TEST

/* The user's, two extra ones, the seed: by their numbers. */
START_TEST(databases_in_their_order)
{
    static const char *const configs[] = {"d", "b", "c", "a"};
    static const uint32_t numbers[] = {3, 1, 2, 0};
    for (int i = 0; i < 4; i++) {
        sqa_tuning_row *row = add_row(configs[i]);
        row->database = numbers[i];
        row->source = numbers[i] == 0   ? SQA_SOURCE_USER
                      : numbers[i] == 3 ? SQA_SOURCE_SEED
                                        : SQA_SOURCE_EXTRA;
        row->fraction = 0.1 * numbers[i];
    }
    expect_order("abcd");
    /* But a rung counts more than where the row comes from. */
    rows[3].problem_class.value[Q_BUCKET_PART]++;
    expect_order("bcda");
}
END_TEST

START_TEST(nearer_class_first)
{
    add_row("c")->problem_class.value[Q_BUCKET_PART] += 4;
    add_row("a")->problem_class.value[Q_BUCKET_PART] -= 1;
    add_row("b")->problem_class.value[KV_BUCKET_PART] += 2;
    rows[0].fraction = 0.9;
    expect_order("abc");
}
END_TEST

START_TEST(nearer_compute_units_first)
{
    static const uint32_t units[] = {64, 10, 4, 8};
    static const char *const names[] = {"d", "b", "c", "a"};
    for (size_t i = 0; i < 4; i++) {
        sqa_tuning_row *row = add_row(names[i]);
        snprintf(row->identity.model, sizeof row->identity.model, "lion-%ucu", units[i]);
        row->compute_units = units[i];
    }
    expect_order("abcd");
}
END_TEST

START_TEST(same_driver_then_rate_first)
{
    add_row("c")->problem_class.value[Q_BUCKET_PART]++;
    add_row("a")->problem_class.value[Q_BUCKET_PART]++;
    add_row("d")->problem_class.value[Q_BUCKET_PART]++;
    add_row("b")->problem_class.value[Q_BUCKET_PART]++;
    rows[0].fraction = 0.1;
    rows[1].fraction = 0.7;
    rows[2].fraction = 0.9;
    snprintf(rows[2].driver_version, sizeof rows[2].driver_version, "0.9");
    expect_order("abcd");
}
END_TEST

/* One query is never computed with what was best for thousands, nor the other way round. */
START_TEST(nothing_is_borrowed_from_afar)
{
    static const struct {
        uint32_t nq, nk;
        bool borrowed; /* what a row of 1024 by 1024 gives */
    } cases[] = {{1024, 1024, true},   {2048, 2048, true}, {512, 512, true},  {1024, 2048, true},
                 {1, 1024, false},     {1, 16384, false},  {16, 1024, false}, {8192, 8192, false},
                 {1024, 32768, false}, {128, 128, false}};
    const sqa_tuning_row *row = add_row("");
    const sqa_tuning_table table = {.rows = rows, .count = row_count};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shape[64];
        sqa_problem problem;
        snprintf(shape, sizeof shape, "hq=8,nq=%u,nk=%u,d=64", cases[i].nq, cases[i].nk);
        ck_assert_msg(sqa_problem_parse(shape, &problem) == SQA_OK, "%s", sqa_last_error());
        sqa_problem_class class = sqa_problem_class_of(&problem);
        const size_t count =
            sqa_lookup(&table, &device, &class, SQA_BORROWED_MOST, found, CAPACITY);
        ck_assert_msg((count == 1) == cases[i].borrowed, "%s: distance %d", shape,
                      sqa_problem_class_distance(&row->problem_class, &class));
        ck_assert_uint_eq(sqa_lookup(&table, &device, &class, INT_MAX, found, CAPACITY), 1);
    }
}
END_TEST

START_TEST(best_ones_fit_a_small_capacity)
{
    for (int i = 0; i < 12; i++)
        add_row("")->fraction = (double)((i * 7) % 12) / 12;
    ck_assert_uint_eq(look(), CAPACITY);
    for (int i = 0; i < CAPACITY; i++)
        ck_assert_double_eq(found[i].row->fraction, (double)(11 - i) / 12);
    const sqa_tuning_table table = {.rows = rows, .count = row_count};
    ck_assert_uint_eq(sqa_lookup(&table, &device, &wanted, INT_MAX, found, 1), 1);
    ck_assert_double_eq(found[0].row->fraction, 11.0 / 12);
    ck_assert_uint_eq(sqa_lookup(&table, &device, &wanted, INT_MAX, found, 0), 0);
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &rung_names,
        &empty_table,
        &exact,
        &other_driver,
        &nearest_size,
        &architecture,
        &vendor,
        &modelled_rows_come_last,
        &never_across_vendor_runtime_or_type,
        &unknown_names_are_not_alike,
        &never_across_kinds_of_problem,
        &rungs_in_order,
        &databases_in_their_order,
        &nearer_class_first,
        &nearer_compute_units_first,
        &same_driver_then_rate_first,
        &best_ones_fit_a_small_capacity,
        &nothing_is_borrowed_from_afar,
    };
    Suite *suite = suite_create("lookup");
    TCase *tcase = tcase_create("ladder");
    tcase_add_checked_fixture(tcase, setup, NULL);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, *tests[i]);
    suite_add_tcase(suite, tcase);
    return sqa_run_forked_suite(suite);
}
