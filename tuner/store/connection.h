/* Inside the store: one connection, its transactions and its failures. */
#ifndef SQA_TUNER_CONNECTION_H
#define SQA_TUNER_CONNECTION_H

#include <sqlite3.h>

#include "base/text.h"
#include "store/columns.h"
#include "store/store.h"

struct sqa_store {
    sqlite3 *database;
    char *path;
};

/* Opens an empty database that is no file. */
sqa_status sqa_store_open_in_memory(sqa_store **out);

/* How long a writer waits for others before it gives up. */
enum { SQA_STORE_BUSY_MS = 15000 };

/* Records why the last call on the connection failed. */
sqa_status sqa_store_fail(sqa_store *store, int code);

/* Takes the write lock at once, so that what is read in the transaction still
 * holds when it is written; waits for other writers. */
sqa_status sqa_store_begin(sqa_store *store);

/* Commits when `status` is SQA_OK, undoes everything otherwise; gives the first
 * failure. */
sqa_status sqa_store_end(sqa_store *store, sqa_status status);

sqa_status sqa_store_prepare(sqa_store *store, const char *sql, sqlite3_stmt **out);

/* The same from a text, which is freed. */
sqa_status sqa_store_prepare_text(sqa_store *store, sqa_text *sql, sqlite3_stmt **out);

/* The rows a row refers to, by column name; a NULL name ends them. */
typedef struct sqa_parent {
    const char *column;
    int64_t id;
} sqa_parent;

/* The row of `group`'s table that has the key columns of `trial`. */
sqa_status sqa_rows_find(sqa_store *store, sqa_column_group group, const sqa_stored_trial *trial,
                         const sqa_parent *parents, int64_t *id, bool *found);
sqa_status sqa_rows_add(sqa_store *store, sqa_column_group group, const sqa_stored_trial *trial,
                        const sqa_parent *parents, int64_t *id);
/* Finds it or adds it. */
sqa_status sqa_rows_need(sqa_store *store, sqa_column_group group, const sqa_stored_trial *trial,
                         const sqa_parent *parents, int64_t *id);

/* Inside a transaction: the environment of a trial, the trial itself (its
 * `environment` being set) and its being the winner. `only_new`: a trial that is
 * already there word for word is not added again. `only_if_better`: an older
 * winner that was faster stays. */
sqa_status sqa_store_need_environment(sqa_store *store, const sqa_stored_trial *trial, int64_t *id);
sqa_status sqa_store_insert_trial(sqa_store *store, const sqa_stored_trial *trial, bool only_new,
                                  int64_t *id, bool *added);
sqa_status sqa_store_insert_winner(sqa_store *store, int64_t trial, bool only_if_better);

/* The ids that pass a filter, in the order of sqa_store_each(). The caller frees
 * `ids`, also after a failure. */
typedef struct sqa_id_list {
    int64_t *ids;
    size_t count;
} sqa_id_list;
sqa_status sqa_store_list(sqa_store *store, const sqa_store_filter *filter, sqa_id_list *out);

/* Texts in the order people expect: numbers in them by their value. */
int sqa_compare_by_numbers(const char *a, const char *b);

/* What its SQL calls; an SQLite result code. */
int sqa_query_functions_define(sqlite3 *database);

#endif
