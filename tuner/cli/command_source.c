/* sqa source: the OpenCL C of the configuration a device would use, with all that
 * is needed to build and launch it by hand. Builds nothing itself, so that it can
 * show what a compiler refuses. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/log_option.h"
#include "cli/operation_option.h"
#include "cli/options.h"
#include "cli/target.h"
#include "kernels/source.h"
#include "operations/operations.h"
#include "operations/recipe.h"
#include "operations/shape.h"
#include "runtime/choose.h"
#include "sqa_cl/version.h"

static const char summary[] =
    "The OpenCL C that is compiled for a shape: of the kernel that the device would use, or of\n"
    "the family and parameters given, without what the shape does not need. What it says\n"
    "beyond that is in comments, which the compiler does not get: its build options and launch\n"
    "sizes, and what each parameter means.";

typedef struct source_options {
    const char *operation, *shape, *family, *set, *device, *profile, *database, *log_level;
} source_options;

/* A listing ends up in a C comment, which no device name may close. */
static void append_comment(sqa_text *out, const sqa_text *listing)
{
    sqa_text_append(out, "/*");
    const char *line = sqa_text_get(listing);
    while (*line) {
        int length = (int)strcspn(line, "\n");
        sqa_text_append(out, " ");
        for (int i = 0; i < length; i++)
            sqa_text_format(out, "%c",
                            i > 0 && line[i - 1] == '*' && line[i] == '/' ? '|' : line[i]);
        line += length + (line[length] == '\n');
        sqa_text_append(out, *line ? "\n *" : "");
    }
    sqa_text_append(out, " */\n");
}

static void list_sizes(sqa_text *out, const size_t *sizes, uint32_t dimensions)
{
    for (uint32_t i = 0; i < dimensions; i++)
        sqa_text_format(out, "%s%zu", i ? " x " : "", sizes[i]);
}

static void list_launch(sqa_text *out, const sqa_choice *choice, const sqa_problem *problem,
                        const sqa_device *device)
{
    sqa_launch launch;
    memset(&launch, 0, sizeof launch);
    if (sqa_operation_of(problem)->is_nothing(problem)) {
        sqa_text_append(out, "launch    none: the output is empty\n");
        return;
    }
    choice->family->launch(&choice->config, problem, device, &launch);
    for (uint32_t i = 0; i < launch.step_count; i++) {
        const sqa_launch_step *step = &launch.steps[i];
        if (step->call) {
            sqa_text_format(out, "step %u    %s of %s, by kernels of its own\n", i + 1,
                            step->call->name, choice->family->library);
            continue;
        }
        sqa_text_format(out, "step %u    %s, global ", i + 1, step->kernel);
        list_sizes(out, step->global, step->dimensions);
        sqa_text_append(out, ", local ");
        if (step->local[0])
            list_sizes(out, step->local, step->dimensions);
        else
            sqa_text_append(out, "the runtime's choice");
        sqa_text_append(out, "\n");
    }
    sqa_text_format(out, "workspace %zu bytes%s\n", launch.workspace_bytes,
                    choice->family->library ? " and what the library wants on the device" : "");
    sqa_launch_free(&launch);
}

/* What is compiled, with the meaning of each parameter beside it; they come first, a line
 * each. */
static void append_source(sqa_text *out, const sqa_kernel_family *family, const char *source)
{
    size_t width = 0;
    const char *line = source;
    for (size_t i = 0; i < family->parameter_count; i++, line += strcspn(line, "\n") + 1)
        width = strcspn(line, "\n") > width ? strcspn(line, "\n") : width;
    for (size_t i = 0; i < family->parameter_count; i++) {
        const size_t length = strcspn(source, "\n");
        sqa_text_format(out, "%-*.*s /* %s */\n", (int)width, (int)length, source,
                        family->parameters[i].meaning);
        source += length + 1;
    }
    sqa_text_append(out, source);
}

static sqa_status print_source(const sqa_choice *choice, const sqa_problem *problem,
                               const sqa_device *device)
{
    sqa_text listing = SQA_TEXT_INIT, source = SQA_TEXT_INIT, text = SQA_TEXT_INIT;
    char shape[SQA_SHAPE_TEXT], config[SQA_CONFIG_TEXT], options[SQA_OPTIONS_TEXT];
    sqa_family_options(choice->family, &choice->config, problem, device, options);
    sqa_problem_format(problem, shape, sizeof shape);
    sqa_config_format(choice->family, &choice->config, config);
    sqa_text_format(&listing, "libsqa_cl %s\n", sqa_version_string());
    sqa_text_format(&listing, "shape     %s\n", shape);
    sqa_text_format(&listing, "device    %s\n", device->strings.device_name);
    sqa_text_format(&listing, "family    %s: %s\n", choice->family->name, choice->family->summary);
    sqa_text_format(&listing, "config    %s\n", *config ? config : "(no parameters)");
    sqa_text_format(&listing, "chosen by %s (%s)\n", sqa_rung_name(choice->rung), choice->source);
    sqa_text_format(&listing, "options   %s\n", options);
    list_launch(&listing, choice, problem, device);
    append_comment(&text, &listing);
    sqa_family_source(choice->family, &choice->config, problem, device, &source);
    sqa_status status = sqa_text_status(&source);
    if (!status) {
        append_source(&text, choice->family, sqa_text_get(&source));
        status = sqa_text_status(&text);
    }
    if (!status)
        fputs(sqa_text_get(&text), stdout);
    sqa_text_free(&listing);
    sqa_text_free(&source);
    sqa_text_free(&text);
    return status;
}

