/* See borrowed.h. The measuring is search/borrowed.c. */
#include "cli/tune/borrowed.h"

#include <stdio.h>

#include "cli/command.h"
#include "cli/device_json.h"
#include "cli/tune/record.h"
#include "search/borrowed.h"
#include "text/json.h"
#include "text/output.h"
#include "text/progress.h"

typedef struct recording {
    const sqa_tune_plan *plan;
    sqa_progress progress;
    sqa_json json;
    FILE *file;
    size_t rows;
} recording;

static void begin(void *user, const sqa_device *device)
{
    recording *self = user;
    const sqa_tuning_options *options = &self->plan->options;
    sqa_json_begin(&self->json, self->file);
    sqa_json_string(&self->json, "kind", "borrowed");
    sqa_json_device(&self->json, options->platform, options->device, device);
    sqa_json_array(&self->json, "rows");
}

static void tell(void *user, const sqa_borrowed *borrowed)
{
    recording *self = user;
    sqa_json *json = &self->json;
    const sqa_tuning_row *row = borrowed->row;
    char shape[SQA_SHAPE_TEXT], key[SQA_CLASS_KEY_TEXT];
    sqa_problem_format(borrowed->problem, shape, sizeof shape);
    sqa_problem_class_format(&row->problem_class, key);
    sqa_json_object(json, NULL);
    sqa_json_string(json, "shape", shape);
    sqa_json_string(json, "class", key);
    sqa_json_string(json, "family", row->family);
    sqa_json_string(json, "config", row->config);
    sqa_json_number(json, "fraction_of_roofline", row->fraction);
    sqa_json_string(json, "status", sqa_trial_status_name(borrowed->result.status));
    sqa_json_number(json, "relative", borrowed->result.relative);
    sqa_json_number(json, "relative_spread", borrowed->result.relative_spread);
    sqa_json_close(json);
    self->rows++;
}

static void show(void *user, size_t done)
{
    recording *self = user;
    const size_t count = self->plan->options.problem_count;
    sqa_progress_draw(&self->progress, (double)done / (double)count, "%zu/%zu problems", done,
                      count);
}

static sqa_status measure(recording *self, const char *database)
{
    const sqa_tuning_options *options = &self->plan->options;
    const sqa_borrowed_options borrowed = {.platform = options->platform,
                                           .device = options->device,
                                           .database = database,
                                           .problems = options->problems,
                                           .problem_count = options->problem_count,
                                           .timeout_s = options->timeout_s,
                                           .log = options->log,
                                           .stop = options->stop,
                                           .begin = begin,
                                           .tell = tell,
                                           .progress = show,
                                           .user = self};
    sqa_status status = sqa_measure_borrowed(&borrowed);
    if (status == SQA_OK)
        sqa_json_finish(&self->json);
    sqa_progress_clear(&self->progress);
    return status;
}

int sqa_tune_record_borrowed(const char *command, const sqa_tune_words *words,
                             const sqa_tune_plan *plan)
{
    recording self = {.plan = plan, .progress = sqa_progress_begin("tune")};
    sqa_output out = SQA_OUTPUT_INIT;
    sqa_status status = sqa_tune_recording_check(words)
                            ? SQA_INVALID_ARGUMENT
                            : sqa_output_open(&out, "--record-borrowed", words->record_borrowed);
    if (status != SQA_OK)
        return sqa_command_fail(command, status);
    self.file = out.file;
    status = sqa_output_close(&out, measure(&self, plan->options.database));
    if (status != SQA_OK)
        return sqa_command_fail(command, status);
    fprintf(sqa_output_words(words->record_borrowed), "%s: %zu rows on %zu problems\n",
            words->record_borrowed, self.rows, plan->options.problem_count);
    return SQA_EXIT_OK;
}
