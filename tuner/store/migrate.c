/* See migrate.h. Knows versions and files, nothing of what is in the tables. */
#include "store/migrate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tuning/database_reader.h"
#include "tuning/schema.h"

typedef struct schema_state {
    int version, application, tables;
} schema_state;

static sqa_status read_state(sqlite3 *database, const char *name, schema_state *out)
{
    if (sqa_database_pragma(database, "PRAGMA user_version", &out->version) &&
        sqa_database_pragma(database, "PRAGMA application_id", &out->application) &&
        sqa_database_pragma(database, "SELECT count(*) FROM sqlite_schema", &out->tables))
        return SQA_OK;
    return sqa_database_fail(database, name, sqlite3_extended_errcode(database));
}

static sqa_status run(sqlite3 *database, const char *name, const char *sql)
{
    int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SQA_OK : sqa_database_fail(database, name, code);
}

static const char *migration_to(const sqa_embedded_file *sql, int version)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "migrations/%03d_", version);
    for (const sqa_embedded_file *file = sql; file->name; file++)
        if (!strncmp(file->name, prefix, strlen(prefix)))
            return file->text;
    return NULL;
}

static sqa_status step_up(sqlite3 *database, const char *name, const sqa_embedded_file *sql,
                          int version)
{
    const char *text = migration_to(sql, version);
    if (!text)
        return sqa_fail(SQA_DATABASE_ERROR,
                        "tuning database %s: there is no way from its schema %d to %d", name,
                        version - 1, version);
    sqa_status status = run(database, name, text);
    char stamp[48];
    snprintf(stamp, sizeof stamp, "PRAGMA user_version = %d", version);
    return status == SQA_OK ? run(database, name, stamp) : status;
}

/* Views depend on tables that a migration changes, and are no part of what it keeps. */
static sqa_status drop_views(sqlite3 *database, const char *name)
{
    sqlite3_stmt *statement = NULL;
    sqa_text sql = SQA_TEXT_INIT;
    int code = sqlite3_prepare_v2(database,
                                  "SELECT printf('DROP VIEW \"%w\";', name) FROM sqlite_schema"
                                  " WHERE type = 'view'",
                                  -1, &statement, NULL);
    while (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        sqa_text_append(&sql, (const char *)sqlite3_column_text(statement, 0));
    code = code == SQLITE_OK ? sqlite3_finalize(statement) : code;
    sqa_status status =
        code == SQLITE_OK ? sqa_text_status(&sql) : sqa_database_fail(database, name, code);
    if (status == SQA_OK)
        status = run(database, name, sqa_text_get(&sql));
    sqa_text_free(&sql);
    return status;
}

static sqa_status make_tables(sqlite3 *database, const char *name, const sqa_embedded_file *sql)
{
    const char *schema = sqa_embedded_text(sql, "schema.sql");
    return schema ? run(database, name, schema)
                  : sqa_fail(SQA_DATABASE_ERROR, "the schema is not built in");
}

static sqa_status make_views(sqlite3 *database, const char *name, const sqa_embedded_file *sql)
{
    const char *views = sqa_embedded_text(sql, "views.sql");
    return views ? run(database, name, views) : SQA_OK;
}

/* What remains to be done from `state`; inside a transaction. */
static sqa_status bring_up(sqlite3 *database, const char *name, const sqa_embedded_file *sql,
                           const schema_state *state, int version)
{
    sqa_status status = SQA_OK;
    if (state->tables == 0 && state->version == 0) {
        status = make_tables(database, name, sql);
        return status == SQA_OK ? make_views(database, name, sql) : status;
    }
    if (state->application != SQA_SCHEMA_APPLICATION_ID)
        return sqa_fail(SQA_DATABASE_ERROR,
                        "tuning database %s: it belongs to another program (application id %d)",
                        name, state->application);
    if (state->version > version)
        return sqa_fail(SQA_DATABASE_ERROR,
                        "tuning database %s: its schema %d is newer than this program's %d; "
                        "update the program or use another file",
                        name, state->version, version);
    status = drop_views(database, name);
    for (int next = state->version + 1; next <= version && status == SQA_OK; next++)
        status = step_up(database, name, sql, next);
    return status == SQA_OK ? make_views(database, name, sql) : status;
}

static bool is_current(const schema_state *state, int version)
{
    return state->version == version && state->application == SQA_SCHEMA_APPLICATION_ID;
}

sqa_status sqa_migrate(sqlite3 *database, const char *name, const sqa_embedded_file *sql,
                       int version)
{
    schema_state state;
    sqa_status status = read_state(database, name, &state);
    if (status != SQA_OK || is_current(&state, version))
        return status;
    status = run(database, name, "BEGIN IMMEDIATE");
    if (status != SQA_OK)
        return status;
    /* Another process may have done it while this one waited for the lock. */
    status = read_state(database, name, &state);
    if (status == SQA_OK && !is_current(&state, version))
        status = bring_up(database, name, sql, &state, version);
    if (status == SQA_OK)
        status = run(database, name, "COMMIT");
    if (status != SQA_OK && !sqlite3_get_autocommit(database))
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
