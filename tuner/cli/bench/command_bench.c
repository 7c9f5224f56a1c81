/* sqa bench: measures what its options ask for and hands the rows to whoever
 * writes them. The measuring is trial/bench.c, the options words.c. */
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "cli/bench/plot.h"
#include "cli/bench/report.h"
#include "cli/bench/words.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/device_option.h"
#include "cli/interrupt.h"
#include "cli/log_option.h"
#include "cli/memory_check.h"
#include "cli/options.h"
#include "problem/problem.h"
#include "text/progress.h"

static const char summary[] =
    "Times attention variants side by side, with the kernels the library would use,\n"
    "as fractions of the device's own ceiling measured in the same run, and against\n"
    "multi-head attention. Every row is checked against an fp64 reference.\n"
    "\n"
    "Each variant also comes within a sliding window, as sw-NAME (swa is sw-mha), and\n"
    "with a window and global tokens, as flex-NAME. --window is theirs, or that of all\n"
    "rows where no such variant is named. GFLOP/s count the keys that are seen.\n"
    "\n"
    "The rows of a length, and the ceiling (a kernel of nothing but multiply-adds)\n"
    "after each of them, are sampled in turn, round after round. Reported is the\n"
    "median: of the row's time, and of the ceiling's rate in the same rounds, so that\n"
    "whatever slows the machine down slows both. \"spread\" is how far the middle half\n"
    "of the samples is apart; above 10 % of the median it is marked with a star. JSON\n"
    "and CSV have the best sample as well. Ctrl-C ends with what was measured so far.";

typedef struct bench_call {
    sqa_bench_words words;
    const char *device, *database, *log_level, *plot;
    bool json, csv, wide;
} bench_call;

static void show(void *user, double done, double seconds_left, const char *what)
{
    char left[16];
    sqa_progress_draw(user, done, "%s  %s left", what, sqa_progress_time(seconds_left, left));
}

static sqa_status measure(sqa_context *context, const sqa_bench_options *options,
                          sqa_bench_report *report)
{
    sqa_progress progress = sqa_progress_begin("bench");
    sqa_status status = sqa_bench_run(context, options, show, &progress, report);
    sqa_progress_clear(&progress);
    return status;
}

static void print(const bench_call *call, const sqa_bench_view *view)
{
    if (call->json)
        sqa_bench_print_json(view);
    else if (call->csv)
        sqa_bench_print_csv(view);
    else if (view->report->count)
        sqa_bench_print_table(view);
    fflush(stdout);
    sqa_bench_print_notes(view);
}

/* Of all rows, before the first is measured; MHA is among them in any case. */
static sqa_status check_memory(const sqa_bench_options *options, const sqa_device *device)
{
    sqa_status status = SQA_OK;
    for (size_t v = 0; v <= options->variant_count; v++)
        for (size_t n = 0; n < options->length_count; n++)
            for (size_t d = 0; d < options->dim_count && status == SQA_OK; d++) {
                const bool asked_for = v < options->variant_count;
                sqa_bench_row row;
                status = sqa_bench_describe(options,
                                            asked_for ? options->variants[v] : sqa_bench_variants,
                                            options->lengths[n], options->dims[d], &row);
                if (status == SQA_OK)
                    status = sqa_memory_check(&row.problem, device);
            }
    return status;
}

/* With all it takes open. */
static sqa_status run(const bench_call *call, const sqa_bench_options *options,
                      sqa_context *context, sqa_bench_view view, const sqa_bench_plot *plot)
{
    sqa_device device;
    sqa_bench_report report;
    sqa_status status = sqa_device_query(&device, sqa_context_cl_device(context));
    if (status == SQA_OK && options->budget_s <= 0.0) /* else what is too long is left out */
        status = check_memory(options, &device);
    if (status != SQA_OK)
        return status;
    status = measure(context, options, &report);
    view.options = options;
    view.report = &report;
    view.device = &device;
    view.paper = call->words.preset != NULL;
    view.wide = call->wide;
    if (status == SQA_OK || report.count)
        print(call, &view);
    if (status == SQA_OK && report.interrupted)
        status = sqa_fail(SQA_UNSUPPORTED, "not all was measured%s",
                          call->plot ? ", and no picture drawn" : "");
    if (status == SQA_OK && call->plot)
        status = sqa_bench_plot_draw(plot, &view);
    sqa_bench_report_free(&report);
    return status;
}

