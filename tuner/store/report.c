/* The state of a database file: is it sound, and how much is in it. */
#include <stdio.h>
#include <string.h>

#include "kernels/config_space.h"
#include "kernels/registry.h"
#include "operations/operations.h"
#include "store/connection.h"
#include "tuning/database_reader.h"

/* Runs `sql` and keeps the first row's text, in front of which stands `what`; a
 * text equal to `good` and no row at all are fine. */
static void look_for_damage(sqa_store *store, const char *sql, const char *what, const char *good,
                            sqa_store_report *out)
{
    if (out->problem[0])
        return;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        if (!text || !good || strcmp(text, good))
            snprintf(out->problem, sizeof out->problem, "%s: %s", what, text ? text : "?");
    } else if (code != SQLITE_DONE) {
        snprintf(out->problem, sizeof out->problem, "%s: %s", what,
                 sqlite3_errmsg(store->database));
    }
    sqlite3_finalize(statement);
}

static void count_rows(sqa_store *store, const char *table, int64_t *out, sqa_store_report *report)
{
    char sql[64];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else if (!report->problem[0])
        snprintf(report->problem, sizeof report->problem, "%s: %s", table,
                 sqlite3_errmsg(store->database));
    sqlite3_finalize(statement);
}

static const sqa_kernel_family *family_of(const sqa_stored_trial *trial)
{
    sqa_operation operation;
    return sqa_operation_from_name(trial->operation, &operation)
               ? sqa_family_find(operation, trial->family)
               : NULL;
}

/* Whether the trial could be imported today. */
static sqa_status judge(void *user, const sqa_stored_trial *stored)
{
    sqa_store_report *report = user;
    sqa_stored_trial trial;
    if (stored) {
        trial = *stored;
        const sqa_kernel_family *family = family_of(&trial);
        if (family && family->space_version != trial.space_version) {
            report->outdated++;
            return SQA_OK;
        }
        report->reopened +=
            family && trial.winner && !sqa_candidates_are_current(family, trial.candidates);
        if (sqa_stored_trial_validate(&trial) == SQA_OK)
            return SQA_OK;
    }
    if (report->doubtful++ == 0)
        snprintf(report->doubt, sizeof report->doubt, "trial %lld: %.400s",
                 stored ? (long long)stored->id : 0LL, sqa_last_error());
    return SQA_OK;
}

sqa_status sqa_store_check(sqa_store *store, sqa_store_report *out)
{
    memset(out, 0, sizeof *out);
    if (!sqa_database_pragma(store->database, "PRAGMA user_version", &out->schema_version))
        return sqa_store_fail(store, sqlite3_extended_errcode(store->database));
    look_for_damage(store, "PRAGMA integrity_check(1)", "integrity", "ok", out);
    look_for_damage(store,
                    "SELECT \"table\" || ' row ' || rowid || ' refers to a missing row of ' ||"
                    " parent FROM pragma_foreign_key_check",
                    "references", NULL, out);
    look_for_damage(store,
                    "SELECT 'trial ' || winner.trial || ' has won but is ' || status FROM winner"
                    " JOIN trial ON trial.id = winner.trial WHERE status <> 'ok'",
                    "winners", NULL, out);
    const struct {
        const char *table;
        int64_t *count;
    } counts[] = {
        {"device", &out->devices},         {"environment", &out->environments},
        {"problem_class", &out->classes},  {"trial", &out->trials},
        {"winner", &out->winners},         {"best", &out->best},
        {"quarantine", &out->quarantined},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        count_rows(store, counts[i].table, counts[i].count, out);
    out->sound = !out->problem[0];
    const sqa_store_filter all = {0};
    return out->sound ? sqa_store_each(store, &all, judge, out) : SQA_OK;
}
