/* sqa info: what OpenCL has here, under the numbers that --device takes. Works
 * with no platform at all, and with devices that answer next to nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "cli/device_json.h"
#include "cli/device_option.h"
#include "cli/drivers.h"
#include "cli/options.h"
#include "cli/target.h"
#include "device/binary_cache.h"
#include "device/binary_folder.h"
#include "device/device.h"
#include "device/profile.h"
#include "sqa_cl.h"
#include "text/json.h"
#include "text/table.h"

static const char summary[] =
    "The OpenCL platforms and devices here, their identities and limits, which tuning\n"
    "databases are in use, and where compiled kernels are kept. Devices are numbered P:D, as "
    "--device takes them.";

typedef struct device_facts {
    unsigned platform, index;
    sqa_device device;
    sqa_ceiling ceiling; /* NaN rates unless measured */
} device_facts;

typedef struct info_facts {
    unsigned platform_count;
    device_facts *devices;
    size_t device_count;
    sqa_drivers drivers;
    sqa_database_states databases;
    char cache[4096]; /* the folder of compiled programs; "": switched off */
    sqa_binary_usage cached;
} info_facts;

typedef struct info_options {
    const char *device, *database;
    bool json, peak, profile;
} info_options;

static void measure_peak(device_facts *facts)
{
    sqa_context *context = NULL;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    static const char *const none[] = {NULL};
    options.user_database = "";
    options.extra_databases = none;
    options.skip_seed = 1;
    sqa_status status = sqa_context_open(&context, facts->platform, facts->index, &options);
    if (!status)
        status = sqa_ceiling_measure(context, &facts->ceiling);
    if (status) {
        fprintf(stderr, "sqa info: %u:%u: no ceiling: %s\n", facts->platform, facts->index,
                sqa_last_error());
        facts->ceiling = sqa_ceiling_unknown();
    }
    sqa_context_destroy(context);
}

/* A device that cannot be asked is told on standard error and left out. */
static sqa_status add_device(info_facts *info, unsigned platform, unsigned index, bool peak)
{
    device_facts *grown = realloc(info->devices, (info->device_count + 1) * sizeof *info->devices);
    if (!grown)
        return sqa_fail_memory("the list of devices");
    info->devices = grown;
    device_facts *facts = &grown[info->device_count];
    *facts = (device_facts){.platform = platform, .index = index};
    facts->ceiling = sqa_ceiling_unknown();
    cl_device_id id = NULL;
    sqa_status status = sqa_device_at(platform, index, &id);
    if (!status)
        status = sqa_device_query(&facts->device, id);
    if (status) {
        fprintf(stderr, "sqa info: %u:%u: %s\n", platform, index, sqa_last_error());
        return SQA_OK;
    }
    info->device_count++;
    if (peak)
        measure_peak(facts);
    return SQA_OK;
}

static sqa_status add_platform(info_facts *info, unsigned platform, const info_options *options)
{
    unsigned count = 0, only_platform = 0, only_device = 0;
    sqa_status status = SQA_OK;
    if (options->device)
        status = sqa_device_option(options->device, &only_platform, &only_device);
    if (!status && sqa_device_count(platform, &count)) {
        fprintf(stderr, "sqa info: platform %u: %s\n", platform, sqa_last_error());
        return SQA_OK;
    }
    for (unsigned i = 0; i < count && !status; i++)
        if (!options->device || (only_platform == platform && only_device == i))
            status = add_device(info, platform, i, options->peak);
    return status;
}

static sqa_status gather(info_facts *info, const info_options *options)
{
    sqa_status status = sqa_platform_count(&info->platform_count);
    for (unsigned i = 0; i < info->platform_count && !status; i++)
        status = add_platform(info, i, options);
    if (!status && options->device && info->device_count == 0)
        status = sqa_fail(SQA_NO_DEVICE, "no device %s", options->device);
    if (!status)
        status = sqa_drivers_try(&info->drivers);
    if (!status)
        status = sqa_database_states_read(options->database, &info->databases);
    if (sqa_binary_folder_path(NULL, info->cache, sizeof info->cache) &&
        sqa_binary_folder_usage(info->cache, &info->cached) != 0)
        fprintf(stderr, "sqa info: %s cannot be read\n", info->cache);
    return status;
}

static const char *clblast_version(void)
{
#ifdef SQA_CLBLAST_VERSION
    return SQA_CLBLAST_VERSION;
#else
    return NULL;
#endif
}

