/* sqa verify: the conformance grid and the properties on the user's own device.
 * Knows options and output; what is checked, and how, is in conformance/. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/device_option.h"
#include "cli/log_option.h"
#include "cli/operation_option.h"
#include "cli/options.h"
#include "conformance/suite.h"
#include "device/cl_status.h"
#include "kernels/registry.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "operations/tuner_operations.h"
#include "problem/names.h"
#include "text/json.h"

enum { MAX_RANDOM_CONFIGS = 32 };

/* The options as typed, then as read. */
typedef struct verify_options {
    const char *device, *operation_name, *family, *set, *dtype, *shape, *layout, *property, *log;
    bool tiny, quick, full, patterns, json;
    unsigned platform_index, device_index;
    uint64_t seed;
    uint32_t configs;
    sqa_grid_size size;
    sqa_operation operation;
    bool all_operations; /* nothing says which */
    const sqa_property *only_property;
    sqa_problem only_case;
    sqa_dtype only_dtype; /* when `dtype` or `shape` names one */
} verify_options;

/* A run in progress. */
typedef struct verification {
    const verify_options *options;
    sqa_context *context;
    cl_command_queue queue;
    sqa_device device;
    sqa_json json;
    const sqa_suite *suite; /* the one running */
    size_t done;
    size_t failed, checked;
    bool progress;
} verification;

/* Without a word for it, a property or a family is forward attention's. */
static bool read_operation(const char *command, verify_options *options)
{
    const sqa_operation_entry *entry = sqa_operation_at(0);
    options->all_operations =
        !options->operation_name && !options->shape && !options->property && !options->family;
    if (sqa_operation_option(options->operation_name, &entry) != SQA_OK)
        return sqa_command_fail(command, SQA_INVALID_ARGUMENT), false;
    options->operation = entry->id;
    return true;
}

static bool read_property(const char *command, verify_options *options)
{
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(options->operation);
    if (!options->property)
        return true;
    options->only_property = sqa_property_find(operation, options->property);
    if (options->only_property)
        return true;
    sqa_text names = SQA_TEXT_INIT;
    for (size_t i = 0; i < operation->property_count; i++)
        sqa_text_format(&names, "%s%s", i ? ", " : "", operation->properties[i].name);
    sqa_usage_error(command, "--property: '%s' is not one of %s", options->property,
                    sqa_text_get(&names));
    sqa_text_free(&names);
    return false;
}

static bool read_dtype(const char *command, verify_options *options)
{
    if (options->dtype && options->shape)
        return sqa_usage_error(command, "--dtype: goes into --shape, as dtype=%s", options->dtype),
               false;
    if (options->dtype && !sqa_dtype_from_name(options->dtype, &options->only_dtype))
        return sqa_usage_error(command, "--dtype: '%s' is not one of f32, f16, bf16",
                               options->dtype),
               false;
    return true;
}

static bool read_shape(const char *command, verify_options *options)
{
    if (options->layout && !options->shape)
        return sqa_usage_error(command, "--layout: needs --shape"), false;
    if (!options->shape)
        return true;
    const sqa_operation_entry *entry =
        options->operation_name ? sqa_operation_at((size_t)options->operation) : NULL;
    if (sqa_shape_option(options->shape, entry, &options->only_case) != SQA_OK)
        return sqa_command_fail(command, SQA_INVALID_ARGUMENT), false;
    sqa_tensor_shape first;
    options->operation = options->only_case.operation;
    sqa_tensor_shape_of(&options->only_case, 0, &first);
    options->only_dtype = (sqa_dtype)first.element;
    if (!options->layout)
        return true;
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(options->operation);
    if (!operation || !operation->lay_out)
        return sqa_usage_error(command,
                               "--layout: %s has no layouts by name; give strides in "
                               "--shape",
                               sqa_operation_name(options->operation)),
               false;
    if (operation->lay_out(options->layout, &options->only_case) != SQA_OK)
        return sqa_command_fail(command, SQA_INVALID_ARGUMENT), false;
    return true;
}

