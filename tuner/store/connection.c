/* Opening the store, its transactions, and rows found and added by their columns.
 * Knows nothing of what a row means. */
#include "store/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/migrate.h"
#include "store/shape_functions.h"
#include "tuning/database_reader.h"
#include "tuning/schema.h"
#include "tuning/seed.h"

sqa_status sqa_store_fail(sqa_store *store, int code)
{
    return sqa_database_fail(store->database, store->path, code);
}

const char *sqa_store_path(const sqa_store *store)
{
    return store->path;
}

void sqa_store_close(sqa_store *store)
{
    if (!store)
        return;
    sqlite3_close(store->database);
    free(store->path);
    free(store);
}

/* Makes the folders that lead to the file, as mkdir -p does. */
static sqa_status make_folders(const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return sqa_fail_memory("a path");
    sqa_status status = SQA_OK;
    for (char *at = strchr(folder + 1, '/'); *folder && at && status == SQA_OK;
         at = strchr(at + 1, '/')) {
        *at = 0;
        /* What exists is no failure; if it is no folder, opening the file says so. */
        if (mkdir(folder, 0777) && errno != EEXIST && errno != EISDIR && errno != EROFS)
            status = sqa_fail(SQA_DATABASE_ERROR, "tuning database %s: folder %s: %s", path, folder,
                              strerror(errno));
        *at = '/';
    }
    free(folder);
    return status;
}

static sqa_status new_store(sqa_store **out, const char *path)
{
    sqa_store *store = calloc(1, sizeof *store);
    if (store)
        store->path = strdup(path);
    if (!store || !store->path) {
        free(store);
        return sqa_fail_memory("a tuning database");
    }
    *out = store;
    return SQA_OK;
}

/* Hands the store over, or closes it when `status` is a failure. */
static sqa_status finish_open(sqa_store *store, sqa_status status, sqa_store **out)
{
    if (status == SQA_OK)
        *out = store;
    else
        sqa_store_close(store);
    return status;
}

/* Brings a database that may be written to the current schema. */
static sqa_status bring_up(sqa_store *store)
{
    return sqa_migrate(store->database, store->path, sqa_embedded_sql, SQA_SCHEMA_VERSION);
}

/* What SQL may call on every connection. */
static sqa_status define_functions(sqa_store *store)
{
    int code = sqa_shape_functions_define(store->database);
    if (code == SQLITE_OK)
        code = sqa_query_functions_define(store->database);
    return code == SQLITE_OK ? SQA_OK : sqa_store_fail(store, code);
}

