#include "cli/report/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/untuned.h"

/* Of one database; which are told apart, the user's before the others, by its name. */
static int by_id(const void *a, const void *b)
{
    const sqa_stored_trial *x = a, *y = b;
    const int order = strcmp(y->source, x->source);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static bool is_same_problem(const sqa_stored_trial *a, const sqa_stored_trial *b)
{
    return sqa_same_environment(a, b) && a->problem_id == b->problem_id;
}

static bool is_ok(const sqa_stored_trial *trial)
{
    return trial->result.status == SQA_TRIAL_OK;
}

static sqa_status add_point(sqa_trace *trace, double gflops)
{
    struct sqa_trace_point *points =
        realloc(trace->points, (trace->point_count + 1) * sizeof *points);
    if (!points)
        return sqa_fail_memory("a report");
    trace->points = points;
    points[trace->point_count++] = (struct sqa_trace_point){trace->trials, gflops};
    return SQA_OK;
}

/* One more trial of the search. */
static sqa_status follow(sqa_trace *trace, const sqa_stored_trial *trial)
{
    trace->trials++;
    if (trial->result.status != SQA_TRIAL_OK && trial->result.status != SQA_TRIAL_TOO_NOISY)
        trace->failed++;
    if (!is_ok(trial))
        return SQA_OK;
    trace->ok++;
    bool better =
        !trace->point_count || trial->gflops > trace->points[trace->point_count - 1].gflops;
    return better ? add_point(trace, trial->gflops) : SQA_OK;
}

static bool is_better(const sqa_stored_trial *a, const sqa_stored_trial *b)
{
    if (!b || a->winner != b->winner)
        return !b || a->winner;
    return a->final != b->final ? a->final : a->result.median_ms < b->result.median_ms;
}

/* The trace of the problem that trial `first` is the first of. */
static sqa_status trace_problem(const sqa_trial_list *all, size_t first, sqa_trace *out)
{
    const sqa_stored_trial *question = &all->trials[first];
    const char *family = "";
    char config[SQA_CONFIG_TEXT] = "";
    bool known = sqa_untuned_of(question, &family, config);
    sqa_status status = SQA_OK;
    memset(out, 0, sizeof *out);
    for (size_t i = first; i < all->count && status == SQA_OK; i++) {
        const sqa_stored_trial *trial = &all->trials[i];
        if (!is_same_problem(trial, question))
            continue;
        if (trial->result.status == SQA_TRIAL_MODELLED) {
            if (!out->modelled || trial->modelled > out->modelled->modelled)
                out->modelled = trial;
            continue;
        }
        if (!trial->final)
            status = follow(out, trial);
        if (!is_ok(trial))
            continue;
        if (is_better(trial, out->best))
            out->best = trial;
        /* The latest final counts; a trial of the search, where there was none. */
        if (known && !strcmp(trial->family, family) && !strcmp(trial->config, config) &&
            (!out->fallback || trial->final >= out->fallback->final))
            out->fallback = trial;
    }
    return status;
}

static bool is_first(const sqa_trial_list *all, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same_problem(&all->trials[i], &all->trials[index]))
            return false;
    return true;
}

static sqa_report_part *part_of(sqa_report_data *data, const sqa_stored_trial *trial)
{
    for (size_t i = 0; i < data->part_count; i++)
        if (sqa_same_environment(data->parts[i].sample, trial))
            return &data->parts[i];
    sqa_report_part *parts = realloc(data->parts, (data->part_count + 1) * sizeof *parts);
    if (!parts)
        return NULL;
    data->parts = parts;
    sqa_report_part *part = &parts[data->part_count++];
    memset(part, 0, sizeof *part);
    part->sample = trial;
    part->ceiling_gflops = NAN;
    return part;
}

static sqa_status add_trace(sqa_report_part *part, const sqa_trial_list *all, size_t first)
{
    sqa_trace *traces = realloc(part->traces, (part->trace_count + 1) * sizeof *traces);
    if (!traces)
        return sqa_fail_memory("a report");
    part->traces = traces;
    return trace_problem(all, first, &traces[part->trace_count++]);
}

static sqa_status relate(sqa_report_data *data)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < data->all.count && status == SQA_OK; i++) {
        const sqa_stored_trial *trial = &data->all.trials[i];
        sqa_report_part *part = part_of(data, trial);
        if (!part)
            return sqa_fail_memory("a report");
        part->by_status[trial->result.status & 7]++;
        const double ceiling = trial->ceilings.fma_gflops;
        if (!(part->ceiling_gflops >= ceiling) && isfinite(ceiling))
            part->ceiling_gflops = ceiling;
        if (is_first(&data->all, i))
            status = add_trace(part, &data->all, i);
    }
    return status;
}

sqa_status sqa_report_data_read(sqa_report_data *out, const sqa_db_sources *sources,
                                const sqa_store_filter *filter)
{
    sqa_store_filter ranking = *filter;
    ranking.ranking = true;
    sqa_status status = sqa_db_sources_list(sources, filter, &out->all);
    if (status == SQA_OK)
        status = sqa_db_sources_list(sources, &ranking, &out->ranking);
    if (status == SQA_OK && out->all.count)
        qsort(out->all.trials, out->all.count, sizeof *out->all.trials, by_id);
    return status == SQA_OK ? relate(out) : status;
}

void sqa_report_data_free(sqa_report_data *data)
{
    for (size_t i = 0; i < data->part_count; i++) {
        for (size_t j = 0; j < data->parts[i].trace_count; j++)
            free(data->parts[i].traces[j].points);
        free(data->parts[i].traces);
    }
    free(data->parts);
    sqa_trial_list_free(&data->all);
    sqa_trial_list_free(&data->ranking);
    *data = (sqa_report_data)SQA_REPORT_DATA_INIT;
}

double sqa_trace_speedup(const sqa_trace *trace)
{
    const sqa_stored_trial *best = trace->best, *fallback = trace->fallback;
    if (!best || !fallback)
        return NAN;
    if (isfinite(best->result.yardstick_ms))
        return best->result.yardstick_ms / best->result.median_ms;
    return best->final == fallback->final ? fallback->result.median_ms / best->result.median_ms
                                          : NAN;
}
