/* `sqa report`: what the tuning database knows, as one HTML file. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/db/subcommand.h"
#include "cli/report/sections.h"
#include "text/gnuplot.h"
#include "text/html.h"
#include "text/output.h"

static const char summary[] =
    "Writes what the tuning databases know as one HTML file that needs nothing else: devices\n"
    "and their ceilings, the best kernel per problem, tuned against default, variants against\n"
    "MHA, and the course of the searches. With gnuplot installed there are pictures, too.";

typedef struct report_request {
    sqa_db_choice choice;
    sqa_store_filter filter;
    const char *path;
    bool plain; /* without pictures */
} report_request;

static void write_head(FILE *file, const sqa_report_data *data, const char *databases)
{
    char now[SQA_TIME_TEXT];
    sqa_time_now(now);
    sqa_html_begin(file, "Attention on OpenCL: tuning results");
    sqa_html_element(file, "p",
                     "Written %.10s. Trials: %zu; devices and drivers: %zu. Rates are "
                     "compared with the device's ceiling, its rate of fused multiply-adds measured "
                     "in the same run; absolute times depend on what else the machine was doing.",
                     now, data->all.count, data->part_count);
    sqa_html_element(file, "p", "Databases: %s.", databases);
    if (data->all.unreadable)
        sqa_html_element(file, "p", "Left out: %llu trials that cannot be read.",
                         (unsigned long long)data->all.unreadable);
    if (data->part_count == 0)
        sqa_html_element(file, "p", "There are no results; `sqa tune` makes some.");
}

static sqa_status write_page(FILE *file, const char *gnuplot, const sqa_report_data *data,
                             const char *databases)
{
    sqa_status status = SQA_OK;
    write_head(file, data, databases);
    for (size_t i = 0; i < data->part_count && status == SQA_OK; i++)
        status = sqa_report_write_part(file, gnuplot, data, &data->parts[i]);
    sqa_html_end(file);
    return status;
}

/* Without gnuplot the page has its tables, and standard error a word. */
static const char *find_gnuplot(const report_request *request, char path[SQA_GNUPLOT_PATH])
{
    if (request->plain)
        return NULL;
    if (sqa_gnuplot_find(path) == SQA_OK)
        return path;
    fprintf(stderr, "sqa report: without pictures: %s\n", sqa_last_error());
    return NULL;
}

static sqa_status write_report(const report_request *request, const sqa_report_data *data,
                               const char *databases)
{
    char gnuplot[SQA_GNUPLOT_PATH];
    sqa_output out;
    sqa_status status = sqa_output_open(&out, "--out", request->path);
    return status == SQA_OK
               ? sqa_output_close(
                     &out, write_page(out.file, find_gnuplot(request, gnuplot), data, databases))
               : status;
}

static sqa_status report(report_request *request)
{
    sqa_db_sources sources = SQA_DB_SOURCES_INIT;
    sqa_report_data data = SQA_REPORT_DATA_INIT;
    sqa_status status = sqa_db_check_filter(&request->filter);
    if (status == SQA_OK)
        status = sqa_db_check_output(&request->choice, request->path);
    if (status == SQA_OK)
        status = sqa_db_sources_open(&sources, &request->choice);
    if (status == SQA_OK)
        status = sqa_report_data_read(&data, &sources, &request->filter);
    if (status == SQA_OK)
        status = write_report(request, &data, sqa_text_get(&sources.text));
    sqa_report_data_free(&data);
    sqa_db_sources_close(&sources);
    return status;
}

int sqa_command_report(int argc, char **argv)
{
    report_request request = {0};
    const sqa_option options[] = {
        {"out", "FILE", "the page (sqa-report.html)", .text = &request.path},
        {"no-pictures", NULL, "tables only, also where gnuplot is", .flag = &request.plain},
        SQA_FILTER_OPTIONS(request.filter),
        SQA_SHOWN_DB_OPTIONS(request.choice),
        {0},
    };
    int code;
    if (!sqa_options_read(argc, argv, summary, options, &code))
        return code;
    request.path = request.path ? request.path : "sqa-report.html";
    sqa_status status = report(&request);
    if (status != SQA_OK)
        return sqa_command_fail(argv[0], status);
    fprintf(sqa_output_words(request.path), "%s\n", request.path);
    return SQA_EXIT_OK;
}
