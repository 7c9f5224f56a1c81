/* See exchange.h. SQLite reads and writes the JSON. */
#include "store/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/connection.h"

/* Rows taken in per transaction: enough to make the disk's part small, few enough
 * not to keep a tuner waiting. */
enum { ROWS_PER_TRANSACTION = 64 };

enum { MAX_LINE = 1 << 16 };

static sqa_status read_line_text(sqa_store *store, sqlite3_stmt *statement, int64_t id, char **out)
{
    sqa_status status = SQA_OK;
    int code = sqlite3_bind_int64(statement, 1, id);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        *out = text ? strdup(text) : NULL;
        if (!*out)
            status = sqa_fail_memory("an exported line");
    } else if (code != SQLITE_DONE) {
        status = sqa_store_fail(store, code);
    }
    sqlite3_reset(statement);
    return status;
}

sqa_status sqa_store_export(sqa_store *store, const sqa_store_filter *filter, FILE *file,
                            uint64_t *lines)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_append(&sql, "SELECT ");
    sqa_columns_to_line(&sql);
    sqa_text_append(&sql, " FROM result WHERE id = ?1");
    sqlite3_stmt *statement = NULL;
    sqa_id_list list = {NULL, 0};
    sqa_status status = sqa_store_prepare_text(store, &sql, &statement);
    if (status == SQA_OK)
        status = sqa_store_list(store, filter, &list);
    *lines = 0;
    for (size_t i = 0; i < list.count && status == SQA_OK; i++) {
        char *line = NULL;
        status = read_line_text(store, statement, list.ids[i], &line);
        if (line && status == SQA_OK && fprintf(file, "%s\n", line) < 0)
            status = sqa_fail(SQA_DATABASE_ERROR, "the exported text cannot be written: %s",
                              strerror(errno));
        *lines += line && status == SQA_OK;
        free(line);
    }
    sqlite3_finalize(statement);
    free(list.ids);
    return status;
}

/* Taking rows in: the store they go to, and how far the transaction is. */
typedef struct intake {
    sqa_store *store;
    sqa_exchange *exchange;
    unsigned in_transaction;
} intake;

static void refuse(intake *in, const char *where)
{
    in->exchange->refused++;
    if (in->exchange->refuse)
        in->exchange->refuse(in->exchange->user, where, sqa_last_error());
}

static sqa_status close_transaction(intake *in, sqa_status status)
{
    in->in_transaction = 0;
    return sqa_store_end(in->store, status);
}

static sqa_status insert(intake *in, sqa_stored_trial *trial)
{
    int64_t id = 0;
    bool added = false;
    sqa_status status = sqa_store_need_environment(in->store, trial, &trial->environment);
    if (status == SQA_OK)
        status = sqa_store_insert_trial(in->store, trial, true, &id, &added);
    if (status == SQA_OK && trial->winner)
        status = sqa_store_insert_winner(in->store, id, true);
    if (status == SQA_OK)
        ++*(added ? &in->exchange->added : &in->exchange->known);
    return status;
}

/* Takes one trial in if it can be true; `where` says where it stands. */
static sqa_status take(intake *in, sqa_stored_trial *trial, const char *where)
{
    sqa_status status = sqa_stored_trial_validate(trial);
    if (status == SQA_INVALID_ARGUMENT) {
        refuse(in, where);
        return SQA_OK;
    }
    if (status == SQA_OK && in->in_transaction == 0)
        status = sqa_store_begin(in->store);
    if (status != SQA_OK)
        return status;
    status = insert(in, trial);
    if (status != SQA_OK || ++in->in_transaction == ROWS_PER_TRANSACTION)
        status = close_transaction(in, status);
    return status;
}

/* The trial a line describes.
 * Errors: SQA_INVALID_ARGUMENT for a line that is none. */
static sqa_status parse_line(sqa_store *store, sqlite3_stmt *statement, const char *line,
                             size_t length, sqa_stored_trial *out)
{
    if (length > MAX_LINE)
        return sqa_fail(SQA_INVALID_ARGUMENT, "longer than %d bytes", (int)MAX_LINE);
    sqa_status status = SQA_OK;
    int code = sqlite3_bind_text(statement, 1, line, (int)length, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_int(statement, (int)sqa_column_count) != 1)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "schema is missing or not 1");
    else if (code == SQLITE_ROW)
        status = sqa_columns_read(statement, true, out);
    else if ((code & 0xff) == SQLITE_ERROR)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "%s", sqlite3_errmsg(store->database));
    else
        status = sqa_store_fail(store, code);
    sqlite3_reset(statement);
    return status;
}

static sqa_status prepare_parser(sqa_store *store, sqlite3_stmt **out)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_append(&sql, "SELECT ");
    sqa_columns_from_line(&sql);
    sqa_text_append(&sql, ", json_extract(?1, '$.schema')");
    return sqa_store_prepare_text(store, &sql, out);
}

static sqa_status import_lines(intake *in, sqlite3_stmt *parser, FILE *file, const char *name)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    sqa_status status = SQA_OK;
    for (uint64_t number = 1; status == SQA_OK && (length = getline(&line, &capacity, file)) >= 0;
         number++) {
        if (strspn(line, " \t\r\n") == (size_t)length)
            continue;
        char where[64];
        snprintf(where, sizeof where, "line %llu", (unsigned long long)number);
        sqa_stored_trial trial;
        status = parse_line(in->store, parser, line, (size_t)length, &trial);
        if (status == SQA_OK) {
            status = take(in, &trial, where);
        } else if (status == SQA_INVALID_ARGUMENT) {
            refuse(in, where);
            status = SQA_OK;
        }
    }
    if (status == SQA_OK && ferror(file))
        status = sqa_fail(SQA_DATABASE_ERROR, "%s cannot be read: %s", name, strerror(errno));
    free(line);
    return status;
}

sqa_status sqa_store_import(sqa_store *store, FILE *file, const char *name, sqa_exchange *exchange)
{
    intake in = {store, exchange, 0};
    sqlite3_stmt *parser = NULL;
    sqa_status status = prepare_parser(store, &parser);
    if (status == SQA_OK)
        status = import_lines(&in, parser, file, name);
    sqlite3_finalize(parser);
    return in.in_transaction ? close_transaction(&in, status) : status;
}

static sqa_status take_visited(void *user, const sqa_stored_trial *visited)
{
    intake *in = user;
    if (!visited) {
        refuse(in, "a trial");
        return SQA_OK;
    }
    char where[64];
    snprintf(where, sizeof where, "trial %lld", (long long)visited->id);
    sqa_stored_trial trial = *visited;
    return take(in, &trial, where);
}

sqa_status sqa_store_merge(sqa_store *store, sqa_store *from, sqa_exchange *exchange)
{
    intake in = {store, exchange, 0};
    const sqa_store_filter all = {0};
    sqa_status status = sqa_store_each(from, &all, take_visited, &in);
    return in.in_transaction ? close_transaction(&in, status) : status;
}
