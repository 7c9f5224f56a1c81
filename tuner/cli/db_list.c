/* `sqa db list` and `best`: trials as a table for people, and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/db_command.h"
#include "cli/table.h"
#include "problem/names.h"
#include "shape/shape.h"

/* Where visited trials go, and how many there were. */
typedef struct listing {
    sqa_json *json; /* NULL: the table */
    sqa_table *table;
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

static void shape_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_attention_desc desc;
    char shape[SQA_SHAPE_TEXT];
    sqa_stored_trial_desc(trial, &desc);
    sqa_shape_format(&desc, shape, sizeof shape);
    sqa_table_cell(table, "%s %s", sqa_dtype_name(desc.dtype), shape);
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

static void fraction_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    figure_cell(table, "%.0f%%", trial->fraction_of_ceiling, 100);
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
} columns[] = {
    {"id", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, id_cell},
    {"device", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, device_cell},
    {"driver", SQA_ALIGN_LEFT, IN_BEST, driver_cell},
    {"problem", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, shape_cell},
    {"family", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, family_cell},
    {"status", SQA_ALIGN_LEFT, IN_LIST, status_cell},
    {"ms", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, median_cell},
    {"+-ms", SQA_ALIGN_RIGHT, IN_BEST, spread_cell},
    {"GFLOP/s", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, rate_cell},
    {"ceiling", SQA_ALIGN_RIGHT, IN_LIST | IN_BEST, fraction_cell},
    {"error", SQA_ALIGN_RIGHT, IN_BEST, error_cell},
    {"date", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, date_cell},
    {"configuration", SQA_ALIGN_LEFT, IN_LIST | IN_BEST, config_cell},
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
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (is_shown(i, out->best))
            columns[i].cell(out->table, trial);
    return SQA_OK;
}

static sqa_status print_json(sqa_store *store, const sqa_store_filter *filter)
{
    sqa_json json;
    listing out = {.json = &json, .best = filter->best_only};
    sqa_json_begin(&json, stdout);
    sqa_json_string(&json, "database", sqa_store_path(store));
    sqa_json_array(&json, "rows");
    sqa_status status = sqa_store_each(store, filter, add_trial, &out);
    sqa_json_finish(&json);
    return status;
}

static sqa_status print_table(sqa_store *store, const sqa_store_filter *filter)
{
    sqa_table table = SQA_TABLE_INIT;
    listing out = {.table = &table, .best = filter->best_only};
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (is_shown(i, out.best))
            sqa_table_column(&table, columns[i].heading, columns[i].align);
    sqa_status status = sqa_store_each(store, filter, add_trial, &out);
    if (out.count)
        sqa_table_print(&table, stdout);
    if (status != SQA_OK)
        return status;
    if (out.count)
        printf("\n%s: %" PRIu64 " %s%s; * marks the winner of a final\n", sqa_store_path(store),
               out.count, out.best ? "best trial" : "trial", out.count == 1 ? "" : "s");
    else
        printf("%s: no results\n", sqa_store_path(store));
    return SQA_OK;
}

static int list(int argc, char **argv, const char *summary, bool best)
{
    sqa_db_choice choice = {0};
    sqa_store_filter filter = {.best_only = best};
    bool json = false;
    const sqa_option options[] = {
        SQA_DB_OPTION(choice),
        SQA_SEED_DB_OPTION(choice),
        SQA_DEVICE_OPTION(filter),
        SQA_FAMILY_OPTION(filter),
        SQA_OPERATION_OPTION(filter),
        SQA_JSON_OPTION(json),
        {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv, summary, options, NULL, NULL, &code))
        return code;
    sqa_store *store = NULL;
    sqa_status status = sqa_db_check_filter(&filter);
    if (status == SQA_OK)
        status = sqa_db_open_to_read(&store, &choice);
    if (status == SQA_OK)
        status = json ? print_json(store, &filter) : print_table(store, &filter);
    sqa_store_close(store);
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
