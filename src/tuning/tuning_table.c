#include "tuning/tuning_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "operations/operations.h"
#include "tuning/database_reader.h"
#include "tuning/schema.h"
#include "tuning/seed.h"

/* How long a context waits for writers. A commit takes milliseconds, also where
 * several tuners on a busy machine commit one after the other; whoever holds the file
 * longer is not worth more of the caller's time. */
enum { BUSY_MS = 3000 };

const char *sqa_tuning_source_name(sqa_tuning_source source)
{
    static const char *const names[] = {[SQA_SOURCE_USER] = "user-db",
                                        [SQA_SOURCE_EXTRA] = "extra-db",
                                        [SQA_SOURCE_SEED] = "seed-db"};
    return names[source];
}

/* What a column of the view `best` becomes in a row. */
typedef enum column_kind {
    COLUMN_TEXT,    /* a char array of `most` bytes */
    COLUMN_INTEGER, /* 32 bits, signed or not, within least..most */
    COLUMN_REAL,    /* a double, finite and >= 0 */
    COLUMN_TYPE,    /* the word for an enum's value */
    COLUMN_OPERATION,
    COLUMN_CLASS /* a key of the operation, which was read before */
} column_kind;

#define AT(member) offsetof(sqa_tuning_row, member)
#define SIZE(member) sizeof(((sqa_tuning_row *)0)->member)

/* Up to schema 2 a class had columns of its own, and no ceiling but that of multiply-adds. */
#define OLD_KEY                                                                                    \
    "'dtype=' || dtype || ',d=' || head_dim || ',dv=' || value_dim || ',mask=' || mask ||"         \
    " ',group=' || group_size || ',q=' || q_bucket || ',kv=' || kv_bucket || ',rows=' ||"          \
    " rows_bucket"

/* Everything that is read, with the range each value must be in. What only the
 * kernel families can judge (family, parameters) is judged where it is dispatched. */
