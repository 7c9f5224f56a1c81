/* See subcommand.h. Knows which file is meant, nothing of what is in it. */
#include "cli/db/subcommand.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/database_state.h"
#include "kernels/registry.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "problem/names.h"
#include "store/heads.h"
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
    char buffer[SQA_DB_PATH_SIZE];
    const char *path;
    if (choice->seed)
        return sqa_store_open_seed(out);
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
    return sqa_database_files_check(files, sizeof files / sizeof files[0]);
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

/* The names of all operations. */
static void list_operations(sqa_text *names)
{
    const char *name;
    for (int i = 0; (name = sqa_operation_name((sqa_operation)i)); i++)
        sqa_text_format(names, "%s%s", i ? ", " : "", name);
}

/* The kernel families of the operation, or of all of them. */
static void list_families(const char *operation, sqa_text *names)
{
    for (size_t i = 0; i < sqa_family_count(); i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        if (!operation || !strcmp(sqa_operation_name(family->operation), operation))
            sqa_text_format(names, "%s%s", names->length ? ", " : "", family->name);
    }
}

/* Names of `list` are comma-separated, without commas of their own. */
static bool is_listed(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (; *list; list += strcspn(list, ","), list += strspn(list, ", "))
        if (strcspn(list, ",") == length && !strncmp(list, name, length))
            return true;
    return false;
}

/* Takes the list; an unknown name is told what there is. */
static sqa_status check_listed(const char *option, const char *name, sqa_text *names)
{
    sqa_status status = sqa_text_status(names);
    if (status == SQA_OK && name && !is_listed(sqa_text_get(names), name))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--%s: '%s' is not one of %s", option, name,
                          sqa_text_get(names));
    sqa_text_free(names);
    return status;
}

/* Whether a part of the class key may be this word: the key of some problem, with the word
 * in its place, has to be one again. */
static bool is_class_word(const char *part, const char *word)
{
    char key[SQA_CLASS_KEY_TEXT];
    sqa_problem problem;
    sqa_named_value item;
    sqa_text changed = SQA_TEXT_INIT;
    if (sqa_problem_parse("hq=1,n=1", &problem) != SQA_OK)
        return false;
    sqa_problem_class of = sqa_problem_class_of(&problem);
    sqa_problem_class_format(&of, key);
    for (const char *at = key; sqa_named_value_next(&at, &item);)
        sqa_text_format(&changed, "%s%s=%s", changed.length ? "," : "", item.name,
                        !strcmp(item.name, part) ? word : item.value);
    const bool known = sqa_problem_class_parse(of.operation, sqa_text_get(&changed), &of);
    sqa_text_free(&changed);
    return known;
}

/* Words that name one of a few things. */
static sqa_status check_words(const sqa_store_filter *rows)
{
    sqa_trial_status status;
    sqa_text names = SQA_TEXT_INIT;
    list_operations(&names);
    sqa_status known = check_listed("operation", rows->operation, &names);
    if (known != SQA_OK)
        return known;
    list_families(rows->operation, &names);
    known = check_listed("family", rows->family, &names);
    if (known != SQA_OK)
        return known;
    if (rows->dtype && !is_class_word("dtype", rows->dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--dtype: '%s' is not one of f32, f16, bf16",
                        rows->dtype);
    if (rows->mask && !is_class_word("mask", rows->mask))
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
    return status == SQA_OK && filter->variant ? sqa_variant_from_name(filter->variant, &variant)
                                               : status;
}

/* What is no character of a shape could mean something where the text goes. */
static void append_plain(char *out, const char *word)
{
    const size_t used = strlen(out);
    const char *between = used ? " " : "";
    snprintf(out + used, SQA_DB_PROBLEM_TEXT - used, "%s%s", between, word);
    for (char *at = out + used + strlen(between); *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_=.:+-/@", *at))
            *at = '?';
}

void sqa_db_problem_text(const sqa_stored_trial *trial, char out[SQA_DB_PROBLEM_TEXT])
{
    static const char *const told_apart[] = {"op", "dtype", "hq", "hkv"};
    sqa_named_value item;
    out[0] = '\0';
    append_plain(out, trial->operation);
    if (sqa_named_value_find(trial->class_key, "dtype", &item))
        append_plain(out, item.value);
    for (const char *at = trial->shape; sqa_named_value_next(&at, &item);) {
        char word[sizeof item.name + sizeof item.value];
        bool told = false;
        for (size_t i = 0; i < sizeof told_apart / sizeof *told_apart; i++)
            told = told || !strcmp(item.name, told_apart[i]);
        snprintf(word, sizeof word, "%s%s%s", item.name, item.flag ? "" : "=", item.value);
        if (!told)
            append_plain(out, word);
    }
}

void sqa_db_heads_text(const sqa_stored_trial *trial, char out[SQA_DB_HEADS_TEXT])
{
    uint32_t q_heads, kv_heads;
    if (sqa_shape_heads(trial->shape, &q_heads, &kv_heads))
        snprintf(out, SQA_DB_HEADS_TEXT, "%u / %u", q_heads, kv_heads);
    else
        snprintf(out, SQA_DB_HEADS_TEXT, "-");
}
