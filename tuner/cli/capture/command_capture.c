/* sqa capture: sources for a vendor's tool to build, by the key under which a device
 * without a compiler looks for the binaries, and taking in those binaries. Knows options
 * and output; the folder is folder.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/status.h"
#include "cli/capture/files.h"
#include "cli/capture/folder.h"
#include "cli/command.h"
#include "cli/target.h"
#include "cli/tune/words.h"
#include "device/cl_status.h"
#include "device/prebuilt.h"
#include "device/program.h"
#include "kernels/registry.h"
#include "runtime/choose.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "search/sweep.h"
#include "text/json.h"
#include "text/table.h"

static const char summary[] =
    "For devices without an OpenCL compiler: writes the sources of the kernels to run, each\n"
    "with its key and build options, into a folder, for the vendor's tool to build. With the\n"
    "binaries added and $SQA_CL_PREBUILT naming the folder, the library runs them, and\n"
    "`sqa tune` there finds out which is the fastest. Without --shape or --preset it\n"
    "captures for the preset quick.";

typedef struct capture {
    sqa_tune_words words;
    const char *out, *profile;
    sqa_option_list add;
    bool build;
    sqa_tune_plan *plan;
    sqa_target target;
    sqa_context *context;   /* NULL unless it builds */
    cl_command_queue queue; /* likewise */
    sqa_capture_folder folder;
} capture;

/* With the device's own compiler. The kernel must have run: see sqa_program_binary(). */
static sqa_status build(capture *self, const sqa_problem *problem, const sqa_kernel_family *family,
                        const sqa_config *config, const char *key)
{
    char text[SQA_CONFIG_TEXT];
    sqa_plan *plan = NULL;
    unsigned char *binary = NULL;
    size_t size = 0;
    sqa_config_format(family, config, text);
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    options.family = family->name;
    options.config = text;
    sqa_status status = sqa_plan_build(&plan, self->context, problem, &options);
    if (status == SQA_OK && !plan->stages[0].leaf->program)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--build: a shape without output has no program");
    if (status == SQA_OK)
        status = sqa_plan_warm_up(plan, self->queue);
    if (status == SQA_OK)
        status = sqa_program_binary(plan->stages[0].leaf->program, self->context->device.id,
                                    &binary, &size);
    if (status == SQA_OK)
        status = sqa_capture_binary(&self->folder, key, binary, size);
    free(binary);
    sqa_plan_destroy(plan);
    return status;
}

static sqa_status capture_config(capture *self, const sqa_problem *problem,
                                 const sqa_kernel_family *family, const sqa_config *config)
{
    char key[SQA_HASH_TEXT], shape[SQA_SHAPE_TEXT];
    sqa_problem_format(problem, shape, sizeof shape);
    sqa_status status = sqa_capture_source(&self->folder, family, config, problem, shape,
                                           &self->target.device, key);
    return status == SQA_OK && self->build && !sqa_capture_has_binary(&self->folder, key)
               ? build(self, problem, family, config, key)
               : status;
}

/* What the library would run here, and what it would without any tuning result; of what there
 * is source of. */
static sqa_status capture_choices(capture *self, const sqa_problem *problem)
{
    sqa_choices choices;
    const sqa_target *target = &self->target;
    sqa_status status = sqa_choose(&choices, &target->device, &target->tuning, NULL, problem, NULL);
    bool untuned = false, first = true;
    for (size_t i = 0; i < choices.count && status == SQA_OK && !untuned; i++) {
        const sqa_choice *choice = &choices.items[i];
        if (choice->family->library)
            continue;
        untuned = !choice->row;
        if (first || untuned)
            status = capture_config(self, problem, choice->family, &choice->config);
        first = false;
    }
    sqa_text_free(&choices.passed_over);
    return status;
}

static bool is_named(const char *set, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = set; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (!strncmp(at, name, length) && at[length] == '=')
            return true;
    }
    return false;
}

/* Of the family asked for: all combinations of the values named; what is not named
 * keeps the family's default. */
static sqa_status capture_family(capture *self, const sqa_problem *problem)
{
    const sqa_kernel_family *family =
        sqa_family_find(problem->operation, self->plan->options.family);
    const sqa_device *device = &self->target.device;
    sqa_kernel_family narrowed = *family;
    sqa_parameter parameters[SQA_MAX_PARAMETERS];
    sqa_config config;
    sqa_config_space space;
    if (family->library)
        return sqa_fail(SQA_UNSUPPORTED,
                        "--family: %s has no source to capture; %s compiles its kernels itself, "
                        "where they run",
                        family->name, family->library);
    sqa_status status = sqa_sweep_narrow(family, self->words.set, parameters);
    if (status != SQA_OK)
        return status;
    family->default_config(problem, device, &config);
    for (size_t i = 0; i < family->parameter_count; i++)
        if (!is_named(self->words.set, parameters[i].name)) {
            parameters[i].values[0] = config.value[i];
            parameters[i].value_count = 1;
        }
    narrowed.parameters = parameters;
    status = sqa_config_space_create(&space, &narrowed, problem, device);
    if (status == SQA_OK && !space.count)
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "--family: no such configuration of %s can run this shape on this device",
                          family->name);
    for (size_t i = 0; i < space.count && status == SQA_OK; i++)
        status = capture_config(self, problem, family, &space.configs[i]);
    sqa_config_space_free(&space);
    return status;
}