static void print_bytes(sqa_table *table, const char *name, uint64_t bytes, const char *note)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    sqa_table_cell(table, "       %s", name);
    sqa_table_cell(table, "%.4g %s%s", value, units[unit], note);
}

static void print_row(sqa_table *table, const char *name, const char *value)
{
    sqa_table_cell(table, "       %s", name);
    sqa_table_cell(table, "%s", value);
}

/* What vendors' extensions tell of a compute unit, if they do. */
static void print_unit(sqa_table *table, const sqa_device_limits *limits)
{
    char text[32];
    snprintf(text, sizeof text, "%u work-items", limits->wavefront_width);
    if (limits->wavefront_width)
        print_row(table, "wavefront", text);
    snprintf(text, sizeof text, "%u", limits->unit_registers);
    if (limits->unit_registers)
        print_row(table, "unit's registers", text);
    if (limits->unit_local_memory_bytes)
        print_bytes(table, "unit's memory", limits->unit_local_memory_bytes, ", local");
}

static void print_device(const device_facts *facts)
{
    const sqa_device *device = &facts->device;
    const sqa_device_limits *limits = &device->limits;
    const sqa_device_identity *identity = &device->identity;
    char text[512];
    sqa_table table = SQA_TABLE_INIT;
    table.wraps = true;
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    printf("  %u:%u  %s\n", facts->platform, facts->index, device->strings.device_name);
    snprintf(text, sizeof text, "%s, %u compute units, native float vectors of %u%s",
             sqa_device_type_name(device->strings.type), device->strings.compute_units,
             limits->vector_width_float, limits->has_fp64 ? ", fp64" : "");
    print_row(&table, "type", text);
    snprintf(text, sizeof text, "%s / %s / %s, by %s", identity->vendor, identity->architecture,
             identity->model, identity->runtime);
    print_row(&table, "identity", text);
    snprintf(text, sizeof text, "%s (%s)", device->strings.driver_version,
             device->strings.device_version);
    print_row(&table, "driver", text);
    print_bytes(&table, "global memory", limits->global_memory_bytes, "");
    print_bytes(&table, "one buffer", limits->max_allocation_bytes, " at most");
    print_bytes(&table, "local memory", limits->local_memory_bytes,
                limits->local_memory_is_global ? ", kept in global memory" : "");
    snprintf(text, sizeof text, "%zu work-items at most, %zu x %zu x %zu",
             limits->max_work_group_size, limits->max_work_item_sizes[0],
             limits->max_work_item_sizes[1], limits->max_work_item_sizes[2]);
    print_row(&table, "work-group", text);
    print_unit(&table, limits);
    if (!limits->has_compiler)
        print_row(&table, "compiler", "none: it runs pre-built binaries only");
    if (isfinite(facts->ceiling.rate[SQA_CEILING_FMA])) {
        snprintf(text, sizeof text, "%.1f GFLOP/s multiply-add, %.1f GB/s copy, %.1f GB/s read",
                 facts->ceiling.rate[SQA_CEILING_FMA], facts->ceiling.rate[SQA_CEILING_COPY],
                 facts->ceiling.rate[SQA_CEILING_READ]);
        print_row(&table, "ceiling", text);
    }
    sqa_table_print(&table, stdout);
}

static void print_database(sqa_table *table, const sqa_database_state *state)
{
    const char *unnamed = strcmp(state->role, "seed") ? "(none)" : "(built in)";
    sqa_table_cell(table, "  %s", state->role);
    sqa_table_cell(table, "%s", state->path[0] ? state->path : unnamed);
    if (state->message[0])
        sqa_table_cell(table, "%s: %s", state->state, state->message);
    else if (!strcmp(state->state, "missing"))
        sqa_table_cell(table, "missing; `sqa tune` makes it");
    else
        sqa_table_cell(table, "in use, %zu best configurations", state->results);
}

static void print_cache(const info_facts *info)
{
    printf("\nBinary cache\n");
    if (info->cache[0])
        printf("  %s  %zu programs, %.1f MiB of at most %.0f\n", info->cache, info->cached.entries,
               (double)info->cached.bytes / 1048576.0, (double)SQA_BINARY_CACHE_BYTES / 1048576.0);
    else
        printf("  off: every process compiles its kernels\n");
}