static const struct column {
    const char *sql, *old_sql; /* the latter up to schema `old`; NULL: the same */
    column_kind kind;
    size_t offset;
    int64_t least, most; /* of an integer's value, of a text's bytes with its zero */
    int old;             /* 0: SQA_SCHEMA_LAST_OF_ATTENTION */
} columns[] = {
    {"vendor", NULL, COLUMN_TEXT, AT(identity.vendor), 2, SIZE(identity.vendor), 0},
    {"architecture", NULL, COLUMN_TEXT, AT(identity.architecture), 1, SIZE(identity.architecture),
     0},
    {"model", NULL, COLUMN_TEXT, AT(identity.model), 1, SIZE(identity.model), 0},
    {"runtime", NULL, COLUMN_TEXT, AT(identity.runtime), 1, SIZE(identity.runtime), 0},
    {"type", NULL, COLUMN_TYPE, AT(device_type), 0, 0, 0},
    {"compute_units", NULL, COLUMN_INTEGER, AT(compute_units), 0, UINT32_MAX, 0},
    {"vector_width_float", NULL, COLUMN_INTEGER, AT(vector_width_float), 0, UINT32_MAX, 0},
    {"driver_version", NULL, COLUMN_TEXT, AT(driver_version), 1, SIZE(driver_version), 0},
    {"operation", NULL, COLUMN_OPERATION, AT(problem_class.operation), 0, 0, 0},
    {"key", OLD_KEY, COLUMN_CLASS, AT(problem_class), 0, 0, 0},
    {"family", NULL, COLUMN_TEXT, AT(family), 2, SIZE(family), 0},
    {"space_version", NULL, COLUMN_INTEGER, AT(space_version), 0, UINT32_MAX, 0},
    {"coalesce(candidates, '')", "''", COLUMN_TEXT, AT(candidates), 1, SIZE(candidates), 0},
    {"config", NULL, COLUMN_TEXT, AT(config), 1, SIZE(config), 0},
    {"iif(modelled IS NULL, gflops, 0.0)", "gflops", COLUMN_REAL, AT(gflops), 0, 0,
     SQA_SCHEMA_LAST_MEASURED},
    {"coalesce(modelled, 0.0)", "0.0", COLUMN_REAL, AT(modelled), 0, 0, SQA_SCHEMA_LAST_MEASURED},
    {"coalesce(fraction_of_roofline, 0.0)", "coalesce(fraction_of_ceiling, 0.0)", COLUMN_REAL,
     AT(fraction), 0, 0, 0},
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

static bool device_type_from_name(const char *name, sqa_device_type *out)
{
    for (int type = SQA_DEVICE_CPU; type <= SQA_DEVICE_OTHER; type++)
        if (!strcmp(sqa_device_type_name((sqa_device_type)type), name)) {
            *out = (sqa_device_type)type;
            return true;
        }
    return false;
}

/* The text at `index`; NULL when it is none, or has a zero inside that would make
 * another, shorter text of it. */
static const char *column_text(sqlite3_stmt *statement, int index)
{
    if (sqlite3_column_type(statement, index) != SQLITE_TEXT)
        return NULL;
    const char *text = (const char *)sqlite3_column_text(statement, index);
    return text && strlen(text) == (size_t)sqlite3_column_bytes(statement, index) ? text : NULL;
}

static bool read_text(const struct column *column, const char *text, char *out)
{
    int64_t size = (int64_t)strlen(text) + 1;
    if (size < column->least || size > column->most)
        return false;
    memcpy(out, text, (size_t)size);
    return true;
}

static bool read_integer(const struct column *column, sqlite3_stmt *statement, int index, void *out)
{
    int64_t value = sqlite3_column_int64(statement, index);
    if (sqlite3_column_type(statement, index) != SQLITE_INTEGER || value < column->least ||
        value > column->most)
        return false;
    uint32_t narrow = (uint32_t)value;
    memcpy(out, &narrow, sizeof narrow);
    return true;
}

static bool read_real(sqlite3_stmt *statement, int index, double *out)
{
    *out = sqlite3_column_double(statement, index);
    return sqlite3_column_type(statement, index) == SQLITE_FLOAT && isfinite(*out) && *out >= 0;
}

/* false: the value is not one that can be used. */
static bool read_column(const struct column *column, sqlite3_stmt *statement, int index,
                        sqa_tuning_row *row)
{
    void *out = (char *)row + column->offset;
    if (column->kind == COLUMN_INTEGER)
        return read_integer(column, statement, index, out);
    if (column->kind == COLUMN_REAL)
        return read_real(statement, index, out);
    const char *text = column_text(statement, index);
    if (!text)
        return false;
    switch (column->kind) {
    case COLUMN_TEXT: return read_text(column, text, out);
    case COLUMN_TYPE: return device_type_from_name(text, out);
    case COLUMN_OPERATION: return sqa_operation_from_name(text, out);
    case COLUMN_CLASS: return sqa_problem_class_parse(row->problem_class.operation, text, out);
    default: return false;
    }
}

static bool read_row(sqlite3_stmt *statement, sqa_tuning_row *row)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (!read_column(&columns[i], statement, i, row))
            return false;
    return true;
}

