/* sqa bench: measures what its options ask for and hands the rows to whoever
 * writes them. The measuring is trial/bench.c, the options words.c. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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
#include "text/progress.h"
#include "trial/bench_rows.h"

static const char summary[] =
    "Times operations with the kernels the library would use, as fractions of the\n"
    "device's own ceilings measured in the same run: attention variants side by side\n"
    "and against multi-head attention, or the problems that --shape or --preset name.\n"
    "Every row is checked against an fp64 reference.\n"
    "\n"
    "--op takes one operation or several: forward (default), backward, a step of training\n"
    "as forward+backward (timed as one), decode (forward of a query over --kv-length keys),\n"
    "matmul, ...; a wrong name lists all. An operation\n"
    "without variants (matmul) is timed on --shape m=4096,n=1024,k=1024, on a preset's\n"
    "problems, or on its first preset's; --family all shows its kernel families side by\n"
    "side. What a backward pass has to compute counts as 2.5 times the forward pass.\n"
    "\n"
    "--op layer by itself, without a model of yours (--variant, --heads, --dim, ...), is the\n"
    "paper's: 16 heads, model dimension 256, forward and a step of training, one layer and\n"
    "8 times that beside Table 3. Lengths that take too long here are left out unless\n"
    "--full or --seq asks for them. Stages of a layer are checked one by one. With\n"
    "--attention linear layers and blocks have linear attention, by --feature, --decay (with\n"
    "--causal), --delta and --normalise: --decay head is retention, --decay token or channel\n"
    "gated linear attention, --decay token --delta gated DeltaNet.\n"
    "\n"
    "Each variant also comes within a sliding window, as sw-NAME (swa is sw-mha), and\n"
    "with a window and global tokens, as flex-NAME. --window is theirs, or that of all\n"
    "rows where no such variant is named. GFLOP/s count the keys that are seen. mla is\n"
    "absorbed latent attention: 16 heads read one key of 576 elements, of which 512 are the\n"
    "value, whatever --heads and --dim are. It computes more than it reads, so that the part\n"
    "of the roofline is of multiply-adds where for others it is of reading.\n"
    "\n"
    "The rows of a length, or of a shape, and the ceiling (a kernel of nothing but\n"
    "multiply-adds) after each of them, are sampled in turn, round after round. Reported\n"
    "is the median: of the row's time, and of the ceiling's rate in the same rounds, so\n"
    "that whatever slows the machine down slows both. Where reading the tensors takes\n"
    "longer than computing, GB/s and their part of what a kernel that only reads reaches\n"
    "are shown, too, of decode the part of the roofline, which is the nearer of both bounds,\n"
    "and the bytes of K and V that a token takes. \"spread\" is how far the middle half of the "
    "samples is apart; above\n"
    "10 % of the median it is marked with a star. JSON and CSV have the best sample as\n"
    "well. Beside softmax attention, a line says from which of the lengths on linear\n"
    "attention is faster, and --plot draws time over length; linear attention goes without\n"
    "sw- and flex-. Ctrl-C ends with what was measured so far.";

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

/* Of all rows, before the first is measured. */
static sqa_status check_memory(const sqa_bench_options *options, const sqa_device *device)
{
    sqa_status status = SQA_OK;
    for (size_t group = 0; group < sqa_bench_group_count(options) && status == SQA_OK; group++) {
        sqa_bench_rows rows;
        status = sqa_bench_rows_lay_out(options, group, &rows);
        for (size_t i = 0; i < rows.count; i++)
            for (size_t p = 0; p < rows.items[i].pass->part_count && status == SQA_OK; p++)
                status = sqa_memory_check(&rows.items[i].parts[p], device);
        sqa_bench_rows_free(&rows);
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
    const atomic_bool *stop = sqa_interrupt_catch();
    sqa_status status = sqa_bench_words_read(&call->words, &options);
    options.stop = stop;
    if (status == SQA_OK)
        status = sqa_log_option(call->log_level, &made);
    if (status == SQA_OK)
        status = sqa_device_option(call->device, &view.platform, &view.index);
    if (status == SQA_OK)
        status = check_files(call);
    if (status == SQA_OK && call->plot)
        status = sqa_bench_plot_open(&plot, call->plot);
    if (status == SQA_OK)
        status = sqa_context_open(&context, view.platform, view.index, &made);
    if (status == SQA_OK)
        status = run(call, &options, context, view, &plot);
    sqa_context_destroy(context);
    sqa_bench_options_free(&options);
    return status;
}

enum { MOST_OPTIONS = 40 };

/* What is timed. Returns how many options, as those behind do. */
static size_t problem_options(sqa_bench_words *words, sqa_option *out)
{
    const sqa_option table[] = {
        {"op", "NAMES", "forward (default), backward, forward+backward, matmul, ...",
         .text = &words->passes},
        {"shape", "SHAPE", "a problem in the words of `sqa tune --shape`; repeatable",
         .list = &words->shapes,
         .excludes = "preset,variant,heads,seq,queries,dim,batch,dtype,causal,window,globals,"
                     "pattern,kv-length,kv-format,page,attention,feature,decay,delta,normalise,"
                     "project-decay,project-beta"},
        {"preset", "NAME", "paper: Table 3 of arXiv 2510.01817 here; or problems, as of `sqa tune`",
         .text = &words->preset, .excludes = "variant,heads,queries,dim,window,globals,page"},
        {"full", NULL, "all lengths of the paper's table, however long they take",
         .flag = &words->full, .excludes = "shape,seq"},
        {"variant", "NAMES", "mha,gqa,mqa,sqa,ssqa,xsqa (default), xsmqa,lsqa,rsqa; see above",
         .text = &words->variants},
        {"heads", "H", "heads of the multi-head model (8)", .count = {&words->heads, 1, 65535}},
        {"seq", "LENGTHS", "sequence lengths, such as 1024,4096 (2048)",
         .counts = {&words->lengths, 1, 1u << 24}},
        {"kv-length", "LENGTHS", "the same, of --op decode: keys of the cache",
         .counts = {&words->kv_lengths, 1, 1u << 24}, .excludes = "seq"},
        {"queries", "N", "of every length (as many as keys; of --op decode 1)",
         .count = {&words->queries, 1, 1u << 24}},
        {"dim", "DIMENSIONS", "head dimensions, such as 64,128 (64)",
         .counts = {&words->dims, 1, SQA_MAX_HEAD_DIM}},
        {"batch", "SIZES", "batch sizes, such as 1,8 (1)", .counts = {&words->batches, 1, 65535}},
        {"dtype", "TYPE", "how tensors are stored: f32 (default), f16 or bf16",
         .text = &words->dtype},
        {"kv-format", "TYPES", "how K and V are, such as f16,int8,int4 (as dtype says)",
         .text = &words->kv_formats, .excludes = "preset"},
        {"page", "N", "keys of a page: caches of --op decode in pages, in a random order",
         .count = {&words->page, 1, 1u << 20}, .needs = "kv-length"},
        {"shortest", "N", "keys of the batch's shortest cache, the others' go up to --kv-length",
         .count = {&words->shortest, 1, 1u << 24}, .needs = "page,batch"},
        {"causal", NULL, "with a causal mask", .flag = &words->causal},
        {"window", "L,R", "keys before and after (128,0 with --causal, else 64,64)",
         .window = &words->window, .given = &words->has_window},
        {"globals", "N", "leading global tokens of flex- variants (16)",
         .count = {&words->globals, 1, 1u << 20}},
        {"pattern", "KEYS", "of every row, as in --shape: softcap=30,alibi=geometric,...",
         .text = &words->pattern},
    };
    memcpy(out, table, sizeof table);
    return sizeof table / sizeof *table;
}

/* Of linear attention. */
static size_t linear_options(sqa_bench_words *words, sqa_option *out)
{
    const sqa_option table[] = {
        {"attention", "NAME", "of layers and blocks: softmax (default) or linear",
         .text = &words->attention},
        {"feature", "NAME", "of linear attention: identity (default), elu1 or relu",
         .text = &words->feature},
        {"decay", "NAME", "likewise: none (default), one per head, token or channel",
         .text = &words->decay},
        {"delta", NULL, "likewise, the delta rule", .flag = &words->delta, .excludes = "normalise"},
        {"project-decay", NULL, "of layers and blocks, decays follow from X",
         .flag = &words->project_decay, .needs = "attention,decay"},
        {"project-beta", NULL, "likewise, betas", .flag = &words->project_beta,
         .needs = "attention,delta"},
        {"normalise", NULL, "likewise, divided by the sum of the weights",
         .flag = &words->normalise},
    };
    memcpy(out, table, sizeof table);
    return sizeof table / sizeof *table;
}

/* How, and where it goes. */
static size_t how_options(bench_call *call, sqa_option *out)
{
    sqa_bench_words *words = &call->words;
    const sqa_option table[] = {
        {"rounds", "N", "samples of each row (7)", .count = {&words->rounds, 1, 1000}},
        {"against-default", NULL, "also time what runs without any tuning database",
         .flag = &words->against_default},
        {"family", "NAMES", "kernel families, a row each, instead of the best known; or all",
         .text = &words->families},
        {"peer", "NAME",
         "another library beside each row: torch (PyTorch of the python3 in $PATH) or "
         "openblas (of --op matmul)",
         .text = &words->peer, .excludes = "against-default"},
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .text = &call->device},
        {"db", "FILE", "tuning database instead of the user's own", .text = &call->database},
        {"json", NULL, "one JSON document", .flag = &call->json},
        {"wide", NULL, "a table with all columns, also on a narrow terminal", .flag = &call->wide,
         .excludes = "json,csv"},
        {"csv", NULL, "comma-separated values, the fields of the JSON rows", .flag = &call->csv,
         .excludes = "json"},
        {"plot", "FILE", "also a picture, .png or .svg, by gnuplot", .text = &call->plot},
        {"log-level", "LEVEL", "error, warning (default), info or debug", .text = &call->log_level},
    };
    memcpy(out, table, sizeof table);
    return sizeof table / sizeof *table;
}

int sqa_command_bench(int argc, char **argv)
{
    bench_call call = {.words = SQA_BENCH_WORDS_INIT};
    sqa_option options[MOST_OPTIONS];
    int code;
    memset(options, 0, sizeof options); /* one without a name ends them */
    size_t count = problem_options(&call.words, options);
    count += linear_options(&call.words, options + count);
    count += how_options(&call, options + count);
    assert(count < MOST_OPTIONS);
    if (!sqa_options_read(argc, argv, summary, options, &code))
        return code;
    sqa_status status = bench(&call);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
