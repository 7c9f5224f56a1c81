/* Tables for people: columns, and what fits a terminal. */
#include <stdio.h>
#include <stdlib.h>

#include "run_suite.h"
#include "text/table.h"

START_TEST(table_columns)
{
    char text[512] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(file);
    sqa_table table = SQA_TABLE_INIT;
    sqa_table_column(&table, "name", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "ms", SQA_ALIGN_RIGHT);
    sqa_table_column(&table, "note", SQA_ALIGN_LEFT);
    sqa_table_cell(&table, "h\xc3\xa9llo");
    sqa_table_cell(&table, "%.1f", 12.5);
    sqa_table_cell(&table, "x");
    sqa_table_cell(&table, "b");
    sqa_table_cell(&table, "%d", 7);
    sqa_table_cell(&table, "y");
    sqa_table_print(&table, file);
    fclose(file);
    ck_assert_str_eq(text, "name     ms  note\n"
                           "h\xc3\xa9llo  12.5  x\n"
                           "b         7  y\n");
}
END_TEST

/* The table of three columns on a terminal of so many. */
static const char *fitted(const char *columns, bool wide)
{
    static char text[512];
    FILE *file = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(file);
    sqa_table table = SQA_TABLE_INIT;
    table.wide = wide;
    sqa_table_column(&table, "name", SQA_ALIGN_LEFT);
    sqa_table_spare(&table, "configuration", SQA_ALIGN_LEFT, 1);
    sqa_table_spare(&table, "ms", SQA_ALIGN_RIGHT, 3);
    sqa_table_spare(&table, "date", SQA_ALIGN_LEFT, 2);
    sqa_table_cell(&table, "h\xc3\xa9llo");
    sqa_table_cell(&table, "a configuration of 33 characters.");
    sqa_table_cell(&table, "%.1f", 12.5);
    sqa_table_cell(&table, "2026");
    setenv("COLUMNS", columns, 1);
    sqa_table_print(&table, file);
    unsetenv("COLUMNS");
    fclose(file);
    return text;
}

START_TEST(tables_fit)
{
    static const char all[] = "name   configuration                        ms  date\n"
                              "h\xc3\xa9llo  a configuration of 33 characters.  12.5  2026\n";
    ck_assert_str_eq(fitted("52", false), all);
    ck_assert_str_eq(fitted("40", true), all);
    ck_assert_str_eq(fitted("39", false), all); /* no width to fit to */
    ck_assert_str_eq(fitted("", false), all);
    ck_assert_str_eq(fitted("51", false), "name   configuration                      date\n"
                                          "h\xc3\xa9llo  a configuration of 33 characters.  2026\n"
                                          "not shown on this terminal: ms; --wide shows all\n");
    ck_assert_str_eq(fitted("40", false),
                     "name   configuration\n"
                     "h\xc3\xa9llo  a configuration of 33 characters.\n"
                     "not shown on this terminal: ms, date; --wide shows all\n");
}
END_TEST

START_TEST(last_columns_wrap)
{
    char text[512] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(file);
    sqa_table table = SQA_TABLE_INIT;
    table.wraps = true;
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_cell(&table, "--option");
    sqa_table_cell(&table, "what it does, in more words th\xc3\xa4n fit one line of this");
    sqa_table_cell(&table, "-o");
    sqa_table_cell(&table, "30 characters, as many as fit.");
    setenv("COLUMNS", "40", 1);
    sqa_table_print(&table, file);
    unsetenv("COLUMNS");
    fclose(file);
    ck_assert_str_eq(text, "--option  what it does, in more words\n"
                           "          th\xc3\xa4n fit one line of this\n"
                           "-o        30 characters, as many as fit.\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("tables");
    tcase_add_test(tests, table_columns);
    tcase_add_test(tests, tables_fit);
    tcase_add_test(tests, last_columns_wrap);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