static sqa_status capture_problems(capture *self)
{
    const sqa_tuning_options *options = &self->plan->options;
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < options->problem_count && status == SQA_OK; i++) {
        const sqa_problem *problem = &options->problems[i];
        status = options->family ? capture_family(self, problem) : capture_choices(self, problem);
    }
    return status;
}

/* For --build. What is in the folder already must not decide what is built: no pre-built
 * programs, and none of the binary cache. */
static sqa_status open_builder(capture *self)
{
    const sqa_tuning_options *options = &self->plan->options;
    sqa_context_options made = SQA_CONTEXT_OPTIONS_INIT;
    cl_int code = CL_SUCCESS;
    if (!self->target.device.limits.has_compiler)
        return sqa_fail(SQA_UNSUPPORTED, "--build: this device has no OpenCL compiler; build the "
                                         "sources with the vendor's tool and --add the binaries");
    made.user_database = options->database;
    made.binary_cache = made.prebuilt = "";
    made.log = options->log.callback;
    made.log_user = options->log.user;
    made.log_level = options->log.level;
    sqa_status status = sqa_context_open(&self->context, options->platform, options->device, &made);
    if (status != SQA_OK)
        return status;
    self->queue = clCreateCommandQueue(self->context->cl, self->context->device.id, 0, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateCommandQueue");
}

static sqa_status capture_all(capture *self)
{
    const sqa_tuning_options *options = &self->plan->options;
    const sqa_option_list *devices = &self->words.devices;
    sqa_status status = sqa_target_open(&self->target, devices->count ? devices->items[0] : NULL,
                                        self->profile, options->database, &options->log);
    if (status == SQA_OK && self->build)
        status = open_builder(self);
    return status == SQA_OK ? capture_problems(self) : status;
}

/* KEY=FILE. */
static sqa_status add_binary(capture *self, const char *word)
{
    const char *file_name = strchr(word, '=');
    char key[SQA_HASH_TEXT];
    sqa_file file;
    if (!file_name || file_name - word != SQA_HASH_TEXT - 1)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--add is '%.80s'; expected KEY=FILE, with a key of %d digits", word,
                        SQA_HASH_TEXT - 1);
    snprintf(key, sizeof key, "%s", word);
    sqa_file_state state =
        sqa_file_read(++file_name, SQA_FILE_SHARED, SQA_PREBUILT_BINARY_BYTES, &file);
    if (state != SQA_FILE_LOADED || !file.size) {
        free(file.bytes);
        return sqa_fail(SQA_INVALID_ARGUMENT, "--add: %s: %s", file_name,
                        state == SQA_FILE_ABSENT   ? strerror(ENOENT)
                        : state == SQA_FILE_LOADED ? "empty"
                                                   : file.why);
    }
    sqa_status status = sqa_capture_binary(&self->folder, key, file.bytes, file.size);
    free(file.bytes);
    return status;
}

static size_t count_binaries(const sqa_manifest *manifest)
{
    size_t count = 0;
    for (size_t i = 0; i < manifest->count; i++)
        count += manifest->entries[i].binary != NULL;
    return count;
}

static void print(const capture *self)
{
    const sqa_manifest *manifest = &self->folder.manifest;
    const size_t binaries = count_binaries(manifest);
    sqa_table table = SQA_TABLE_INIT;
    table.wide = self->words.wide;
    sqa_table_column(&table, "key", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "binary", SQA_ALIGN_RIGHT);
    sqa_table_spare(&table, "kernel", SQA_ALIGN_LEFT, 1);
    sqa_table_spare(&table, "captured for", SQA_ALIGN_LEFT, 2);
    for (size_t i = 0; i < manifest->count; i++) {
        const sqa_manifest_entry *entry = &manifest->entries[i];
        sqa_table_cell(&table, "%s", entry->key);
        if (entry->binary)
            sqa_table_cell(&table, "%.1f KiB", (double)entry->binary_bytes / 1024.0);
        else
            sqa_table_cell(&table, "-");
        sqa_table_cell(&table, "%s(%s)", entry->family, entry->config);
        sqa_table_cell(&table, "%s", entry->shape);
    }
    sqa_table_print(&table, stdout);
    printf("\n%s: %zu programs, %zu of them new; %zu binaries, %zu of them new\n", self->out,
           manifest->count, self->folder.added, binaries, self->folder.built);
    if (binaries < manifest->count)
        printf("Next: build KEY.cl where there is no binary, with the options in %s,\n"
               "then `sqa capture --out %s --add KEY=FILE`.\n",
               SQA_PREBUILT_MANIFEST, self->out);
    else
        printf("Next: SQA_CL_PREBUILT=%s where they are to run; `sqa tune` there ranks them.\n",
               self->out);
}

