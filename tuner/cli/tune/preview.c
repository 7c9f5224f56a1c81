/* See preview.h. */
#include "cli/tune/preview.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/device_json.h"
#include "store/store.h"
#include "text/progress.h"
#include "text/table.h"

/* What a trial takes here, in seconds; NaN: nobody knows. */
typedef struct pace {
    double trial_s;
    bool recorded; /* else what the default takes to build, which the runtime may have at hand */
} pace;

/* "at most 1:00" or "40 trials, some 1:20", for people. */
static void describe(const sqa_tuning_budget *budget, const pace *of, char *out, size_t size)
{
    char time[16];
    if (!budget->trials)
        snprintf(out, size, "at most %s", sqa_progress_time(budget->seconds, time));
    else if (isfinite(of->trial_s))
        snprintf(out, size, "%u trials, %s %s", budget->trials, of->recorded ? "some" : "at least",
                 sqa_progress_time(of->trial_s * budget->trials, time));
    else
        snprintf(out, size, "%u trials", budget->trials);
}

static double seconds_of(const sqa_tuning_preview *preview, double trial_s)
{
    return isfinite(preview->seconds) ? preview->seconds : trial_s * preview->trials;
}

static void print(const sqa_tune_plan *plan, const sqa_device *device,
                  const sqa_tuning_preview *previews, const pace *of, bool wide)
{
    char estimate[64], time[16];
    describe(&plan->options.budget, of, estimate, sizeof estimate);
    printf("%s, %zu problems, %s", device->strings.device_name, plan->options.problem_count,
           estimate);
    if (isfinite(of->trial_s))
        printf("; a %s every %.1f s", of->recorded ? "trial" : "program", of->trial_s);
    printf("\n\n");
    sqa_table table = SQA_TABLE_INIT;
    table.wide = wide;
    sqa_table_column(&table, "shape", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "about", SQA_ALIGN_RIGHT);
    sqa_table_spare(&table, "configurations", SQA_ALIGN_LEFT, 1);
    for (size_t i = 0; i < plan->options.problem_count; i++) {
        sqa_text spaces = SQA_TEXT_INIT;
        for (size_t j = 0; j < previews[i].space_count; j++)
            sqa_text_format(&spaces, "%s%zu %s", j ? ", " : "",
                            previews[i].spaces[j].configurations, previews[i].spaces[j].family);
        sqa_table_cell(&table, "%s", previews[i].shape);
        sqa_table_cell(&table, "%s",
                       sqa_progress_time(seconds_of(&previews[i], of->trial_s), time));
        sqa_table_cell(&table, "%s", previews[i].space_count ? sqa_text_get(&spaces) : "none");
        sqa_text_free(&spaces);
    }
    sqa_table_print(&table, stdout);
}

static void print_json(const sqa_tune_plan *plan, const sqa_device *device,
                       const sqa_tuning_preview *previews, const pace *of)
{
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_device(&json, plan->options.platform, plan->options.device, device);
    sqa_json_boolean(&json, "dry_run", true);
    sqa_json_number(&json, "seconds_per_trial", of->trial_s);
    sqa_json_boolean(&json, "by_recorded_trials", of->recorded);
    sqa_json_array(&json, "rows");
    for (size_t i = 0; i < plan->options.problem_count; i++) {
        sqa_json_object(&json, NULL);
        sqa_json_string(&json, "shape", previews[i].shape);
        sqa_json_number(&json, "estimated_seconds", seconds_of(&previews[i], of->trial_s));
        sqa_json_number(&json, "trials", previews[i].trials);
        sqa_json_object(&json, "configurations");
        for (size_t j = 0; j < previews[i].space_count; j++)
            sqa_json_integer(&json, previews[i].spaces[j].family,
                             (int64_t)previews[i].spaces[j].configurations);
        sqa_json_close(&json);
        sqa_json_close(&json);
    }
    sqa_json_finish(&json);
}

/* What the database says; a build alone says little where the runtime keeps programs. */
static pace find_pace(const sqa_tuning_options *options, const sqa_device *device)
{
    sqa_store *store = NULL;
    double seconds = (double)NAN;
    if (sqa_store_open_read_only(&store, options->database) == SQA_OK)
        sqa_store_trial_seconds(store, &device->identity, &seconds);
    sqa_store_close(store);
    if (isfinite(seconds))
        return (pace){seconds, true};
    return (pace){sqa_tuning_build_seconds(options, device), false};
}

int sqa_tune_preview(const char *command, const sqa_tune_words *words, const sqa_tune_plan *plan)
{
    sqa_device device;
    sqa_tuning_preview *previews = calloc(plan->options.problem_count, sizeof *previews);
    sqa_status status = previews ? sqa_tuning_look_ahead(&plan->options, &device, previews)
                                 : sqa_fail_memory("the preview");
    if (status == SQA_OK) {
        const pace of = find_pace(&plan->options, &device);
        if (words->json)
            print_json(plan, &device, previews, &of);
        else
            print(plan, &device, previews, &of, words->wide);
    }
    free(previews);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(command, status);
}
