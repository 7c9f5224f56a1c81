/* See sections.h. What stands where on the page; how it is spelled in HTML is
 * text/html.c's business, what is drawn pictures.c's. */
#include "cli/report/sections.h"

#include <math.h>
#include <string.h>

#include "cli/db/subcommand.h"
#include "cli/report/pictures.h"
#include "text/html.h"

static void write_fact(FILE *file, const char *name, const char *value)
{
    sqa_html_element(file, "dt", "%s", name);
    sqa_html_element(file, "dd", "%s", value);
}

static void write_device(FILE *file, const sqa_report_part *part)
{
    const sqa_device *device = &part->sample->device;
    const sqa_device_identity *identity = &device->identity;
    char text[512];
    fputs("<dl>\n", file);
    snprintf(text, sizeof text, "%s / %s / %s, by %s", identity->vendor, identity->architecture,
             identity->model, identity->runtime);
    write_fact(file, "Identity", text);
    snprintf(text, sizeof text, "%s, %u compute units, work-groups of at most %zu, %llu KiB local",
             sqa_device_type_name(device->strings.type), device->strings.compute_units,
             device->limits.max_work_group_size,
             (unsigned long long)device->limits.local_memory_bytes / 1024);
    write_fact(file, "Device", text);
    snprintf(text, sizeof text, "%s (%s)", device->strings.driver_version,
             device->strings.platform_version);
    write_fact(file, "Driver", text);
    write_fact(file, "Tuned by", part->sample->library_version);
    write_fact(file, "Source", part->sample->source);
    if (isfinite(part->ceiling_gflops))
        snprintf(text, sizeof text, "%.1f GFLOP/s of fused multiply-adds in f32, the best measured",
                 part->ceiling_gflops);
    else
        snprintf(text, sizeof text, "not measured");
    write_fact(file, "Ceiling", text);
    fputs("</dl>\n", file);
}

static void write_statuses(FILE *file, const sqa_report_part *part)
{
    fputs("<p>Trials: ", file);
    const char *between = "";
    for (int i = 0; i <= SQA_TRIAL_MODELLED; i++) {
        if (!part->by_status[i])
            continue;
        sqa_html_text(file, "%s%u %s", between, part->by_status[i],
                      sqa_trial_status_name((sqa_trial_status)i));
        between = ", ";
    }
    fputs(".</p>\n", file);
}

/* "family(NAME=value,...)", which may break after each comma. */
static void write_kernel(FILE *file, const sqa_stored_trial *trial)
{
    fputs("<td>", file);
    sqa_html_text(file, "%s(", trial->family);
    for (const char *at = trial->config; *at;) {
        size_t length = strcspn(at, ",") + (strchr(at, ',') != NULL);
        sqa_html_text(file, "%.*s", (int)length, at);
        fputs("<wbr>", file);
        at += length;
    }
    fputs(")</td>", file);
}

/* Begins a row with the problem and its heads. */
static void write_problem(FILE *file, const sqa_stored_trial *trial)
{
    char problem[SQA_DB_PROBLEM_TEXT], heads[SQA_DB_HEADS_TEXT];
    sqa_db_problem_text(trial, problem);
    sqa_db_heads_text(trial, heads);
    sqa_html_row_begin(file);
    sqa_html_cell(file, "%s", problem);
    sqa_html_cell(file, "%s", heads);
}

static void write_best_row(FILE *file, const sqa_stored_trial *best)
{
    write_problem(file, best);
    sqa_html_figure(file, best->result.median_ms, 3, "");
    sqa_html_figure(file, best->result.spread_ms, 3, "");
    sqa_html_figure(file, best->gflops, 1, "");
    sqa_html_figure(file, 100 * best->fraction_of_ceiling, 0, " %");
    sqa_html_element(file, "td class=\"figure\"", "%.1e", best->result.max_error);
    sqa_html_cell(file, "%.10s%s", best->recorded_at, best->winner ? "" : ", no final yet");
    write_kernel(file, best);
    sqa_html_row_end(file);
}

