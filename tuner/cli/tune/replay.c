/* See replay.h. The replaying itself is search/replay.c. */
#include "cli/tune/replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "search/replay.h"
#include "text/json.h"
#include "text/table.h"

#define DEFAULT_BUDGETS "10,20,40,60,5%,10%,20%"
#define MOST_ROWS 32

/* Where the rows go. */
typedef struct output {
    bool csv;
    sqa_json *json;   /* NULL: none */
    sqa_table *table; /* likewise */
    uint32_t runs;
} output;

static void open_output(output *out, const sqa_tune_words *words)
{
    static const char *const numbers[] = {"evaluations", "median", "95 of 100", "worst"};
    if (out->json) {
        sqa_json_begin(out->json, stdout);
        sqa_json_integer(out->json, "runs", out->runs);
        sqa_json_integer(out->json, "seed", (int64_t)words->seed);
        sqa_json_array(out->json, "rows");
    } else if (words->csv) {
        puts("sweep,strategy,configurations,evaluations,median,reached_by_95_percent,worst");
    } else {
        sqa_table_column(out->table, "sweep", SQA_ALIGN_LEFT);
        sqa_table_column(out->table, "strategy", SQA_ALIGN_LEFT);
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            sqa_table_column(out->table, numbers[i], SQA_ALIGN_RIGHT);
    }
}

static void write_json(sqa_json *json, const sqa_sweep *sweep, const char *file,
                       const char *strategy, const sqa_replay_row *row)
{
    sqa_json_object(json, NULL);
    sqa_json_string(json, "sweep", file);
    sqa_json_string(json, "shape", sweep->shape);
    sqa_json_string(json, "device", sweep->device);
    sqa_json_string(json, "family", sweep->family.name);
    sqa_json_integer(json, "configurations", (int64_t)sweep->space.count);
    sqa_json_string(json, "strategy", strategy);
    sqa_json_integer(json, "evaluations", (int64_t)row->evaluations);
    sqa_json_number(json, "median", row->median);
    sqa_json_number(json, "reached_by_95_percent", row->low);
    sqa_json_number(json, "worst", row->worst);
    sqa_json_close(json);
}

/* The file's name without its folders. */
static const char *name_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

static void write_row(output *out, const sqa_sweep *sweep, const char *file, const char *strategy,
                      const sqa_replay_row *row)
{
    if (out->json) {
        write_json(out->json, sweep, name_of(file), strategy, row);
    } else if (out->csv) {
        printf("%s,%s,%zu,%zu,%.4f,%.4f,%.4f\n", name_of(file), strategy, sweep->space.count,
               row->evaluations, row->median, row->low, row->worst);
    } else {
        sqa_table_cell(out->table, "%s", name_of(file));
        sqa_table_cell(out->table, "%s", strategy);
        sqa_table_cell(out->table, "%zu", row->evaluations);
        sqa_table_cell(out->table, "%.3f", row->median);
        sqa_table_cell(out->table, "%.3f", row->low);
        sqa_table_cell(out->table, "%.3f", row->worst);
    }
}

static void close_output(output *out)
{
    if (out->json)
        sqa_json_finish(out->json);
    else if (!out->csv)
        sqa_table_print(out->table, stdout);
}

static int compare_rows(const void *a, const void *b)
{
    size_t x = ((const sqa_replay_row *)a)->evaluations;
    size_t y = ((const sqa_replay_row *)b)->evaluations;
    return (x > y) - (x < y);
}

/* "10,20,5%": numbers of evaluations, or percents of the `space`; sorted, each once. */
static sqa_status read_budgets(const char *text, size_t space, sqa_replay_row *rows, size_t *count)
{
    for (*count = 0; *text; text += *text == ',') {
        char *end = NULL;
        double value = strtod(text, &end);
        bool percent = *end == '%';
        if (end == text || !(value > 0 && value <= (percent ? 100 : 1e9)) || *count == MOST_ROWS ||
            (end[percent] && end[percent] != ','))
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "--budget-trials is '%.60s' at its end; expected up to %d numbers, or "
                            "percents of the space, such as 10,20,5%%",
                            text, MOST_ROWS);
        double evaluations = percent ? ceil(value / 100 * (double)space) : ceil(value);
        rows[(*count)++].evaluations = (size_t)evaluations;
        text = end + percent;
    }
    qsort(rows, *count, sizeof *rows, compare_rows);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (!kept || rows[i].evaluations != rows[kept - 1].evaluations)
            rows[kept++] = rows[i];
    *count = kept;
    return kept ? SQA_OK : sqa_fail(SQA_INVALID_ARGUMENT, "--budget-trials is empty");
}

static sqa_status replay_one(const sqa_sweep *sweep, const char *file, const char *budgets,
                             const sqa_replay_options *options, output *out)
{
    sqa_replay_row rows[MOST_ROWS];
    size_t count;
    sqa_status status = read_budgets(budgets, sweep->space.count, rows, &count);
    if (status == SQA_OK)
        status = sqa_replay(sweep, options, rows, count);
    for (size_t i = 0; i < count && status == SQA_OK; i++)
        write_row(out, sweep, file, options->strategy->name, &rows[i]);
    return status;
}

/* One strategy, or all of them when `strategy` is NULL. */
static sqa_status replay_file(const char *file, const sqa_tune_words *words,
                              const sqa_strategy *strategy, output *out)
{
    const char *budgets = words->budget_trials ? words->budget_trials : DEFAULT_BUDGETS;
    sqa_sweep sweep;
    sqa_status status = sqa_sweep_read(&sweep, file);
    if (status != SQA_OK)
        return status;
    for (size_t i = 0; i < sqa_strategy_count() && status == SQA_OK; i++) {
        const sqa_replay_options options = {sqa_strategy_at(i), out->runs, words->seed,
                                            words->walkers, words->from_worst};
        if (!strategy || strategy == options.strategy)
            status = replay_one(&sweep, file, budgets, &options, out);
    }
    sqa_sweep_free(&sweep);
    return status;
}

int sqa_tune_replay(const char *command, const sqa_tune_words *words)
{
    sqa_json json;
    sqa_table table = SQA_TABLE_INIT;
    output out = {.csv = words->csv,
                  .json = words->json ? &json : NULL,
                  .table = &table,
                  .runs = words->runs};
    const bool all = words->strategy && !strcmp(words->strategy, "all");
    const sqa_strategy *strategy = NULL;
    sqa_status status = all ? SQA_OK : sqa_tune_read_strategy(words->strategy, &strategy);
    if (status != SQA_OK)
        return sqa_command_fail(command, status);
    open_output(&out, words);
    for (size_t i = 0; i < words->replays.count && status == SQA_OK; i++)
        status = replay_file(words->replays.items[i], words, strategy, &out);
    close_output(&out);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(command, status);
}