static void print_json(const capture *self)
{
    const sqa_manifest *manifest = &self->folder.manifest;
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_string(&json, "folder", self->out);
    sqa_json_integer(&json, "new_programs", (int64_t)self->folder.added);
    sqa_json_integer(&json, "new_binaries", (int64_t)self->folder.built);
    sqa_json_array(&json, "programs");
    for (size_t i = 0; i < manifest->count; i++) {
        const sqa_manifest_entry *entry = &manifest->entries[i];
        sqa_json_object(&json, NULL);
        sqa_json_string(&json, "key", entry->key);
        sqa_json_string(&json, "operation", entry->operation);
        sqa_json_string(&json, "family", entry->family);
        sqa_json_string(&json, "config", entry->config);
        sqa_json_string(&json, "shape", entry->shape);
        sqa_json_string(&json, "options", entry->options);
        sqa_json_string(&json, "source", entry->source);
        sqa_json_string(&json, "binary", entry->binary);
        sqa_json_close(&json);
    }
    sqa_json_finish(&json);
}

static sqa_status run(capture *self)
{
    const sqa_tune_words *words = &self->words;
    if (!self->out || !self->out[0])
        return sqa_fail(SQA_INVALID_ARGUMENT, "--out DIR is missing: the folder to fill");
    if (words->devices.count > 1)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--device is given twice");
    sqa_status status = sqa_tune_words_read(words, self->plan);
    if (status == SQA_OK)
        status = sqa_capture_open(&self->folder, self->out);
    if (status == SQA_OK)
        status = sqa_capture_check_files(self->out, words, self->profile, &self->add);
    if (status == SQA_OK && !self->add.count)
        status = capture_all(self);
    for (size_t i = 0; i < self->add.count && status == SQA_OK; i++)
        status = add_binary(self, self->add.items[i]);
    if (status == SQA_OK)
        (words->json ? print_json : print)(self);
    return status;
}

int sqa_command_capture(int argc, char **argv)
{
    capture self = {.words = SQA_TUNE_WORDS_INIT, .folder.manifest = SQA_MANIFEST_INIT};
    const sqa_option options[] = {
        {"out", "DIR", "the folder to fill; what is in it is kept", .text = &self.out},
        {"operation", "NAME", "of shapes without op=, and of presets; a wrong name lists all",
         .text = &self.words.operation},
        {"shape", "SPEC", "a problem, b=1,hq=8,hkv=8,nq=4096,nk=4096,d=64[,causal]; repeatable",
         .list = &self.words.shapes},
        {"shapes", "FILE", "a shape per line, # begins a comment; repeatable",
         .list = &self.words.shape_files},
        {"preset", "NAME", "a set of problems: quick, paper, llm, train, encoder, decode or sparse",
         .text = &self.words.preset},
        {"family", "NAME", "this kernel family instead of the best known and the default",
         .text = &self.words.family},
        {"set", "LIST", "with --family: its parameters, all combinations of RV=1|2,UNROLL=4",
         .text = &self.words.set, .needs = "family"},
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .list = &self.words.devices},
        {"device-profile", "FILE",
         "a device that is not here: as `sqa info --profile` wrote it, or the name of one that "
         "ships, such as sm_90",
         .text = &self.profile, .excludes = "device"},
        {"db", "FILE", "tuning database instead of the user's own", .text = &self.words.database},
        {"add", "KEY=FILE", "only take in what the vendor's tool made of KEY.cl; repeatable",
         .list = &self.add, .only = "out,json,wide"},
        {"build", NULL, "build here, for drivers that compile here but not where it will run",
         .flag = &self.build, .excludes = "device-profile"},
        {"json", NULL, "one JSON document", .flag = &self.words.json},
        {"wide", NULL, "a table with all columns, also on a narrow terminal",
         .flag = &self.words.wide, .excludes = "json"},
        {"log-level", "LEVEL", "error, warning (default), info or debug",
         .text = &self.words.log_level},
        {0},
    };
    int code = SQA_EXIT_OK;
    if (!sqa_options_read(argc, argv, summary, options, &code))
        return code;
    self.plan = calloc(1, sizeof *self.plan);
    sqa_status status = self.plan ? run(&self) : sqa_fail_memory("the capture's options");
    if (status != SQA_OK)
        code = sqa_command_fail(argv[0], status);
    if (self.queue)
        clReleaseCommandQueue(self.queue);
    sqa_context_destroy(self.context);
    sqa_target_close(&self.target);
    sqa_capture_close(&self.folder);
    free(self.plan);
    return code;
}
