/* See report.h. */
#include "cli/verify/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "operations/operations.h"
#include "operations/tensors.h"
#include "problem/names.h"

/* The family, or what a recipe has in its place. */
static const char *name_of(const sqa_suite *suite)
{
    return suite->family ? suite->family->name : sqa_operation_name(suite->operation);
}

void sqa_verify_report_begin(sqa_verify_report *out, const sqa_verify_words *words,
                             const sqa_device *device, size_t total)
{
    *out = (sqa_verify_report){.words = words,
                               .device = device,
                               .progress = sqa_progress_begin("verify"),
                               .total = total,
                               .begun_s = sqa_clock_seconds()};
    if (!words->json)
        return;
    sqa_json_begin(&out->json, stdout);
    sqa_json_string(&out->json, "device", device->strings.device_name);
    sqa_json_string(&out->json, "driver", device->strings.driver_version);
    sqa_json_array(&out->json, "families");
}

void sqa_verify_report_job(sqa_verify_report *report, const sqa_suite *suite)
{
    report->suite = suite;
    report->suite_begun_s = sqa_clock_seconds();
    if (!report->words->json)
        return;
    sqa_json_object(&report->json, NULL);
    sqa_json_string(&report->json, "operation", sqa_operation_name(suite->operation));
    sqa_json_string(&report->json, "family", name_of(suite));
    sqa_json_string(&report->json, "dtype", sqa_dtype_name(suite->dtype));
    sqa_json_string(&report->json, "config", suite->config);
    sqa_json_array(&report->json, "failures");
}

/* "rows (VW=8,...) --shape ...": what `sqa verify` repeats the case with. */
static void print_failure(const sqa_verify_report *report, const sqa_outcome *outcome)
{
    const sqa_suite *suite = report->suite;
    const sqa_verify_words *words = report->words;
    const bool has_shape = strstr(outcome->subject, "--shape") != NULL;
    printf("FAILED  %s%s%s%s: %s\n"
           "        on %s, driver %s\n"
           "        again: sqa verify --device %u:%u%s%s%s%s%s%s %s\n",
           name_of(suite), suite->config ? " (" : "", suite->config ? suite->config : "",
           suite->config ? ")" : "", outcome->message, report->device->strings.device_name,
           report->device->strings.driver_version, words->platform_index, words->device_index,
           has_shape ? "" : " --operation ", has_shape ? "" : sqa_operation_name(suite->operation),
           suite->family ? " --family " : "", suite->family ? suite->family->name : "",
           suite->config ? " --set " : "", suite->config ? suite->config : "", outcome->subject);
    fflush(stdout);
}

/* What is left takes as long as what went before, check by check. */
static void show(sqa_verify_report *report)
{
    char left[16];
    const double elapsed = sqa_clock_seconds() - report->begun_s;
    const double done = (double)report->done / (double)report->total;
    sqa_progress_draw(&report->progress, done, "%s %s: %zu of %zu checks, %zu failed, %s left",
                      name_of(report->suite), sqa_dtype_name(report->suite->dtype), report->done,
                      report->total, report->failed,
                      sqa_progress_time(elapsed * (1 / done - 1), left));
}

void sqa_verify_report_outcome(void *user, const sqa_outcome *outcome)
{
    sqa_verify_report *report = user;
    const bool failed = outcome->verdict == SQA_VERDICT_FAILED;
    report->done++;
    report->failed += failed;
    report->checked += outcome->verdict != SQA_VERDICT_UNSUPPORTED;
    if (failed)
        sqa_progress_clear(&report->progress);
    if (failed && report->words->json) {
        sqa_json_object(&report->json, NULL);
        sqa_json_string(&report->json, "options", outcome->subject);
        sqa_json_string(&report->json, "message", outcome->message);
        sqa_json_close(&report->json);
    } else if (failed) {
        print_failure(report, outcome);
    }
    show(report);
}

static void print_counts(const sqa_suite *suite, const sqa_suite_counts *counts, double seconds)
{
    printf("%-6s %-4s %-8s %zu passed, %zu failed, %zu not supported", name_of(suite),
           sqa_dtype_name(suite->dtype), suite->config ? "as set" : "default", counts->passed,
           counts->failed, counts->unsupported);
    const sqa_operation_entry *entry = sqa_operation_at((size_t)suite->operation);
    const char *between = "; worst error:";
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        const sqa_output_error *error = &counts->worst[slot];
        if (!error->judged)
            continue;
        printf("%s %s rms %.1e, max %.1e", between, sqa_slot_of(entry, slot).name, error->rms,
               error->max);
        between = ";";
    }
    printf("; %.1f s\n", seconds);
    if (suite->config)
        printf("       %s\n", suite->config);
    fflush(stdout);
}

static void write_counts(sqa_json *json, const sqa_suite *suite, const sqa_suite_counts *counts,
                         double seconds)
{
    sqa_json_close(json); /* failures */
    sqa_json_integer(json, "passed", (int64_t)counts->passed);
    sqa_json_integer(json, "failed", (int64_t)counts->failed);
    sqa_json_integer(json, "not_supported", (int64_t)counts->unsupported);
    const sqa_operation_entry *entry = sqa_operation_at((size_t)suite->operation);
    sqa_json_object(json, "worst_errors");
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        const sqa_output_error *error = &counts->worst[slot];
        if (!error->judged)
            continue;
        sqa_json_object(json, sqa_slot_of(entry, slot).name);
        sqa_json_number(json, "rms", error->rms);
        sqa_json_number(json, "max", error->max);
        sqa_json_number(json, "absolute", error->absolute);
        sqa_json_close(json);
    }
    sqa_json_close(json);
    sqa_json_number(json, "seconds", seconds);
    sqa_json_close(json);
}

void sqa_verify_report_counts(sqa_verify_report *report, const sqa_suite_counts *counts)
{
    const double seconds = sqa_clock_seconds() - report->suite_begun_s;
    sqa_progress_clear(&report->progress);
    if (report->words->json)
        write_counts(&report->json, report->suite, counts, seconds);
    else
        print_counts(report->suite, counts, seconds);
}

void sqa_verify_report_end(sqa_verify_report *report, bool interrupted)
{
    if (report->words->json) {
        sqa_json_close(&report->json);
        sqa_json_integer(&report->json, "checked", (int64_t)report->checked);
        sqa_json_integer(&report->json, "failed", (int64_t)report->failed);
        sqa_json_boolean(&report->json, "interrupted", interrupted);
        sqa_json_finish(&report->json);
        return;
    }
    printf("%s: %zu checks, %zu failed", report->device->strings.device_name, report->checked,
           report->failed);
    if (interrupted)
        printf("; interrupted after %zu of %zu", report->done, report->total);
    putchar('\n');
}
