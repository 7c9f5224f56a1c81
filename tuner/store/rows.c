/* Rows found and added by their columns, for every table alike. The SQL is made
 * from the table of columns; values are always bound. */
#include <string.h>

#include "store/connection.h"

static const char *const tables[SQA_GROUP_COUNT] = {
    [SQA_GROUP_DEVICE] = "device",       [SQA_GROUP_ENVIRONMENT] = "environment",
    [SQA_GROUP_CLASS] = "problem_class", [SQA_GROUP_PROBLEM] = "problem",
    [SQA_GROUP_TRIAL] = "trial",
};

/* Appends "name tail" for each parent and each wanted column; how many. */
static size_t append_columns(sqa_text *sql, const char *separator, const char *tail,
                             sqa_column_group group, bool keys_only, const sqa_parent *parents)
{
    size_t count = 0;
    const char *between = "";
    for (; parents->column; parents++) {
        sqa_text_format(sql, "%s%s%s", between, parents->column, tail);
        between = separator;
        count++;
    }
    for (size_t i = 0; i < sqa_column_count; i++) {
        const sqa_column *column = &sqa_columns[i];
        if (column->group != group || (keys_only && !column->is_key))
            continue;
        sqa_text_format(sql, "%s%s%s", between, column->name, tail);
        between = separator;
        count++;
    }
    return count;
}

/* Binds the same values in the same order. */
static int bind_columns(sqlite3_stmt *statement, sqa_column_group group, bool keys_only,
                        const sqa_stored_trial *trial, const sqa_parent *parents)
{
    int index = 0, code = SQLITE_OK;
    for (; parents->column && code == SQLITE_OK; parents++)
        code = sqlite3_bind_int64(statement, ++index, parents->id);
    for (size_t i = 0; i < sqa_column_count && code == SQLITE_OK; i++)
        if (sqa_columns[i].group == group && (sqa_columns[i].is_key || !keys_only))
            code = sqa_column_bind(statement, ++index, &sqa_columns[i], trial);
    return code;
}

sqa_status sqa_rows_find(sqa_store *store, sqa_column_group group, const sqa_stored_trial *trial,
                         const sqa_parent *parents, int64_t *id, bool *found)
{
    /* IS, not =, so that unknown figures are equal to unknown figures. */
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_format(&sql, "SELECT id FROM %s WHERE ", tables[group]);
    append_columns(&sql, " AND ", " IS ?", group, true, parents);
    sqa_text_append(&sql, " LIMIT 1");
    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare_text(store, &sql, &statement);
    if (status != SQA_OK)
        return status;
    int code = bind_columns(statement, group, true, trial, parents);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *found = code == SQLITE_ROW;
    if (*found)
        *id = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}

sqa_status sqa_rows_add(sqa_store *store, sqa_column_group group, const sqa_stored_trial *trial,
                        const sqa_parent *parents, int64_t *id)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_format(&sql, "INSERT INTO %s (", tables[group]);
    size_t values = append_columns(&sql, ", ", "", group, false, parents);
    sqa_text_append(&sql, ") VALUES (?");
    while (--values > 0)
        sqa_text_append(&sql, ", ?");
    sqa_text_append(&sql, ")");

    sqlite3_stmt *statement = NULL;
    sqa_status status = sqa_store_prepare_text(store, &sql, &statement);
    if (status != SQA_OK)
        return status;
    int code = bind_columns(statement, group, false, trial, parents);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        *id = sqlite3_last_insert_rowid(store->database);
    else
        status = sqa_store_fail(store, code);
    sqlite3_finalize(statement);
    return status;
}

sqa_status sqa_rows_need(sqa_store *store, sqa_column_group group, const sqa_stored_trial *trial,
                         const sqa_parent *parents, int64_t *id)
{
    bool found = false;
    sqa_status status = sqa_rows_find(store, group, trial, parents, id, &found);
    return status == SQA_OK && !found ? sqa_rows_add(store, group, trial, parents, id) : status;
}
