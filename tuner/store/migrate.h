/* Bringing a database to the current schema. */
#ifndef SQA_TUNER_MIGRATE_H
#define SQA_TUNER_MIGRATE_H

#include <sqlite3.h>

#include "base/embedded.h"
#include "base/status.h"

/* Makes the tables of an empty database from `sql`'s "schema.sql", or runs the
 * files "migrations/NNN_*.sql" that lie between its version and `version`, in
 * order; NNN is the version a file leads to. Either way the views are then those of
 * "views.sql". All or nothing, and safe when several processes do it at once.
 * Functions that the files use are there already. `name` is for the detail.
 * Errors: SQA_DATABASE_ERROR: newer schema, another program's file, damage. */
sqa_status sqa_migrate(sqlite3 *database, const char *name, const sqa_embedded_file *sql,
                       int version);

#endif
