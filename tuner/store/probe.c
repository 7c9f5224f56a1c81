/* See probe.h. */
#include "store/probe.h"

#include <string.h>

#include "operations/operations.h"
#include "store/connection.h"

/* Prepares a statement whose first values are what an answer is found by. */
static sqa_status prepare(sqa_store *store, const char *sql, int64_t environment,
                          const sqa_kernel_family *family, sqlite3_stmt **out)
{
    sqa_status status = sqa_store_prepare(store, sql, out);
    if (status != SQA_OK)
        return status;
    int code = sqlite3_bind_int64(*out, 1, environment);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(*out, 2, sqa_operation_name(family->operation), -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(*out, 3, family->name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        return SQA_OK;
    sqlite3_finalize(*out);
    return sqa_store_fail(store, code);
}

sqa_status sqa_store_find_probe(sqa_store *store, int64_t environment,
                                const sqa_kernel_family *family, bool *found, bool *failed)
{
    sqlite3_stmt *statement = NULL;
    sqa_status status = prepare(store,
                                "SELECT status <> 'ok' FROM probe WHERE environment = ?1"
                                " AND operation = ?2 AND family = ?3",
                                environment, family, &statement);
    if (status != SQA_OK)
        return status;
    const int code = sqlite3_step(statement);
    *found = code == SQLITE_ROW;
    *failed = *found && sqlite3_column_int(statement, 0);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}

static sqa_status set(sqa_store *store, int64_t environment, const sqa_kernel_family *family,
                      const sqa_trial_result *result)
{
    char now[SQA_TIME_TEXT];
    sqlite3_stmt *statement = NULL;
    sqa_status status =
        prepare(store,
                "INSERT OR REPLACE INTO probe (environment, operation, family, status, message,"
                " recorded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                environment, family, &statement);
    if (status != SQA_OK)
        return status;
    sqa_time_now(now);
    const char *const texts[] = {sqa_trial_status_name(result->status), result->message, now};
    int code = SQLITE_OK;
    for (int i = 0; i < 3 && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, 4 + i, texts[i], -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}

sqa_status sqa_store_set_probe(sqa_store *store, int64_t environment,
                               const sqa_kernel_family *family, const sqa_trial_result *result)
{
    sqa_status status = sqa_store_begin(store);
    return status == SQA_OK ? sqa_store_end(store, set(store, environment, family, result))
                            : status;
}
