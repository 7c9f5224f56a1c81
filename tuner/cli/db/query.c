/* `sqa db query`: which variant and configuration is how fast on which device. Reads
 * only what was measured; nothing is extrapolated. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/db/rank.h"
#include "cli/db/sources.h"
#include "store/heads.h"
#include "store/trial_list.h"
#include "text/field.h"
#include "text/table.h"

static const char summary[] =
    "Which variant and configuration is how fast on which device: of every problem that was\n"
    "tuned the best measurement per device and driver, the fastest first. Variants and the\n"
    "speed-up over MHA are those of a model of --heads heads, otherwise of the most heads\n"
    "that the device was tuned with for that problem. Speed-ups are of shares of the ceiling\n"
    "that was sampled with either; ~ marks times of different minutes, whose ratio is a guess.";

static void add_columns(sqa_table *table)
{
    static const struct {
        const char *heading;
        sqa_table_align align;
        unsigned rank; /* where there is no room for all; 0: always there */
    } columns[] = {
        {"problem", SQA_ALIGN_LEFT, 0},  {"variant", SQA_ALIGN_LEFT, 0},
        {"Hq", SQA_ALIGN_RIGHT, 3},      {"Hkv", SQA_ALIGN_RIGHT, 3},
        {"ms", SQA_ALIGN_RIGHT, 0},      {"GFLOP/s", SQA_ALIGN_RIGHT, 4},
        {"ceiling", SQA_ALIGN_RIGHT, 2}, {"vs MHA", SQA_ALIGN_RIGHT, 1},
        {"source", SQA_ALIGN_LEFT, 4},   {"device", SQA_ALIGN_LEFT, 1},
        {"driver", SQA_ALIGN_LEFT, 5},   {"kernel", SQA_ALIGN_LEFT, 6},
    };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        sqa_table_spare(table, columns[i].heading, columns[i].align, columns[i].rank);
}

static void figure_cell(sqa_table *table, const char *format, double value)
{
    char text[32] = "-";
    if (isfinite(value))
        snprintf(text, sizeof text, format, value);
    sqa_table_cell(table, "%s", text);
}

static void heads_cells(sqa_table *table, const sqa_stored_trial *trial)
{
    uint32_t heads[2];
    const bool known = sqa_shape_heads(trial->shape, &heads[0], &heads[1]);
    for (int i = 0; i < 2; i++)
        if (known)
            sqa_table_cell(table, "%u", heads[i]);
        else
            sqa_table_cell(table, "-");
}

static void add_row(sqa_table *table, const sqa_rank *e)
{
    const sqa_stored_trial *trial = e->trial;
    const sqa_device_identity *identity = &trial->device.identity;
    char problem[SQA_DB_PROBLEM_TEXT];
    sqa_db_problem_text(trial, problem);
    sqa_table_cell(table, "%s", problem);
    sqa_table_cell(table, "%s", e->variant ? e->variant : "-");
    heads_cells(table, trial);
    figure_cell(table, "%.3f", trial->result.median_ms);
    figure_cell(table, "%.1f", trial->gflops);
    figure_cell(table, "%.0f%%", 100 * trial->fraction_of_ceiling);
    figure_cell(table, e->comparable ? "%.2fx" : "~%.2fx", e->speedup);
    sqa_table_cell(table, "%s", trial->source);
    sqa_table_cell(table, "%s/%s/%s", identity->vendor, identity->architecture, identity->model);
    sqa_table_cell(table, "%s %.24s", identity->runtime, trial->device.strings.driver_version);
    sqa_table_cell(table, "%s(%s)", trial->family, trial->config);
}

/* Room for every field: those of the problem, and the others. */
enum { MOST_FIELDS = SQA_MOST_PROBLEM_VALUES + 32 };

/* Names here are promised to users: a field may be added, never renamed. `names` and
 * `values` are those of the problem; e->trial NULL: the names alone. */
static size_t make_fields(const sqa_rank *e, const sqa_value_names *names,
                          const sqa_problem_values *values, sqa_field *out)
{
    static const sqa_stored_trial nothing;
    const sqa_stored_trial *t = e->trial ? e->trial : &nothing;
    const sqa_field fields[] = {
        sqa_field_text("operation", t->operation),
        sqa_field_text("shape", t->shape),
        sqa_field_integer("heads", e->heads),
        sqa_field_text("variant", e->variant),
        sqa_field_number("median_ms", t->result.median_ms),
        sqa_field_number("spread_ms", t->result.spread_ms),
        sqa_field_number("yardstick_ms", t->result.yardstick_ms),
        sqa_field_number("gflops", t->gflops),
        sqa_field_number("ceiling_gflops", t->ceilings.fma_gflops),
        sqa_field_number("fraction_of_ceiling", t->fraction_of_ceiling),
        sqa_field_number("gbs", t->gbs),
        sqa_field_number("fraction_of_roofline", t->fraction_of_roofline),
        sqa_field_number("speedup_vs_mha", e->speedup),
        sqa_field_boolean("speedup_is_comparable", e->comparable),
        sqa_field_number("max_error", t->result.max_error),
        sqa_field_text("vendor", t->device.identity.vendor),
        sqa_field_text("architecture", t->device.identity.architecture),
        sqa_field_text("model", t->device.identity.model),
        sqa_field_text("runtime", t->device.identity.runtime),
        sqa_field_text("driver", t->device.strings.driver_version),
        sqa_field_text("family", t->family),
        sqa_field_text("config", t->config),
        sqa_field_boolean("winner", t->winner),
        sqa_field_integer("trial", t->id),
        sqa_field_text("recorded_at", t->recorded_at),
        sqa_field_text("source", t->source),
    };
    enum { COUNT = sizeof fields / sizeof *fields, LEADING = 2 };
    _Static_assert(COUNT + SQA_MOST_PROBLEM_VALUES <= MOST_FIELDS, "room for every field");
    memcpy(out, fields, LEADING * sizeof *fields);
    sqa_value_names_fields(names, values, out + LEADING);
    memcpy(out + LEADING + names->count, fields + LEADING, (COUNT - LEADING) * sizeof *fields);
    return names->count + COUNT;
}

