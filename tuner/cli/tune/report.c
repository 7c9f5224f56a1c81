/* See report.h. */
#include "cli/tune/report.h"
#include "cli/problem_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/device_json.h"
#include "problem/names.h"
#include "text/table.h"

static double gflops_of(const sqa_tuning_outcome *outcome, double ms)
{
    return outcome->flops / (ms * 1e6);
}

/* "12", or "12: 9 ok, 2 timeout, 1 crashed" once something failed. */
static void describe_trials(const sqa_tuning_outcome *outcome, sqa_text *out)
{
    uint32_t total = 0;
    for (int i = 0; i < SQA_TRIAL_STATUSES; i++)
        total += outcome->trials[i];
    sqa_text_format(out, "%u", total);
    const char *separator = ": ";
    for (int i = 0; i < SQA_TRIAL_STATUSES; i++)
        if (outcome->trials[i] && total != outcome->trials[SQA_TRIAL_OK]) {
            sqa_text_format(out, "%s%u %s", separator, outcome->trials[i],
                            sqa_trial_status_name((sqa_trial_status)i));
            separator = ", ";
        }
    if (outcome->known)
        sqa_text_format(out, " + %u known", outcome->known);
    if (outcome->pruned)
        sqa_text_format(out, ", %u pruned", outcome->pruned);
}

/* A figure that may be unknown. */
static void print_figure(sqa_table *table, double value, const char *unit)
{
    if (isfinite(value))
        sqa_table_cell(table, "%.2f%s", value, unit);
    else
        sqa_table_cell(table, "-");
}

/* Times as fast as the default, and how far the rounds of the final lie apart in it. */
static void print_gain(sqa_table *table, const sqa_tuning_outcome *outcome)
{
    const double gain = outcome->default_ms / outcome->best_ms;
    if (isfinite(gain))
        sqa_table_cell(table, "%.2fx +-%.2f", gain, gain * outcome->spread_ms / outcome->best_ms);
    else
        sqa_table_cell(table, "-");
}

/* Whether a winner is another configuration than the default. */
static bool has_gain(const sqa_tuning_outcome *outcome)
{
    return outcome->tuned && (strcmp(outcome->winner.family, outcome->fallback.family) != 0 ||
                              strcmp(outcome->winner.config, outcome->fallback.config) != 0);
}

static void print_conclusion(const sqa_tuning_options *options, const sqa_tuning_report *report)
{
    size_t tuned = 0, gained = 0;
    for (size_t i = 0; i < report->count; i++) {
        tuned += report->outcomes[i].tuned;
        gained += has_gain(&report->outcomes[i]);
    }
    if (tuned && !gained)
        printf("\nNothing beat the default kernels by more than the noise: they stay in use.\n");
    else if (!tuned)
        printf("\nNothing was tuned: what was in use stays in use.\n");
    printf("\nstored in %s\n", options->database);
    if (report->stopped)
        printf("stopped early; the same command goes on from here\n");
}

static void print_outcome(sqa_table *table, const sqa_tuning_outcome *outcome, double ceiling)
{
    sqa_text trials = SQA_TEXT_INIT;
    describe_trials(outcome, &trials);
    sqa_table_cell(table, "%s", outcome->shape);
    if (outcome->tuned) {
        double gflops = gflops_of(outcome, outcome->best_ms);
        print_figure(table, outcome->default_ms, "");
        print_figure(table, outcome->best_ms, "");
        print_gain(table, outcome);
        sqa_table_cell(table, "%.1f", gflops);
        print_figure(table, gflops / ceiling, "");
        sqa_table_cell(table, "%s", sqa_text_get(&trials));
        sqa_table_cell(table, "%s %s", outcome->winner.family, outcome->winner.config);
    } else {
        for (int i = 0; i < 5; i++)
            sqa_table_cell(table, "-");
        sqa_table_cell(table, "%s", sqa_text_get(&trials));
        sqa_table_cell(table, "not tuned: %s", outcome->message);
    }
    sqa_text_free(&trials);
}

