/* sqa tune: reads what to tune and for how long, shows how it goes, prints what
 * came of it. The tuning itself is search/session.c. */
#include <math.h>
#include <stdlib.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/device_option.h"
#include "cli/interrupt.h"
#include "cli/memory_check.h"
#include "cli/tune/borrowed.h"
#include "cli/tune/preview.h"
#include "cli/tune/probe.h"
#include "cli/tune/record.h"
#include "cli/tune/replay.h"
#include "cli/tune/report.h"
#include "cli/tune/words.h"
#include "search/walker.h"
#include "text/progress.h"

static const char summary[] =
    "Finds the fastest kernel configurations for a device and remembers them in the\n"
    "tuning database. Every candidate runs in a process of its own and is checked\n"
    "against an fp64 reference before it is timed. Ctrl-C keeps what was found; the\n"
    "same command later goes on where it stopped. Without --shape or --preset it\n"
    "tunes the preset quick.";

/* What is shown while it runs. */
typedef struct display {
    sqa_progress progress;
    const atomic_bool *stop;
    bool told; /* that it stops */
} display;

/* On a terminal a bar after every trial; else one line per problem. */
static void show(void *user, const sqa_tuning_progress *now)
{
    display *self = user;
    sqa_progress *progress = &self->progress;
    char left[16], finals[64] = "";
    if (now->finals)
        snprintf(finals, sizeof finals, ", finals %zu/%zu", now->problem + 1, now->problem_count);
    if (progress->terminal)
        sqa_progress_draw(progress, now->done, "%u programs, %u trials%s  %s left", now->programs,
                          now->trials, finals, sqa_progress_time(now->seconds_left, left));
    else if (now->finals)
        fprintf(stderr, "%zu/%zu %s: finals, best so far %.1f GFLOP/s, %.2f ms\n", now->problem + 1,
                now->problem_count, now->shape, now->best_gflops, now->best_ms);
    if (*self->stop && !self->told) {
        self->told = true;
        sqa_progress_clear(progress);
        fputs("sqa tune: stopping; the best found is measured once more (Ctrl-C again quits at "
              "once)\n",
              stderr);
    }
}

/* What is about to happen, how long it takes, and what it is good for. */
static void announce(const sqa_tune_words *words, const sqa_tune_plan *plan)
{
    const sqa_tuning_options *options = &plan->options;
    char time[16];
    fprintf(stderr, "Tuning %zu problem%s", options->problem_count,
            options->problem_count == 1 ? "" : "s");
    if (words->preset || plan->preset)
        fprintf(stderr, " (preset %s)", words->preset ? words->preset : plan->preset);
    if (options->budget.trials)
        fprintf(stderr, ", %u trials", options->budget.trials);
    else
        fprintf(stderr, ", at most %s", sqa_progress_time(options->budget.seconds, time));
    fprintf(stderr,
            ": the fastest kernels found go into %s, and every program of this user with "
            "libsqa_cl runs them from then on.\n",
            options->database);
}

static int tune(const char *command, const sqa_tune_words *words, sqa_tune_plan *plan)
{
    display shown = {.progress = sqa_progress_begin(NULL), .stop = plan->options.stop};
    sqa_tuning_report report;
    plan->options.progress = show;
    plan->options.progress_user = &shown;
    announce(words, plan);
    sqa_status status = sqa_tuning_run(&plan->options, &report);
    sqa_progress_clear(&shown.progress);
    int code = status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(command, status);
    if (report.count && words->json)
        sqa_tune_report_json(&plan->options, &report);
    else if (report.count)
        sqa_tune_report_print(&plan->options, &report, words->wide);
    if (*plan->options.stop && status == SQA_OK)
        fprintf(stderr, "sqa tune: stopped; what was found is kept\n");
    sqa_tuning_report_free(&report);
    return code;
}

/* What has no room there is no use to try. */
static sqa_status check_memory(const sqa_tune_plan *plan)
{
    sqa_device device;
    cl_device_id id = NULL;
    sqa_status status = sqa_device_at(plan->options.platform, plan->options.device, &id);
    if (status == SQA_OK)
        status = sqa_device_query(&device, id);
    for (size_t i = 0; i < plan->options.problem_count && status == SQA_OK; i++)
        status = sqa_memory_check(&plan->problems[i], &device);
    return status;
}

static int run_on_one(const char *command, const sqa_tune_words *words, sqa_tune_plan *plan)
{
    if (words->probe)
        return sqa_tune_probe(command, words, plan);
    if (check_memory(plan) != SQA_OK)
        return sqa_command_fail(command, SQA_OUT_OF_MEMORY);
    if (words->record)
        return sqa_tune_record(command, words, plan);
    if (words->record_borrowed)
        return sqa_tune_record_borrowed(command, words, plan);
    return words->dry_run ? sqa_tune_preview(command, words, plan) : tune(command, words, plan);
}