static bool read_values(const char *command, verify_options *options)
{
    if (options->tiny + options->quick + options->full > 1)
        return sqa_usage_error(command, "--tiny, --quick and --full exclude each other"), false;
    options->size = options->tiny ? SQA_GRID_TINY : options->full ? SQA_GRID_FULL : SQA_GRID_QUICK;
    if (options->set && !options->family)
        return sqa_usage_error(command, "--set: needs --family"), false;
    if (!read_operation(command, options) || !read_shape(command, options) ||
        !read_property(command, options) || !read_dtype(command, options))
        return false;
    if (options->family && !sqa_family_find(options->operation, options->family))
        return sqa_usage_error(command, "--family: %s has no '%s'",
                               sqa_operation_name(options->operation), options->family),
               false;
    if (sqa_device_option(options->device, &options->platform_index, &options->device_index) !=
        SQA_OK)
        return sqa_command_fail(command, SQA_INVALID_ARGUMENT), false;
    return true;
}

/* The family, or what a recipe has in its place. */
static const char *name_of(const sqa_suite *suite)
{
    return suite->family ? suite->family->name : sqa_operation_name(suite->operation);
}

/* "rows (VW=8,...) --shape ...": what `sqa verify` repeats the case with. */
static void print_failure(const verification *v, const sqa_outcome *outcome)
{
    const sqa_suite *suite = v->suite;
    printf("FAILED  %s%s%s%s: %s\n"
           "        on %s, driver %s\n"
           "        again: sqa verify --device %u:%u%s%s%s%s%s%s %s\n",
           name_of(suite), suite->config ? " (" : "", suite->config ? suite->config : "",
           suite->config ? ")" : "", outcome->message, v->device.strings.device_name,
           v->device.strings.driver_version, v->options->platform_index, v->options->device_index,
           strstr(outcome->subject, "--shape") ? "" : " --operation ",
           strstr(outcome->subject, "--shape") ? "" : sqa_operation_name(suite->operation),
           suite->family ? " --family " : "", suite->family ? suite->family->name : "",
           suite->config ? " --set " : "", suite->config ? suite->config : "", outcome->subject);
    fflush(stdout);
}

static void clear_progress(const verification *v)
{
    if (v->progress)
        fputs("\r\033[K", stderr);
}

static void report(void *user, const sqa_outcome *outcome)
{
    verification *v = user;
    v->done++;
    clear_progress(v);
    if (outcome->verdict == SQA_VERDICT_FAILED && v->options->json) {
        sqa_json_object(&v->json, NULL);
        sqa_json_string(&v->json, "options", outcome->subject);
        sqa_json_string(&v->json, "message", outcome->message);
        sqa_json_close(&v->json);
    } else if (outcome->verdict == SQA_VERDICT_FAILED) {
        print_failure(v, outcome);
    }
    if (v->progress)
        fprintf(stderr, "%s: %zu checks", name_of(v->suite), v->done);
}

/* What the options ask for, on one family and configuration. Random
 * configurations get the sample of the grid: there are many of them. */
static sqa_status run_checks(const verification *v, const sqa_suite *suite, bool sampled,
                             sqa_suite_counts *counts)
{
    const verify_options *options = v->options;
    bool tiny = options->size == SQA_GRID_TINY;
    if (options->only_property || options->shape) {
        if (options->only_property)
            sqa_suite_property(suite, options->only_property, tiny, counts);
        if (options->shape)
            sqa_suite_case(suite, &options->only_case, counts);
        return SQA_OK;
    }
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(suite->operation);
    const sqa_grid_size size = sampled && !tiny ? SQA_GRID_SAMPLE : options->size;
    sqa_status status = SQA_OK;
    for (const sqa_case_grid *grid = operation->grids; grid->name && status == SQA_OK; grid++)
        if (!options->patterns || !strcmp(grid->name, "patterns"))
            status = sqa_suite_grid(suite, grid, size, counts);
    for (size_t i = 0; i < operation->property_count && !options->patterns; i++)
        sqa_suite_property(suite, &operation->properties[i], tiny, counts);
    return status;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void print_counts(const verification *v, const sqa_suite_counts *counts, double seconds)
{
    const sqa_suite *suite = v->suite;
    printf("%-6s %-4s %-8s %zu passed, %zu failed, %zu not supported", name_of(suite),
           sqa_dtype_name(suite->dtype), suite->config ? "as set" : "default", counts->passed,
           counts->failed, counts->unsupported);
    const sqa_operation_entry *entry = sqa_operation_at((size_t)suite->operation);
    const char *between = "; worst error:";
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        const sqa_output_error *error = &counts->worst[slot];
        if (!error->judged)
            continue;
        printf("%s %s rms %.1e, max %.1e", between, entry->slots[slot].name, error->rms,
               error->max);
        between = ";";
    }
    printf("; %.1f s\n", seconds);
    if (suite->config)
        printf("       %s\n", suite->config);
    fflush(stdout);
}

