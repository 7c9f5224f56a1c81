/* See exchange.h. */
#include "store/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/connection.h"
#include "store/line_parser.h"
#include "store/quarantine.h"

/* Rows taken in per transaction: enough to make the disk's part small, few enough
 * not to keep a tuner waiting. */
enum { ROWS_PER_TRANSACTION = 64 };

/* Writes trials as lines. */
typedef struct line_writer {
    sqa_store *store;
    sqlite3_stmt *statement;
} line_writer;

static sqa_status line_writer_create(line_writer *out, sqa_store *store)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_append(&sql, "SELECT ");
    sqa_columns_to_line(&sql);
    sqa_text_append(&sql, " FROM result WHERE id = ?1");
    *out = (line_writer){store, NULL};
    return sqa_store_prepare_text(store, &sql, &out->statement);
}

/* The line of trial `id`, which the caller frees; NULL when it is gone.
 * Errors: SQA_INVALID_ARGUMENT when it holds what no line can say. */
static sqa_status make_line(const line_writer *writer, int64_t id, char **out)
{
    sqa_status status = SQA_OK;
    *out = NULL;
    int code = sqlite3_bind_int64(writer->statement, 1, id);
    if (code == SQLITE_OK)
        code = sqlite3_step(writer->statement);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(writer->statement, 0);
        *out = text ? strdup(text) : NULL;
        if (!*out)
            status = sqa_fail_memory("an exported line");
    } else if (code == SQLITE_ERROR) {
        status = sqa_fail(SQA_INVALID_ARGUMENT, "%s", sqlite3_errmsg(writer->store->database));
    } else if (code != SQLITE_DONE) {
        status = sqa_store_fail(writer->store, code);
    }
    sqlite3_reset(writer->statement);
    return status;
}

/* An export on its way. */
typedef struct outlet {
    line_writer writer;
    sqa_export_keep keep;
    void *user;
    FILE *file;
    uint64_t lines;
} outlet;

static sqa_status export_trial(void *user, const sqa_stored_trial *trial)
{
    outlet *out = user;
    bool wanted = !out->keep || out->keep(out->user, trial);
    if (!wanted || !trial)
        return SQA_OK;
    char *line = NULL;
    sqa_status status = make_line(&out->writer, trial->id, &line);
    if (line && status == SQA_OK && fprintf(out->file, "%s\n", line) < 0)
        status = sqa_fail(SQA_DATABASE_ERROR, "the exported text cannot be written: %s",
                          strerror(errno));
    out->lines += line && status == SQA_OK;
    free(line);
    return status;
}

sqa_status sqa_store_export(sqa_store *store, const sqa_store_filter *filter, sqa_export_keep keep,
                            void *user, FILE *file, uint64_t *lines)
{
    outlet out = {.keep = keep, .user = user, .file = file};
    sqa_status status = line_writer_create(&out.writer, store);
    if (status == SQA_OK)
        status = sqa_store_each(store, filter, export_trial, &out);
    sqlite3_finalize(out.writer.statement);
    *lines = out.lines;
    return status;
}

/* Taking lines in: the store they go to, where they come from, and how far the
 * transaction is. */
typedef struct intake {
    sqa_store *store;
    const char *source;
    sqa_exchange *exchange;
    sqa_line_parser parser;
    unsigned in_transaction;
} intake;

static sqa_status intake_open(intake *in, sqa_store *store, const char *source,
                              sqa_exchange *exchange)
{
    *in = (intake){.store = store, .source = source, .exchange = exchange};
    return sqa_line_parser_create(&in->parser, store);
}

static sqa_status close_transaction(intake *in, sqa_status status)
{
    in->in_transaction = 0;
    return sqa_store_end(in->store, status);
}

static sqa_status intake_close(intake *in, sqa_status status)
{
    sqa_line_parser_free(&in->parser);
    if (status == SQA_OK && in->exchange->refused && in->in_transaction == 0) {
        status = sqa_store_begin(in->store);
        in->in_transaction = status == SQA_OK;
    }
    if (status == SQA_OK && in->exchange->refused)
        status = sqa_quarantine_trim(in->store);
    return in->in_transaction ? close_transaction(in, status) : status;
}

