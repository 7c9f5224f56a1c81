#include "store/quarantine.h"

#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "store/connection.h"

enum { MOST_LINES = 10000, LINE_KEPT = 4096, REASON_KEPT = 512 };

/* Of what is kept of the line in memory, which tells lines apart well enough. */
static void digest_of(const sqa_line *line, char out[SQA_HASH_TEXT])
{
    sqa_hash hash = sqa_hash_of(line->text, line->kept);
    sqa_hash_format(&hash, out);
}

/* Zeros would end the text early. */
static void clean_line(const sqa_line *line, char out[LINE_KEPT + 1])
{
    char head[LINE_KEPT + 1];
    size_t length = line->kept < LINE_KEPT ? line->kept : LINE_KEPT;
    for (size_t i = 0; i < length; i++)
        head[i] = line->text[i] ? line->text[i] : ' ';
    head[length] = 0;
    sqa_utf8_clean(head, out, LINE_KEPT + 1, false);
}

/* Runs a statement that gives no rows, after its texts and numbers were bound. */
static sqa_status finish(sqa_store *store, sqlite3_stmt *statement, int code)
{
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqa_status status = code == SQLITE_DONE ? SQA_OK : sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}

sqa_status sqa_quarantine_add(sqa_store *store, const sqa_line *line, const char *source,
                              const char *place, const char *reason)
{
    char digest[SQA_HASH_TEXT], text[LINE_KEPT + 1], names[3][REASON_KEPT], now[SQA_TIME_TEXT];
    digest_of(line, digest);
    clean_line(line, text);
    sqa_time_now(now);
    const char *const texts[] = {digest,
                                 sqa_utf8_clean(source, names[0], REASON_KEPT, true),
                                 sqa_utf8_clean(place, names[1], REASON_KEPT, true),
                                 sqa_utf8_clean(reason, names[2], REASON_KEPT, true),
                                 text,
                                 now};
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare(
        store,
        "INSERT INTO quarantine (digest, source, place, reason, line, recorded_at, bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET source = excluded.source,"
        " place = excluded.place, reason = excluded.reason",
        &statement);
    if (status != SQA_OK)
        return status;
    int code = SQLITE_OK, index = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, ++index, texts[i], -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, ++index, (int64_t)line->bytes);
    return finish(store, statement, code);
}

sqa_status sqa_quarantine_release(sqa_store *store, const sqa_line *line)
{
    char digest[SQA_HASH_TEXT];
    digest_of(line, digest);
    sqlite3_stmt *statement = NULL;
    sqa_status status =
        sqa_store_prepare(store, "DELETE FROM quarantine WHERE digest = ?", &statement);
    return status == SQA_OK ? finish(store, statement,
                                     sqlite3_bind_text(statement, 1, digest, -1, SQLITE_STATIC))
                            : status;
}

sqa_status sqa_quarantine_trim(sqa_store *store)
{
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare(
        store,
        "DELETE FROM quarantine WHERE id NOT IN (SELECT id FROM quarantine ORDER BY id DESC"
        " LIMIT ?)",
        &statement);
    return status == SQA_OK ? finish(store, statement, sqlite3_bind_int(statement, 1, MOST_LINES))
                            : status;
}

static const char *text_at(sqlite3_stmt *statement, int index)
{
    const char *text = (const char *)sqlite3_column_text(statement, index);
    return text ? text : "";
}

sqa_status sqa_quarantine_each(sqa_store *store,
                               sqa_status (*visit)(void *user, const sqa_quarantined *row),
                               void *user)
{
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare(
        store,
        "SELECT id, source, place, reason, bytes, line, recorded_at FROM quarantine ORDER BY id",
        &statement);
    int code = SQLITE_DONE;
    while (status == SQA_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const sqa_quarantined row = {
            .id = sqlite3_column_int64(statement, 0),
            .source = text_at(statement, 1),
            .place = text_at(statement, 2),
            .reason = text_at(statement, 3),
            .bytes = (uint64_t)sqlite3_column_int64(statement, 4),
            .line = text_at(statement, 5),
            .recorded_at = text_at(statement, 6),
        };
        status = visit(user, &row);
    }
    if (status == SQA_OK && code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}