static sqa_status open_writer(sqa_store *store)
{
    struct stat file;
    if (!stat(store->path, &file) && !S_ISREG(file.st_mode))
        return sqa_fail(SQA_DATABASE_ERROR, "tuning database %s: it is not a file", store->path);
    int code =
        sqa_database_open_file(&store->database, store->path,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(store->database, SQA_STORE_BUSY_MS);
    if (code == SQLITE_OK && sqlite3_db_readonly(store->database, "main") == 1)
        code = SQLITE_READONLY;
    /* FULL: a trial that was reported as stored survives even a power failure. */
    if (code == SQLITE_OK)
        code =
            sqlite3_exec(store->database, "PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL;",
                         NULL, NULL, NULL);
    return code == SQLITE_OK ? define_functions(store) : sqa_store_fail(store, code);
}

sqa_status sqa_store_open(sqa_store **out, const char *path)
{
    sqa_store *store = NULL;
    sqa_status status = new_store(&store, path);
    if (status != SQA_OK)
        return status;
    status = make_folders(path);
    if (status == SQA_OK)
        status = open_writer(store);
    if (status == SQA_OK)
        status = bring_up(store);
    if (status == SQA_OK) {
        /* After the migrations, which may rebuild tables others refer to. */
        int code =
            sqlite3_exec(store->database, "PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = ON",
                         NULL, NULL, NULL);
        status = code == SQLITE_OK ? SQA_OK : sqa_store_fail(store, code);
    }
    return finish_open(store, status, out);
}

static sqa_status open_memory(sqa_store *store)
{
    int code = sqlite3_open_v2(":memory:", &store->database,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    return code == SQLITE_OK ? define_functions(store) : sqa_store_fail(store, code);
}

/* An empty database of the current schema, in memory. */
static sqa_status open_empty(sqa_store *store)
{
    sqa_status status = open_memory(store);
    return status == SQA_OK ? bring_up(store) : status;
}

static sqa_status copy(sqa_store *store, sqlite3 *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(store->database, "main", from, "main");
    if (!backup)
        return sqa_store_fail(store, sqlite3_errcode(store->database));
    sqlite3_backup_step(backup, -1);
    int code = sqlite3_backup_finish(backup);
    return code == SQLITE_OK ? SQA_OK : sqa_store_fail(store, code);
}

sqa_status sqa_store_open_in_memory(sqa_store **out)
{
    sqa_store *store = NULL;
    sqa_status status = new_store(&store, "in memory");
    if (status != SQA_OK)
        return status;
    status = open_empty(store);
    if (status == SQA_OK) {
        int code = sqlite3_exec(store->database, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
        status = code == SQLITE_OK ? SQA_OK : sqa_store_fail(store, code);
    }
    return finish_open(store, status, out);
}

/* Puts a copy in memory in the place of the file, which must not be written to, and
 * brings that up. */
static sqa_status bring_up_copy(sqa_store *store)
{
    sqlite3 *file = store->database;
    store->database = NULL;
    sqa_status status = open_memory(store);
    if (status == SQA_OK)
        status = copy(store, file);
    sqlite3_close(file);
    return status == SQA_OK ? bring_up(store) : status;
}

/* A file without tables is one that another process is about to fill. */
static sqa_status accept_reader(sqa_store *store)
{
    bool empty = false;
    int version = 0;
    sqa_status status =
        sqa_database_check_schema(store->database, store->path, SQA_SCHEMA_OLDEST_READ, &empty);
    if (status != SQA_OK)
        return status;
    if (empty) {
        sqlite3_close(store->database);
        store->database = NULL;
        return open_empty(store);
    }
    if (!sqa_database_pragma(store->database, "PRAGMA user_version", &version))
        return sqa_store_fail(store, sqlite3_extended_errcode(store->database));
    return version < SQA_SCHEMA_VERSION ? bring_up_copy(store) : define_functions(store);
}

sqa_status sqa_store_open_read_only(sqa_store **out, const char *path)
{
    struct stat file;
    if (stat(path, &file) && errno == ENOENT)
        return sqa_fail(SQA_DATABASE_ERROR,
                        "there is no tuning database at %s yet; `sqa tune` makes it", path);
    sqa_store *store = NULL;
    sqa_status status = new_store(&store, path);
    if (status != SQA_OK)
        return status;
    status = sqa_database_open_reader(&store->database, path, SQA_STORE_BUSY_MS);
    if (status == SQA_OK)
        status = accept_reader(store);
    return finish_open(store, status, out);
}

sqa_status sqa_store_open_seed(sqa_store **out)
{
    sqa_store *store = NULL;
    sqa_status status = new_store(&store, "built into the library");
    if (status != SQA_OK)
        return status;
    if (sqa_seed_database_size == 0)
        return finish_open(store, open_empty(store), out);
    status = sqa_database_open_image(&store->database, sqa_seed_database, sqa_seed_database_size);
    if (status == SQA_OK)
        status = accept_reader(store);
    return finish_open(store, status, out);
}

static sqa_status run(sqa_store *store, const char *sql)
{
    /* SQLite waits by itself; it gives up early when waiting might never end. */
    enum { ATTEMPTS = 4 };
    int code = SQLITE_BUSY;
    for (int i = 0; i < ATTEMPTS && (code & 0xff) == SQLITE_BUSY; i++)
        code = sqlite3_exec(store->database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SQA_OK : sqa_store_fail(store, code);
}

sqa_status sqa_store_begin(sqa_store *store)
{
    return run(store, "BEGIN IMMEDIATE");
}

sqa_status sqa_store_end(sqa_store *store, sqa_status status)
{
    if (status == SQA_OK)
        status = run(store, "COMMIT");
    if (status != SQA_OK && !sqlite3_get_autocommit(store->database))
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

sqa_status sqa_store_prepare(sqa_store *store, const char *sql, sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v2(store->database, sql, -1, out, NULL);
    return code == SQLITE_OK ? SQA_OK : sqa_store_fail(store, code);
}

sqa_status sqa_store_prepare_text(sqa_store *store, sqa_text *sql, sqlite3_stmt **out)
{
    sqa_status status = sqa_text_status(sql);
    if (status == SQA_OK)
        status = sqa_store_prepare(store, sqa_text_get(sql), out);
    sqa_text_free(sql);
    return status;
}