static sqa_status check_files(const bench_call *call)
{
    char buffer[4096];
    const sqa_command_file files[] = {
        sqa_database_file(call->database, buffer),
        {"--plot", call->plot, SQA_FILE_WRITTEN},
        {"standard output", NULL, SQA_FILE_PRINTED},
    };
    return sqa_database_files_check(files, sizeof files / sizeof files[0]);
}

static sqa_status bench(bench_call *call)
{
    sqa_context_options made = SQA_CONTEXT_OPTIONS_INIT;
    sqa_context *context = NULL;
    sqa_bench_options options;
    sqa_bench_view view = {0};
    sqa_bench_plot plot = {0};
    made.user_database = call->database;
    sqa_status status = sqa_bench_words_read(&call->words, &options);
    options.stop = sqa_interrupt_catch();
    if (status == SQA_OK)
        status = sqa_log_option(call->log_level, &made);
    if (status == SQA_OK)
        status = sqa_device_option(call->device, &view.platform, &view.index);
    if (status == SQA_OK && call->plot)
        status = sqa_bench_plot_open(&plot, call->plot);
    if (status == SQA_OK)
        status = check_files(call);
    if (status == SQA_OK)
        status = sqa_context_open(&context, view.platform, view.index, &made);
    if (status == SQA_OK)
        status = run(call, &options, context, view, &plot);
    sqa_context_destroy(context);
    return status;
}

int sqa_command_bench(int argc, char **argv)
{
    bench_call call = {.words = SQA_BENCH_WORDS_INIT};
    sqa_bench_words *words = &call.words;
    const sqa_option table[] = {
        {"preset", "NAME", "paper: Table 3 of arXiv 2510.01817 on this device",
         .text = &words->preset,
         .excludes = "operation,variant,heads,queries,dim,window,globals,against-default"},
        {"operation", "NAME", "forward (default) or another, whose own keys go into --pattern",
         .text = &words->operation},
        {"variant", "NAMES", "mha,gqa,mqa,sqa,ssqa,xsqa (default), xsmqa,lsqa,rsqa; see above",
         .text = &words->variants},
        {"heads", "H", "heads of the multi-head model (8)", .count = {&words->heads, 1, 65535}},
        {"seq", "LENGTHS", "sequence lengths, such as 1024,4096 (2048)",
         .counts = {&words->lengths, 1, 1u << 24}},
        {"queries", "N", "of every length, 1 is a step of decoding (as many as keys)",
         .count = {&words->queries, 1, 1u << 24}},
        {"dim", "DIMENSIONS", "head dimensions, such as 64,128 (64)",
         .counts = {&words->dims, 1, SQA_MAX_HEAD_DIM}},
        {"batch", "B", "batch size (1)", .count = {&words->batch, 1, 65535}},
        {"dtype", "TYPE", "how tensors are stored: f32 (default), f16 or bf16",
         .text = &words->dtype},
        {"causal", NULL, "with a causal mask", .flag = &words->causal},
        {"window", "L,R", "keys before and after (128,0 with --causal, else 64,64)",
         .window = &words->window, .given = &words->has_window},
        {"globals", "N", "leading global tokens of flex- variants (16)",
         .count = {&words->globals, 1, 1u << 20}},
        {"pattern", "KEYS", "of every row, as in --shape: softcap=30,alibi=geometric,...",
         .text = &words->pattern},
        {"rounds", "N", "samples of each row (7)", .count = {&words->rounds, 1, 1000}},
        {"against-default", NULL, "also time what runs without any tuning database",
         .flag = &words->against_default},
        {"family", "NAME", "this kernel family instead of the best known", .text = &words->family},
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .text = &call.device},
        {"db", "FILE", "tuning database instead of the user's own", .text = &call.database},
        {"json", NULL, "one JSON document", .flag = &call.json},
        {"wide", NULL, "a table with all columns, also on a narrow terminal", .flag = &call.wide,
         .excludes = "json,csv"},
        {"csv", NULL, "comma-separated values, the fields of the JSON rows", .flag = &call.csv,
         .excludes = "json"},
        {"plot", "FILE", "also a picture, .png or .svg, by gnuplot", .text = &call.plot},
        {"log-level", "LEVEL", "error, warning (default), info or debug", .text = &call.log_level},
        {0},
    };
    int code;
    if (!sqa_options_read(argc, argv, summary, table, &code))
        return code;
    sqa_status status = bench(&call);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
