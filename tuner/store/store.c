/* What a tuning run writes and reads back: environments, trials, winners. Knows
 * nothing of how a configuration was chosen or measured. */
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/config_space.h"
#include "operations/operations.h"
#include "sqa_cl/version.h"
#include "store/connection.h"

static const sqa_parent no_parents[] = {{NULL, 0}};

static sqa_status find_environment(sqa_store *store, const sqa_stored_trial *trial, int64_t *id,
                                   bool *found)
{
    int64_t device = 0;
    sqa_status status = sqa_rows_find(store, SQA_GROUP_DEVICE, trial, no_parents, &device, found);
    if (status != SQA_OK || !*found)
        return status;
    const sqa_parent parents[] = {{"device", device}, {NULL, 0}};
    return sqa_rows_find(store, SQA_GROUP_ENVIRONMENT, trial, parents, id, found);
}

sqa_status sqa_store_need_environment(sqa_store *store, const sqa_stored_trial *trial, int64_t *id)
{
    int64_t device = 0;
    sqa_status status = sqa_rows_need(store, SQA_GROUP_DEVICE, trial, no_parents, &device);
    const sqa_parent parents[] = {{"device", device}, {NULL, 0}};
    return status == SQA_OK ? sqa_rows_need(store, SQA_GROUP_ENVIRONMENT, trial, parents, id)
                            : status;
}

sqa_status sqa_store_environment(sqa_store *store, const sqa_device *device, int64_t *environment)
{
    sqa_stored_trial trial;
    memset(&trial, 0, sizeof trial);
    trial.device = *device;
    snprintf(trial.library_version, sizeof trial.library_version, "%s", sqa_version_string());
    int64_t id = 0;
    bool found = false;
    /* Mostly it is there, and no lock is needed. */
    sqa_status status = find_environment(store, &trial, &id, &found);
    if (status == SQA_OK && !found) {
        status = sqa_store_begin(store);
        if (status == SQA_OK)
            status = sqa_store_end(store, sqa_store_need_environment(store, &trial, &id));
    }
    if (status == SQA_OK)
        *environment = id;
    return status;
}

/* What identifies a trial: problem, family, configuration. */
static void fill_key(sqa_stored_trial *out, const sqa_trial_record *record)
{
    const sqa_problem_class of = sqa_problem_class_of(record->problem);
    memset(out, 0, sizeof *out);
    out->environment = record->environment;
    snprintf(out->operation, sizeof out->operation, "%s", sqa_operation_name(of.operation));
    sqa_problem_class_format(&of, out->class_key);
    sqa_problem_format(record->problem, out->shape, sizeof out->shape);
    snprintf(out->family, sizeof out->family, "%s", record->family->name);
    out->space_version = record->family->space_version;
    sqa_config_format(record->family, record->config, out->config);
}

static double known(double value)
{
    return value > 0 ? value : (double)NAN;
}

static sqa_trial_ceilings known_ceilings(const sqa_trial_ceilings *ceilings)
{
    return (sqa_trial_ceilings){known(ceilings->fma_gflops), known(ceilings->matrix_gflops),
                                known(ceilings->copy_gbs), known(ceilings->read_gbs)};
}

static void fill_result(sqa_stored_trial *out, const sqa_trial_record *record)
{
    out->result = *record->result;
    out->modelled = NAN;
    out->ceilings = known_ceilings(&record->ceilings);
    bool timed = out->result.status == SQA_TRIAL_OK || out->result.status == SQA_TRIAL_TOO_NOISY;
    if (!timed)
        out->result.median_ms = out->result.spread_ms = out->result.yardstick_ms = NAN;
    out->result.yardstick_ms = known(out->result.yardstick_ms);
    out->flop = sqa_problem_flop(record->problem);
    out->bytes = sqa_problem_bytes(record->problem);
    sqa_candidates_digest(record->family, out->candidates);
    memcpy(&out->seed, &record->seed, sizeof out->seed);
    out->final = record->final;
    if (record->source_hash)
        snprintf(out->source_hash, sizeof out->source_hash, "%s", record->source_hash);
    sqa_time_now(out->recorded_at);
}

/* The class and the problem of a trial, found or added. */
static sqa_status need_problem(sqa_store *store, const sqa_stored_trial *trial, int64_t *class_id,
                               int64_t *problem)
{
    sqa_status status = sqa_rows_need(store, SQA_GROUP_CLASS, trial, no_parents, class_id);
    const sqa_parent parents[] = {{"class", *class_id}, {NULL, 0}};
    return status == SQA_OK ? sqa_rows_need(store, SQA_GROUP_PROBLEM, trial, parents, problem)
                            : status;
}

static sqa_status find_problem(sqa_store *store, const sqa_stored_trial *trial, int64_t *problem,
                               bool *found)
{
    int64_t class_id = 0;
    sqa_status status = sqa_rows_find(store, SQA_GROUP_CLASS, trial, no_parents, &class_id, found);
    const sqa_parent parents[] = {{"class", class_id}, {NULL, 0}};
    return status == SQA_OK && *found
               ? sqa_rows_find(store, SQA_GROUP_PROBLEM, trial, parents, problem, found)
               : status;
}