static void print_no_platform(const sqa_drivers *drivers)
{
    if (drivers->fault_count)
        printf("No OpenCL platform: %zu of %zu drivers do not load.\n", drivers->fault_count,
               drivers->count);
    else if (drivers->count)
        printf("No OpenCL platform: none of the %zu drivers in %s has one.\n", drivers->count,
               drivers->place);
    else
        printf("No OpenCL platform is installed: there is no .icd file in %s;\n"
               "on Debian and Ubuntu, for CPUs:\n  apt-get install pocl-opencl-icd\n",
               drivers->place);
}

static void print_driver_faults(const sqa_drivers *drivers)
{
    sqa_table table = SQA_TABLE_INIT;
    if (!drivers->fault_count)
        return;
    printf("\nDrivers that do not load\n");
    table.wraps = true;
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < drivers->fault_count; i++) {
        sqa_table_cell(&table, "  %s", drivers->faults[i].file);
        sqa_table_cell(&table, "%s", drivers->faults[i].why);
    }
    sqa_table_print(&table, stdout);
}

static void print_people(const info_facts *info)
{
    if (info->platform_count == 0)
        print_no_platform(&info->drivers);
    for (size_t i = 0; i < info->device_count; i++) {
        const device_facts *facts = &info->devices[i];
        const sqa_device_strings *strings = &facts->device.strings;
        if (i == 0 || facts->platform != info->devices[i - 1].platform)
            printf("%s%s, %s\n", i ? "\n" : "", strings->platform_name, strings->platform_version);
        print_device(facts);
    }
    if (info->platform_count > 0 && info->device_count == 0)
        printf("%u OpenCL platforms, but none has a device.\n", info->platform_count);
    print_driver_faults(&info->drivers);
    printf("\nTuning databases\n");
    sqa_table table = SQA_TABLE_INIT;
    for (int i = 0; i < 3; i++)
        sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < info->databases.count; i++)
        print_database(&table, &info->databases.items[i]);
    sqa_table_print(&table, stdout);
    print_cache(info);
    const char *clblast = clblast_version();
    printf("\nlibsqa_cl %s, built ", sqa_version_string());
    if (clblast)
        printf("with CLBlast %s\n", clblast);
    else
        printf("without CLBlast: matrix products have no family clblast\n");
}

static void write_identity(sqa_json *json, const sqa_device_identity *identity)
{
    sqa_json_object(json, "identity");
    sqa_json_string(json, "vendor", identity->vendor);
    sqa_json_string(json, "architecture", identity->architecture);
    sqa_json_string(json, "model", identity->model);
    sqa_json_string(json, "runtime", identity->runtime);
    sqa_json_close(json);
}

static void write_limits(sqa_json *json, const sqa_device_limits *limits)
{
    sqa_json_object(json, "limits");
    sqa_json_integer(json, "max_work_group_size", (int64_t)limits->max_work_group_size);
    sqa_json_array(json, "max_work_item_sizes");
    for (int i = 0; i < 3; i++)
        sqa_json_integer(json, NULL, (int64_t)limits->max_work_item_sizes[i]);
    sqa_json_close(json);
    sqa_json_integer(json, "global_memory_bytes", (int64_t)limits->global_memory_bytes);
    sqa_json_integer(json, "max_allocation_bytes", (int64_t)limits->max_allocation_bytes);
    sqa_json_integer(json, "local_memory_bytes", (int64_t)limits->local_memory_bytes);
    sqa_json_boolean(json, "local_memory_is_global", limits->local_memory_is_global);
    sqa_json_integer(json, "vector_width_float", limits->vector_width_float);
    sqa_json_integer(json, "wavefront_width", limits->wavefront_width);
    sqa_json_integer(json, "unit_registers", limits->unit_registers);
    sqa_json_integer(json, "unit_local_memory_bytes", (int64_t)limits->unit_local_memory_bytes);
    sqa_json_boolean(json, "has_fp64", limits->has_fp64);
    sqa_json_boolean(json, "has_compiler", limits->has_compiler);
    sqa_json_close(json);
}

static void write_device(sqa_json *json, const device_facts *facts)
{
    const sqa_device_strings *strings = &facts->device.strings;
    char id[32];
    snprintf(id, sizeof id, "%u:%u", facts->platform, facts->index);
    sqa_json_object(json, NULL);
    sqa_json_string(json, "id", id);
    sqa_json_string(json, "name", strings->device_name);
    sqa_json_string(json, "type", sqa_device_type_name(strings->type));
    sqa_json_integer(json, "compute_units", strings->compute_units);
    write_identity(json, &facts->device.identity);
    sqa_json_string(json, "platform_name", strings->platform_name);
    sqa_json_string(json, "platform_version", strings->platform_version);
    sqa_json_string(json, "device_vendor", strings->device_vendor);
    sqa_json_string(json, "device_version", strings->device_version);
    sqa_json_string(json, "driver_version", strings->driver_version);
    sqa_json_string(json, "board_name", strings->board_name[0] ? strings->board_name : NULL);
    write_limits(json, &facts->device.limits);
    sqa_json_ceiling(json, &facts->ceiling);
    sqa_json_close(json);
}