void sqa_tune_report_print(const sqa_tuning_options *options, const sqa_tuning_report *report,
                           bool wide)
{
    static const struct {
        const char *heading;
        unsigned rank; /* where there is no room for all; 0: always there */
    } figures[] = {
        {"default ms", 1}, {"tuned ms", 0}, {"speed-up", 0}, {"GFLOP/s", 3}, {"of ceiling", 2}};
    bool all_tuned = true; /* what was not has its reason in the last column */
    const sqa_device_identity *identity = &report->device.identity;
    printf("%s (%s / %s / %s)\n", report->device.strings.device_name, identity->vendor,
           identity->architecture, identity->model);
    const double *ceiling = report->ceiling.rate;
    printf("ceiling: %.1f GFLOP/s multiply-add, %.1f GB/s copy, %.1f GB/s read\n\n",
           ceiling[SQA_CEILING_FMA], ceiling[SQA_CEILING_COPY], ceiling[SQA_CEILING_READ]);
    sqa_table table = SQA_TABLE_INIT;
    table.wide = wide;
    sqa_table_column(&table, "shape", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < report->count; i++)
        all_tuned = all_tuned && report->outcomes[i].tuned;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        sqa_table_spare(&table, figures[i].heading, SQA_ALIGN_RIGHT, figures[i].rank);
    sqa_table_spare(&table, "trials", SQA_ALIGN_LEFT, 4);
    sqa_table_spare(&table, "configuration", SQA_ALIGN_LEFT, all_tuned ? 5 : 0);
    for (size_t i = 0; i < report->count; i++)
        print_outcome(&table, &report->outcomes[i], report->ceiling.rate[SQA_CEILING_FMA]);
    sqa_table_print(&table, stdout);
    print_conclusion(options, report);
}

static void write_candidate(sqa_json *json, const char *key, const sqa_candidate_text *candidate)
{
    sqa_json_object(json, key);
    sqa_json_string(json, "family", candidate->family);
    sqa_json_string(json, "config", candidate->config);
    sqa_json_close(json);
}

static void write_trials(sqa_json *json, const sqa_tuning_outcome *outcome)
{
    sqa_json_object(json, "trials");
    for (int i = 0; i < SQA_TRIAL_STATUSES; i++)
        sqa_json_integer(json, sqa_trial_status_name((sqa_trial_status)i), outcome->trials[i]);
    sqa_json_integer(json, "known", outcome->known);
    sqa_json_integer(json, "pruned", outcome->pruned);
    sqa_json_close(json);
    sqa_json_integer(json, "space", (int64_t)outcome->space);
}

static void write_outcome(sqa_json *json, const sqa_tuning_outcome *outcome, double ceiling)
{
    bool tuned = outcome->tuned;
    double gflops = gflops_of(outcome, outcome->best_ms);
    sqa_json_object(json, NULL);
    sqa_json_problem(json, &outcome->problem);
    sqa_json_boolean(json, "tuned", tuned);
    sqa_json_number(json, "default_ms", outcome->default_ms);
    sqa_json_number(json, "median_ms", outcome->best_ms);
    sqa_json_number(json, "spread_ms", outcome->spread_ms);
    sqa_json_number(json, "speedup_vs_default", outcome->default_ms / outcome->best_ms);
    sqa_json_number(json, "gflops", gflops);
    sqa_json_number(json, "fraction_of_ceiling", gflops / ceiling);
    sqa_json_number(json, "max_error", outcome->max_error);
    sqa_json_string(json, "family", tuned ? outcome->winner.family : NULL);
    sqa_json_string(json, "config", tuned ? outcome->winner.config : NULL);
    if (tuned)
        write_candidate(json, "default", &outcome->fallback);
    write_trials(json, outcome);
    sqa_json_string(json, "message", outcome->message[0] ? outcome->message : NULL);
    sqa_json_close(json);
}

void sqa_tune_report_json(const sqa_tuning_options *options, const sqa_tuning_report *report)
{
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_device(&json, options->platform, options->device, &report->device);
    sqa_json_ceiling(&json, &report->ceiling);
    sqa_json_string(&json, "database", options->database);
    sqa_json_string(&json, "strategy", options->strategy->name);
    sqa_json_integer(&json, "seed", (int64_t)options->seed);
    sqa_json_boolean(&json, "stopped", report->stopped);
    sqa_json_array(&json, "rows");
    for (size_t i = 0; i < report->count; i++)
        write_outcome(&json, &report->outcomes[i], report->ceiling.rate[SQA_CEILING_FMA]);
    sqa_json_close(&json);
    sqa_json_finish(&json);
}
