/* The `sqa` program: finds the subcommand and hands over. Knows the commands'
 * names and one-line summaries, nothing of what they do. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "sqa_cl/version.h"
#include "text/table.h"

typedef struct command {
    const char *name;
    const char *summary; /* NULL: not listed */
    int (*run)(int argc, char **argv);
} command;

static const command commands[] = {
    {"info", "the OpenCL platforms and devices here, and what is known of them", sqa_command_info},
    {"tune", "find the fastest kernels for a device and remember them", sqa_command_tune},
    {"bench", "compare attention variants side by side", sqa_command_bench},
    {"run", "attention on your tensors, .npy in and out", sqa_command_run},
    {"db", "list, compare, exchange and check tuning results", sqa_command_db},
    {"report", "write what the tuning database knows as a page for a browser", sqa_command_report},
    {"verify", "check a device's kernels against the fp64 reference", sqa_command_verify},
    {"source", "print the OpenCL C of a configuration", sqa_command_source},
    {"capture", "sources and binaries for a device without a compiler", sqa_command_capture},
    {"trial-worker", NULL, sqa_command_trial_worker},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static void print_help(FILE *file)
{
    fputs("usage: sqa COMMAND [options]\n\n"
          "Attention on any OpenCL device, tuned for the one at hand.\n\n",
          file);
    sqa_table table = SQA_TABLE_INIT;
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].summary) {
            sqa_table_cell(&table, "  %s", commands[i].name);
            sqa_table_cell(&table, "%s", commands[i].summary);
        }
    sqa_table_print(&table, file);
    fputs("\n`sqa help COMMAND` explains a command's options; `sqa --version` prints the version.\n"
          "The device is --device P:D or $SQA_CL_DEVICE, messages are --log-level or $SQA_CL_LOG.\n"
          "Results are kept in $SQA_CL_DB (`sqa db path`), and read from $SQA_CL_EXTRA_DBS, too.\n"
          "Compiled kernels are kept in $SQA_CL_CACHE (off: nowhere); see `sqa info`.\n"
          "Pre-built ones are looked for in $SQA_CL_PREBUILT; see `sqa help capture`.\n"
          "Exit status: 0 done, 1 failed, 2 called wrongly.\n",
          file);
}

/* Single-character changes between two short words (Levenshtein). */
static unsigned edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 32 };
    size_t length = strlen(b);
    if (strlen(a) >= LONGEST || length >= LONGEST)
        return LONGEST;
    unsigned row[LONGEST + 1];
    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[length];
}

static int unknown_command(const char *name)
{
    fprintf(stderr, "sqa: '%s' is not a command", name);
    const char *lead = "; did you mean ";
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        bool similar = edit_distance(name, commands[i].name) <= 2 ||
                       !strncmp(name, commands[i].name, strlen(name));
        if (commands[i].summary && similar && *name) {
            fprintf(stderr, "%s%s", lead, commands[i].name);
            lead = " or ";
        }
    }
    fprintf(stderr, "%s\nsqa: the commands are", *lead == ';' ? "" : "?");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].summary)
            fprintf(stderr, "%s %s", i ? "," : "", commands[i].name);
    fputs("; `sqa --help` explains them\n", stderr);
    return SQA_EXIT_USAGE;
}

static int run_command(const char *name, int argc, char **argv)
{
    const command *found = find_command(name);
    return found ? found->run(argc, argv) : unknown_command(name);
}

/* `sqa help` and `sqa help COMMAND`, which is `sqa COMMAND --help`. */
static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stdout);
        return SQA_EXIT_OK;
    }
    char option[] = "--help";
    char *words[] = {argv[1], option, NULL};
    return run_command(argv[1], 2, words);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return SQA_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        printf("sqa %s\n", sqa_version_string());
        return SQA_EXIT_OK;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return help(argc - 1, argv + 1);
    return run_command(name, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int code = dispatch(argc, argv);
    /* A full disk or a closed pipe must not pass for success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == SQA_EXIT_OK) {
        fputs("sqa: standard output could not be written\n", stderr);
        code = SQA_EXIT_FAILED;
    }
    return code;
}
