#include "store/prune.h"
#include "operations/operations.h"

#include <string.h>

#include "kernels/registry.h"
#include "problem/names.h"
#include "store/connection.h"

/* A step removes rows and says how many; what it needs is bound before. */
static sqa_status finish(sqa_store *store, sqlite3_stmt *statement, int code, int64_t *removed)
{
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqa_status status = code == SQLITE_DONE ? SQA_OK : sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    if (status == SQA_OK && removed)
        *removed += sqlite3_changes(store->database);
    return status;
}

static sqa_status remove_rows(sqa_store *store, const char *sql, int64_t *removed)
{
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare(store, sql, &statement);
    return status == SQA_OK ? finish(store, statement, SQLITE_OK, removed) : status;
}

#define OUTDATED                                                                                   \
    " IN (SELECT trial.id FROM trial JOIN problem_class ON problem_class.id = trial.class"         \
    " WHERE operation = ?1 AND family = ?2 AND space_version < ?3)"

static sqa_status remove_outdated(sqa_store *store, const sqa_kernel_family *family,
                                  int64_t *removed)
{
    static const struct {
        const char *sql;
        bool counts;
    } steps[] = {{"DELETE FROM winner WHERE trial" OUTDATED, false},
                 {"DELETE FROM trial WHERE id" OUTDATED, true}};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == SQA_OK; i++) {
        sqlite3_stmt *statement = NULL;
        status = sqa_store_prepare(store, steps[i].sql, &statement);
        if (status != SQA_OK)
            return status;
        int code = sqlite3_bind_text(statement, 1, sqa_operation_name(family->operation), -1,
                                     SQLITE_STATIC);
        if (code == SQLITE_OK)
            code = sqlite3_bind_text(statement, 2, family->name, -1, SQLITE_STATIC);
        if (code == SQLITE_OK)
            code = sqlite3_bind_int64(statement, 3, family->space_version);
        status = finish(store, statement, code, steps[i].counts ? removed : NULL);
    }
    return status;
}

/* Ranked as the view `leader` does: by time within a problem; a class has the fastest of
 * its problems first, then the second of each, ordered by what was possible. */
static sqa_status remove_losers(sqa_store *store, uint32_t keep, int64_t *removed)
{
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare(
        store,
        "DELETE FROM trial WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER ("
        "PARTITION BY environment, class ORDER BY status = 'ok' DESC, place_in_problem,"
        " fraction_of_roofline DESC NULLS LAST, gflops DESC, id DESC) AS place"
        " FROM (SELECT *, row_number() OVER (PARTITION BY environment, problem"
        "  ORDER BY status = 'ok' DESC, median_ms, id DESC) AS place_in_problem"
        "  FROM timed WHERE status IN ('ok', 'too_noisy'))) WHERE place > ?1)"
        " AND id NOT IN (SELECT trial FROM winner)",
        &statement);
    return status == SQA_OK
               ? finish(store, statement, sqlite3_bind_int64(statement, 1, keep), removed)
               : status;
}

static sqa_status remove_unused(sqa_store *store, sqa_prune_report *report)
{
    sqa_status status =
        remove_rows(store, "DELETE FROM problem WHERE id NOT IN (SELECT problem FROM trial)", NULL);
    if (status == SQA_OK)
        status = remove_rows(store,
                             "DELETE FROM problem_class WHERE id NOT IN (SELECT class FROM trial)",
                             &report->classes);
    if (status == SQA_OK)
        status = remove_rows(store,
                             "DELETE FROM environment WHERE id NOT IN"
                             " (SELECT environment FROM trial UNION ALL"
                             "  SELECT environment FROM probe)",
                             &report->environments);
    return status == SQA_OK ? remove_rows(store,
                                          "DELETE FROM device WHERE id NOT IN"
                                          " (SELECT device FROM environment)",
                                          &report->devices)
                            : status;
}

static sqa_status prune(sqa_store *store, const sqa_prune_options *options,
                        sqa_prune_report *report)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sqa_family_count() && status == SQA_OK; i++)
        status = remove_outdated(store, sqa_family_at(i), &report->outdated);
    if (status == SQA_OK && options->keep)
        status = remove_losers(store, options->keep, &report->losers);
    if (status == SQA_OK && options->quarantine)
        status = remove_rows(store, "DELETE FROM quarantine WHERE 1", &report->quarantined);
    return status == SQA_OK ? remove_unused(store, report) : status;
}

sqa_status sqa_store_prune(sqa_store *store, const sqa_prune_options *options,
                           sqa_prune_report *report)
{
    memset(report, 0, sizeof *report);
    sqa_status status = sqa_store_begin(store);
    if (status != SQA_OK)
        return status;
    status = prune(store, options, report);
    if (status == SQA_OK && options->dry_run) {
        int code = sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
        return code == SQLITE_OK ? SQA_OK : sqa_store_fail(store, code);
    }
    status = sqa_store_end(store, status);
    /* Only saves room: that somebody else is reading is no failure. */
    if (status == SQA_OK)
        sqlite3_exec(store->database, "VACUUM", NULL, NULL, NULL);
    return status;
}
