/* `sqa db`: finds the subcommand and hands over. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/db/subcommand.h"
#include "text/table.h"

static const struct {
    const char *name, *operand, *summary;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"best", "", "the best configuration per device and problem class", sqa_db_best},
    {"list", "", "every trial", sqa_db_list},
    {"query", "", "which variant and configuration is how fast on which device", sqa_db_query},
    {"show", " ID", "all that is known of one trial", sqa_db_show},
    {"export", "", "trials as text, one JSON object per line", sqa_db_export},
    {"import", " FILE", "take in what was exported, checked row by row", sqa_db_import},
    {"merge", " FILE", "take in another database, checked row by row", sqa_db_merge},
    {"diff", " A B", "where two databases differ, and who is faster", sqa_db_diff},
    {"prune", "", "remove what no longer serves", sqa_db_prune},
    {"check", "", "whether the database is sound, and how much is in it", sqa_db_check},
    {"path", "", "where the user's database is", sqa_db_path},
};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof subcommands[0] };

static void print_help(FILE *file)
{
    fputs("usage: sqa db SUBCOMMAND [options]\n\nThe tuning database: what was tried on which "
          "device, and what is best.\n\n",
          file);
    sqa_table table = SQA_TABLE_INIT;
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    sqa_table_column(&table, "", SQA_ALIGN_LEFT);
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        sqa_table_cell(&table, "  %s%s", subcommands[i].name, subcommands[i].operand);
        sqa_table_cell(&table, "%s", subcommands[i].summary);
    }
    sqa_table_print(&table, file);
    fputs("\n`sqa db SUBCOMMAND --help` explains its options.\n", file);
}

int sqa_command_db(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return SQA_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_help(stdout);
        return SQA_EXIT_OK;
    }
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (!strcmp(argv[1], subcommands[i].name)) {
            char name[32];
            snprintf(name, sizeof name, "db %s", argv[1]);
            argv[1] = name;
            int code = subcommands[i].run(argc - 1, argv + 1);
            argv[1] = argv[0];
            return code;
        }
    fprintf(stderr, "sqa db: '%s' is not a subcommand; they are", argv[1]);
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(stderr, "%s %s", i ? "," : "", subcommands[i].name);
    fputs("\n", stderr);
    return SQA_EXIT_USAGE;
}