static void write_database(sqa_json *json, const sqa_database_state *state)
{
    sqa_json_object(json, NULL);
    sqa_json_string(json, "role", state->role);
    sqa_json_string(json, "path", state->path[0] ? state->path : NULL);
    sqa_json_string(json, "state", state->state);
    sqa_json_integer(json, "best_configurations", (int64_t)state->results);
    sqa_json_string(json, "message", state->message[0] ? state->message : NULL);
    sqa_json_close(json);
}

static void write_driver_faults(sqa_json *json, const sqa_drivers *drivers)
{
    sqa_json_array(json, "drivers_that_fail");
    for (size_t i = 0; i < drivers->fault_count; i++) {
        sqa_json_object(json, NULL);
        sqa_json_string(json, "file", drivers->faults[i].file);
        sqa_json_string(json, "library",
                        drivers->faults[i].library[0] ? drivers->faults[i].library : NULL);
        sqa_json_string(json, "message", drivers->faults[i].why);
        sqa_json_close(json);
    }
    sqa_json_close(json);
}

static void print_json(const info_facts *info)
{
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_string(&json, "version", sqa_version_string());
    sqa_json_string(&json, "clblast_version", clblast_version());
    sqa_json_integer(&json, "platform_count", info->platform_count);
    sqa_json_array(&json, "devices");
    for (size_t i = 0; i < info->device_count; i++)
        write_device(&json, &info->devices[i]);
    sqa_json_close(&json);
    write_driver_faults(&json, &info->drivers);
    sqa_json_array(&json, "databases");
    for (size_t i = 0; i < info->databases.count; i++)
        write_database(&json, &info->databases.items[i]);
    sqa_json_close(&json);
    sqa_json_object(&json, "binary_cache");
    sqa_json_string(&json, "path", info->cache[0] ? info->cache : NULL);
    sqa_json_integer(&json, "programs", (int64_t)info->cached.entries);
    sqa_json_integer(&json, "bytes", (int64_t)info->cached.bytes);
    sqa_json_integer(&json, "limit_bytes", (int64_t)SQA_BINARY_CACHE_BYTES);
    sqa_json_finish(&json);
}

/* Of one device, for --device-profile elsewhere. */
static sqa_status print_profile(const info_options *options)
{
    sqa_device device;
    sqa_text text = SQA_TEXT_INIT;
    sqa_status status = sqa_target_query_device(&device, options->device);
    sqa_text_append(&text, "# A device, for sqa source and sqa capture --device-profile.\n");
    if (status == SQA_OK)
        status = sqa_profile_write(&text, &device);
    if (status == SQA_OK)
        fputs(sqa_text_get(&text), stdout);
    sqa_text_free(&text);
    return status;
}

static sqa_status run(const info_options *options)
{
    info_facts info = {.drivers = SQA_DRIVERS_INIT};
    if (options->profile)
        return print_profile(options);
    sqa_status status = gather(&info, options);
    if (status == SQA_OK)
        (options->json ? print_json : print_people)(&info);
    sqa_drivers_free(&info.drivers);
    free(info.devices);
    sqa_database_states_free(&info.databases);
    return status;
}

int sqa_command_info(int argc, char **argv)
{
    info_options given = {0};
    const sqa_option options[] = {
        {"json", NULL, "one JSON document", .flag = &given.json},
        {"peak", NULL, "measure each device's ceilings (some seconds each)", .flag = &given.peak},
        {"profile", NULL, "one device (0:0) as a text, for --device-profile elsewhere",
         .flag = &given.profile, .only = "device"},
        {"device", "P:D", "this device only", .text = &given.device},
        {"db", "FILE", "tuning database instead of the user's own", .text = &given.database},
        {0},
    };
    int code = SQA_EXIT_OK;
    if (!sqa_options_read(argc, argv, summary, options, &code))
        return code;
    sqa_status status = run(&given);
    return status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
}
