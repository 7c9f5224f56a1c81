#include "store/old_shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/stored_trial.h"

/* The columns of a problem up to schema 2, in the order of the arguments. */
typedef enum old_column {
    OLD_OPERATION,
    OLD_DTYPE,
    OLD_HEAD_DIM,
    OLD_VALUE_DIM,
    OLD_BATCH,
    OLD_Q_HEADS,
    OLD_KV_HEADS,
    OLD_Q_LENGTH,
    OLD_KV_LENGTH,
    OLD_CAUSAL,
    OLD_PATTERN,
    OLD_WRITE_LSE,
    OLD_LAYOUT
} old_column;

static const struct {
    const char *name;
    bool number;
} old_columns[SQA_OLD_SHAPE_COLUMNS] = {
    [OLD_OPERATION] = {"operation", false}, [OLD_DTYPE] = {"dtype", false},
    [OLD_HEAD_DIM] = {"head_dim", true},    [OLD_VALUE_DIM] = {"value_dim", true},
    [OLD_BATCH] = {"batch", true},          [OLD_Q_HEADS] = {"q_heads", true},
    [OLD_KV_HEADS] = {"kv_heads", true},    [OLD_Q_LENGTH] = {"q_length", true},
    [OLD_KV_LENGTH] = {"kv_length", true},  [OLD_CAUSAL] = {"causal", false},
    [OLD_PATTERN] = {"pattern", false},     [OLD_WRITE_LSE] = {"write_lse", true},
    [OLD_LAYOUT] = {"layout", false},
};

static const char *text_of(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    return text ? text : "";
}

static void append_numbers(sqa_text *shape, sqlite3_value **values)
{
    static const struct {
        const char *key;
        old_column column;
    } keys[] = {{"b", OLD_BATCH},     {"hq", OLD_Q_HEADS},   {"hkv", OLD_KV_HEADS},
                {"nq", OLD_Q_LENGTH}, {"nk", OLD_KV_LENGTH}, {"d", OLD_HEAD_DIM},
                {"dv", OLD_VALUE_DIM}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        sqa_text_format(shape, "%s%s=%" PRId64, i ? "," : "", keys[i].key,
                        (int64_t)sqlite3_value_int64(values[keys[i].column]));
}

/* "key=word", unless the word says what goes without saying. */
static void append_word(sqa_text *shape, const char *key, const char *word, const char *usual)
{
    if (strcmp(word, usual) != 0)
        sqa_text_format(shape, ",%s=%s", key, word);
}

static void append_old_shape(sqa_text *shape, sqlite3_value **values)
{
    const char *causal = text_of(values[OLD_CAUSAL]), *pattern = text_of(values[OLD_PATTERN]);
    const int64_t lse = sqlite3_value_int64(values[OLD_WRITE_LSE]);
    sqa_text_format(shape, "op=%s,", text_of(values[OLD_OPERATION]));
    append_numbers(shape, values);
    append_word(shape, "dtype", text_of(values[OLD_DTYPE]), "f32");
    if (strcmp(causal, "none") != 0) {
        sqa_text_append(shape, ",causal");
        append_word(shape, "align", causal, "bottom-right");
    }
    sqa_text_format(shape, "%s%s", *pattern ? "," : "", pattern);
    if (lse)
        sqa_text_append(shape, ",lse");
    if (lse && lse != 1)
        sqa_text_format(shape, "=%" PRId64, lse);
    append_word(shape, "layout", text_of(values[OLD_LAYOUT]), "bhsd");
}

/* In its one form, where it can be read; a pattern that no text says stays as it is. */
static void give_settled(sqlite3_context *call, sqa_text *shape)
{
    char settled[SQA_SHAPE_TEXT];
    sqa_problem problem;
    if (shape->length < sizeof settled) {
        snprintf(settled, sizeof settled, "%s", sqa_text_get(shape));
        if (sqa_stored_shape_settle(settled, &problem) == SQA_OK) {
            sqlite3_result_text(call, settled, -1, SQLITE_TRANSIENT);
            sqa_text_free(shape);
            return;
        }
    }
    if (sqa_text_status(shape) == SQA_OK)
        sqlite3_result_text(call, sqa_text_get(shape), -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_error_nomem(call);
    sqa_text_free(shape);
}

void sqa_old_shape_call(sqlite3_context *call, int count, sqlite3_value **values)
{
    sqa_text shape = SQA_TEXT_INIT;
    for (int i = 0; i < count; i++) {
        const int type = sqlite3_value_type(values[i]);
        const bool missing = type == SQLITE_NULL && i == OLD_PATTERN; /* of version 1 */
        if (!missing && type != (old_columns[i].number ? SQLITE_INTEGER : SQLITE_TEXT)) {
            char message[80];
            snprintf(message, sizeof message, "problem.%s is missing or not a value it can have",
                     old_columns[i].name);
            sqlite3_result_error(call, message, -1);
            return;
        }
    }
    append_old_shape(&shape, values);
    give_settled(call, &shape);
}
