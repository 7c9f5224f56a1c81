/* See db_command.h. Knows which file is meant, nothing of what is in it. */
#include "cli/db_command.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"
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

bool sqa_db_options_read(int argc, char **argv, const char *summary, const sqa_option *options,
                         const char *name, const char **operand, int *code)
{
    if (name)
        *operand = take_operand(&argc, argv, options);
    bool help = asks_for_help(argc, argv);
    if (name && help) {
        /* The usage line is made of the command's name. */
        sqa_text usage = SQA_TEXT_INIT;
        sqa_text_format(&usage, "%s %s", argv[0], name);
        char *words[] = {usage.data ? usage.data : argv[0], (char[]){"--help"}, NULL};
        sqa_options_read(2, words, summary, options, code);
        sqa_text_free(&usage);
        return false;
    }
    if (!sqa_options_read(argc, argv, summary, options, code))
        return false;
    if (name && !*operand) {
        *code = sqa_usage_error(argv[0], "needs %s; `sqa %s --help` explains", name, argv[0]);
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

sqa_status sqa_db_open_to_write(sqa_store **out, const sqa_db_choice *choice)
{
    char buffer[SQA_DB_PATH_SIZE];
    const char *path;
    sqa_status status = sqa_db_locate(choice, buffer, &path);
    return status == SQA_OK ? sqa_store_open(out, path) : status;
}

static bool is_family(const char *name)
{
    for (size_t i = 0; i < sqa_family_count(); i++)
        if (!strcmp(sqa_family_at(i)->name, name))
            return true;
    return false;
}

sqa_status sqa_db_check_filter(const sqa_store_filter *filter)
{
    sqa_operation operation;
    if (filter->operation && !sqa_operation_from_name(filter->operation, &operation))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--operation: '%s' is not an operation; forward is",
                        filter->operation);
    if (!filter->family || is_family(filter->family))
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    sqa_family_names(SQA_OPERATION_FORWARD, &names);
    sqa_fail(SQA_INVALID_ARGUMENT, "--family: '%s' is not one of %s", filter->family,
             sqa_text_get(&names));
    sqa_text_free(&names);
    return SQA_INVALID_ARGUMENT;
}
