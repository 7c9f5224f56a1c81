/* `sqa db check` and `path`: the state of the database, and where it is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/db/subcommand.h"

static void write_report(const char *database, const sqa_store_report *report)
{
    const struct {
        const char *name;
        int64_t count;
    } counts[] = {
        {"devices", report->devices},   {"environments", report->environments},
        {"classes", report->classes},   {"trials", report->trials},
        {"winners", report->winners},   {"best", report->best},
        {"outdated", report->outdated}, {"reopened", report->reopened},
        {"doubtful", report->doubtful}, {"quarantined", report->quarantined},
    };
    sqa_json json;
    sqa_json_begin(&json, stdout);
    sqa_json_string(&json, "database", database);
    sqa_json_boolean(&json, "sound", report->sound);
    sqa_json_string(&json, "problem", report->sound ? NULL : report->problem);
    sqa_json_integer(&json, "schema_version", report->schema_version);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        sqa_json_integer(&json, counts[i].name, counts[i].count);
    sqa_json_finish(&json);
}

static void print_report(const char *database, const sqa_store_report *report)
{
    printf("%s: %s%s\n", database, report->sound ? "sound" : "NOT sound: ", report->problem);
    printf("schema %d; devices %" PRId64 ", environments %" PRId64 ", problem classes %" PRId64
           ", trials %" PRId64 ", winners %" PRId64 ", best %" PRId64 "\n",
           report->schema_version, report->devices, report->environments, report->classes,
           report->trials, report->winners, report->best);
    if (report->outdated)
        printf("of other versions of their families' parameters, and of no use: %" PRId64
               "; `sqa db prune` removes the older\n",
               report->outdated);
    if (report->reopened)
        printf("winners over other candidates than their families have today, or unknown ones: "
               "%" PRId64 "; in use, and\nanother `sqa tune` is open\n",
               report->reopened);
    if (report->doubtful)
        printf("trials that would not pass an import: %" PRId64 ", the first is %s\n",
               report->doubtful, report->doubt);
    if (report->quarantined)
        printf("lines in quarantine: %" PRId64 "; `sqa db list --quarantine` says why\n",
               report->quarantined);
}

static sqa_status check(const sqa_db_choice *choice, sqa_store_report *report, bool json)
{
    sqa_store *store = NULL;
    sqa_status status = sqa_db_open_to_read(&store, choice);
    if (status == SQA_OK)
        status = sqa_store_check(store, report);
    if (status == SQA_OK)
        (json ? write_report : print_report)(sqa_store_path(store), report);
    sqa_store_close(store);
    return status;
}

int sqa_db_check(int argc, char **argv)
{
    sqa_db_choice choice = {0};
    sqa_store_report report = {0};
    bool json = false;
    const sqa_option options[] = {
        SQA_DB_OPTION(choice),
        SQA_SEED_DB_OPTION(choice),
        SQA_JSON_OPTION(json),
        {0},
    };
    int code;
    if (!sqa_db_options_read(argc, argv,
                             "Checks every page, reference and trial of the database and counts "
                             "what is in it.\nExit status 1: it is damaged or cannot be read.",
                             options, NULL, NULL, &code))
        return code;
    sqa_status status = check(&choice, &report, json);
    if (status != SQA_OK)
        return sqa_command_fail(argv[0], status);
    return report.sound ? SQA_EXIT_OK : SQA_EXIT_FAILED;
}

int sqa_db_path(int argc, char **argv)
{
    sqa_db_choice choice = {0};
    bool json = false;
    const sqa_option options[] = {SQA_DB_OPTION(choice), SQA_JSON_OPTION(json), {0}};
    int code;
    if (!sqa_db_options_read(argc, argv,
                             "Where the user's database is: --db, else $SQA_CL_DB, else\n"
                             "$XDG_DATA_HOME/sqa_cl/tuning.db, else "
                             "$HOME/.local/share/sqa_cl/tuning.db.",
                             options, NULL, NULL, &code))
        return code;
    char buffer[SQA_DB_PATH_SIZE];
    const char *path;
    sqa_status status = sqa_db_locate(&choice, buffer, &path);
    if (status != SQA_OK)
        return sqa_command_fail(argv[0], status);
    if (json) {
        sqa_json document;
        sqa_json_begin(&document, stdout);
        sqa_json_string(&document, "path", path);
        sqa_json_finish(&document);
    } else {
        puts(path);
    }
    return SQA_EXIT_OK;
}
