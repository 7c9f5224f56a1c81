/* How fast trials followed one another, by the times they were recorded at; see store.h. */
#include <math.h>

#include "store/connection.h"

/* The latest trials tell, if there are enough of them. */
#define LATEST "200"
#define ENOUGH 10

/* Longer pauses lie between two runs. */
#define PAUSE_S "30"

/* Of searches: finals are recorded all at once. */
static const char sql[] =
    "SELECT count(*), sum(gap) FROM (SELECT 86400.0 * (julianday(recorded_at) -"
    " julianday(lag(recorded_at) OVER (PARTITION BY environment ORDER BY trial.id))) AS gap"
    " FROM trial JOIN environment ON environment.id = trial.environment"
    " JOIN device ON device.id = environment.device"
    " WHERE NOT final AND vendor = ?1 AND architecture = ?2 AND model = ?3 AND runtime = ?4"
    " ORDER BY trial.id DESC LIMIT " LATEST ") WHERE gap BETWEEN 0 AND " PAUSE_S;

sqa_status sqa_store_trial_seconds(sqa_store *store, const sqa_device_identity *identity,
                                   double *out)
{
    const char *const texts[] = {identity->vendor, identity->architecture, identity->model,
                                 identity->runtime};
    sqlite3_stmt *statement;
    *out = (double)NAN;
    sqa_status status = sqa_store_prepare(store, sql, &statement);
    if (status != SQA_OK)
        return status;
    int code = SQLITE_OK;
    for (int i = 0; i < 4 && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_int(statement, 0) >= ENOUGH)
        *out = sqlite3_column_double(statement, 1) / sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQA_OK : sqa_store_fail(store, code);
}
