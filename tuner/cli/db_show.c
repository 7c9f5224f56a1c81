/* `sqa db show ID`: all that is known of one trial. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/db_command.h"
#include "problem/names.h"
#include "shape/shape.h"

static void print_figure(const char *name, double value, const char *unit)
{
    if (isfinite(value))
        printf("%-16s%.6g%s\n", name, value, unit);
    else
        printf("%-16sunknown\n", name);
}

static void print_device(const sqa_device *device)
{
    const sqa_device_identity *identity = &device->identity;
    printf("%-16s%s/%s/%s on %s\n", "device", identity->vendor, identity->architecture,
           identity->model, identity->runtime);
    printf("%-16s%s, %s\n", "", device->strings.device_name, device->strings.device_version);
    printf("%-16s%s, %u compute units, %llu KiB local memory\n", "",
           sqa_device_type_name(device->strings.type), device->strings.compute_units,
           (unsigned long long)device->limits.local_memory_bytes / 1024);
    printf("%-16s%s, %s\n", "driver", device->strings.driver_version,
           device->strings.platform_version);
}

static void print_trial(const sqa_stored_trial *trial)
{
    sqa_attention_desc desc;
    char shape[SQA_SHAPE_TEXT];
    sqa_stored_trial_desc(trial, &desc);
    sqa_shape_format(&desc, shape, sizeof shape);
    printf("%-16s%lld%s\n", "trial", (long long)trial->id, trial->winner ? ", a winner" : "");
    print_device(&trial->device);
    printf("%-16s%s %s %s, %s\n", "problem", sqa_operation_name(desc.operation),
           sqa_dtype_name(desc.dtype), shape, trial->layout);
    printf("%-16s%s, parameters version %u\n", "family", trial->family, trial->space_version);
    printf("%-16s%s\n", "configuration", trial->config);
    printf("%-16s%s%s%s\n", "status", sqa_trial_status_name(trial->result.status),
           trial->result.message[0] ? ": " : "", trial->result.message);
    print_figure("median", trial->result.median_ms, " ms");
    print_figure("spread", trial->result.spread_ms, " ms");
    print_figure("rate", trial->gflops, " GFLOP/s");
    print_figure("ceiling", trial->ceiling_gflops, " GFLOP/s");
    print_figure("of the ceiling", 100 * trial->fraction_of_ceiling, " %");
    print_figure("max error", trial->result.max_error, "");
    print_figure("build", trial->result.build_ms, " ms");
    printf("%-16s%u%s, seed %llu\n", "samples", trial->result.samples,
           trial->final ? ", in a final" : "", (unsigned long long)trial->seed);
    printf("%-16s%s by libsqa_cl %s\n", "recorded", trial->recorded_at, trial->library_version);
}

typedef struct view {
    bool json, found;
} view;

static sqa_status show_trial(void *user, const sqa_stored_trial *trial)
{
    view *out = user;
    if (!trial)
        return SQA_DATABASE_ERROR; /* the detail says which column */
    out->found = true;
    if (!out->json) {
        print_trial(trial);
        return SQA_OK;
    }
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_object(&json, "trial");
    sqa_db_write_trial(&json, trial);
    sqa_json_finish(&json);
    return SQA_OK;
}

int sqa_db_show(int argc, char **argv)
{
    sqa_db_choice choice = {0};
    view out = {0};
    const char *id = NULL;
    const sqa_option options[] = {
        SQA_DB_OPTION(choice),
        SQA_SEED_DB_OPTION(choice),
        SQA_JSON_OPTION(out.json),
        {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv, "All that is known of one trial.", options, "ID", &id,
                             &code))
        return code;
    char *end = NULL;
    errno = 0;
    sqa_store_filter filter = {.id = strtoll(id, &end, 10)};
    if (errno || *end || filter.id <= 0)
        return sqa_usage_error(argv[0], "'%s' is not a trial's number, as `sqa db list` prints it",
                               id);
    sqa_store *store = NULL;
    sqa_status status = sqa_db_open_to_read(&store, &choice);
    if (status == SQA_OK)
        status = sqa_store_each(store, &filter, show_trial, &out);
    if (status == SQA_OK && !out.found)
        status =
            sqa_fail(SQA_DATABASE_ERROR, "there is no trial %s in %s", id, sqa_store_path(store));
    sqa_store_close(store);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
