/* `sqa db show ID`: all that is known of one trial. */
#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "cli/command.h"
#include "cli/db/sources.h"
#include "text/table.h"

/* Names on the left, what they are on the right. */
static void figure_row(sqa_table *table, const char *name, double value, const char *unit)
{
    sqa_table_cell(table, "%s", name);
    if (isfinite(value))
        sqa_table_cell(table, "%.6g%s", value, unit);
    else
        sqa_table_cell(table, "unknown");
}

static void add_device(sqa_table *table, const sqa_device *device)
{
    const sqa_device_identity *identity = &device->identity;
    sqa_table_cell(table, "device");
    sqa_table_cell(table, "%s/%s/%s on %s", identity->vendor, identity->architecture,
                   identity->model, identity->runtime);
    sqa_table_cell(table, "%s", "");
    sqa_table_cell(table, "%s, %s", device->strings.device_name, device->strings.device_version);
    sqa_table_cell(table, "%s", "");
    sqa_table_cell(table, "%s, %u compute units, %llu KiB local memory",
                   sqa_device_type_name(device->strings.type), device->strings.compute_units,
                   (unsigned long long)device->limits.local_memory_bytes / 1024);
    sqa_table_cell(table, "driver");
    sqa_table_cell(table, "%s, %s", device->strings.driver_version,
                   device->strings.platform_version);
}

static void add_kernel(sqa_table *table, const sqa_stored_trial *trial)
{
    sqa_table_cell(table, "operation");
    sqa_table_cell(table, "%s", trial->operation);
    sqa_table_cell(table, "problem");
    sqa_table_cell(table, "%s", trial->shape);
    sqa_table_cell(table, "class");
    sqa_table_cell(table, "%s", trial->class_key);
    sqa_table_cell(table, "family");
    sqa_table_cell(table, "%s, parameters version %u", trial->family, trial->space_version);
    sqa_table_cell(table, "configuration");
    sqa_table_cell(table, "%s", trial->config);
    sqa_table_cell(table, "status");
    sqa_table_cell(table, "%s%s%s", sqa_trial_status_name(trial->result.status),
                   trial->result.message[0] ? ": " : "", trial->result.message);
}

static void add_ceilings(sqa_table *table, const sqa_trial_ceilings *ceilings)
{
    figure_row(table, "ceiling", ceilings->fma_gflops, " GFLOP/s");
    if (isfinite(ceilings->matrix_gflops))
        figure_row(table, "of matrix units", ceilings->matrix_gflops, " GFLOP/s");
    figure_row(table, "of copying", ceilings->copy_gbs, " GB/s");
    figure_row(table, "of reading", ceilings->read_gbs, " GB/s");
}

static void print_trial(const sqa_stored_trial *trial)
{
    sqa_table table = SQA_TABLE_INIT;
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_cell(&table, "trial");
    sqa_table_cell(&table, "%lld%s", (long long)trial->id, trial->winner ? ", a winner" : "");
    sqa_table_cell(&table, "source");
    sqa_table_cell(&table, "%s", trial->source);
    add_device(&table, &trial->device);
    add_kernel(&table, trial);
    if (isfinite(trial->modelled))
        figure_row(&table, "modelled", 100 * trial->modelled,
                   " % of the rate of multiply-adds; never measured");
    figure_row(&table, "median", trial->result.median_ms, " ms");
    figure_row(&table, "spread", trial->result.spread_ms, " ms");
    figure_row(&table, "yardstick", trial->result.yardstick_ms, " ms");
    figure_row(&table, "rate", trial->gflops, " GFLOP/s");
    figure_row(&table, "bandwidth", trial->gbs, " GB/s");
    add_ceilings(&table, &trial->ceilings);
    figure_row(&table, "of the ceiling", 100 * trial->fraction_of_ceiling, " %");
    figure_row(&table, "of the roofline", 100 * trial->fraction_of_roofline, " %");
    figure_row(&table, "max error", trial->result.max_error, "");
    figure_row(&table, "build", trial->result.build_ms, " ms");
    sqa_table_cell(&table, "samples");
    sqa_table_cell(&table, "%u%s, seed %llu", trial->result.samples,
                   trial->final ? ", in a final" : "", (unsigned long long)trial->seed);
    sqa_table_cell(&table, "recorded");
    sqa_table_cell(&table, "%s by libsqa_cl %s", trial->recorded_at, trial->library_version);
    sqa_table_print(&table, stdout);
}

typedef struct view {
    bool json, found;
} view;

/* The first database's that has the number. */
static sqa_status show_trial(void *user, const sqa_stored_trial *trial)
{
    view *out = user;
    if (!trial)
        return SQA_DATABASE_ERROR; /* the detail says which column */
    if (out->found)
        return SQA_OK;
    out->found = true;
    if (!out->json) {
        print_trial(trial);
        return SQA_OK;
    }
    sqa_json json;
    sqa_json_begin_version(&json, stdout, SQA_DB_JSON_SCHEMA);
    sqa_json_object(&json, "trial");
    sqa_db_write_trial(&json, trial);
    sqa_json_finish(&json);
    return SQA_OK;
}

int sqa_db_show(int argc, char **argv)
{
    sqa_db_choice choice = {0};
    view out = {0};
    const char *id = NULL;
    const sqa_option options[] = {
        SQA_SHOWN_DB_OPTIONS(choice),
        SQA_JSON_OPTION(out.json),
        {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv,
                             "All that is known of one trial. Each database has numbers of its "
                             "own: of those that have ID,\nthe first that the library asks.",
                             options, "ID", &id, &code))
        return code;
    uint64_t number = 0;
    if (!sqa_read_number(id, 1, INT64_MAX, &number))
        return sqa_usage_error(argv[0], "'%s' is not a trial's number, as `sqa db list` prints it",
                               id);
    const sqa_store_filter filter = {.id = (int64_t)number};
    sqa_db_sources sources;
    sqa_status status = sqa_db_sources_open(&sources, &choice);
    if (status == SQA_OK)
        status = sqa_db_sources_each(&sources, &filter, show_trial, &out);
    if (status == SQA_OK && !out.found)
        status = sqa_fail(SQA_DATABASE_ERROR, "there is no trial %s in %s", id,
                          sqa_text_get(&sources.text));
    sqa_db_sources_close(&sources);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
