/* See record.h. */
#include "search/record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations/shape.h"
#include "search/steady_trial.h"
#include "search/tune_problem.h"
#include "text/output.h"
#include "trial/measure.h"
#include "trial/runner.h"

/* Trials of one configuration in one pass, while the machine is slow. */
#define ATTEMPTS 3

/* A line is measured again whose yardstick took this much longer than at its best, or
 * whose time over the yardstick's is spread this far. */
#define SLOW 1.2
#define WIDE 0.05

typedef struct recording {
    const sqa_record_options *options;
    sqa_record_report *report;
    sqa_device device;
    sqa_kernel_family family; /* narrowed */
    sqa_parameter parameters[SQA_MAX_PARAMETERS];
    sqa_config_space space;
    char *header;
    char **lines; /* one per configuration, with its newline; NULL: not measured yet */
    sqa_runner *runner;
    sqa_steadiness steadiness;
} recording;

static sqa_status fail_file(const recording *self)
{
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s", self->options->file, strerror(errno));
}

static sqa_status enumerate(recording *self)
{
    const sqa_record_options *options = self->options;
    cl_device_id id;
    sqa_status status = sqa_device_at(options->platform, options->device, &id);
    if (status == SQA_OK)
        status = sqa_device_query(&self->device, id);
    if (status == SQA_OK)
        status = sqa_sweep_narrow(options->family, options->set, self->parameters);
    self->family = *options->family;
    self->family.parameters = self->parameters;
    if (status == SQA_OK)
        status =
            sqa_config_space_create(&self->space, &self->family, options->problem, &self->device);
    self->report->count = self->space.count;
    if (status == SQA_OK && !self->space.count)
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "no such configuration of %s can run this problem on this device",
                          self->family.name);
    return status;
}

/* Writes it anew, so that a kill leaves either the older or the newer one. */
static sqa_status write_file(const recording *self)
{
    sqa_output out;
    sqa_status status = sqa_output_open(&out, "--record", self->options->file);
    if (status != SQA_OK)
        return status;
    fputs(self->header, out.file);
    for (size_t i = 0; i < self->report->done; i++)
        fputs(self->lines[i], out.file);
    return sqa_output_close(&out, SQA_OK);
}

/* A device or a pipe gets the recording once, at its end. */
static bool is_continued(const recording *self)
{
    sqa_place place;
    return sqa_place_find(&place, self->options->file) == 0 && place.path[0];
}

static double number_in(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    return at ? strtod(at + strlen(name), NULL) : (double)NAN;
}

static double yardstick_in(const char *line)
{
    return number_in(line, "\"yardstick_ms\":");
}

/* Takes the line in if it is the one expected there; the best pace of earlier runs is
 * the measure for this one. */
static sqa_status take_line(recording *self, const char *line, size_t number)
{
    sqa_text expected = SQA_TEXT_INIT;
    if (number == 0)
        sqa_text_append(&expected, self->header);
    else if (number <= self->space.count)
        sqa_sweep_line(&self->family, &self->space.configs[number - 1], NULL, &expected);
    bool same = expected.length && !strncmp(line, sqa_text_get(&expected), expected.length);
    sqa_text_free(&expected);
    if (!same)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s: line %zu is not of this sweep; was it recorded with other options, "
                        "or on another device?",
                        self->options->file, number + 1);
    if (number == 0)
        return SQA_OK;
    double yardstick = yardstick_in(line);
    if (isfinite(yardstick) && !(yardstick >= self->steadiness.yardstick_ms))
        self->steadiness.yardstick_ms = yardstick;
    self->lines[number - 1] = strdup(line);
    self->report->known = self->report->done = number;
    return self->lines[number - 1] ? SQA_OK : sqa_fail_memory("a sweep");
}

/* Reads what is there; no file is an empty one. */
static sqa_status read_file(recording *self)
{
    FILE *file = fopen(self->options->file, "r");
    if (!file)
        return errno == ENOENT ? SQA_OK : fail_file(self);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    sqa_status status = SQA_OK;
    for (size_t number = 0; status == SQA_OK && (length = getline(&line, &capacity, file)) > 0 &&
                            line[length - 1] == '\n';
         number++)
        status = take_line(self, line, number);
    free(line);
    fclose(file);
    return status;
}

static sqa_status make_header(recording *self)
{
    char shape[SQA_SHAPE_TEXT];
    sqa_text header = SQA_TEXT_INIT;
    sqa_problem_format(self->options->problem, shape, sizeof shape);
    sqa_status status =
        sqa_sweep_header(shape, &self->device, &self->family, self->space.count, &header);
    sqa_text_append(&header, "\n");
    if (status == SQA_OK)
        status = sqa_text_status(&header);
    self->header = strdup(sqa_text_get(&header));
    self->lines = calloc(self->space.count, sizeof *self->lines);
    sqa_text_free(&header);
    if (status == SQA_OK && (!self->header || !self->lines))
        status = sqa_fail_memory("the recording");
    return status;
}

