/* See record.h. The recording itself is search/record.c. */
#include "cli/tune/record.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/database_state.h"
#include "kernels/registry.h"
#include "search/record.h"
#include "text/json.h"
#include "text/output.h"
#include "text/progress.h"

static void show(void *user, size_t done, size_t count, double seconds_left)
{
    sqa_progress *progress = user;
    char left[16];
    sqa_progress_draw(progress, (double)done / (double)count, "%zu/%zu configurations  %s left",
                      done, count, sqa_progress_time(seconds_left, left));
}

static void report(const sqa_tune_words *words, const sqa_record_report *report)
{
    if (words->json) {
        sqa_json json;
        sqa_json_begin(&json, stdout);
        sqa_json_string(&json, "sweep", words->record);
        sqa_json_integer(&json, "configurations", (int64_t)report->count);
        sqa_json_integer(&json, "known", (int64_t)report->known);
        sqa_json_integer(&json, "recorded", (int64_t)report->done);
        sqa_json_integer(&json, "doubtful", (int64_t)report->doubtful);
        sqa_json_finish(&json);
        return;
    }
    FILE *out = sqa_output_words(words->record);
    fprintf(out,
            "%s: %zu of %zu configurations, %zu of them new, %zu while the machine was slow or "
            "unsteady\n",
            words->record, report->done, report->count, report->done - report->known,
            report->doubtful);
    if (report->continued && (report->done < report->count || report->doubtful))
        fputs("the same command goes on from here\n", out);
}

sqa_status sqa_tune_recording_check(const sqa_tune_words *words)
{
    enum { OWN = 5, LISTED = sizeof words->shape_files.items / sizeof words->shape_files.items[0] };
    char buffer[4096];
    const sqa_command_file own[OWN] = {
        sqa_database_file(words->database, buffer),
        {"--like", words->like, SQA_FILE_READ},
        {"--record", words->record, SQA_FILE_WRITTEN},
        {"--record-borrowed", words->record_borrowed, SQA_FILE_WRITTEN},
        {"standard output", NULL, words->json ? SQA_FILE_PRINTED : SQA_FILE_READ},
    };
    sqa_command_file files[OWN + LISTED];
    memcpy(files, own, sizeof own);
    for (size_t i = 0; i < words->shape_files.count; i++)
        files[OWN + i] = (sqa_command_file){"--shapes", words->shape_files.items[i], SQA_FILE_READ};
    return sqa_database_files_check(files, OWN + words->shape_files.count);
}

int sqa_tune_record(const char *command, const sqa_tune_words *words, const sqa_tune_plan *plan)
{
    const sqa_tuning_options *options = &plan->options;
    if (options->problem_count != 1 || !options->family)
        return sqa_usage_error(command, "--record needs one --shape and a --family");
    if (sqa_tune_recording_check(words))
        return sqa_command_fail(command, SQA_INVALID_ARGUMENT);
    sqa_progress progress = sqa_progress_begin("tune");
    const sqa_record_options record = {
        .platform = options->platform,
        .device = options->device,
        .file = words->record,
        .problem = &options->problems[0],
        .family = sqa_family_find(options->problems[0].operation, options->family),
        .set = words->set,
        .seconds = options->budget.seconds,
        .trials = options->budget.trials,
        .timeout_s = options->timeout_s,
        .stop = options->stop,
        .progress = show,
        .progress_user = &progress};
    sqa_record_report done;
    sqa_status status = sqa_record_sweep(&record, &done);
    sqa_progress_clear(&progress);
    if (status != SQA_OK)
        return sqa_command_fail(command, status);
    report(words, &done);
    return SQA_EXIT_OK;
}
