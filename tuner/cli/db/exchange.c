/* `sqa db export`, `import` and `merge`: results between people and machines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/command.h"
#include "cli/db/subcommand.h"
#include "store/exchange.h"
#include "text/output.h"

/* One export: what of which database, and where to. */
typedef struct export_request {
    sqa_db_choice choice;
    sqa_store_filter filter;
    bool submit;
    const char *path; /* NULL: standard output */
    char made[SQA_DB_SUBMIT_NAME];
} export_request;

/* Leaves out what cannot be read, and says so. */
static bool keep_readable(void *user, const sqa_stored_trial *trial)
{
    (void)user;
    if (!trial)
        fprintf(stderr, "sqa db export: a trial is left out: %s\n", sqa_last_error());
    return trial != NULL;
}

static sqa_status write_lines(const export_request *request, sqa_store *store, FILE *file,
                              uint64_t *lines)
{
    return request->submit
               ? sqa_db_submit_export(store, &request->filter, file, lines)
               : sqa_store_export(store, &request->filter, keep_readable, NULL, file, lines);
}

static sqa_status write_file(const export_request *request, sqa_store *store, uint64_t *lines)
{
    sqa_output out;
    sqa_status status = sqa_output_open(&out, "--out", request->path);
    return status == SQA_OK ? sqa_output_close(&out, write_lines(request, store, out.file, lines))
                            : status;
}

static sqa_status export_rows(export_request *request, uint64_t *lines)
{
    sqa_store *store = NULL;
    sqa_device here;
    sqa_status status = sqa_db_check_filter(&request->filter);
    if (status == SQA_OK && request->submit)
        status = sqa_db_submit_prepare(&request->filter, &here, request->made);
    if (status == SQA_OK && request->submit && !request->path)
        request->path = request->made;
    if (status == SQA_OK && request->path)
        status = sqa_db_check_output(&request->choice, request->path);
    if (status == SQA_OK)
        status = sqa_db_open_to_read(&store, &request->choice);
    if (status == SQA_OK)
        status = request->path ? write_file(request, store, lines)
                               : write_lines(request, store, stdout, lines);
    sqa_store_close(store);
    return status;
}

int sqa_db_export(int argc, char **argv)
{
    export_request request = {0};
    const sqa_option options[] = {
        {"out", "FILE", "write to this file instead of standard output", .text = &request.path},
        {"best", NULL, "only the best of each device and problem class",
         .flag = &request.filter.best_only},
        {"submit", NULL,
         "the file to contribute: what won on this device ($SQA_CL_DEVICE), or on --device",
         .flag = &request.submit, .excludes = "best,status"},
        SQA_FILTER_OPTIONS(request.filter),
        SQA_STATUS_OPTION(request.filter),
        SQA_DB_OPTION(request.choice),
        SQA_SEED_DB_OPTION(request.choice),
        {0},
    };
    int code;
    if (!sqa_db_options_read(
            argc, argv,
            "Trials as text, one JSON object per line, in a stable order. --submit "
            "writes the winners of\nfinals into a file named after the device, and "
            "leaves out what does not pass the checks or\nnames this machine, its "
            "user or a folder of theirs.",
            options, NULL, NULL, &code))
        return code;
    uint64_t lines = 0;
    sqa_status status = export_rows(&request, &lines);
    if (status != SQA_OK)
        return sqa_command_fail(argv[0], status);
    if (request.path)
        fprintf(sqa_output_words(request.path), "%s: %" PRIu64 " trial%s written\n", request.path,
                lines, lines == 1 ? "" : "s");
    return SQA_EXIT_OK;
}

/* Who is speaking, and of which file. */
typedef struct speaker {
    const char *command, *file;
} speaker;

static void print_refusal(void *user, const char *where, const char *reason)
{
    const speaker *who = user;
    char file[512], words[512];
    fprintf(stderr, "sqa %s: %s, %s left out: %s\n", who->command,
            sqa_utf8_clean(who->file, file, sizeof file, true), where,
            sqa_utf8_clean(reason, words, sizeof words, true));
}

