/* `sqa db list` and `best`: trials as a table for people, and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/db/sources.h"
#include "text/table.h"

/* Where visited trials go, and how many there were. */
typedef struct listing {
    sqa_json *json;               /* NULL: the table; */
    sqa_table *table;             /* NULL: CSV */
    const sqa_value_names *names; /* its columns of problems */
    bool best;
    uint64_t count, unreadable;
} listing;

static void figure_cell(sqa_table *table, const char *format, double value, double scale)
{
    char text[32] = "-";
    if (isfinite(value))
        snprintf(text, sizeof text, format, value * scale);
    sqa_table_cell(table, "%s", text);
}

/* A column is a heading and what stands in it. */
typedef void (*cell)(sqa_table *table, const sqa_stored_trial *trial);

static void id_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%" PRId64 "%s", trial->id, trial->winner ? "*" : "");
}

static void source_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%s", trial->source);
}

static void device_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    const sqa_device_identity *identity = &trial->device.identity;
    sqa_table_cell(table, "%s/%s/%s", identity->vendor, identity->architecture, identity->model);
}

static void driver_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%s %.24s", trial->device.identity.runtime,
                   trial->device.strings.driver_version);
}

static void operation_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%s", trial->operation);
}

/* Which operation it is stands beside it. */
static void shape_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%s", sqa_shape_keys(trial->shape));
}

static void family_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%s", trial->family);
}

static void config_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%s", trial->config);
}

static void status_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%s", sqa_trial_status_name(trial->result.status));
}

static void median_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.3f", trial->result.median_ms, 1);
}

static void spread_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.3f", trial->result.spread_ms, 1);
}

static void rate_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.1f", trial->gflops, 1);
}

static void bandwidth_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.1f", trial->gbs, 1);
}

static void fraction_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.0f%%", trial->fraction_of_ceiling, 100);
}

static void roofline_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.0f%%", trial->fraction_of_roofline, 100);
}

/* What a model says of a row that nothing was measured of. */
static void modelled_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.0f%%", trial->modelled, 100);
}

static void error_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.1e", trial->result.max_error, 1);
}

static void date_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "%.10s", trial->recorded_at);
}

enum { IN_LIST = 1, IN_BEST = 2 };

