/* `sqa db diff A B`: where two databases know different things, and whose is faster. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/db/subcommand.h"
#include "store/trial_list.h"
#include "text/field.h"
#include "text/table.h"

static const char summary[] =
    "Where two databases differ in what is best for a device and problem class, and whose is\n"
    "faster, as parts of what the device could do when they were measured. Of several drivers the\n"
    "latest counts. The words user and seed stand for the user's database and the one built in.";

/* A lead as small as this is as likely noise. */
static const double least_lead = 1.02;

/* What is best for one device and class on either side; NULL: nothing. */
typedef struct pair {
    const sqa_stored_trial *a, *b;
} pair;

static bool is_same_question(const sqa_stored_trial *a, const sqa_stored_trial *b)
{
    return sqa_same_device(a, b) && !strcmp(a->operation, b->operation) &&
           !strcmp(a->class_key, b->class_key);
}

/* The latest of those in the list that answer the same question. */
static const sqa_stored_trial *find(const sqa_trial_list *list, const sqa_stored_trial *question)
{
    const sqa_stored_trial *found = NULL;
    for (size_t i = 0; i < list->count; i++)
        if (is_same_question(&list->trials[i], question) &&
            (!found || strcmp(list->trials[i].recorded_at, found->recorded_at) > 0))
            found = &list->trials[i];
    return found;
}

static bool is_same_answer(const pair *p)
{
    return p->a && p->b && !strcmp(p->a->family, p->b->family) &&
           !strcmp(p->a->config, p->b->config);
}

/* How many times as fast B is; NaN when one side is missing. */
static double ratio(const pair *p)
{
    if (!p->a || !p->b)
        return NAN;
    const double by_roofline = p->b->fraction_of_roofline / p->a->fraction_of_roofline;
    if (isfinite(by_roofline))
        return by_roofline;
    return strcmp(p->a->shape, p->b->shape) ? p->b->gflops / p->a->gflops
                                            : p->a->result.median_ms / p->b->result.median_ms;
}

static const char *verdict(const pair *p)
{
    if (!p->a || !p->b)
        return p->a ? "only in A" : "only in B";
    double r = ratio(p);
    return r >= least_lead ? "B" : r <= 1 / least_lead ? "A" : "even";
}

/* The two databases, and how what is found is told. */
typedef struct comparison {
    sqa_trial_list lists[2];
    const char *names[2];
    bool all, json, csv;
    uint64_t classes, differ;
    sqa_value_names values; /* of the classes, the columns of a CSV */
    sqa_table table;
    sqa_json document;
} comparison;

static void side_cell(sqa_table *table, const sqa_stored_trial *trial)
{
    if (!trial)
        sqa_table_cell(table, "-");
    else if (isfinite(trial->fraction_of_roofline))
        sqa_table_cell(table, "%.3f ms, %.0f%%  %s(%s)", trial->result.median_ms,
                       100 * trial->fraction_of_roofline, trial->family, trial->config);
    else
        sqa_table_cell(table, "%.3f ms  %s(%s)", trial->result.median_ms, trial->family,
                       trial->config);
}

static void add_row(sqa_table *table, const pair *p)
{
    const sqa_stored_trial *either = p->a ? p->a : p->b;
    const sqa_device_identity *identity = &either->device.identity;
    sqa_table_cell(table, "%s/%s/%s", identity->vendor, identity->architecture, identity->model);
    sqa_table_cell(table, "%s", identity->runtime);
    sqa_table_cell(table, "%s", either->shape);
    sqa_table_cell(table, "%s", verdict(p));
    if (isfinite(ratio(p)))
        sqa_table_cell(table, "%.2fx", ratio(p));
    else
        sqa_table_cell(table, "-");
    side_cell(table, p->a);
    side_cell(table, p->b);
}

enum { MOST_FIELDS = SQA_MOST_PROBLEM_VALUES + 32 };

/* Names here are promised to users: a field may be added, never renamed. `names` and
 * `values` are those of the class. */
static size_t make_fields(const pair *p, const sqa_value_names *names,
                          const sqa_problem_values *values, sqa_field *out)
{
    static const sqa_stored_trial none = {.result = {.median_ms = NAN},
                                          .gflops = NAN,
                                          .fraction_of_ceiling = NAN,
                                          .fraction_of_roofline = NAN};
    const sqa_stored_trial *either = p->a ? p->a : p->b ? p->b : &none;
    const sqa_stored_trial *a = p->a ? p->a : &none, *b = p->b ? p->b : &none;
    const sqa_field fields[] = {
        sqa_field_text("vendor", either->device.identity.vendor),
        sqa_field_text("architecture", either->device.identity.architecture),
        sqa_field_text("model", either->device.identity.model),
        sqa_field_text("runtime", either->device.identity.runtime),
        sqa_field_text("operation", either->operation),
        sqa_field_text("class", either->class_key),
        sqa_field_text("faster", verdict(p)),
        sqa_field_number("b_over_a", ratio(p)),
        sqa_field_text("a_family", p->a ? a->family : NULL),
        sqa_field_text("a_config", p->a ? a->config : NULL),
        sqa_field_number("a_median_ms", a->result.median_ms),
        sqa_field_number("a_gflops", a->gflops),
        sqa_field_number("a_fraction_of_ceiling", a->fraction_of_ceiling),
        sqa_field_number("a_fraction_of_roofline", a->fraction_of_roofline),
        sqa_field_text("b_family", p->b ? b->family : NULL),
        sqa_field_text("b_config", p->b ? b->config : NULL),
        sqa_field_number("b_median_ms", b->result.median_ms),
        sqa_field_number("b_gflops", b->gflops),
        sqa_field_number("b_fraction_of_ceiling", b->fraction_of_ceiling),
        sqa_field_number("b_fraction_of_roofline", b->fraction_of_roofline),
    };
    enum { COUNT = sizeof fields / sizeof *fields, LEADING = 6 };
    _Static_assert(COUNT + SQA_MOST_PROBLEM_VALUES <= MOST_FIELDS, "room for every field");
    memcpy(out, fields, LEADING * sizeof *fields);
    sqa_value_names_fields(names, values, out + LEADING);
    memcpy(out + LEADING + names->count, fields + LEADING, (COUNT - LEADING) * sizeof *fields);
    return names->count + COUNT;
}