static sqa_status open_recording(recording *self)
{
    const sqa_runner_options runner = {.platform = self->options->platform,
                                       .device = self->options->device,
                                       .timeout_s = self->options->timeout_s};
    sqa_status status = enumerate(self);
    if (status == SQA_OK)
        status = make_header(self);
    self->report->continued = is_continued(self);
    if (status == SQA_OK && self->report->continued)
        status = read_file(self);
    if (status == SQA_OK && self->report->continued)
        status = write_file(self); /* better now than after the first minutes */
    if (status == SQA_OK)
        status = sqa_runner_create(&self->runner, &runner);
    return status;
}

static void close_recording(recording *self)
{
    sqa_runner_destroy(self->runner);
    for (size_t i = 0; self->lines && i < self->space.count; i++)
        free(self->lines[i]);
    free(self->lines);
    free(self->header);
    sqa_config_space_free(&self->space);
}

/* How far a measurement is from what is accepted: above 1 it is made again. What was
 * not timed has no doubts. */
static double doubt(const recording *self, double yardstick_ms, double relative_spread)
{
    return fmax(yardstick_ms / (SLOW * self->steadiness.yardstick_ms), relative_spread / WIDE);
}

static double doubt_in(const recording *self, size_t config)
{
    const char *line = self->lines[config];
    return doubt(self, yardstick_in(line), number_in(line, "\"relative_spread\":"));
}

/* Puts a result in its place, unless there is less doubt about what is there. */
static sqa_status keep(recording *self, size_t index, const sqa_trial_result *result)
{
    char **line = &self->lines[index];
    if (*line &&
        !(doubt(self, result->yardstick_ms, result->relative_spread) < doubt_in(self, index)))
        return SQA_OK;
    sqa_text text = SQA_TEXT_INIT;
    sqa_sweep_line(&self->family, &self->space.configs[index], result, &text);
    sqa_text_append(&text, "\n");
    sqa_status status = sqa_text_status(&text);
    char *made = status == SQA_OK ? strdup(sqa_text_get(&text)) : NULL;
    sqa_text_free(&text);
    if (!made)
        return sqa_fail_memory("a sweep");
    self->report->done += !*line;
    free(*line);
    *line = made;
    return self->report->continued ? write_file(self) : SQA_OK;
}

/* Measured in full, however slow: a sweep is what others are judged by. */
static sqa_status measure_one(recording *self, size_t index)
{
    const sqa_pace no_pace = {(double)NAN, (double)NAN};
    sqa_contender contender = sqa_contender_of(&self->family, &self->space.configs[index]);
    sqa_trial_result result;
    sqa_status status = sqa_steady_trial(self->runner, self->options->problem, &contender.text,
                                         &no_pace, &self->steadiness, &result);
    return status == SQA_OK ? keep(self, index, &result) : status;
}

/* First what is missing, then once more what was measured in the machine's bad moments. */
static sqa_status record(recording *self)
{
    const sqa_record_options *options = self->options;
    sqa_record_report *report = self->report;
    double begin = sqa_clock_seconds();
    sqa_status status = SQA_OK;
    size_t made = 0;
    for (size_t step = report->done; status == SQA_OK && step < 2 * report->count; step++) {
        size_t index = step % report->count;
        double used = sqa_clock_seconds() - begin;
        if (step >= report->count && !(doubt_in(self, index) > 1))
            continue;
        if (*options->stop || (options->seconds > 0 && used >= options->seconds) ||
            (options->trials && made >= options->trials))
            break;
        status = measure_one(self, index);
        made++;
        double each = (sqa_clock_seconds() - begin) / (double)made;
        if (options->progress)
            options->progress(options->progress_user, report->done, report->count,
                              each * (double)(report->count - report->done));
    }
    for (size_t i = 0; i < report->done && status == SQA_OK; i++)
        report->doubtful += doubt_in(self, i) > 1;
    return status;
}

sqa_status sqa_record_sweep(const sqa_record_options *options, sqa_record_report *report)
{
    recording *self = calloc(1, sizeof *self);
    if (!self)
        return sqa_fail_memory("the recording");
    memset(report, 0, sizeof *report);
    self->options = options;
    self->report = report;
    self->steadiness = (sqa_steadiness){(double)NAN, ATTEMPTS};
    sqa_status status = open_recording(self);
    if (status == SQA_OK)
        status = record(self);
    if (status == SQA_OK && !self->report->continued)
        status = write_file(self);
    close_recording(self);
    free(self);
    return status;
}