sqa_status sqa_store_insert_trial(sqa_store *store, const sqa_stored_trial *trial, bool only_new,
                                  int64_t *id, bool *added)
{
    int64_t class_id = 0, problem = 0;
    sqa_status status = need_problem(store, trial, &class_id, &problem);
    const sqa_parent parents[] = {
        {"environment", trial->environment}, {"problem", problem}, {"class", class_id}, {NULL, 0}};
    bool found = false;
    if (status == SQA_OK && only_new)
        status = sqa_rows_find(store, SQA_GROUP_TRIAL, trial, parents, id, &found);
    *added = !found;
    return status == SQA_OK && !found ? sqa_rows_add(store, SQA_GROUP_TRIAL, trial, parents, id)
                                      : status;
}

sqa_status sqa_store_add_trial(sqa_store *store, const sqa_trial_record *record, int64_t *trial)
{
    sqa_stored_trial row;
    fill_key(&row, record);
    fill_result(&row, record);
    if (row.result.status == SQA_TRIAL_OK &&
        !(row.result.median_ms > 0 && isfinite(row.result.median_ms) && row.result.max_error >= 0))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "result: a trial that is ok needs median_ms > 0 and max_error >= 0");
    int64_t id = 0;
    bool added;
    sqa_status status = sqa_store_begin(store);
    if (status == SQA_OK)
        status = sqa_store_end(store, sqa_store_insert_trial(store, &row, false, &id, &added));
    if (status == SQA_OK && trial)
        *trial = id;
    return status;
}

sqa_status sqa_store_insert_winner(sqa_store *store, int64_t trial, bool only_if_better)
{
    /* What was measured in a final, against the others in turn, is better founded than
     * what was not. Else measurements of different times compare best as parts of what was
     * possible then: a busy machine slows both down. */
    static const char sql[] =
        "INSERT INTO winner (environment, class, trial)"
        " SELECT environment, class, id FROM trial WHERE id = ?1 AND status = 'ok'"
        " ON CONFLICT (environment, class) DO UPDATE SET trial = excluded.trial"
        " WHERE NOT ?2 OR EXISTS (SELECT 1 FROM timed AS new, timed AS old"
        "  WHERE new.id = excluded.trial AND old.id = winner.trial AND new.final >= old.final AND"
        "   (new.final > old.final OR"
        "    iif(new.fraction_of_roofline > 0 AND old.fraction_of_roofline > 0,"
        "        new.fraction_of_roofline > old.fraction_of_roofline,"
        "        iif(new.problem = old.problem, new.median_ms < old.median_ms,"
        "            new.gflops > old.gflops))))";
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare(store, sql, &statement);
    if (status != SQA_OK)
        return status;
    int code = sqlite3_bind_int64(statement, 1, trial);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int(statement, 2, only_if_better);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    else if (!only_if_better && sqlite3_changes(store->database) == 0)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "trial: %lld is not a trial that was found correct",
                          (long long)trial);
    sqlite3_finalize(statement);
    return status;
}

sqa_status sqa_store_set_winner(sqa_store *store, int64_t trial)
{
    sqa_status status = sqa_store_begin(store);
    return status == SQA_OK ? sqa_store_end(store, sqa_store_insert_winner(store, trial, false))
                            : status;
}

/* Binds what find_trial asks for. */
static int bind_attempt(sqlite3_stmt *statement, const sqa_stored_trial *key, int64_t problem)
{
    const int64_t numbers[] = {key->environment, problem, key->space_version};
    const char *const texts[] = {key->family, key->config};
    int index = 0, code = SQLITE_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && code == SQLITE_OK; i++)
        code = sqlite3_bind_int64(statement, ++index, numbers[i]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, ++index, texts[i], -1, SQLITE_STATIC);
    return code;
}

sqa_status sqa_store_find_trial(sqa_store *store, const sqa_trial_record *key,
                                sqa_trial_result *out, bool *found)
{
    sqa_stored_trial wanted, row;
    int64_t problem = 0;
    fill_key(&wanted, key);
    sqa_status status = find_problem(store, &wanted, &problem, found);
    if (status != SQA_OK || !*found)
        return status;

    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_append(&sql, "SELECT ");
    sqa_columns_list(&sql);
    sqa_text_append(&sql, " FROM result WHERE environment = ? AND problem = ?"
                          " AND space_version = ? AND family = ? AND config = ? AND NOT final"
                          " AND status <> 'modelled'"
                          " ORDER BY id DESC LIMIT 1");
    sqlite3_stmt *statement = NULL;
    status = sqa_store_prepare_text(store, &sql, &statement);
    if (status != SQA_OK)
        return status;
    int code = bind_attempt(statement, &wanted, problem);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        status = sqa_columns_read(statement, false, &row);
    else if (code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    *found = status == SQA_OK && code == SQLITE_ROW;
    if (*found)
        *out = row.result;
    return status;
}

sqa_status sqa_store_configurations(sqa_store *store, const sqa_stored_trial *trial, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    sqa_status status =
        sqa_store_prepare(store,
                          "SELECT count(*) FROM (SELECT DISTINCT family, config FROM trial"
                          " WHERE environment = ?1 AND problem = ?2)",
                          &statement);
    if (status != SQA_OK)
        return status;
    int code = sqlite3_bind_int64(statement, 1, trial->environment);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, trial->problem_id);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}
