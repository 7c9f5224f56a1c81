/* See record.h. */
#include "search/record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search/steady_trial.h"
#include "search/tune_problem.h"
#include "shape/shape.h"
#include "trial/measure.h"
#include "trial/runner.h"

/* A machine's bad moment is not the configuration's fault. */
#define ATTEMPTS 20

typedef struct recording {
    const sqa_record_options *options;
    sqa_record_report *report;
    sqa_device device;
    sqa_problem problem;
    sqa_kernel_family family; /* narrowed */
    sqa_parameter parameters[SQA_MAX_PARAMETERS];
    sqa_config_space space;
    FILE *file;
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
        status = sqa_problem_from_desc(&self->problem, options->desc);
    if (status == SQA_OK)
        status = sqa_sweep_narrow(options->family, options->set, self->parameters);
    self->family = *options->family;
    self->family.parameters = self->parameters;
    if (status == SQA_OK)
        status =
            sqa_config_space_create(&self->space, &self->family, &self->problem, &self->device);
    self->report->count = self->space.count;
    if (status == SQA_OK && !self->space.count)
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "no such configuration of %s can run this problem on this device",
                          self->family.name);
    return status;
}

/* Whether the line, with its newline, begins with `expected`. */
static bool is_line(const char *line, ssize_t length, const char *expected, bool whole)
{
    size_t wanted = strlen(expected);
    return length > 0 && line[length - 1] == '\n' && (size_t)length > wanted &&
           !memcmp(line, expected, wanted) && (!whole || (size_t)length == wanted + 1);
}

static sqa_status add_line(recording *self, const sqa_text *line)
{
    sqa_status status = sqa_text_status(line);
    if (status == SQA_OK &&
        (fprintf(self->file, "%s\n", sqa_text_get(line)) < 0 || fflush(self->file)))
        status = fail_file(self);
    return status;
}

static double number_in(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    return at ? strtod(at + strlen(name), NULL) : (double)NAN;
}

/* The best pace of earlier runs is the measure for this one. */
static void learn_pace(recording *self, const char *line)
{
    double yardstick = number_in(line, "\"yardstick_ms\":");
    if (isfinite(yardstick) && !(yardstick >= self->steadiness.yardstick_ms))
        self->steadiness.yardstick_ms = yardstick;
}

/* Reads what is there and checks that it is a beginning of this sweep. *end: where
 * its complete lines end. */
static sqa_status read_lines(recording *self, const char *header, long *end)
{
    char *line = NULL;
    size_t capacity = 0, number = 0;
    ssize_t length;
    sqa_status status = SQA_OK;
    *end = 0;
    while (status == SQA_OK && (length = getline(&line, &capacity, self->file)) > 0 &&
           line[length - 1] == '\n') {
        sqa_text expected = SQA_TEXT_INIT;
        if (number == 0)
            sqa_text_append(&expected, header);
        else if (number <= self->space.count)
            sqa_sweep_line(&self->family, &self->space.configs[number - 1], NULL, &expected);
        bool same = expected.length && is_line(line, length, sqa_text_get(&expected), number == 0);
        sqa_text_free(&expected);
        if (!same)
            status = sqa_fail(SQA_INVALID_ARGUMENT,
                              "%s: line %zu is not of this sweep; was it recorded with other "
                              "options, or on another device?",
                              self->options->file, number + 1);
        if (same && number)
            learn_pace(self, line);
        number++;
        *end = ftell(self->file);
    }
    self->report->known = self->report->done = number ? number - 1 : 0;
    free(line);
    return status;
}

/* Opens the file, and cuts off a line that was not finished. */
static sqa_status open_file(recording *self, const char *header)
{
    long end = 0;
    self->file = fopen(self->options->file, "a+");
    if (!self->file)
        return fail_file(self);
    rewind(self->file);
    sqa_status status = read_lines(self, header, &end);
    if (status == SQA_OK && (ftruncate(fileno(self->file), end) || fseek(self->file, 0, SEEK_END)))
        status = fail_file(self);
    if (status == SQA_OK && end == 0) {
        sqa_text text = SQA_TEXT_INIT;
        sqa_text_append(&text, header);
        status = add_line(self, &text);
        sqa_text_free(&text);
    }
    return status;
}

static sqa_status open_recording(recording *self)
{
    char shape[SQA_SHAPE_TEXT];
    const sqa_runner_options runner = {.platform = self->options->platform,
                                       .device = self->options->device,
                                       .timeout_s = self->options->timeout_s};
    sqa_text header = SQA_TEXT_INIT;
    sqa_shape_format(self->options->desc, shape, sizeof shape);
    sqa_status status = enumerate(self);
    if (status == SQA_OK)
        status = sqa_sweep_header(shape, &self->device, &self->family, self->space.count, &header);
    if (status == SQA_OK)
        status = open_file(self, sqa_text_get(&header));
    if (status == SQA_OK)
        status = sqa_runner_create(&self->runner, &runner);
    sqa_text_free(&header);
    return status;
}

/* Measured in full, however slow: a sweep is what others are judged by. */
static sqa_status measure_one(recording *self)
{
    const sqa_config *config = &self->space.configs[self->report->done];
    const sqa_pace no_pace = {(double)NAN, (double)NAN};
    sqa_contender contender = sqa_contender_of(&self->family, config);
    sqa_trial_result result;
    sqa_status status = sqa_steady_trial(self->runner, self->options->desc, &contender.text,
                                         &no_pace, &self->steadiness, &result);
    sqa_text line = SQA_TEXT_INIT;
    sqa_sweep_line(&self->family, config, &result, &line);
    if (status == SQA_OK)
        status = add_line(self, &line);
    sqa_text_free(&line);
    self->report->done += status == SQA_OK;
    return status;
}

static sqa_status record(recording *self)
{
    const sqa_record_options *options = self->options;
    sqa_record_report *report = self->report;
    double begin = sqa_clock_seconds();
    sqa_status status = SQA_OK;
    while (status == SQA_OK && report->done < report->count && !*options->stop) {
        double used = sqa_clock_seconds() - begin;
        size_t made = report->done - report->known;
        if ((options->seconds > 0 && used >= options->seconds) ||
            (options->trials && made >= options->trials))
            break;
        status = measure_one(self);
        double each = (sqa_clock_seconds() - begin) / (double)(made + 1);
        if (options->progress)
            options->progress(options->progress_user, report->done, report->count,
                              each * (double)(report->count - report->done));
    }
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
    sqa_runner_destroy(self->runner);
    sqa_config_space_free(&self->space);
    if (self->file && fclose(self->file) && status == SQA_OK)
        status = fail_file(self);
    free(self);
    return status;
}
