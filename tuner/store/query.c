/* Looking at what is stored, through a filter and in a stable order. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/connection.h"
#include "store/heads.h"

/* In this order trials are visited and exported: the same database gives the
 * same text, and what belongs together stands together. */
static const char by_device[] =
    " ORDER BY vendor, architecture, model, runtime, device_name, driver_version, library_version,"
    " operation, key COLLATE by_numbers, shape COLLATE by_numbers, family, config, recorded_at, id";

/* What makes two trials trials of one problem, whatever the heads; then the heads. */
static const char by_speed[] =
    " ORDER BY operation, json_remove(fields, '$.hq', '$.hkv') COLLATE by_numbers,"
    " fields ->> 'hq' DESC, fields ->> 'hkv' DESC, median_ms, vendor, architecture, model,"
    " runtime, driver_version, id";

/* The winner's own measurement stands for a problem; where no final was held on it,
 * the fastest. */
static const char ranking[] =
    "(SELECT * FROM result WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER ("
    "PARTITION BY environment, problem ORDER BY winner DESC, final DESC, median_ms, id DESC)"
    " AS place FROM result WHERE status = 'ok') WHERE place = 1))";

/* instr() on lowered text, as LIKE would give '%' and '_' a meaning. */
static const char conditions[] =
    " WHERE (?1 IS NULL OR instr(lower(vendor || ' ' || architecture || ' ' || model || ' ' ||"
    " runtime || ' ' || device_name || ' ' || board_name), lower(?1)))"
    " AND (?2 IS NULL OR vendor = ?2) AND (?3 IS NULL OR family = ?3)"
    " AND (?4 IS NULL OR operation = ?4) AND (?5 IS NULL OR status = ?5)"
    " AND (?6 IS NULL OR instr(',' || key || ',', ',dtype=' || ?6 || ','))"
    " AND (?7 IS NULL OR instr(',' || key || ',', ',mask=' || ?7 || ','))"
    " AND ((?8 IS NULL AND ?9 = 0) OR has_heads_of(?8, ?9, fields ->> 'hq', fields ->> 'hkv'))"
    " AND (?10 = 0 OR fields ->> 'd' = ?10) AND (?11 = 0 OR fields ->> 'nq' = ?11)"
    " AND (?12 = 0 OR id = ?12) AND (NOT ?13 OR winner)"
    " AND (?14 IS NULL OR (vendor = ?14 AND architecture = ?15 AND model = ?16 AND runtime = ?17))";

/* Whether some model of so many heads (0: of any number) has these in the variant. */
static bool has_heads_of(sqa_variant variant, int64_t heads, int64_t q_heads, int64_t kv_heads)
{
    const int64_t first = heads ? heads : 1, last = heads ? heads : 4 * q_heads + 3;
    for (int64_t h = first; h <= last && h <= 65535; h++)
        if (sqa_heads_are_of(variant, (uint32_t)h, (uint32_t)q_heads, (uint32_t)kv_heads))
            return true;
    return false;
}

/* The same as a function of SQL, by the variant's name; NULL: in any variant. */
static void call_has_heads_of(sqlite3_context *call, int count, sqlite3_value **values)
{
    (void)count;
    const char *name = (const char *)sqlite3_value_text(values[0]);
    const int64_t heads = sqlite3_value_int64(values[1]), q = sqlite3_value_int64(values[2]),
                  kv = sqlite3_value_int64(values[3]);
    const bool any = q > 0 && q <= 65535 && kv > 0 && kv <= 65535;
    bool found = false;
    for (int i = 0; i < SQA_VARIANT_COUNT && any && !found; i++)
        found = (!name || !strcasecmp(name, sqa_variant_name((sqa_variant)i))) &&
                has_heads_of((sqa_variant)i, heads, q, kv);
    sqlite3_result_int(call, found);
}

/* How many digits stand at the beginning, without leading zeros, which *at leaves behind. */
static size_t digits_at(const char **at, const char *end)
{
    size_t count = 0;
    while (*at < end && **at == '0')
        ++*at;
    while (*at + count < end && (*at)[count] >= '0' && (*at)[count] <= '9')
        count++;
    return count;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int compare_by_numbers(void *user, int a_length, const void *a_text, int b_length,
                              const void *b_text)
{
    const char *a = a_text, *a_end = a + a_length, *b = b_text, *b_end = b + b_length;
    (void)user;
    while (a < a_end && b < b_end) {
        if (is_digit(*a) && is_digit(*b)) {
            const size_t in_a = digits_at(&a, a_end), in_b = digits_at(&b, b_end);
            const int order = in_a != in_b ? (in_a < in_b ? -1 : 1) : memcmp(a, b, in_a);
            if (order)
                return order;
            a += in_a;
            b += in_b;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return (a < a_end) - (b < b_end);
}

int sqa_compare_by_numbers(const char *a, const char *b)
{
    return compare_by_numbers(NULL, (int)strlen(a), a, (int)strlen(b), b);
}

int sqa_query_functions_define(sqlite3 *database)
{
    int code = sqlite3_create_function_v2(database, "has_heads_of", 4,
                                          SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                          NULL, call_has_heads_of, NULL, NULL, NULL);
    return code == SQLITE_OK ? sqlite3_create_collation_v2(database, "by_numbers", SQLITE_UTF8,
                                                           NULL, compare_by_numbers, NULL)
                             : code;
}

static int bind_filter(sqlite3_stmt *statement, const sqa_store_filter *filter)
{
    const char *const texts[] = {filter->device, filter->vendor, filter->family, filter->operation,
                                 filter->status, filter->dtype,  filter->mask,   filter->variant};
    const int64_t numbers[] = {filter->heads, filter->head_dim, filter->q_length, filter->id,
                               filter->winners_only};
    const sqa_device_identity *identity = filter->identity;
    const char *const names[] = {
        identity ? identity->vendor : NULL, identity ? identity->architecture : NULL,
        identity ? identity->model : NULL, identity ? identity->runtime : NULL};
    int code = SQLITE_OK, index = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, ++index, texts[i], -1, SQLITE_STATIC);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && code == SQLITE_OK; i++)
        code = sqlite3_bind_int64(statement, ++index, numbers[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, ++index, names[i], -1, SQLITE_STATIC);
    return code;
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
    sqa_text_format(&sql, "SELECT id FROM %s%s%s",
                    filter->ranking     ? ranking
                    : filter->best_only ? "best"
                                        : "result",
                    conditions, filter->ranking ? by_speed : by_device);
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