static sqa_status refuse(intake *in, const sqa_line *line, const char *where)
{
    /* The detail is about to be overwritten by whatever comes next. */
    char reason[512];
    snprintf(reason, sizeof reason, "%s", sqa_last_error());
    in->exchange->refused++;
    if (in->exchange->refuse)
        in->exchange->refuse(in->exchange->user, where, reason);
    return sqa_quarantine_add(in->store, line, in->source, where, reason);
}

static sqa_status insert(intake *in, const sqa_line *line, sqa_stored_trial *trial)
{
    int64_t id = 0;
    bool added = false;
    sqa_status status = sqa_store_need_environment(in->store, trial, &trial->environment);
    if (status == SQA_OK)
        status = sqa_store_insert_trial(in->store, trial, true, &id, &added);
    if (status == SQA_OK && trial->winner)
        status = sqa_store_insert_winner(in->store, id, true);
    if (status == SQA_OK)
        status = sqa_quarantine_release(in->store, line);
    if (status == SQA_OK)
        ++*(added ? &in->exchange->added : &in->exchange->known);
    return status;
}

/* Takes one line in, or into quarantine; `where` says where it stands. */
static sqa_status take(intake *in, const sqa_line *line, const char *where)
{
    sqa_stored_trial trial;
    sqa_status status = in->in_transaction ? SQA_OK : sqa_store_begin(in->store);
    if (status != SQA_OK)
        return status;
    in->in_transaction++;
    status = sqa_line_parse(&in->parser, in->store, line, &trial);
    if (status == SQA_OK)
        status = sqa_stored_trial_validate(&trial);
    if (status == SQA_OK)
        status = insert(in, line, &trial);
    else if (status == SQA_INVALID_ARGUMENT)
        status = refuse(in, line, where);
    if (status != SQA_OK || in->in_transaction == ROWS_PER_TRANSACTION)
        status = close_transaction(in, status);
    return status;
}

static bool is_blank(const sqa_line *line)
{
    return line->kept == line->bytes && strspn(line->text, " \t\r") == line->kept;
}

static sqa_status import_lines(intake *in, FILE *file)
{
    sqa_line line = SQA_LINE_INIT;
    bool more = true;
    sqa_status status = SQA_OK;
    while (status == SQA_OK && (status = sqa_line_read(&line, file, &more)) == SQA_OK && more) {
        char where[64];
        snprintf(where, sizeof where, "line %llu", (unsigned long long)line.number);
        if (!is_blank(&line))
            status = take(in, &line, where);
    }
    if (status == SQA_OK && ferror(file))
        status = sqa_fail(SQA_DATABASE_ERROR, "%s cannot be read: %s", in->source, strerror(errno));
    sqa_line_free(&line);
    return status;
}

sqa_status sqa_store_import(sqa_store *store, FILE *file, const char *name, sqa_exchange *exchange)
{
    intake in;
    sqa_status status = intake_open(&in, store, name, exchange);
    return status == SQA_OK ? intake_close(&in, import_lines(&in, file)) : status;
}

/* A row that cannot even be written as a line is refused by its number alone. */
static sqa_status take_row(intake *in, const line_writer *writer, int64_t id)
{
    char where[64], *text = NULL;
    snprintf(where, sizeof where, "trial %lld", (long long)id);
    sqa_status status = make_line(writer, id, &text);
    if (status == SQA_INVALID_ARGUMENT) {
        text = strdup(where);
        status = text ? SQA_OK : sqa_fail_memory("a line");
    }
    if (text && status == SQA_OK) {
        const sqa_line line = {text, strlen(text), strlen(text), 1};
        status = take(in, &line, where);
    }
    free(text);
    return status;
}

sqa_status sqa_store_merge(sqa_store *store, sqa_store *from, sqa_exchange *exchange)
{
    intake in;
    line_writer writer;
    sqa_id_list list = {NULL, 0};
    const sqa_store_filter all = {0};
    sqa_status status = intake_open(&in, store, sqa_store_path(from), exchange);
    if (status != SQA_OK)
        return status;
    status = line_writer_create(&writer, from);
    if (status == SQA_OK)
        status = sqa_store_list(from, &all, &list);
    for (size_t i = 0; i < list.count && status == SQA_OK; i++)
        status = take_row(&in, &writer, list.ids[i]);
    sqlite3_finalize(writer.statement);
    free(list.ids);
    return intake_close(&in, status);
}
