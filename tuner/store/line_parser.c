#include "store/line_parser.h"

#include <string.h>

#include "base/utf8.h"

/* "'$.schema', '$.device', '$.device.vendor', ..." */
static void list_members(sqa_text *sql)
{
    sqa_text_append(sql, "'$.schema', '$.device', '$.environment', '$.problem', '$.trial'");
    for (size_t i = 0; i < sqa_column_count; i++)
        if (sqa_columns[i].line)
            sqa_text_format(sql, ", '$.%s.%s'", sqa_columns[i].line, sqa_columns[i].name);
}

sqa_status sqa_line_parser_create(sqa_line_parser *out, sqa_store *store)
{
    *out = (sqa_line_parser){NULL, NULL, NULL};
    /* Of a member that is there twice, JSON readers take one or the other. */
    sqa_text members = SQA_TEXT_INIT, values = SQA_TEXT_INIT;
    sqa_text_append(&members, "SELECT path || '.' || key AS member, count(*) AS times"
                              " FROM json_tree(?1) GROUP BY member"
                              " HAVING times > 1 OR member NOT IN (");
    list_members(&members);
    sqa_text_append(&members, ") LIMIT 1");
    sqa_text_append(&values, "SELECT ");
    sqa_columns_from_line(&values);
    sqa_text_append(&values, ", json_extract(?1, '$.schema')");
    sqa_status status = sqa_store_prepare(store, "SELECT json_valid(?1)", &out->valid);
    if (status == SQA_OK)
        status = sqa_store_prepare_text(store, &members, &out->members);
    if (status == SQA_OK)
        status = sqa_store_prepare_text(store, &values, &out->values);
    sqa_text_free(&members);
    sqa_text_free(&values);
    if (status != SQA_OK)
        sqa_line_parser_free(out);
    return status;
}

void sqa_line_parser_free(sqa_line_parser *parser)
{
    sqlite3_finalize(parser->valid);
    sqlite3_finalize(parser->members);
    sqlite3_finalize(parser->values);
    *parser = (sqa_line_parser){NULL, NULL, NULL};
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
static sqa_status ask(sqa_store *store, sqlite3_stmt *statement, const sqa_line *line, bool *row)
{
    int code = sqlite3_bind_text(statement, 1, line->text, (int)line->kept, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return SQA_OK;
    return (code & 0xff) == SQLITE_ERROR
               ? sqa_fail(SQA_INVALID_ARGUMENT, "%s", sqlite3_errmsg(store->database))
               : sqa_store_fail(store, code);
}

static sqa_status check_json(const sqa_line_parser *parser, sqa_store *store, const sqa_line *line)
{
    bool row = false;
    sqa_status status = ask(store, parser->valid, line, &row);
    if (status == SQA_OK && !(row && sqlite3_column_int(parser->valid, 0)))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "malformed JSON");
    sqlite3_reset(parser->valid);
    return status;
}

static sqa_status check_members(const sqa_line_parser *parser, sqa_store *store,
                                const sqa_line *line)
{
    bool row = false;
    sqa_status status = ask(store, parser->members, line, &row);
    if (status == SQA_OK && row) {
        const char *member = (const char *)sqlite3_column_text(parser->members, 0);
        int times = sqlite3_column_int(parser->members, 1);
        status = sqa_fail(SQA_INVALID_ARGUMENT, "member %.80s %s", member ? member : "?",
                          times > 1 ? "is there more than once" : "is not one of a trial's");
    }
    sqlite3_reset(parser->members);
    return status;
}

static sqa_status read_values(const sqa_line_parser *parser, sqa_store *store, const sqa_line *line,
                              sqa_stored_trial *out)
{
    bool row = false;
    sqa_status status = ask(store, parser->values, line, &row);
    if (status == SQA_OK &&
        (!row || sqlite3_column_int(parser->values, (int)sqa_column_count) != 1))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "schema is missing or not 1");
    if (status == SQA_OK)
        status = sqa_columns_read(parser->values, true, out);
    sqlite3_reset(parser->values);
    return status;
}

sqa_status sqa_line_parse(const sqa_line_parser *parser, sqa_store *store, const sqa_line *line,
                          sqa_stored_trial *out)
{
    sqa_status status = check_text(line);
    if (status == SQA_OK)
        status = check_json(parser, store, line);
    if (status == SQA_OK)
        status = check_members(parser, store, line);
    return status == SQA_OK ? read_values(parser, store, line, out) : status;
}
