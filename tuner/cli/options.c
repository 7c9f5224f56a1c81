/* Reads option tables. Knows no option by name but --help; what a value is, the rows
 * say and option_kinds.c reads. */
#include "cli/options.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_kinds.h"
#include "cli/option_rules.h"
#include "sqa_cl/status.h"
#include "text/table.h"

static void print_help(const char *command, const char *summary, const sqa_option *options)
{
    printf("usage: sqa %s [options]\n\n%s\n\n", command, summary);
    sqa_table table = SQA_TABLE_INIT;
    table.wraps = true;
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    for (const sqa_option *option = options; option->name; option++) {
        sqa_table_cell(&table, "  --%s%s%s", option->name, option->argument ? " " : "",
                       option->argument ? option->argument : "");
        sqa_table_cell(&table, "%s", option->help);
    }
    sqa_table_cell(&table, "  --help");
    sqa_table_cell(&table, "this text");
    sqa_table_print(&table, stdout);
}

/* The option `word` names, "--name" or "--name=value"; NULL when there is none. */
static const sqa_option *find_option(const sqa_option *options, const char *word)
{
    if (strncmp(word, "--", 2) != 0)
        return NULL;
    size_t length = strcspn(word + 2, "=");
    for (const sqa_option *option = options; option->name; option++)
        if (strlen(option->name) == length && !strncmp(option->name, word + 2, length))
            return option;
    return NULL;
}

/* A command line on its way into the places of its table. */
typedef struct reader {
    int argc;
    char **argv;
    const sqa_option *options;
    bool seen[SQA_MOST_OPTIONS]; /* by row */
} reader;

/* Stores the option at argv[*at]; moves *at past a value given as its own word. */
static int take_option(reader *self, int *at, const sqa_option *option)
{
    const char *command = self->argv[0], *value = strchr(self->argv[*at], '=');
    const ptrdiff_t row = option - self->options;
    assert(row < SQA_MOST_OPTIONS);
    if (self->seen[row] && option->argument && !option->list)
        return sqa_usage_error(command, "--%s is given twice", option->name);
    self->seen[row] = true;
    if (option->given)
        *option->given = true;
    if (!option->argument) {
        if (value)
            return sqa_usage_error(command, "--%s takes no value", option->name);
        *option->flag = true;
        return SQA_EXIT_OK;
    }
    if (!value && *at + 1 >= self->argc)
        return sqa_usage_error(command, "--%s needs a value, %s", option->name, option->argument);
    sqa_status status = sqa_option_take(option, value ? value + 1 : self->argv[++*at]);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(command, status);
}

bool sqa_options_read(int argc, char **argv, const char *summary, const sqa_option *options,
                      int *code)
{
    reader self = {.argc = argc, .argv = argv, .options = options};
    *code = SQA_EXIT_OK;
    for (int at = 1; at < argc; at++)
        if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
            print_help(argv[0], summary, options);
            return false;
        }
    for (int at = 1; at < argc && *code == SQA_EXIT_OK; at++) {
        const sqa_option *option = find_option(options, argv[at]);
        *code = option ? take_option(&self, &at, option)
                       : sqa_usage_error(argv[0], "'%s' is not an option; `sqa help %s` lists them",
                                         argv[at], argv[0]);
    }
    if (*code == SQA_EXIT_OK && sqa_option_rules_check(options, self.seen) != SQA_OK)
        *code = sqa_command_fail(argv[0], SQA_INVALID_ARGUMENT);
    return *code == SQA_EXIT_OK;
}

int sqa_command_fail(const char *command, int status)
{
    const char *hint = status == SQA_NO_DEVICE ? "; `sqa info` tells what there is" : "";
    fprintf(stderr, "sqa %s: %s%s\n", command, sqa_last_error(), hint);
    return status == SQA_INVALID_ARGUMENT ? SQA_EXIT_USAGE : SQA_EXIT_FAILED;
}

int sqa_usage_error(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "sqa %s: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return SQA_EXIT_USAGE;
}