static const struct {
    const char *heading;
    sqa_table_align align;
    int where;
    cell cell;
    unsigned rank; /* where there is no room for all; 0: always there */
} columns[] = {
    {"id", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, id_cell, 0},
    {"source", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, source_cell, 5},
    {"device", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, device_cell, 1},
    {"driver", SQA_ALIGN_LEFT, IN_BEST, driver_cell, 8},
    {"operation", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, operation_cell, 4},
    {"problem", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, shape_cell, 0},
    {"family", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, family_cell, 2},
    {"status", SQA_ALIGN_LEFT, IN_LIST, status_cell, 1},
    {"ms", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, median_cell, 0},
    {"+-ms", SQA_ALIGN_RIGHT, IN_BEST, spread_cell, 7},
    {"GFLOP/s", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, rate_cell, 3},
    {"ceiling", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, fraction_cell, 5},
    {"GB/s", SQA_ALIGN_RIGHT, IN_BEST, bandwidth_cell, 9},
    {"roofline", SQA_ALIGN_RIGHT, IN_BEST, roofline_cell, 3},
    {"modelled", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, modelled_cell, 6},
    {"error", SQA_ALIGN_RIGHT, IN_BEST, error_cell, 10},
    {"date", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, date_cell, 9},
    {"configuration", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, config_cell, 6},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static bool is_shown(size_t column, bool best)
{
    return (columns[column].where & (best ? IN_BEST : IN_LIST)) != 0;
}

static sqa_status add_trial(void *user, const sqa_stored_trial *trial)
{
    listing *out = user;
    if (!trial) {
        fprintf(stderr, "sqa db: a trial is left out: %s\n", sqa_last_error());
        out->unreadable++;
        return SQA_OK;
    }
    out->count++;
    if (out->json) {
        sqa_json_object(out->json, NULL);
        sqa_db_write_trial(out->json, trial);
        sqa_json_close(out->json);
        return SQA_OK;
    }
    if (!out->table)
        sqa_db_write_csv(trial, out->names);
    for (size_t i = 0; out->table && i < COLUMN_COUNT; i++)
        if (is_shown(i, out->best))
            columns[i].cell(out->table, trial);
    return SQA_OK;
}

static sqa_status print_json(const sqa_db_sources *sources, const sqa_store_filter *filter)
{
    sqa_json json;
    listing out = {.json = &json, .best = filter->best_only};
    sqa_json_begin_version(&json, stdout, SQA_DB_JSON_SCHEMA);
    sqa_db_sources_write_json(sources, &json);
    sqa_json_array(&json, "rows");
    sqa_status status = sqa_db_sources_each(sources, filter, add_trial, &out);
    sqa_json_finish(&json);
    return status;
}

static sqa_status gather_names(void *user, const sqa_stored_trial *trial)
{
    sqa_problem_values values;
    if (trial) {
        sqa_problem_values_of(&values, trial);
        sqa_value_names_add(user, &values);
    }
    return SQA_OK;
}

/* Which columns there are follows from all rows. */
static sqa_status print_csv(const sqa_db_sources *sources, const sqa_store_filter *filter)
{
    sqa_value_names names = {.count = 0};
    listing out = {.names = &names, .best = filter->best_only};
    sqa_status status = sqa_db_sources_each(sources, filter, gather_names, &names);
    if (status != SQA_OK)
        return status;
    sqa_db_write_csv(NULL, &names);
    return sqa_db_sources_each(sources, filter, add_trial, &out);
}

static sqa_status print_table(const sqa_db_sources *sources, const sqa_store_filter *filter,
                              bool wide)
{
    sqa_table table = SQA_TABLE_INIT;
    table.wide = wide;
    listing out = {.table = &table, .best = filter->best_only};
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (is_shown(i, out.best))
            sqa_table_spare(&table, columns[i].heading, columns[i].align, columns[i].rank);
    sqa_status status = sqa_db_sources_each(sources, filter, add_trial, &out);
    if (out.count)
        sqa_table_print(&table, stdout);
    if (status != SQA_OK)
        return status;
    if (out.count)
        printf("\n%s: %" PRIu64 " %s%s; * marks the winner of a final\n",
               sqa_text_get(&sources->text), out.count, out.best ? "best trial" : "trial",
               out.count == 1 ? "" : "s");
    else
        printf("%s: no results\n", sqa_text_get(&sources->text));
    return SQA_OK;
}

/* How a list is to be written. */
typedef struct list_format {
    bool json, csv, quarantine, wide;
} list_format;

static sqa_status print_list(const sqa_db_choice *choice, const sqa_store_filter *filter,
                             const list_format *format)
{
    sqa_db_sources sources;
    sqa_status status = sqa_db_sources_open(&sources, choice);
    if (status == SQA_OK)
        status = format->json  ? print_json(&sources, filter)
                 : format->csv ? print_csv(&sources, filter)
                               : print_table(&sources, filter, format->wide);
    sqa_db_sources_close(&sources);
    return status;
}

/* Of the one database that imports and merges write to. */
static sqa_status print_quarantine(const sqa_db_choice *choice, const list_format *format)
{
    sqa_store *store = NULL;
    sqa_status status = sqa_db_open_to_read(&store, choice);
    if (status == SQA_OK)
        status = sqa_db_print_quarantine(store, format->json, format->wide);
    sqa_store_close(store);
    return status;
}

static int list(int argc, char **argv, const char *summary, bool best)
{
    sqa_db_choice choice = {0};
    sqa_store_filter filter = {.best_only = best};
    list_format format = {0};
    const sqa_option options[] = {
        SQA_SHOWN_DB_OPTIONS(choice),
        SQA_FILTER_OPTIONS(filter),
        SQA_JSON_OPTION(format.json),
        SQA_CSV_OPTION(format.csv),
        SQA_WIDE_OPTION(format.wide),
        /* What is best is ok, and no quarantined line. */
        best ? (sqa_option){0} : (sqa_option)SQA_STATUS_OPTION(filter),
        {"quarantine", NULL, "what imports and merges refused instead, with the reasons",
         .flag = &format.quarantine, .only = "db,user-db,seed-db,json,wide"},
        {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv, summary, options, NULL, NULL, &code))
        return code;
    sqa_status status = sqa_db_check_filter(&filter);
    if (status == SQA_OK)
        status = format.quarantine ? print_quarantine(&choice, &format)
                                   : print_list(&choice, &filter, &format);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}

int sqa_db_list(int argc, char **argv)
{
    return list(argc, argv, "Every trial, by device, problem class, family and configuration.",
                false);
}

int sqa_db_best(int argc, char **argv)
{
    return list(argc, argv, "The best correct configuration per device, driver and problem class.",
                true);
}
