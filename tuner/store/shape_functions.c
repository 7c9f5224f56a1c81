#include "store/shape_functions.h"

#include <string.h>

#include "operations/tensors.h"
#include "store/old_shape.h"
#include "store/stored_trial.h"
#include "text/named_values.h"

static void append_quoted(sqa_text *json, const char *text)
{
    sqa_text_append(json, "\"");
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            sqa_text_format(json, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            sqa_text_format(json, "\\u%04x", (unsigned)*text);
        else
            sqa_text_format(json, "%c", *text);
    sqa_text_append(json, "\"");
}

void sqa_shape_fields(const char *shape, sqa_text *json)
{
    sqa_named_value item;
    const char *separator = "";
    double number;
    sqa_text_append(json, "{");
    while (sqa_named_value_next(&shape, &item)) {
        if (!strcmp(item.name, "op"))
            continue;
        sqa_text_append(json, separator);
        append_quoted(json, item.name);
        sqa_text_append(json, ":");
        if (item.flag)
            sqa_text_append(json, "true");
        else if (sqa_named_value_number(&item, &number))
            sqa_text_append(json, item.value);
        else
            append_quoted(json, item.value);
        separator = ",";
    }
    sqa_text_append(json, "}");
}

/* Hands a text over as the function's result. */
static void give_text(sqlite3_context *call, sqa_text *text)
{
    if (sqa_text_status(text) == SQA_OK)
        sqlite3_result_text(call, sqa_text_get(text), -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_error_nomem(call);
    sqa_text_free(text);
}

static const char *text_of(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    return text ? text : "";
}

static void call_fields(sqlite3_context *call, int count, sqlite3_value **values)
{
    (void)count;
    sqa_text json = SQA_TEXT_INIT;
    sqa_shape_fields(text_of(values[0]), &json);
    give_text(call, &json);
}

static void call_flop(sqlite3_context *call, int count, sqlite3_value **values)
{
    (void)count;
    sqa_problem problem;
    if (sqa_stored_shape_read(text_of(values[0]), &problem) == SQA_OK)
        sqlite3_result_double(call, sqa_problem_flop(&problem));
}

static void call_bytes(sqlite3_context *call, int count, sqlite3_value **values)
{
    (void)count;
    sqa_problem problem;
    if (!sqa_stored_shape_is_strided(text_of(values[0])) &&
        sqa_stored_shape_read(text_of(values[0]), &problem) == SQA_OK)
        sqlite3_result_double(call, sqa_problem_bytes(&problem));
}

int sqa_shape_functions_define(sqlite3 *database)
{
    static const struct {
        const char *name;
        int arguments;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {"shape_fields", 1, call_fields},
        {"shape_flop", 1, call_flop},
        {"shape_bytes", 1, call_bytes},
        {"shape_of_version_2", SQA_OLD_SHAPE_COLUMNS, sqa_old_shape_call},
    };
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && code == SQLITE_OK; i++)
        code = sqlite3_create_function_v2(database, functions[i].name, functions[i].arguments,
                                          SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                          NULL, functions[i].call, NULL, NULL, NULL);
    return code;
}