/* A section that has no rows is left out, heading and all. */
static void begin_section(FILE *file, bool *begun, const char *heading, const char *caption,
                          const char *headings)
{
    if (*begun)
        return;
    sqa_html_element(file, "h3", "%s", heading);
    sqa_html_table_begin(file, caption, headings);
    *begun = true;
}

static void write_best(FILE *file, const sqa_report_part *part)
{
    bool begun = false;
    for (size_t i = 0; i < part->trace_count; i++) {
        if (!part->traces[i].best)
            continue;
        begin_section(file, &begun, "Best per problem",
                      "Heads are query / key-value heads; the error is the largest deviation "
                      "from the fp64 reference over max |V|.",
                      "Problem|Heads|#ms|#± ms|#GFLOP/s|#of ceiling|#error|Date|Kernel");
        write_best_row(file, part->traces[i].best);
    }
    if (begun)
        sqa_html_table_end(file);
}

static void write_modelled(FILE *file, const sqa_report_part *part)
{
    bool begun = false;
    for (size_t i = 0; i < part->trace_count; i++) {
        const sqa_stored_trial *row = part->traces[i].modelled;
        if (!row)
            continue;
        begin_section(file, &begun, "Modelled, never measured",
                      "What a model says of devices that nobody had: the part of the rate of "
                      "multiply-adds. Any measurement comes before it.",
                      "Problem|Heads|#modelled|Model|Kernel");
        write_problem(file, row);
        sqa_html_figure(file, 100 * row->modelled, 0, " %");
        sqa_html_cell(file, "%s", row->result.message);
        write_kernel(file, row);
        sqa_html_row_end(file);
    }
    if (begun)
        sqa_html_table_end(file);
}

static sqa_status write_tuned(FILE *file, const char *gnuplot, const sqa_report_part *part)
{
    sqa_bars bars = {.title = "times as fast as the untuned default", .unit = "x", .line = 1};
    bool begun = false;
    for (size_t i = 0; i < part->trace_count; i++) {
        const sqa_trace *trace = &part->traces[i];
        const sqa_stored_trial *best = trace->best, *fallback = trace->fallback;
        char problem[SQA_DB_PROBLEM_TEXT], heads[SQA_DB_HEADS_TEXT];
        /* A winner that is the default was measured once, in its own final. */
        if (!best || !fallback || (best == fallback && trace->trials < 2))
            continue;
        begin_section(file, &begun, "Tuned against default",
                      "The default is what runs without a database; both were measured in turn "
                      "in the same final, where there was one.",
                      "Problem|Heads|#default ms|#tuned ms|#speed-up|Default kernel");
        sqa_db_problem_text(best, problem);
        sqa_db_heads_text(best, heads);
        sqa_bars_add(&bars, sqa_trace_speedup(trace), best, "%s, %s", problem, heads);
        write_problem(file, best);
        sqa_html_figure(file, fallback->result.median_ms, 3, "");
        sqa_html_figure(file, best->result.median_ms, 3, "");
        sqa_html_figure(file, sqa_trace_speedup(trace), 2, "x");
        write_kernel(file, fallback);
        sqa_html_row_end(file);
    }
    if (!begun)
        return SQA_OK;
    sqa_html_table_end(file);
    return sqa_report_draw_bars(file, gnuplot, &bars,
                                "Speed-up of the tuned kernel over the default; the line is at 1.");
}

static bool is_mha(const sqa_rank *rank)
{
    return rank->variant && !strcmp(rank->variant, sqa_variant_name(SQA_VARIANT_MHA));
}

