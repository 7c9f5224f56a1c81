/* sqa tune: reads what to tune and for how long, shows how it goes, prints what
 * came of it. The tuning itself is search/session.c. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/device_option.h"
#include "cli/log_option.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/tune_presets.h"
#include "cli/tune_report.h"
#include "kernels/registry.h"
#include "search/session.h"
#include "shape/shape.h"
#include "tuning/tuning_table.h"

static const char summary[] =
    "Finds the fastest kernel configurations for a device and remembers them in the\n"
    "tuning database. Every candidate runs in a process of its own and is checked\n"
    "against an fp64 reference before it is timed. Ctrl-C keeps what was found; the\n"
    "same command later goes on where it stopped. Without --shape or --preset it\n"
    "tunes the preset quick.";

#define DEFAULT_BUDGET "60s"

typedef struct tune_words {
    const char *device, *preset, *family, *budget, *strategy, *seed, *database, *timeout;
    const char *log_level;
    sqa_option_list shapes;
    bool json;
} tune_words;

/* What the words amount to. */
typedef struct tune_plan {
    sqa_tuning_options options;
    sqa_attention_desc problems[SQA_MAX_PROBLEMS];
    char database[4096];
} tune_plan;

static volatile sig_atomic_t stop_requested;

/* The first signal asks the run to wind up; the second one ends the program. */
static void on_signal(int number)
{
    stop_requested = 1;
    signal(number, SIG_DFL);
}

static void catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static sqa_status read_whole(const char *option, const char *text, uint64_t low, uint64_t high,
                             uint64_t *out)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || value < low || value > high)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is '%s'; expected a number from %llu to %llu",
                        option, text, (unsigned long long)low, (unsigned long long)high);
    *out = value;
    return SQA_OK;
}

/* "90s", "5m", "1h", "40t"; a bare number means seconds. */
static sqa_status read_budget(const char *text, sqa_tuning_budget *out)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"t", 0}};
    char *end = NULL;
    double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        bool trials = units[i].seconds == 0;
        bool sound = end != text && text[0] >= '0' && text[0] <= '9' && value > 0 && value <= 1e6 &&
                     (!trials || (value >= 1 && floor(value) == value));
        if (strcmp(end, units[i].unit) != 0 || !sound)
            continue;
        out->seconds = value * units[i].seconds;
        out->trials = trials ? (uint32_t)value : 0;
        return SQA_OK;
    }
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "--budget is '%s'; expected a time such as 60s, 5m or 1h, or trials such as "
                    "40t, more than 0 and at most 1000000",
                    text);
}

static sqa_status read_problems(const tune_words *words, tune_plan *plan)
{
    sqa_status status = SQA_OK;
    size_t *count = &plan->options.problem_count;
    for (size_t i = 0; i < words->shapes.count && status == SQA_OK; i++)
        status = sqa_shape_parse(words->shapes.items[i], &plan->problems[(*count)++]);
    if (status == SQA_OK && (words->preset || !words->shapes.count))
        status = sqa_tune_preset(words->preset ? words->preset : "quick", plan->problems, count);
    plan->options.problems = plan->problems;
    return status;
}

static sqa_status read_family(const char *name, tune_plan *plan)
{
    plan->options.family = name;
    if (!name || sqa_family_find(SQA_OPERATION_FORWARD, name))
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    sqa_family_names(SQA_OPERATION_FORWARD, &names);
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "--family is '%s'; expected one of %s", name,
                                 sqa_text_get(&names));
    sqa_text_free(&names);
    return status;
}

static sqa_status read_strategy(const char *name, tune_plan *plan)
{
    plan->options.strategy = name ? sqa_strategy_find(name) : sqa_strategy_at(0);
    return plan->options.strategy
               ? SQA_OK
               : sqa_fail(SQA_INVALID_ARGUMENT, "--strategy is '%s'; expected one of %s", name,
                          sqa_strategy_names());
}

static sqa_status read_database(const char *path, tune_plan *plan)
{
    if (path)
        snprintf(plan->database, sizeof plan->database, "%s", path);
    else if (!sqa_user_database_path(plan->database, sizeof plan->database))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "no place for the tuning database: set --db, $SQA_CL_DB or $HOME");
    plan->options.database = plan->database;
    return SQA_OK;
}

