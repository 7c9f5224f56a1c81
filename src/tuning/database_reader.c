#include "tuning/database_reader.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tuning/schema.h"

/* What an SQLite result code means for somebody who only wanted attention. */
static const struct {
    int code;
    const char *reason;
} reasons[] = {
    {SQLITE_NOTADB, "it is not a tuning database, or is damaged; move it away to start afresh"},
    {SQLITE_CORRUPT, "it is damaged; move it away to start afresh"},
    {SQLITE_BUSY, "another program has kept it locked"},
    {SQLITE_LOCKED, "another program has kept it locked"},
    {SQLITE_PERM, "access is denied"},
    {SQLITE_AUTH, "access is denied"},
    {SQLITE_READONLY, "the file or its folder cannot be written"},
    {SQLITE_CANTOPEN, "it cannot be opened"},
    {SQLITE_FULL, "the disk is full"},
    {SQLITE_IOERR, "reading or writing it failed"},
    {SQLITE_SCHEMA, "its tables keep changing"},
};

sqa_status sqa_database_fail(sqlite3 *database, const char *name, int code)
{
    if ((code & 0xff) == SQLITE_NOMEM)
        return sqa_fail_memory("a tuning database");
    const char *reason = "SQLite refused";
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == (code & 0xff))
            reason = reasons[i].reason;
    /* The connection may be in a state that has no message of its own. */
    const char *words = database && sqlite3_errcode(database) != SQLITE_OK
                            ? sqlite3_errmsg(database)
                            : sqlite3_errstr(code);
    return sqa_fail(SQA_DATABASE_ERROR, "tuning database %s: %s (%s)", name, reason, words);
}

bool sqa_database_pragma(sqlite3 *database, const char *pragma, int *out)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, pragma, -1, &statement, NULL) != SQLITE_OK)
        return false;
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *out = sqlite3_column_int(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK && found;
}

/* Waits for writers in small steps. SQLite's own handler soon asks only ten times a
 * second, and so keeps missing the moments between the commits of busy writers. */
enum { STEP_MS = 2 };

static int wait_a_little(void *most_steps, int steps)
{
    const struct timespec pause = {0, STEP_MS * 1000000L};
    if (steps >= (int)(intptr_t)most_steps)
        return 0;
    nanosleep(&pause, NULL);
    return 1;
}

int sqa_database_open_file(sqlite3 **out, const char *path, int flags)
{
    char name[4096];
    int length = snprintf(name, sizeof name, "%s%s", path[0] == '/' ? "" : "./", path);
    return length < 0 || (size_t)length >= sizeof name ? SQLITE_CANTOPEN
                                                       : sqlite3_open_v2(name, out, flags, NULL);
}

static int open_file(sqlite3 **out, const char *path, int flags, int busy_ms)
{
    int code = sqa_database_open_file(out, path, flags | SQLITE_OPEN_NOMUTEX);
    if (code == SQLITE_OK)
        code = sqlite3_busy_handler(*out, wait_a_little, (void *)(intptr_t)(busy_ms / STEP_MS));
    /* Opening is lazy; only a read shows whether the file can be used. */
    int version;
    if (code == SQLITE_OK && !sqa_database_pragma(*out, "PRAGMA user_version", &version))
        code = sqlite3_extended_errcode(*out);
    return code;
}

sqa_status sqa_database_open_reader(sqlite3 **out, const char *path, int busy_ms)
{
    struct stat file;
    if (stat(path, &file))
        return sqa_fail(SQA_DATABASE_ERROR, "tuning database %s: %s", path, strerror(errno));
    if (!S_ISREG(file.st_mode))
        return sqa_fail(SQA_DATABASE_ERROR, "tuning database %s: it is not a file", path);

    sqlite3 *database = NULL;
    int code = open_file(&database, path, SQLITE_OPEN_READONLY, busy_ms);
    if (code == SQLITE_READONLY_ROLLBACK) {
        /* A writer was killed in the middle of a transaction. Until somebody who may
         * write has opened the file once, nobody can read it. */
        sqlite3_close(database);
        database = NULL;
        code = open_file(&database, path, SQLITE_OPEN_READWRITE, busy_ms);
        if (code == SQLITE_OK)
            code = sqlite3_exec(database, "PRAGMA query_only = ON", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        sqa_status status = sqa_database_fail(database, path, code);
        sqlite3_close(database);
        return status;
    }
    *out = database;
    return SQA_OK;
}

sqa_status sqa_database_open_image(sqlite3 **out, const unsigned char *image, size_t size)
{
    sqlite3 *database = NULL;
    int code =
        sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        /* Opened read-only, so that the image is never written to. */
        code = sqlite3_deserialize(database, "main", (unsigned char *)(void *)image,
                                   (sqlite3_int64)size, (sqlite3_int64)size,
                                   SQLITE_DESERIALIZE_READONLY);
    if (code != SQLITE_OK) {
        sqa_status status = sqa_database_fail(database, "built into the library", code);
        sqlite3_close(database);
        return status;
    }
    *out = database;
    return SQA_OK;
}

/* What tells one schema from another. */
typedef struct schema_marks {
    int version, application, tables;
} schema_marks;

/* Reads them at one moment: another process may be making the schema right now. A
 * savepoint, because the caller may be in a transaction of its own. */
static bool read_marks(sqlite3 *database, schema_marks *out)
{
    return sqlite3_exec(database, "SAVEPOINT schema_marks", NULL, NULL, NULL) == SQLITE_OK &&
           sqa_database_pragma(database, "PRAGMA user_version", &out->version) &&
           sqa_database_pragma(database, "PRAGMA application_id", &out->application) &&
           sqa_database_pragma(database, "SELECT count(*) FROM sqlite_schema", &out->tables) &&
           sqlite3_exec(database, "RELEASE schema_marks", NULL, NULL, NULL) == SQLITE_OK;
}

sqa_status sqa_database_check_schema(sqlite3 *database, const char *name, int oldest, bool *empty)
{
    schema_marks marks = {0, 0, 0};
    if (!read_marks(database, &marks)) {
        sqa_status status = sqa_database_fail(database, name, sqlite3_extended_errcode(database));
        sqlite3_exec(database, "ROLLBACK TO schema_marks; RELEASE schema_marks", NULL, NULL, NULL);
        return status;
    }
    const int version = marks.version, application = marks.application, tables = marks.tables;
    *empty = tables == 0 && version == 0;
    if (*empty)
        return SQA_OK;
    if (application != SQA_SCHEMA_APPLICATION_ID)
        return sqa_fail(SQA_DATABASE_ERROR,
                        "tuning database %s: it belongs to another program (application id %d)",
                        name, application);
    if (version > SQA_SCHEMA_VERSION)
        return sqa_fail(SQA_DATABASE_ERROR,
                        "tuning database %s: its schema %d is newer than this library's %d; "
                        "update the library or use another file",
                        name, version, SQA_SCHEMA_VERSION);
    if (version < oldest)
        return sqa_fail(SQA_DATABASE_ERROR,
                        "tuning database %s: its schema %d is older than this library's %d; "
                        "the next `sqa tune` brings it up",
                        name, version, SQA_SCHEMA_VERSION);
    return SQA_OK;
}