/* What is shown of the list. */
typedef struct view {
    sqa_db_sources sources;
    sqa_trial_list list;
    const sqa_store_filter *filter;
    bool wide;
} view;

static sqa_rank rank(const view *v, size_t index)
{
    return sqa_rank_of(&v->list, &v->list.trials[index], v->filter->heads, v->filter->variant);
}

static bool is_shown(const view *v, const sqa_rank *e)
{
    return !v->filter->variant || e->variant;
}

/* What was not measured is not known; but it can be. */
static void print_nothing(const view *v)
{
    const sqa_store_filter *filter = v->filter;
    printf("%s: no results", sqa_text_get(&v->sources.text));
    if (!filter->operation || !strcmp(filter->operation, "forward"))
        printf("; `sqa tune --shape variant=%s,h=%u,n=%u,d=%u` makes some",
               filter->variant ? filter->variant : "mha", filter->heads ? filter->heads : 8,
               filter->q_length ? filter->q_length : 2048,
               filter->head_dim ? filter->head_dim : 64);
    putchar('\n');
}

static void print_table(const view *v)
{
    sqa_table table = SQA_TABLE_INIT;
    size_t shown = 0;
    table.wide = v->wide;
    add_columns(&table);
    for (size_t i = 0; i < v->list.count; i++) {
        sqa_rank e = rank(v, i);
        if (!is_shown(v, &e))
            continue;
        add_row(&table, &e);
        shown++;
    }
    if (shown)
        sqa_table_print(&table, stdout);
    else
        print_nothing(v);
}

static void print_json(const view *v)
{
    sqa_json json;
    sqa_problem_values values;
    sqa_field fields[MOST_FIELDS];
    sqa_json_begin_version(&json, stdout, SQA_DB_JSON_SCHEMA);
    sqa_db_sources_write_json(&v->sources, &json);
    sqa_json_array(&json, "rows");
    for (size_t i = 0; i < v->list.count; i++) {
        sqa_rank e = rank(v, i);
        sqa_value_names own = {.count = 0};
        if (!is_shown(v, &e))
            continue;
        sqa_problem_values_of(&values, e.trial);
        sqa_value_names_add(&own, &values);
        sqa_json_object(&json, NULL);
        size_t count = make_fields(&e, &own, &values, fields);
        for (size_t f = 0; f < count; f++)
            sqa_field_write_json(&json, &fields[f]);
        sqa_json_close(&json);
    }
    sqa_json_finish(&json);
}

static void print_csv(const view *v)
{
    static const sqa_rank no_row;
    sqa_value_names names = {.count = 0};
    sqa_problem_values values = {.count = 0};
    sqa_field fields[MOST_FIELDS];
    for (size_t i = 0; i < v->list.count; i++) {
        sqa_problem_values_of(&values, &v->list.trials[i]);
        sqa_value_names_add(&names, &values);
    }
    sqa_fields_write_csv(stdout, fields, make_fields(&no_row, &names, &values, fields), true);
    for (size_t i = 0; i < v->list.count; i++) {
        sqa_rank e = rank(v, i);
        sqa_problem_values_of(&values, e.trial);
        if (is_shown(v, &e))
            sqa_fields_write_csv(stdout, fields, make_fields(&e, &names, &values, fields), false);
    }
}

/* Without the variant: the others are needed to compare with. */
static sqa_status read_list(view *v)
{
    sqa_store_filter comparable = *v->filter;
    comparable.variant = NULL;
    comparable.heads = 0;
    comparable.ranking = true;
    return sqa_db_sources_list(&v->sources, &comparable, &v->list);
}

int sqa_db_query(int argc, char **argv)
{
    sqa_db_choice choice = {0};
    sqa_store_filter filter = {0};
    view v = {.sources = SQA_DB_SOURCES_INIT, .list = SQA_TRIAL_LIST_INIT, .filter = &filter};
    bool json = false, csv = false;
    const sqa_option options[] = {
        SQA_SHOWN_DB_OPTIONS(choice), SQA_FILTER_OPTIONS(filter), SQA_JSON_OPTION(json),
        SQA_CSV_OPTION(csv),          SQA_WIDE_OPTION(v.wide),    {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv, summary, options, NULL, NULL, &code))
        return code;
    sqa_status status = sqa_db_check_filter(&filter);
    if (status == SQA_OK)
        status = sqa_db_sources_open(&v.sources, &choice);
    if (status == SQA_OK)
        status = read_list(&v);
    if (status == SQA_OK)
        (json ? print_json : csv ? print_csv : print_table)(&v);
    sqa_trial_list_free(&v.list);
    sqa_db_sources_close(&v.sources);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