static void write_counts(verification *v, const sqa_suite_counts *counts, double seconds)
{
    sqa_json_close(&v->json); /* failures */
    sqa_json_integer(&v->json, "passed", (int64_t)counts->passed);
    sqa_json_integer(&v->json, "failed", (int64_t)counts->failed);
    sqa_json_integer(&v->json, "not_supported", (int64_t)counts->unsupported);
    const sqa_operation_entry *entry = sqa_operation_at((size_t)v->suite->operation);
    sqa_json_object(&v->json, "worst_errors");
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        const sqa_output_error *error = &counts->worst[slot];
        if (!error->judged)
            continue;
        sqa_json_object(&v->json, entry->slots[slot].name);
        sqa_json_number(&v->json, "rms", error->rms);
        sqa_json_number(&v->json, "max", error->max);
        sqa_json_number(&v->json, "absolute", error->absolute);
        sqa_json_close(&v->json);
    }
    sqa_json_close(&v->json);
    sqa_json_number(&v->json, "seconds", seconds);
    sqa_json_close(&v->json);
}

static sqa_status verify_config(verification *v, sqa_operation operation,
                                const sqa_kernel_family *family, sqa_dtype dtype,
                                const char *config, bool sampled)
{
    sqa_suite_counts counts = {0};
    sqa_suite suite = {.context = v->context,
                       .queue = v->queue,
                       .device = &v->device,
                       .operation = operation,
                       .family = family,
                       .dtype = dtype,
                       .config = config,
                       .seed = v->options->seed,
                       .all_rows = v->options->shape != NULL,
                       .report = report,
                       .user = v};
    double start = now();
    v->suite = &suite;
    v->done = 0;
    if (v->options->json) {
        sqa_json_object(&v->json, NULL);
        sqa_json_string(&v->json, "operation", sqa_operation_name(operation));
        sqa_json_string(&v->json, "family", name_of(&suite));
        sqa_json_string(&v->json, "dtype", sqa_dtype_name(dtype));
        sqa_json_string(&v->json, "config", config);
        sqa_json_array(&v->json, "failures");
    }
    const sqa_status status = run_checks(v, &suite, sampled, &counts);
    clear_progress(v);
    if (v->options->json)
        write_counts(v, &counts, now() - start);
    else
        print_counts(v, &counts, now() - start);
    v->failed += counts.failed;
    v->checked += counts.passed + counts.failed;
    return status;
}

static sqa_status verify_random_configs(verification *v, const sqa_kernel_family *family,
                                        sqa_dtype dtype)
{
    static char texts[MAX_RANDOM_CONFIGS][SQA_CONFIG_TEXT];
    sqa_suite suite = {.device = &v->device,
                       .operation = family->operation,
                       .family = family,
                       .dtype = dtype,
                       .seed = v->options->seed};
    size_t count = 0;
    sqa_status status = sqa_suite_random_configs(&suite, v->options->size == SQA_GRID_TINY,
                                                 v->options->configs, texts, &count);
    for (size_t i = 0; i < count && status == SQA_OK; i++)
        status = verify_config(v, family->operation, family, dtype, texts[i], true);
    return status;
}

/* Storage types differ in how elements are loaded and stored alone, so the short
 * ones get the sample of the grid unless they are what was asked for. */
static sqa_status verify_family(verification *v, sqa_operation operation,
                                const sqa_kernel_family *family)
{
    const bool only = v->options->dtype || v->options->shape;
    sqa_status status = SQA_OK;
    for (sqa_dtype dtype = SQA_DTYPE_F32; sqa_dtype_name(dtype) && status == SQA_OK; dtype++) {
        if (only && dtype != v->options->only_dtype)
            continue;
        status = verify_config(v, operation, family, dtype, v->options->set,
                               !only && dtype != SQA_DTYPE_F32);
        if (v->options->configs && family && status == SQA_OK)
            status = verify_random_configs(v, family, dtype);
    }
    return status;
}

/* Its families, or, of a recipe, what its stages choose. */
static sqa_status verify_operation(verification *v, const sqa_operation_entry *entry)
{
    sqa_status status = SQA_OK;
    if (entry->recipe)
        return verify_family(v, entry->id, NULL);
    for (size_t i = 0; i < sqa_family_count() && status == SQA_OK; i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        if (family->operation == entry->id &&
            (!v->options->family || !strcmp(v->options->family, family->name)))
            status = verify_family(v, entry->id, family);
    }
    return status;
}

