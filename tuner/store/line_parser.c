#include "store/line_parser.h"

#include <string.h>

#include "base/utf8.h"
#include "store/old_line.h"

/* "'$.schema', '$.device', '$.device.vendor', ..." */
static void list_members(sqa_text *sql)
{
    sqa_text_append(sql, "'$.schema', '$.device', '$.environment', '$.problem', '$.trial'");
    for (size_t i = 0; i < sqa_column_count; i++)
        if (sqa_columns[i].line)
            sqa_text_format(sql, ", '$.%s.%s'", sqa_columns[i].line, sqa_columns[i].name);
}

/* Of a member that is there twice, JSON readers take one or the other. */
static sqa_status prepare_members(sqa_store *store, void (*list)(sqa_text *), sqlite3_stmt **out)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_append(&sql, "SELECT path || '.' || key AS member, count(*) AS times"
                          " FROM json_tree(?1) GROUP BY member"
                          " HAVING times > 1 OR member NOT IN (");
    list(&sql);
    sqa_text_append(&sql, ") LIMIT 1");
    return sqa_store_prepare_text(store, &sql, out);
}

static sqa_status prepare_select(sqa_store *store, void (*list)(sqa_text *), sqlite3_stmt **out)
{
    sqa_text sql = SQA_TEXT_INIT;
    sqa_text_append(&sql, "SELECT ");
    list(&sql);
    return sqa_store_prepare_text(store, &sql, out);
}

sqa_status sqa_line_parser_create(sqa_line_parser *out, sqa_store *store)
{
    *out = (sqa_line_parser){NULL, NULL, NULL, NULL, NULL};
    sqa_status status = sqa_store_prepare(
        store, "SELECT json_extract(?1, '$.schema') WHERE json_valid(?1)", &out->schema);
    if (status == SQA_OK)
        status = prepare_members(store, list_members, &out->members);
    if (status == SQA_OK)
        status = prepare_members(store, sqa_old_line_members, &out->old_members);
    if (status == SQA_OK)
        status = prepare_select(store, sqa_old_line_convert, &out->convert);
    if (status == SQA_OK)
        status = prepare_select(store, sqa_columns_from_line, &out->values);
    if (status != SQA_OK)
        sqa_line_parser_free(out);
    return status;
}

void sqa_line_parser_free(sqa_line_parser *parser)
{
    sqlite3_finalize(parser->schema);
    sqlite3_finalize(parser->members);
    sqlite3_finalize(parser->old_members);
    sqlite3_finalize(parser->convert);
    sqlite3_finalize(parser->values);
    *parser = (sqa_line_parser){NULL, NULL, NULL, NULL, NULL};
}

/* Whether a string has a zero spelled as "\u0000", where SQLite would cut it. */
static bool escapes_zero(const char *text)
{
    for (const char *at = strchr(text, '\\'); at; at = strchr(at + 2, '\\'))
        if (!strncmp(at + 1, "u0000", 5) || !at[1])
            return true;
    return false;
}

static sqa_status check_text(const sqa_line *line)
{
    if (line->bytes > SQA_LONGEST_LINE)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%llu bytes long; a line has %u at most",
                        (unsigned long long)line->bytes, SQA_LONGEST_LINE);
    if (strlen(line->text) != line->kept || escapes_zero(line->text))
        return sqa_fail(SQA_INVALID_ARGUMENT, "it holds a zero byte");
    if (!sqa_utf8_is_valid(line->text))
        return sqa_fail(SQA_INVALID_ARGUMENT, "it is not UTF-8");
    return SQA_OK;
}

/* The first row of a statement about the line; *row false: it has none. */
static sqa_status ask(sqa_store *store, sqlite3_stmt *statement, const char *line, bool *row)
{
    int code = sqlite3_bind_text(statement, 1, line, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return SQA_OK;
    return (code & 0xff) == SQLITE_ERROR
               ? sqa_fail(SQA_INVALID_ARGUMENT, "%s", sqlite3_errmsg(store->database))
               : sqa_store_fail(store, code);
}

/* The version of the line's form. */
static sqa_status read_schema(const sqa_line_parser *parser, sqa_store *store, const char *line,
                              int *schema)
{
    bool row = false;
    sqa_status status = ask(store, parser->schema, line, &row);
    if (status == SQA_OK && !row)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "malformed JSON");
    if (status == SQA_OK) {
        const bool number = sqlite3_column_type(parser->schema, 0) == SQLITE_INTEGER;
        const int64_t version = sqlite3_column_int64(parser->schema, 0);
        *schema = number && (version == 1 || version == 2) ? (int)version : 0;
        if (!*schema)
            status = sqa_fail(SQA_INVALID_ARGUMENT, "schema is missing or not 1 or 2");
    }
    sqlite3_reset(parser->schema);
    return status;
}

static sqa_status check_members(sqlite3_stmt *members, sqa_store *store, const char *line)
{
    bool row = false;
    sqa_status status = ask(store, members, line, &row);
    if (status == SQA_OK && row) {
        const char *member = (const char *)sqlite3_column_text(members, 0);
        int times = sqlite3_column_int(members, 1);
        status = sqa_fail(SQA_INVALID_ARGUMENT, "member %.80s %s", member ? member : "?",
                          times > 1 ? "is there more than once" : "is not one of a trial's");
    }
    sqlite3_reset(members);
    return status;
}

static sqa_status read_values(const sqa_line_parser *parser, sqa_store *store, const char *line,
                              sqa_stored_trial *out)
{
    bool row = false;
    sqa_status status = ask(store, parser->values, line, &row);
    if (status == SQA_OK)
        status = sqa_columns_read(parser->values, true, out);
    sqlite3_reset(parser->values);
    return status;
}

static sqa_status read_old(const sqa_line_parser *parser, sqa_store *store, const char *line,
                           sqa_stored_trial *out)
{
    bool row = false;
    sqa_status status = check_members(parser->old_members, store, line);
    if (status == SQA_OK)
        status = ask(store, parser->convert, line, &row);
    if (status == SQA_OK) {
        const char *text = (const char *)sqlite3_column_text(parser->convert, 0);
        status = text ? read_values(parser, store, text, out) : sqa_fail_memory("a line");
    }
    sqlite3_reset(parser->convert);
    return status;
}

sqa_status sqa_line_parse(const sqa_line_parser *parser, sqa_store *store, const sqa_line *line,
                          sqa_stored_trial *out)
{
    int schema = 0;
    sqa_status status = check_text(line);
    if (status == SQA_OK)
        status = read_schema(parser, store, line->text, &schema);
    if (status == SQA_OK && schema == 1)
        return read_old(parser, store, line->text, out);
    if (status == SQA_OK)
        status = check_members(parser->members, store, line->text);
    return status == SQA_OK ? read_values(parser, store, line->text, out) : status;
}
