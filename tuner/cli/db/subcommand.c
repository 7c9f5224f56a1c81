/* See subcommand.h. Knows which file is meant, nothing of what is in it. */
#include "cli/db/subcommand.h"
#include "operations/operations.h"
#include "store/mask_names.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "kernels/registry.h"
#include "problem/names.h"
#include "tuning/tuning_table.h"

/* Whether `word` is an option whose value is the next word. */
static bool takes_next(const sqa_option *options, const char *word)
{
    if (strncmp(word, "--", 2) != 0)
        return false;
    for (const sqa_option *option = options; option->name; option++)
        if (option->argument && !strcmp(option->name, word + 2))
            return true;
    return false;
}

/* Takes the first word that is neither an option nor its value out of argv. */
static const char *take_operand(int *argc, char **argv, const sqa_option *options)
{
    for (int at = 1; at < *argc; at++) {
        if (argv[at][0] != '-' || !argv[at][1]) {
            const char *operand = argv[at];
            memmove(&argv[at], &argv[at + 1], (size_t)(*argc - at) * sizeof *argv);
            --*argc;
            return operand;
        }
        at += takes_next(options, argv[at]);
    }
    return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int at = 1; at < argc; at++)
        if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h"))
            return true;
    return false;
}

/* The usage line is made of the command's name. */
static void print_help(const char *command, const char *names, const char *summary,
                       const sqa_option *options, int *code)
{
    char usage[96], help[] = "--help", *words[] = {usage, help, NULL};
    snprintf(usage, sizeof usage, "%s %s", command, names);
    sqa_options_read(2, words, summary, options, code);
}

bool sqa_db_options_read(int argc, char **argv, const char *summary, const sqa_option *options,
                         const char *names, const char **operands, int *code)
{
    size_t wanted = 0, count = 0;
    for (const char *at = names; at && *at; at += strcspn(at, " "), at += *at == ' ')
        wanted++;
    while (count < wanted && (operands[count] = take_operand(&argc, argv, options)))
        count++;
    if (wanted && asks_for_help(argc, argv)) {
        print_help(argv[0], names, summary, options, code);
        return false;
    }
    if (!sqa_options_read(argc, argv, summary, options, code))
        return false;
    if (count < wanted) {
        *code = sqa_usage_error(argv[0], "needs %s; `sqa %s --help` explains", names, argv[0]);
        return false;
    }
    return true;
}

sqa_status sqa_db_locate(const sqa_db_choice *choice, char buffer[SQA_DB_PATH_SIZE],
                         const char **path)
{
    *path = choice->path ? choice->path : buffer;
    if (choice->path)
        return choice->path[0] ? SQA_OK : sqa_fail(SQA_INVALID_ARGUMENT, "--db: the path is empty");
    return sqa_user_database_path(buffer, SQA_DB_PATH_SIZE)
               ? SQA_OK
               : sqa_fail(SQA_DATABASE_ERROR, "there is no place for the tuning database: set "
                                              "SQA_CL_DB or HOME, or say --db FILE");
}

sqa_status sqa_db_open_to_read(sqa_store **out, const sqa_db_choice *choice)
{
    if (choice->seed)
        return choice->path ? sqa_fail(SQA_INVALID_ARGUMENT,
                                       "--db and --seed-db name two different databases")
                            : sqa_store_open_seed(out);
    char buffer[SQA_DB_PATH_SIZE];
    const char *path;
    sqa_status status = sqa_db_locate(choice, buffer, &path);
    return status == SQA_OK ? sqa_store_open_read_only(out, path) : status;
}

sqa_status sqa_db_check_output(const sqa_db_choice *choice, const char *path)
{
    char buffer[SQA_DB_PATH_SIZE];
    const sqa_command_file files[] = {
        sqa_database_file(choice->seed ? "" : choice->path, buffer),
        {"--out", path, SQA_FILE_WRITTEN},
    };
    return sqa_command_files_check(files, sizeof files / sizeof files[0]);
}