/* Only where there is something to compare with: MHA of the same problem. */
static sqa_status write_variants(FILE *file, const char *gnuplot, const sqa_report_data *data,
                                 const sqa_report_part *part)
{
    sqa_bars bars = {.title = "times as fast as MHA", .unit = "x", .line = 1};
    bool begun = false;
    for (size_t i = 0; i < data->ranking.count; i++) {
        const sqa_stored_trial *trial = &data->ranking.trials[i];
        sqa_rank rank = sqa_rank_of(&data->ranking, trial, 0, NULL);
        char problem[SQA_DB_PROBLEM_TEXT], heads[SQA_DB_HEADS_TEXT];
        if (!sqa_same_environment(trial, part->sample) || !isfinite(rank.speedup) || is_mha(&rank))
            continue;
        begin_section(file, &begun, "Variants against MHA",
                      "Of a model with as many heads as the largest measured; the best kernels of "
                      "both, by their shares of the ceiling that was sampled with either. ~ marks "
                      "bare times of different minutes.",
                      "Problem|Variant|Heads|#ms|#vs MHA|#of ceiling");
        sqa_db_problem_text(trial, problem);
        const char *variant = rank.variant ? rank.variant : "other";
        sqa_db_heads_text(trial, heads);
        sqa_bars_add(&bars, rank.speedup, trial, "%s, %s %s", problem, variant, heads);
        sqa_html_row_begin(file);
        sqa_html_cell(file, "%s", problem);
        sqa_html_cell(file, "%s", variant);
        sqa_html_cell(file, "%s of %u", heads, rank.heads);
        sqa_html_figure(file, trial->result.median_ms, 3, "");
        sqa_html_figure(file, rank.speedup, 2, rank.comparable ? "x" : "x ~");
        sqa_html_figure(file, 100 * trial->fraction_of_ceiling, 0, " %");
        sqa_html_row_end(file);
    }
    if (!begun)
        return SQA_OK;
    sqa_html_table_end(file);
    return sqa_report_draw_bars(file, gnuplot, &bars,
                                "Speed-up over MHA of the same model; the line is at 1.");
}

/* The trial that first came within 5 % of the best of the search. */
static uint32_t nearly_best_at(const sqa_trace *trace)
{
    size_t i = 0;
    while (trace->points[i].gflops < 0.95 * trace->points[trace->point_count - 1].gflops)
        i++;
    return trace->points[i].trial;
}

static sqa_status write_searches(FILE *file, const char *gnuplot, const sqa_report_part *part)
{
    bool begun = false;
    for (size_t i = 0; i < part->trace_count; i++) {
        const sqa_trace *trace = &part->traces[i];
        if (trace->trials < 2 || !trace->point_count)
            continue;
        begin_section(file, &begun, "Searches", "Trials of the searches, finals left out.",
                      "Problem|Heads|#trials|#correct|#failed|#best, GFLOP/s|"
                      "#within 5 % of it after");
        write_problem(file, trace->best);
        sqa_html_figure(file, trace->trials, 0, "");
        sqa_html_figure(file, trace->ok, 0, "");
        sqa_html_figure(file, trace->failed, 0, "");
        sqa_html_figure(file, trace->points[trace->point_count - 1].gflops, 1, "");
        sqa_html_figure(file, nearly_best_at(trace), 0, " trials");
        sqa_html_row_end(file);
    }
    if (!begun)
        return SQA_OK;
    sqa_html_table_end(file);
    return sqa_report_draw_traces(file, gnuplot, part);
}

sqa_status sqa_report_write_part(FILE *file, const char *gnuplot, const sqa_report_data *data,
                                 const sqa_report_part *part)
{
    sqa_html_element(file, "h2", "%s", part->sample->device.strings.device_name);
    write_device(file, part);
    write_statuses(file, part);
    write_best(file, part);
    write_modelled(file, part);
    sqa_status status = write_tuned(file, gnuplot, part);
    if (status == SQA_OK)
        status = write_variants(file, gnuplot, data, part);
    return status == SQA_OK ? write_searches(file, gnuplot, part) : status;
}
