/* Looking at what is stored, through a filter and in a stable order. */
#include <stdlib.h>

#include "store/connection.h"

/* In this order trials are visited and exported: the same database gives the
 * same text, and what belongs together stands together. */
static const char order[] =
    " ORDER BY vendor, architecture, model, runtime, device_name, driver_version, library_version,"
    " operation, dtype, head_dim, value_dim, mask, group_size, q_bucket, kv_bucket, rows_bucket,"
    " family, config, recorded_at, id";

/* instr() on lowered text, as LIKE would give '%' and '_' a meaning. */
static const char conditions[] =
    " WHERE (?1 IS NULL OR instr(lower(vendor || ' ' || architecture || ' ' || model || ' ' ||"
    " runtime || ' ' || device_name || ' ' || board_name), lower(?1)))"
    " AND (?2 IS NULL OR family = ?2) AND (?3 IS NULL OR operation = ?3)"
    " AND (?4 = 0 OR id = ?4)";

static int bind_filter(sqlite3_stmt *statement, const sqa_store_filter *filter)
{
    const char *const texts[] = {filter->device, filter->family, filter->operation};
    int code = SQLITE_OK;
    for (int i = 0; i < 3 && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
    return code == SQLITE_OK ? sqlite3_bind_int64(statement, 4, filter->id) : code;
}

static bool append_id(sqa_id_list *list, size_t *capacity, int64_t id)
{
    if (list->count == *capacity) {
        size_t larger = *capacity ? 2 * *capacity : 256;
        int64_t *ids = realloc(list->ids, larger * sizeof *ids);
        if (!ids)
            return false;
        list->ids = ids;
        *capacity = larger;
    }
    list->ids[list->count++] = id;
    return true;
}

sqa_status sqa_store_list(sqa_store *store, const sqa_store_filter *filter, sqa_id_list *out)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_format(&sql, "SELECT id FROM %s%s%s", filter->best_only ? "best" : "result",
                    conditions, order);
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare_text(store, &sql, &statement);
    if (status != SQA_OK)
        return status;
    size_t capacity = 0;
    int code = bind_filter(statement, filter);
    if (code == SQLITE_OK)
        while (status == SQA_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
            if (!append_id(out, &capacity, sqlite3_column_int64(statement, 0)))
                status = sqa_fail_memory("the list of trials");
    if (status == SQA_OK && code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}

/* Reads one trial and lets the database go again. *found false: it is gone. */
static sqa_status read_trial(sqa_store *store, sqlite3_stmt *statement, int64_t id, bool *found,
                             sqa_stored_trial *out)
{
    sqa_status status = SQA_OK;
    int code = sqlite3_bind_int64(statement, 1, id);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *found = code == SQLITE_ROW;
    if (*found)
        status = sqa_columns_read(statement, false, out);
    else if (code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    sqlite3_reset(statement);
    return status;
}

sqa_status sqa_store_each(sqa_store *store, const sqa_store_filter *filter, sqa_store_visit visit,
                          void *user)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_append(&sql, "SELECT ");
    sqa_columns_list(&sql);
    sqa_text_append(&sql, " FROM result WHERE id = ?1");
    sqlite3_stmt *statement = NULL;
    sqa_id_list list = {NULL, 0};
    sqa_status status = sqa_store_prepare_text(store, &sql, &statement);
    if (status == SQA_OK)
        status = sqa_store_list(store, filter, &list);
    /* One short read per trial: `visit` may be writing to a pipe nobody empties. */
    for (size_t i = 0; i < list.count && status == SQA_OK; i++) {
        sqa_stored_trial trial;
        bool found;
        status = read_trial(store, statement, list.ids[i], &found, &trial);
        if (status == SQA_INVALID_ARGUMENT)
            status = visit(user, NULL);
        else if (status == SQA_OK && found)
            status = visit(user, &trial);
    }
    sqlite3_finalize(statement);
    free(list.ids);
    return status;
}
