/* That a borrowed result does no harm: with every recorded class left out in turn, what the
 * ladder would borrow for it is as fast there as the default, by the times in borrowed/, which
 * `sqa tune --record-borrowed` measured (tuner/STRATEGIES.md says how). No device. */
#include <check.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "database/fixture.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "tuning/lookup.h"

/* A borrowed configuration takes at most so much longer than the default. */
#define MOST 1.05

static const char *const files[] = {"d16.json", "d32.json", "d64.json", "d128.json", "d256.json"};
enum { FILES = sizeof files / sizeof files[0], MOST_LINES = 1024, CAPACITY = 8 };

/* What a row of a class took on a problem, as a part of the default's time. */
typedef struct line {
    char shape[SQA_SHAPE_TEXT];
    sqa_problem_class wanted;
    sqa_tuning_row row;
    bool runs;
    double relative; /* infinite: it failed */
} line;

static line lines[MOST_LINES];
static size_t line_count;
static sqa_device device;

static void read_line(sqlite3_stmt *statement)
{
    ck_assert_uint_lt(line_count, MOST_LINES);
    line *own = &lines[line_count++];
    sqa_problem problem;
    const char *texts[5];
    for (int i = 0; i < 5; i++)
        ck_assert_ptr_nonnull(texts[i] = (const char *)sqlite3_column_text(statement, i));
    snprintf(own->shape, sizeof own->shape, "%s", texts[0]);
    ck_assert_msg(sqa_problem_parse(own->shape, &problem) == SQA_OK, "%s", sqa_last_error());
    own->wanted = sqa_problem_class_of(&problem);
    own->row = (sqa_tuning_row){.identity = device.identity,
                                .device_type = device.strings.type,
                                .compute_units = device.strings.compute_units,
                                .vector_width_float = device.limits.vector_width_float,
                                .fraction = sqlite3_column_double(statement, 5)};
    memcpy(own->row.driver_version, device.strings.driver_version, sizeof own->row.driver_version);
    ck_assert(sqa_problem_class_parse(problem.operation, texts[1], &own->row.problem_class));
    snprintf(own->row.family, sizeof own->row.family, "%s", texts[2]);
    snprintf(own->row.config, sizeof own->row.config, "%s", texts[3]);
    own->runs = strcmp(texts[4], "rejected") != 0;
    own->relative = !strcmp(texts[4], "ok") ? sqlite3_column_double(statement, 6) : INFINITY;
    ck_assert(own->relative > 0.0);
}

static void read_file(const char *name)
{
    static const char sql[] =
        "SELECT value ->> 'shape', value ->> 'class', value ->> 'family', value ->> 'config',"
        " value ->> 'status', value ->> 'fraction_of_roofline', value ->> 'relative' "
        "FROM json_each(?1, '$.rows')";
    char path[4096];
    sqlite3 *database;
    sqlite3_stmt *statement;
    snprintf(path, sizeof path, "%s/%s", SQA_BORROWED, name);
    char *text = fixture_read(path);
    ck_assert_int_eq(sqlite3_open(":memory:", &database), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC), SQLITE_OK);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        read_line(statement);
    ck_assert_msg(code == SQLITE_DONE, "%s: %s", path, sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    free(text);
}

static void setup(void)
{
    device = fixture_device();
    line_count = 0;
    for (size_t i = 0; i < FILES; i++)
        read_file(files[i]);
}

static bool is_first_of_shape(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!strcmp(lines[i].shape, lines[index].shape))
            return false;
    return true;
}

/* What is known of a row on the problem of `asked`. */
static const line *line_of(const line *asked, const sqa_tuning_row *row)
{
    for (size_t i = 0; i < line_count; i++)
        if (!strcmp(lines[i].shape, asked->shape) &&
            sqa_problem_class_equal(&lines[i].row.problem_class, &row->problem_class) &&
            !strcmp(lines[i].row.config, row->config))
            return &lines[i];
    ck_abort_msg("%s: nothing recorded of %s(%s)", asked->shape, row->family, row->config);
    return NULL;
}

/* What would be used for the problem of `asked`, had its class never been tuned: the first
 * candidate that can run it. NULL: the default. */
static const line *borrowed(const line *asked, int most_distance)
{
    static sqa_tuning_row rows[MOST_LINES];
    sqa_tuning_table table = {.rows = rows};
    sqa_candidate found[CAPACITY];
    for (size_t i = 0; i < line_count; i++)
        if (!strcmp(lines[i].shape, asked->shape) &&
            !sqa_problem_class_equal(&lines[i].row.problem_class, &asked->wanted))
            rows[table.count++] = lines[i].row;
    const size_t count =
        sqa_lookup(&table, &device, &asked->wanted, most_distance, found, CAPACITY);
    for (size_t i = 0; i < count; i++) {
        const line *own = line_of(asked, found[i].row);
        if (own->runs)
            return own;
    }
    return NULL;
}

START_TEST(what_is_borrowed_is_as_fast_as_the_default)
{
    unsigned shapes = 0, borrows = 0, slower = 0;
    setup();
    for (size_t i = 0; i < line_count; i++) {
        if (!is_first_of_shape(i))
            continue;
        const line *own = borrowed(&lines[i], SQA_BORROWED_MOST);
        shapes++;
        borrows += own != NULL;
        if (own && own->relative > MOST) {
            char key[SQA_CLASS_KEY_TEXT];
            sqa_problem_class_format(&own->row.problem_class, key);
            fprintf(stderr, "%s: %s(%s) of %s takes %.2f times as long as the default\n",
                    own->shape, own->row.family, own->row.config, key, own->relative);
            slower++;
        }
    }
    ck_assert_uint_eq(slower, 0);
    ck_assert_uint_ge(shapes, 40);
    ck_assert_uint_ge(borrows, shapes / 4);
}
END_TEST

/* Nor does it where one class alone was tuned, whichever it is. */
START_TEST(no_row_within_the_limit_does_harm)
{
    unsigned near = 0;
    setup();
    for (size_t i = 0; i < line_count; i++) {
        const line *own = &lines[i];
        if (!own->runs ||
            sqa_problem_class_distance(&own->row.problem_class, &own->wanted) > SQA_BORROWED_MOST)
            continue;
        near++;
        ck_assert_msg(own->relative <= MOST, "%s: %s(%s) takes %.2f times as long as the default",
                      own->shape, own->row.family, own->row.config, own->relative);
    }
    ck_assert_uint_gt(near, 2 * FILES);
}
END_TEST

/* The recording has what the limit is there to keep out. */
START_TEST(without_a_limit_it_is_not)
{
    double worst = 0.0;
    setup();
    for (size_t i = 0; i < line_count; i++) {
        const line *own = borrowed(&lines[i], INT_MAX);
        worst = own ? fmax(worst, own->relative) : worst;
    }
    ck_assert_double_gt(worst, MOST);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("leave_one_out");
    tcase_add_test(tests, what_is_borrowed_is_as_fast_as_the_default);
    tcase_add_test(tests, no_row_within_the_limit_does_harm);
    tcase_add_test(tests, without_a_limit_it_is_not);
    Suite *suite = suite_create("leave_one_out");
    suite_add_tcase(suite, tests);
    return sqa_run_forked_suite(suite);
}