static sqa_status read_words(const tune_words *words, tune_plan *plan)
{
    uint64_t timeout = 0;
    sqa_tuning_options *options = &plan->options;
    sqa_context_options logging = SQA_CONTEXT_OPTIONS_INIT;
    sqa_status status = sqa_device_option(words->device, &options->platform, &options->device);
    if (status == SQA_OK)
        status = read_problems(words, plan);
    if (status == SQA_OK)
        status = read_family(words->family, plan);
    if (status == SQA_OK)
        status = read_strategy(words->strategy, plan);
    if (status == SQA_OK)
        status = read_budget(words->budget ? words->budget : DEFAULT_BUDGET, &options->budget);
    if (status == SQA_OK)
        status = read_whole("seed", words->seed ? words->seed : "1", 0, INT64_MAX, &options->seed);
    if (status == SQA_OK && words->timeout)
        status = read_whole("timeout", words->timeout, 1, 86400, &timeout);
    if (status == SQA_OK)
        status = read_database(words->database, plan);
    if (status == SQA_OK)
        status = sqa_log_option(words->log_level, &logging);
    options->timeout_s = (unsigned)timeout;
    options->log = (sqa_log){logging.log, logging.log_user, logging.log_level};
    return status;
}

/* On a terminal a bar after every trial; else one line per problem. */
static void show(void *user, const sqa_tuning_progress *now)
{
    sqa_progress *progress = user;
    char left[16], best[64] = "nothing yet";
    if (isfinite(now->best_ms))
        snprintf(best, sizeof best, "best %.1f GFLOP/s, %.2f ms", now->best_gflops, now->best_ms);
    if (progress->terminal) {
        sqa_progress_draw(progress, now->done, "%zu/%zu  %u trials%s  %s  %s left",
                          now->problem + 1, now->problem_count, now->trials,
                          now->finals ? ", finals" : "", best,
                          sqa_progress_time(now->seconds_left, left));
    } else if (now->finals) {
        fprintf(stderr, "%zu/%zu %s: %u trials, %u known, %s\n", now->problem + 1,
                now->problem_count, now->shape, now->trials, now->known, best);
    }
    if (stop_requested == 1) {
        stop_requested = 2;
        sqa_progress_clear(progress);
        fputs("sqa tune: stopping; the best found is measured once more (Ctrl-C again quits at "
              "once)\n",
              stderr);
    }
}

static int tune(const char *command, const tune_words *words, tune_plan *plan)
{
    sqa_progress progress = sqa_progress_begin();
    sqa_tuning_report report;
    plan->options.stop = &stop_requested;
    plan->options.progress = show;
    plan->options.progress_user = &progress;
    catch_signals();
    sqa_status status = sqa_tuning_run(&plan->options, &report);
    sqa_progress_clear(&progress);
    int code = status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(command, status);
    if (report.count && words->json)
        sqa_tune_report_json(&plan->options, &report);
    else if (report.count)
        sqa_tune_report_print(&plan->options, &report);
    if (stop_requested && status == SQA_OK)
        fprintf(stderr, "sqa tune: stopped; what was found is kept\n");
    sqa_tuning_report_free(&report);
    return code;
}

int sqa_command_tune(int argc, char **argv)
{
    tune_words words = {0};
    const sqa_option options[] = {
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .text = &words.device},
        {"shape", "SPEC", "a problem, b=1,hq=8,hkv=8,nq=4096,nk=4096,d=64[,causal]; repeatable",
         .list = &words.shapes},
        {"preset", "NAME", "a set of problems: quick, paper or llm", .text = &words.preset},
        {"family", "NAME", "this kernel family only", .text = &words.family},
        {"budget", "AMOUNT", "of all searches together: 60s, 5m, 1h or 40t (trials)",
         .text = &words.budget},
        {"strategy", "NAME", "local (default), random or exhaustive", .text = &words.strategy},
        {"seed", "N", "of the search's random numbers (1)", .text = &words.seed},
        {"db", "FILE", "tuning database instead of the user's own", .text = &words.database},
        {"timeout", "SECONDS", "of one trial (20, less where the default takes much less)",
         .text = &words.timeout},
        {"json", NULL, "one JSON document", .flag = &words.json},
        {"log-level", "LEVEL", "error, warning (default), info or debug", .text = &words.log_level},
        {0},
    };
    int code;
    if (!sqa_options_read(argc, argv, summary, options, &code))
        return code;
    tune_plan *plan = calloc(1, sizeof *plan);
    sqa_status status = plan ? read_words(&words, plan) : sqa_fail_memory("the tuning's options");
    code = status == SQA_OK ? tune(argv[0], &words, plan) : sqa_command_fail(argv[0], status);
    free(plan);
    return code;
}
