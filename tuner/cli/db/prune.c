/* `sqa db prune`: removes what no longer serves, or says what it would. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/db/subcommand.h"
#include "store/prune.h"

static const char summary[] =
    "Removes trials of older versions of a kernel family's parameters, which can no longer\n"
    "be used; with --keep also those that are neither winners nor among the fastest of\n"
    "their device, driver and problem class. Failed trials stay, so that they are not tried\n"
    "again. Families that are not known here are left alone.";

static void print_report(const char *database, const sqa_prune_options *options,
                         const sqa_prune_report *report)
{
    printf("%s: %s %" PRId64 " outdated trial%s, %" PRId64 " slower than the fastest, %" PRId64
           " quarantined line%s;\nthen unused: %" PRId64 " problem classes, %" PRId64
           " environments, %" PRId64 " devices\n",
           database, options->dry_run ? "would remove" : "removed", report->outdated,
           report->outdated == 1 ? "" : "s", report->losers, report->quarantined,
           report->quarantined == 1 ? "" : "s", report->classes, report->environments,
           report->devices);
}

static void write_report(const char *database, const sqa_prune_options *options,
                         const sqa_prune_report *report)
{
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_string(&json, "database", database);
    sqa_json_boolean(&json, "dry_run", options->dry_run);
    sqa_json_integer(&json, "outdated", report->outdated);
    sqa_json_integer(&json, "losers", report->losers);
    sqa_json_integer(&json, "quarantined", report->quarantined);
    sqa_json_integer(&json, "classes", report->classes);
    sqa_json_integer(&json, "environments", report->environments);
    sqa_json_integer(&json, "devices", report->devices);
    sqa_json_finish(&json);
}

int sqa_db_prune(int argc, char **argv)
{
    sqa_db_choice choice = {0};
    sqa_prune_options prune = {0};
    bool json = false;
    const sqa_option options[] = {
        {"keep", "N", "of the timed trials keep the winner and the N fastest per problem class",
         .count = {&prune.keep, 1, 1u << 30}},
        {"quarantine", NULL, "empty the quarantine, too", .flag = &prune.quarantine},
        {"dry-run", NULL, "change nothing, say what would be removed", .flag = &prune.dry_run},
        SQA_DB_OPTION(choice),
        SQA_JSON_OPTION(json),
        {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv, summary, options, NULL, NULL, &code))
        return code;
    sqa_store *store = NULL;
    sqa_prune_report report = {0};
    sqa_status status = sqa_db_open_existing(&store, &choice);
    if (status == SQA_OK)
        status = sqa_store_prune(store, &prune, &report);
    if (status == SQA_OK)
        (json ? write_report : print_report)(sqa_store_path(store), &prune, &report);
    sqa_store_close(store);
    return status == SQA_OK ? SQA_EXIT_OK : sqa_command_fail(argv[0], status);
}