sqa_status sqa_db_open_to_write(sqa_store **out, const sqa_db_choice *choice)
{
    char buffer[SQA_DB_PATH_SIZE];
    const char *path;
    sqa_status status = sqa_db_locate(choice, buffer, &path);
    return status == SQA_OK ? sqa_store_open(out, path) : status;
}

sqa_status sqa_db_open_existing(sqa_store **out, const sqa_db_choice *choice)
{
    sqa_store *reader = NULL;
    sqa_status status = sqa_db_open_to_read(&reader, choice);
    sqa_store_close(reader);
    return status == SQA_OK ? sqa_db_open_to_write(out, choice) : status;
}

static bool is_family(const char *name)
{
    for (size_t i = 0; i < sqa_family_count(); i++)
        if (!strcmp(sqa_family_at(i)->name, name))
            return true;
    return false;
}

static sqa_status check_family(const char *name)
{
    if (!name || is_family(name))
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    sqa_family_names(SQA_OPERATION_FORWARD, &names);
    sqa_fail(SQA_INVALID_ARGUMENT, "--family: '%s' is not one of %s", name, sqa_text_get(&names));
    sqa_text_free(&names);
    return SQA_INVALID_ARGUMENT;
}

/* Words that name one of a few things. */
static sqa_status check_words(const sqa_store_filter *rows)
{
    sqa_operation operation;
    sqa_dtype dtype;
    sqa_trial_status status;
    uint32_t mask;
    if (rows->operation && !sqa_operation_from_name(rows->operation, &operation))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--operation: '%s' is not an operation; forward is",
                        rows->operation);
    if (rows->dtype && !sqa_dtype_from_name(rows->dtype, &dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--dtype: '%s' is not one of f32, f16, bf16",
                        rows->dtype);
    if (rows->mask && !sqa_mask_from_name(rows->mask, &mask))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--mask: '%s' is not one of none, causal, window, blocks, stored and "
                        "what they make together (causal+window)",
                        rows->mask);
    if (rows->status && !sqa_trial_status_from_name(rows->status, &status))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--status: '%s' is not one of ok, compile_failed, wrong_result, timeout, "
                        "crashed, too_noisy, rejected",
                        rows->status);
    return SQA_OK;
}

sqa_status sqa_db_check_filter(const sqa_store_filter *filter)
{
    sqa_variant variant;
    sqa_status status = check_words(filter);
    if (status == SQA_OK)
        status = check_family(filter->family);
    return status == SQA_OK && filter->variant ? sqa_variant_from_name(filter->variant, &variant)
                                               : status;
}

sqa_status sqa_db_check_format(bool json, bool csv)
{
    return json && csv ? sqa_fail(SQA_INVALID_ARGUMENT, "--json and --csv exclude each other")
                       : SQA_OK;
}

void sqa_db_problem_text(const sqa_stored_trial *trial, char out[SQA_DB_PROBLEM_TEXT])
{
    const sqa_stored_class *problem = &trial->problem_class;
    char keys[24] = "", value[24] = "", batch[24] = "";
    if (trial->kv_length != trial->q_length)
        snprintf(keys, sizeof keys, " nk=%u", trial->kv_length);
    if (problem->value_dim != problem->head_dim)
        snprintf(value, sizeof value, " dv=%u", problem->value_dim);
    if (trial->batch != 1)
        snprintf(batch, sizeof batch, " b=%u", trial->batch);
    snprintf(out, SQA_DB_PROBLEM_TEXT, "%s n=%u%s d=%u%s%s%s%s%s", sqa_dtype_name(problem->dtype),
             trial->q_length, keys, problem->head_dim, value, batch,
             trial->causal == SQA_CAUSAL_NONE           ? ""
             : trial->causal == SQA_CAUSAL_BOTTOM_RIGHT ? " causal"
                                                        : " causal top-left",
             trial->pattern[0] ? " " : "", trial->pattern);
}