static int print_outcome(const sqa_exchange *exchange, bool as_json)
{
    if (as_json) {
        sqa_json json;
        sqa_json_begin(&json, stdout);
        sqa_json_integer(&json, "added", (int64_t)exchange->added);
        sqa_json_integer(&json, "known", (int64_t)exchange->known);
        sqa_json_integer(&json, "refused", (int64_t)exchange->refused);
        sqa_json_finish(&json);
    } else {
        printf("trials: %" PRIu64 " added, %" PRIu64 " already there, %" PRIu64
               " left out and in quarantine\n",
               exchange->added, exchange->known, exchange->refused);
    }
    return exchange->refused ? SQA_EXIT_FAILED : SQA_EXIT_OK;
}

static sqa_status import_file(const char *path, const char *target, sqa_exchange *exchange)
{
    bool from_stdin = !strcmp(path, "-");
    FILE *file = from_stdin ? stdin : fopen(path, "r");
    if (!file)
        return sqa_fail(SQA_DATABASE_ERROR, "%s: %s", path, strerror(errno));
    sqa_store *store = NULL;
    sqa_status status = sqa_store_open(&store, target);
    if (status == SQA_OK)
        status = sqa_store_import(store, file, path, exchange);
    sqa_store_close(store);
    if (!from_stdin)
        fclose(file);
    return status;
}

static sqa_status merge_file(const char *path, const char *target, sqa_exchange *exchange)
{
    sqa_store *from = NULL, *store = NULL;
    sqa_status status = sqa_store_open_read_only(&from, path);
    if (status == SQA_OK)
        status = sqa_store_open(&store, target);
    if (status == SQA_OK)
        status = sqa_store_merge(store, from, exchange);
    sqa_store_close(store);
    sqa_store_close(from);
    return status;
}

typedef sqa_status taker(const char *path, const char *target, sqa_exchange *exchange);

/* Refuses what would be taken into itself, of which one half would wait for the other. */
static sqa_status take_file(taker *take, const sqa_db_choice *choice, const char *path,
                            sqa_exchange *exchange)
{
    char buffer[SQA_DB_PATH_SIZE];
    const char *target;
    sqa_place from, to;
    sqa_status status = sqa_db_locate(choice, buffer, &target);
    if (status != SQA_OK)
        return status;
    if (sqa_place_find(&from, path) == 0 && sqa_place_find(&to, target) == 0 && from.exists &&
        sqa_place_is_same(&from, &to))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is the database it would be taken into", path);
    return take(path, target, exchange);
}

static int take_in(int argc, char **argv, const char *summary, taker *take)
{
    sqa_db_choice choice = {0};
    bool json = false;
    const char *path = NULL;
    const sqa_option options[] = {SQA_DB_OPTION(choice), SQA_JSON_OPTION(json), {0}};
    int code;
    if (!sqa_db_options_read(argc, argv, summary, options, "FILE", &path, &code))
        return code;
    speaker who = {argv[0], path};
    sqa_exchange exchange = {.refuse = print_refusal, .user = &who};
    sqa_status status = take_file(take, &choice, path, &exchange);
    return status == SQA_OK ? print_outcome(&exchange, json) : sqa_command_fail(argv[0], status);
}

int sqa_db_import(int argc, char **argv)
{
    return take_in(
        argc, argv,
        "Takes in trials that `sqa db export` wrote; - is standard input. Rows that cannot "
        "be true\nhere (unknown family, impossible parameters or figures) are named and "
        "left out; then the\nexit status is 1. Of two winners the faster stays.",
        import_file);
}

int sqa_db_merge(int argc, char **argv)
{
    return take_in(argc, argv,
                   "Takes in another tuning database, under the same checks as `sqa db import`.",
                   merge_file);
}
