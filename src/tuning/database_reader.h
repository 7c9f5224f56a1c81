/* Opening a tuning database to read from it, whatever state it is in. Knows the
 * file and its marks, not what the rows mean. */
#ifndef SQA_TUNING_DATABASE_READER_H
#define SQA_TUNING_DATABASE_READER_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/status.h"

/* Opens `path` for reading, waiting at most `busy_ms` for writers. A journal that
 * a killed writer left behind is rolled back; nothing else is ever written.
 * Errors: SQA_DATABASE_ERROR, whose detail names the file and the reason. */
sqa_status sqa_database_open_reader(sqlite3 **out, const char *path, int busy_ms);

/* sqlite3_open_v2() for what is a file's name and nothing else: of relative ones SQLite
 * would take file:NAME for an address and :memory: for no file at all. */
int sqa_database_open_file(sqlite3 **out, const char *path, int flags);

/* Opens a database image in memory, which must outlive the connection. */
sqa_status sqa_database_open_image(sqlite3 **out, const unsigned char *image, size_t size);

/* Whether the database is a tuning database of a version from `oldest` to the current
 * one. *empty: it has no tables yet (another process is about to make them). `name`
 * is for the detail.
 * Errors: SQA_DATABASE_ERROR. */
sqa_status sqa_database_check_schema(sqlite3 *database, const char *name, int oldest, bool *empty);

/* Records why the last call on `database` failed, in words for people: what is
 * wrong with `name` and what to do. Returns SQA_DATABASE_ERROR, or
 * SQA_OUT_OF_MEMORY when it was that. */
sqa_status sqa_database_fail(sqlite3 *database, const char *name, int code);

/* The integer a PRAGMA gives; false when it could not be read. */
bool sqa_database_pragma(sqlite3 *database, const char *pragma, int *out);

#endif