/* The environments whose rows can serve the device; all, if it is NULL. */
static int prepare_environments(sqlite3 *database, const sqa_device *device, sqlite3_stmt **out)
{
    static const char all[] = "SELECT id FROM environment",
                      own[] = "SELECT environment.id FROM environment"
                              " JOIN device ON device.id = environment.device"
                              " WHERE vendor = ?1 AND runtime = ?2 AND type = ?3";
    int code = sqlite3_prepare_v2(database, device ? own : all, -1, out, NULL);
    if (!device)
        return code;
    const char *const texts[] = {device->identity.vendor, device->identity.runtime,
                                 sqa_device_type_name(device->strings.type)};
    for (int i = 0; i < 3 && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(*out, i + 1, texts[i], -1, SQLITE_STATIC);
    return code;
}

static const char *column_sql(const struct column *column, int version)
{
    const int old = column->old ? column->old : SQA_SCHEMA_LAST_OF_ATTENTION;
    return column->old_sql && version <= old ? column->old_sql : column->sql;
}

/* The best rows of one environment, by the columns that this schema has. */
static int prepare_rows(sqlite3 *database, sqlite3_stmt **out)
{
    int version = 0;
    if (!sqa_database_pragma(database, "PRAGMA user_version", &version))
        return sqlite3_extended_errcode(database);
    sqa_text query = SQA_TEXT_INIT;
    for (int i = 0; i < COLUMN_COUNT; i++)
        sqa_text_format(&query, "%s%s", i ? ", " : "SELECT ", column_sql(&columns[i], version));
    sqa_text_append(&query, " FROM best WHERE environment = ?1");
    int code = query.failed ? SQLITE_NOMEM
                            : sqlite3_prepare_v2(database, sqa_text_get(&query), -1, out, NULL);
    sqa_text_free(&query);
    return code;
}

static sqa_status append(sqa_tuning_table *table, size_t *capacity, const sqa_tuning_row *row)
{
    if (table->count == *capacity) {
        size_t larger = *capacity ? 2 * *capacity : 64;
        sqa_tuning_row *rows = realloc(table->rows, larger * sizeof *rows);
        if (!rows)
            return sqa_fail_memory("the tuning table");
        table->rows = rows;
        *capacity = larger;
    }
    table->rows[table->count++] = *row;
    return SQA_OK;
}

/* A reading of one database, on its way. */
typedef struct reading {
    sqa_tuning_table *table;
    size_t capacity;
    sqa_tuning_source source;
    uint32_t database; /* its number */
    size_t skipped;    /* rows that are not usable */
} reading;

/* Appends the usable rows of the statement; *code says how it ended. */
static sqa_status read_environment(reading *self, sqlite3_stmt *rows, int64_t environment,
                                   int *code)
{
    sqa_status status = SQA_OK;
    *code = sqlite3_bind_int64(rows, 1, environment);
    if (*code != SQLITE_OK)
        return SQA_OK;
    while (status == SQA_OK && (*code = sqlite3_step(rows)) == SQLITE_ROW) {
        sqa_tuning_row row;
        memset(&row, 0, sizeof row);
        row.source = self->source;
        row.database = self->database;
        if (read_row(rows, &row))
            status = append(self->table, &self->capacity, &row);
        else
            self->skipped++;
    }
    sqlite3_reset(rows);
    return status;
}

static sqa_status read_rows(reading *self, sqlite3 *database, const char *name,
                            const sqa_device *device)
{
    sqlite3_stmt *environments = NULL, *rows = NULL;
    sqa_status status = SQA_OK;
    int code = prepare_environments(database, device, &environments);
    if (code == SQLITE_OK)
        code = prepare_rows(database, &rows);
    bool more = code == SQLITE_OK;
    while (more && status == SQA_OK && (code = sqlite3_step(environments)) == SQLITE_ROW) {
        status = read_environment(self, rows, sqlite3_column_int64(environments, 0), &code);
        more = code == SQLITE_DONE;
    }
    if (status == SQA_OK && code != SQLITE_DONE)
        status = sqa_database_fail(database, name, code);
    sqlite3_finalize(environments);
    sqlite3_finalize(rows);
    return status;
}

/* The number of one more database, which is never forgotten. */
static sqa_status name_database(sqa_tuning_table *table, const char *name, uint32_t *number)
{
    char **names = realloc(table->databases, (table->database_count + 1) * sizeof *names);
    if (!names)
        return sqa_fail_memory("the tuning table");
    table->databases = names;
    names[table->database_count] = strdup(name);
    if (!names[table->database_count])
        return sqa_fail_memory("the tuning table");
    *number = table->database_count++;
    return SQA_OK;
}

/* Reads `database` and closes it. All of its rows or, with a warning, none. */
static sqa_status load(sqa_tuning_table *table, sqlite3 *database, const char *name,
                       sqa_tuning_source source, const sqa_device *device, const sqa_log *log)
{
    const size_t before = table->count;
    reading self = {.table = table, .capacity = before, .source = source};
    bool empty = false;
    sqa_status status = name_database(table, name, &self.database);
    /* One state of the file, whoever is writing or bringing it up meanwhile. */
    const int code = sqlite3_exec(database, "BEGIN", NULL, NULL, NULL);
    if (status == SQA_OK && code != SQLITE_OK)
        status = sqa_database_fail(database, name, code);
    if (status == SQA_OK)
        status = sqa_database_check_schema(database, name, SQA_SCHEMA_OLDEST_READ, &empty);
    if (status == SQA_OK && !empty)
        status = read_rows(&self, database, name, device);
    if (status == SQA_OK && !empty && device)
        status = sqa_probe_answers_read(&table->probes, database, name, device);
    sqlite3_close(database);

    if (status != SQA_OK) {
        table->count = before;
        if (status == SQA_OUT_OF_MEMORY)
            return status;
        sqa_log_write(log, SQA_LOG_WARNING, "%s; left aside, defaults are used", sqa_last_error());
        return SQA_OK;
    }
    if (self.skipped)
        sqa_log_write(log, SQA_LOG_WARNING,
                      "tuning database %s: %zu of %zu results are not usable and left aside", name,
                      self.skipped, self.skipped + table->count - before);
    sqa_log_write(log, SQA_LOG_INFO, "tuning database %s: %zu results", name,
                  table->count - before);
    return SQA_OK;
}

static sqa_status load_path(sqa_tuning_table *table, const char *path, sqa_tuning_source source,
                            const sqa_device *device, const sqa_log *log)
{
    sqlite3 *database = NULL;
    sqa_status status = sqa_database_open_reader(&database, path, BUSY_MS);
    if (status == SQA_OK)
        return load(table, database, path, source, device, log);
    if (status == SQA_OUT_OF_MEMORY)
        return status;
    sqa_log_write(log, SQA_LOG_WARNING, "%s; left aside, defaults are used", sqa_last_error());
    return SQA_OK;
}

sqa_status sqa_tuning_table_load_file(sqa_tuning_table *table, const char *path,
                                      const sqa_device *device, const sqa_log *log)
{
    struct stat file;
    if (!path || !path[0])
        return SQA_OK;
    if (stat(path, &file) && (errno == ENOENT || errno == ENOTDIR)) {
        sqa_log_write(log, SQA_LOG_INFO, "no tuning database at %s yet", path);
        return SQA_OK;
    }
    return load_path(table, path, SQA_SOURCE_USER, device, log);
}

sqa_status sqa_tuning_table_load_extra(sqa_tuning_table *table, const char *path,
                                       const sqa_device *device, const sqa_log *log)
{
    return load_path(table, path, SQA_SOURCE_EXTRA, device, log);
}

sqa_status sqa_tuning_table_load_seed(sqa_tuning_table *table, const sqa_device *device,
                                      const sqa_log *log)
{
    if (!sqa_seed_database_size)
        return SQA_OK;
    sqlite3 *database = NULL;
    sqa_status status =
        sqa_database_open_image(&database, sqa_seed_database, sqa_seed_database_size);
    if (status == SQA_OK)
        return load(table, database, "built into the library", SQA_SOURCE_SEED, device, log);
    if (status == SQA_OUT_OF_MEMORY)
        return status;
    sqa_log_write(log, SQA_LOG_WARNING, "%s; left aside, defaults are used", sqa_last_error());
    return SQA_OK;
}

void sqa_tuning_table_free(sqa_tuning_table *table)
{
    for (uint32_t i = 0; i < table->database_count; i++)
        free(table->databases[i]);
    free(table->databases);
    free(table->rows);
    sqa_probe_answers_free(&table->probes);
    *table = (sqa_tuning_table)SQA_TUNING_TABLE_INIT;
}

static sqa_status load_extras(sqa_tuning_table *table, const char *const *chosen,
                              const sqa_device *device, const sqa_log *log)
{
    sqa_database_paths extras;
    sqa_status status = sqa_extra_database_paths(chosen, &extras);
    for (size_t i = 0; i < extras.count && status == SQA_OK; i++)
        status = sqa_tuning_table_load_extra(table, extras.paths[i], device, log);
    sqa_database_paths_free(&extras);
    return status;
}

sqa_status sqa_tuning_table_load(sqa_tuning_table *table, const sqa_tuning_sources *sources,
                                 const sqa_device *device, const sqa_log *log)
{
    char found[4096];
    const char *user = sources->user_database;
    if (!user && sqa_user_database_path(found, sizeof found))
        user = found;
    sqa_status status = sqa_tuning_table_load_file(table, user, device, log);
    if (status == SQA_OK)
        status = load_extras(table, sources->extra_databases, device, log);
    return status != SQA_OK || sources->skip_seed ? status
                                                  : sqa_tuning_table_load_seed(table, device, log);
}