static sqa_status print_leaf(const source_options *options, const sqa_target *target,
                             const sqa_prebuilt *prebuilt, const sqa_problem *problem)
{
    sqa_choices choices;
    sqa_plan_options plan_options = SQA_PLAN_OPTIONS_INIT;
    plan_options.family = options->family;
    plan_options.config = options->set;
    sqa_status status =
        sqa_choose(&choices, &target->device, &target->tuning, prebuilt, problem, &plan_options);
    if (!status && choices.count == 0)
        status = sqa_fail(SQA_UNSUPPORTED, "no kernel family supports this shape on this device");
    if (!status)
        status = print_source(&choices.items[0], problem, &target->device);
    sqa_text_free(&choices.passed_over);
    return status;
}

/* Of a recipe, the programs of its stages, one after the other. */
static sqa_status choose_and_print(const source_options *options, const sqa_target *target,
                                   const sqa_prebuilt *prebuilt, const sqa_problem *problem)
{
    sqa_recipe *recipe = NULL;
    sqa_status status = sqa_recipe_of(problem, &recipe);
    for (uint32_t i = 0; !status && i < recipe->stage_count; i++)
        status = print_leaf(options, target, prebuilt, &recipe->stages[i].problem);
    sqa_recipe_free(recipe);
    return status;
}

static sqa_status open_prebuilt(sqa_prebuilt **out, const sqa_log *log)
{
    char folder[4096];
    sqa_prebuilt_folder_path(NULL, folder, sizeof folder);
    return sqa_prebuilt_open(out, folder, log);
}

static sqa_status run(const source_options *options)
{
    const sqa_operation_entry *operation = NULL;
    sqa_problem problem;
    sqa_context_options logging = SQA_CONTEXT_OPTIONS_INIT;
    sqa_target target = {0};
    sqa_prebuilt *prebuilt = NULL;
    if (!options->shape)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--shape is missing; expected for example --shape hq=8,hkv=8,n=4096,d=64");
    sqa_status status = sqa_operation_option(options->operation, &operation);
    if (!status)
        status = sqa_shape_option(options->shape, operation, &problem);
    if (!status)
        status = sqa_log_option(options->log_level, &logging);
    const sqa_log log = {logging.log, logging.log_user, logging.log_level};
    if (!status)
        status =
            sqa_target_open(&target, options->device, options->profile, options->database, &log);
    if (!status)
        status = open_prebuilt(&prebuilt, &log);
    if (!status)
        status = choose_and_print(options, &target, prebuilt, &problem);
    sqa_prebuilt_close(prebuilt);
    sqa_target_close(&target);
    return status;
}

int sqa_command_source(int argc, char **argv)
{
    source_options given = {0};
    const sqa_option options[] = {
        {"operation", "NAME", "of a shape without op= (forward); a wrong name lists all",
         .text = &given.operation},
        {"shape", "SPEC", "b=1,hq=8,hkv=8,nq=4096,nk=4096,d=64[,causal][,window=128:0]...",
         .text = &given.shape},
        {"family", "NAME", "this kernel family instead of the best known", .text = &given.family},
        {"set", "NAME=VALUE,...", "with --family: its parameters", .text = &given.set,
         .needs = "family"},
        {"device", "P:D", "platform and device as `sqa info` prints them (0:0)",
         .text = &given.device},
        {"device-profile", "FILE",
         "a device that is not here: as `sqa info --profile` wrote it, or the name of one that "
         "ships, such as sm_90",
         .text = &given.profile, .excludes = "device"},
        {"db", "FILE", "tuning database instead of the user's own", .text = &given.database},
        {"log-level", "LEVEL", "error, warning (default), info or debug", .text = &given.log_level},
        {0},
    };
    int code = SQA_EXIT_OK;
    if (!sqa_options_read(argc, argv, summary, options, &code))
        return code;
    sqa_status status = run(&given);
    return status ? sqa_command_fail(argv[0], status) : SQA_EXIT_OK;
}