static void tell(comparison *c, const pair *p)
{
    sqa_field fields[MOST_FIELDS];
    sqa_problem_values values;
    sqa_value_names own = {.count = 0};
    c->classes++;
    c->differ += !is_same_answer(p);
    if (!c->all && is_same_answer(p))
        return;
    if (!c->json && !c->csv) {
        add_row(&c->table, p);
        return;
    }
    sqa_problem_values_of_class(&values, p->a ? p->a : p->b);
    if (c->csv) {
        sqa_fields_write_csv(stdout, fields, make_fields(p, &c->values, &values, fields), false);
        return;
    }
    sqa_value_names_add(&own, &values);
    const size_t count = make_fields(p, &own, &values, fields);
    sqa_json_object(&c->document, NULL);
    for (size_t i = 0; i < count; i++)
        sqa_field_write_json(&c->document, &fields[i]);
    sqa_json_close(&c->document);
}

/* Which columns there are follows from all rows. */
static void write_names(comparison *c)
{
    static const pair no_row;
    sqa_field fields[MOST_FIELDS];
    sqa_problem_values values = {.count = 0};
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < c->lists[side].count; i++) {
            sqa_problem_values_of_class(&values, &c->lists[side].trials[i]);
            sqa_value_names_add(&c->values, &values);
        }
    sqa_fields_write_csv(stdout, fields, make_fields(&no_row, &c->values, &values, fields), true);
}

static void begin(comparison *c)
{
    static const struct {
        const char *heading;
        sqa_table_align align;
        unsigned rank; /* where there is no room for all; 0: always there */
    } columns[] = {{"device", SQA_ALIGN_LEFT, 1},  {"runtime", SQA_ALIGN_LEFT, 3},
                   {"problem", SQA_ALIGN_LEFT, 0}, {"faster", SQA_ALIGN_LEFT, 0},
                   {"B / A", SQA_ALIGN_RIGHT, 0},  {"A", SQA_ALIGN_LEFT, 2},
                   {"B", SQA_ALIGN_LEFT, 2}};
    if (c->csv) {
        write_names(c);
    } else if (c->json) {
        sqa_json_begin_version(&c->document, stdout, SQA_DB_JSON_SCHEMA);
        sqa_json_string(&c->document, "a", c->names[0]);
        sqa_json_string(&c->document, "b", c->names[1]);
        sqa_json_array(&c->document, "rows");
    }
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        sqa_table_spare(&c->table, columns[i].heading, columns[i].align, columns[i].rank);
}

static void finish(comparison *c)
{
    if (c->json) {
        sqa_json_close(&c->document);
        sqa_json_integer(&c->document, "classes", (int64_t)c->classes);
        sqa_json_integer(&c->document, "differ", (int64_t)c->differ);
        sqa_json_finish(&c->document);
        return;
    }
    if (c->csv)
        return;
    if (c->table.cell_count)
        sqa_table_print(&c->table, stdout);
    printf("%sA is %s, B is %s: %llu of %llu device and problem classes differ\n",
           c->differ || c->all ? "\n" : "", c->names[0], c->names[1], (unsigned long long)c->differ,
           (unsigned long long)c->classes);
}

/* Every question of A once, then what only B has. */
static void compare(comparison *c)
{
    const sqa_trial_list *a = &c->lists[0], *b = &c->lists[1];
    begin(c);
    for (size_t i = 0; i < a->count; i++)
        if (find(a, &a->trials[i]) == &a->trials[i])
            tell(c, &(pair){&a->trials[i], find(b, &a->trials[i])});
    for (size_t i = 0; i < b->count; i++)
        if (find(b, &b->trials[i]) == &b->trials[i] && !find(a, &b->trials[i]))
            tell(c, &(pair){NULL, &b->trials[i]});
    finish(c);
}

static sqa_status read_side(const char *name, const sqa_store_filter *filter, sqa_trial_list *list)
{
    const bool user = !strcmp(name, "user"), seed = !strcmp(name, "seed");
    const sqa_db_choice choice = {user || seed ? NULL : name, user, seed};
    sqa_store *store = NULL;
    sqa_status status = sqa_db_open_to_read(&store, &choice);
    if (status == SQA_OK)
        status = sqa_trial_list_read(list, store, filter);
    sqa_store_close(store);
    return status;
}

int sqa_db_diff(int argc, char **argv)
{
    comparison c = {.table = SQA_TABLE_INIT};
    sqa_store_filter filter = {.best_only = true};
    const sqa_option options[] = {
        {"all", NULL, "also where both have the same configuration", .flag = &c.all},
        SQA_FILTER_OPTIONS(filter),
        SQA_JSON_OPTION(c.json),
        SQA_CSV_OPTION(c.csv),
        SQA_WIDE_OPTION(c.table.wide),
        {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv, summary, options, "A B", c.names, &code))
        return code;
    sqa_status status = sqa_db_check_filter(&filter);
    for (int i = 0; i < 2 && status == SQA_OK; i++)
        status = read_side(c.names[i], &filter, &c.lists[i]);
    if (status == SQA_OK)
        compare(&c);
    for (int i = 0; i < 2; i++)
        sqa_trial_list_free(&c.lists[i]);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