/* One device after the other; what fails on one does not keep the others from it. */
static int run(const char *command, const sqa_tune_words *words, sqa_tune_plan *plan)
{
    if (words->replays.count)
        return sqa_tune_replay(command, words);
    if (words->devices.count > 1 && (words->json || words->record || words->record_borrowed))
        return sqa_usage_error(command, "--%s takes one --device",
                               words->json     ? "json"
                               : words->record ? "record"
                                               : "record-borrowed");
    const atomic_bool *stop = sqa_interrupt_catch();
    sqa_status status = sqa_tune_words_read(words, plan);
    if (status != SQA_OK)
        return sqa_command_fail(command, status);
    plan->options.stop = stop;
    int code = run_on_one(command, words, plan);
    for (size_t i = 1; i < words->devices.count && !*plan->options.stop; i++) {
        status = sqa_device_option(words->devices.items[i], &plan->options.platform,
                                   &plan->options.device);
        putchar('\n');
        int next =
            status == SQA_OK ? run_on_one(command, words, plan) : sqa_command_fail(command, status);
        code = code == SQA_EXIT_OK ? next : code;
    }
    return code;
}

int sqa_command_tune(int argc, char **argv)
{
    sqa_tune_words words = SQA_TUNE_WORDS_INIT;
    const sqa_option options[] = {
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0); repeatable",
         .list = &words.devices},
        {"operation", "NAME", "of shapes without op=, and of presets; a wrong name lists all",
         .text = &words.operation},
        {"shape", "SPEC", "a problem, b=1,hq=8,hkv=8,nq=4096,nk=4096,d=64[,causal]; repeatable",
         .list = &words.shapes},
        {"shapes", "FILE",
         "a shape per line, # begins a comment; the most frequent first, as a program writes them "
         "with $SQA_CL_RECORD; repeatable",
         .list = &words.shape_files},
        {"preset", "NAME", "a set of problems: quick, paper, llm, train, encoder, decode or sparse",
         .text = &words.preset},
        {"like", "DB", "the problems that another database has results of", .text = &words.like},
        {"family", "NAME", "this kernel family only", .text = &words.family},
        {"budget", "AMOUNT", "of all searches together: 60s, 5m, 1h or 40t (trials)",
         .other = {&words.budget, sqa_tune_read_budget, SQA_TUNE_BUDGET_EXPECTED}},
        {"patience", "N", "end a problem's search after N trials without improvement",
         .count = {&words.budget.patience, 1, 1000000}},
        {"strategy", "NAME",
         "local (default), annealing, genetic, model, random or exhaustive; of a replay also all",
         .text = &words.strategy},
        {"seed", "N", "of the search's random numbers (1)", .number = {&words.seed, 0, INT64_MAX}},
        {"db", "FILE", "tuning database instead of the user's own", .text = &words.database},
        {"timeout", "SECONDS", "of one trial (20, less where the default takes much less)",
         .count = {&words.timeout_s, 1, 86400}},
        {"memory", "MIB", "most memory of the process that tries candidates (no limit)",
         .count = {&words.memory_mib, 16, 1u << 20}},
        {"retry-failed", NULL,
         "try again what crashed or timed out here before, and probes that failed",
         .flag = &words.retry_failed},
        {"probe", NULL,
         "only find out, anew, whether the driver's compiler does right by kernel families with "
         "instructions for matrix units",
         .flag = &words.probe, .only = "device,db,timeout,memory,json,log-level"},
        {"dry-run", NULL, "only show what would be tuned, and for how long",
         .flag = &words.dry_run},
        {"record", "FILE",
         "measure every configuration of one --shape and --family into FILE, or what FILE lacks",
         .text = &words.record, .needs = "family",
         .only = "device,operation,shape,shapes,preset,like,family,set,budget,timeout,json,"
                 "log-level"},
        {"set", "LIST", "of the --family, the values to try: RV=1|2,UNROLL=4", .text = &words.set,
         .needs = "family"},
        {"record-borrowed", "FILE",
         "measure the database's rows on all of the problems, beside the default, into FILE",
         .text = &words.record_borrowed,
         .only = "device,operation,shape,shapes,preset,like,db,timeout,log-level"},
        {"replay", "FILE", "try strategies on a recording instead of a device; repeatable",
         .list = &words.replays,
         .only = "strategy,seed,budget-trials,runs,walkers,from-worst,csv,json"},
        {"budget-trials", "LIST",
         "of a replay, the evaluations to report after (10,20,40,60,5%,10%,20%)",
         .text = &words.budget_trials, .needs = "replay"},
        {"runs", "N", "of a replay, how often each strategy is run (1000)",
         .count = {&words.runs, 1, 1000000}, .needs = "replay"},
        {"walkers", "N", "of a replay, questions asked at a time, as a run does (one by one)",
         .count = {&words.walkers, 1, SQA_MOST_WALKERS}, .needs = "replay"},
        {"from-worst", NULL, "of a replay, begin with one of the worst tenth of all configurations",
         .flag = &words.from_worst, .needs = "replay"},
        {"csv", NULL, "of a replay, comma-separated values", .flag = &words.csv, .needs = "replay",
         .excludes = "json"},
        {"json", NULL, "one JSON document", .flag = &words.json},
        {"wide", NULL, "a table with all columns, also on a narrow terminal", .flag = &words.wide,
         .excludes = "json"},
        {"log-level", "LEVEL", "error, warning (default), info or debug", .text = &words.log_level},
        {0},
    };
    int code;
    if (!sqa_options_read(argc, argv, summary, options, &code))
        return code;
    sqa_tune_plan *plan = calloc(1, sizeof *plan);
    code = plan ? run(argv[0], &words, plan)
                : sqa_command_fail(argv[0], sqa_fail_memory("the tuning's options"));
    free(plan);
    return code;
}