static sqa_status verify_operations(verification *v)
{
    sqa_status status = SQA_OK;
    if (v->options->json) {
        sqa_json_begin(&v->json, stdout);
        sqa_json_string(&v->json, "device", v->device.strings.device_name);
        sqa_json_string(&v->json, "driver", v->device.strings.driver_version);
        sqa_json_array(&v->json, "families");
    }
    for (size_t i = 0; i < sqa_operation_count() && status == SQA_OK; i++) {
        const sqa_operation_entry *entry = sqa_operation_at(i);
        const bool wanted = v->options->all_operations || entry->id == v->options->operation;
        if (wanted && sqa_tuner_operation_find(entry->id))
            status = verify_operation(v, entry);
    }
    if (v->options->json) {
        sqa_json_close(&v->json);
        sqa_json_integer(&v->json, "checked", (int64_t)v->checked);
        sqa_json_integer(&v->json, "failed", (int64_t)v->failed);
        sqa_json_finish(&v->json);
    } else if (status == SQA_OK) {
        printf("%s: %zu checks, %zu failed\n", v->device.strings.device_name, v->checked,
               v->failed);
    }
    return status;
}

static sqa_status open_device(verification *v)
{
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = ""; /* families are named here: nothing is looked up */
    options.binary_cache = "";  /* what the compiler gives now is to be verified */
    sqa_status status = sqa_log_option(v->options->log, &options);
    if (status == SQA_OK)
        status = sqa_context_open(&v->context, v->options->platform_index, v->options->device_index,
                                  &options);
    if (status == SQA_OK)
        status = sqa_device_query(&v->device, sqa_context_cl_device(v->context));
    if (status != SQA_OK)
        return status;
    cl_int error;
    v->queue = clCreateCommandQueue(sqa_context_cl(v->context), v->device.id, 0, &error);
    return error == CL_SUCCESS ? SQA_OK : sqa_fail_cl(error, "clCreateCommandQueue");
}

int sqa_command_verify(int argc, char **argv)
{
    verify_options options = {.seed = 1};
    const sqa_option table[] = {
        {"device", "P:D", "the device, as `sqa info` numbers it", .text = &options.device},
        {"operation", "NAME", "one operation only, otherwise all; a wrong name lists them",
         .text = &options.operation_name},
        {"family", "NAME", "one kernel family only; otherwise all", .text = &options.family},
        {"set", "NAME=VALUE,...", "the family's parameters; otherwise its default",
         .text = &options.set},
        {"dtype", "TYPE", "f32, f16 or bf16 only; otherwise all, f32 on the most shapes",
         .text = &options.dtype},
        {"quick", NULL, "about 50 shapes per family (the default)", .flag = &options.quick},
        {"full", NULL, "630 shapes per family", .flag = &options.full},
        {"tiny", NULL, "a few small shapes, for Oclgrind", .flag = &options.tiny},
        {"patterns", NULL, "only the combinations of masks, windows, sparsity, biases, ...",
         .flag = &options.patterns},
        {"configs", "N", "also N configurations picked at random, on fewer shapes",
         .count = {&options.configs, 0, MAX_RANDOM_CONFIGS}},
        {"shape", "SPEC", "this shape only, such as hq=8,hkv=2,nq=100,nk=200,d=64,causal",
         .text = &options.shape},
        {"layout", "NAME", "with --shape: bhsd, bshd, padded, mixed, qkv or shared",
         .text = &options.layout},
        {"property", "NAME", "this property only", .text = &options.property},
        {"seed", "N", "of the random inputs (1)", .number = {&options.seed, 0, UINT64_MAX}},
        {"json", NULL, "one JSON document", .flag = &options.json},
        {"log-level", "LEVEL", "error, warning, info or debug", .text = &options.log},
        {0},
    };
    int code;
    if (!sqa_options_read(argc, argv,
                          "Checks the kernels on a device against an fp64 reference: a grid of\n"
                          "shapes, and properties such as what a mask hides staying hidden.",
                          table, &code))
        return code;
    if (!read_values(argv[0], &options))
        return SQA_EXIT_USAGE;
    verification v = {.options = &options, .progress = isatty(STDERR_FILENO) != 0};
    sqa_status status = open_device(&v);
    if (status == SQA_OK)
        status = verify_operations(&v);
    if (v.queue)
        clReleaseCommandQueue(v.queue);
    sqa_context_destroy(v.context);
    if (status != SQA_OK)
        return sqa_command_fail(argv[0], status);
    return v.failed || !v.checked ? SQA_EXIT_FAILED : SQA_EXIT_OK;
}
