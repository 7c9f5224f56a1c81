/* See columns.h. Knows where each value lives and how it is written, not what a
 * sensible value is. */
#include "store/columns.h"
#include "store/mask_names.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "device/subgroups.h"
#include "operations/operations.h"
#include "problem/names.h"

_Static_assert(sizeof(sqa_operation) == sizeof(int) && sizeof(sqa_dtype) == sizeof(int) &&
                   sizeof(sqa_causal) == sizeof(int) && sizeof(sqa_trial_status) == sizeof(int) &&
                   sizeof(sqa_device_type) == sizeof(int),
               "enums are read and written as int");

static const char *operation_word(int value)
{
    return sqa_operation_name((sqa_operation)value);
}

static const char *dtype_word(int value)
{
    return sqa_dtype_name((sqa_dtype)value);
}

static const char *causal_word(int value)
{
    return sqa_causal_name((sqa_causal)value);
}

static const char *mask_word(int value)
{
    return sqa_mask_name((uint32_t)value);
}

static const char *status_word(int value)
{
    return value <= SQA_TRIAL_REJECTED ? sqa_trial_status_name((sqa_trial_status)value) : NULL;
}

static const char *type_word(int value)
{
    return value <= SQA_DEVICE_OTHER ? sqa_device_type_name((sqa_device_type)value) : NULL;
}

#define AT(member) offsetof(sqa_stored_trial, member), sizeof(((sqa_stored_trial *)0)->member)
#define TEXT SQA_COLUMN_TEXT
#define UNSIGNED SQA_COLUMN_UNSIGNED
#define SIGNED SQA_COLUMN_SIGNED
#define BOOLEAN SQA_COLUMN_BOOLEAN
#define FIGURE SQA_COLUMN_FIGURE
#define WORD SQA_COLUMN_WORD

#define DEVICE(name, kind, at, key, word)                                                          \
    {                                                                                              \
        SQA_GROUP_DEVICE, name, kind, at, key, "device", word                                      \
    }
#define ENVIRONMENT(name, at)                                                                      \
    {                                                                                              \
        SQA_GROUP_ENVIRONMENT, name, TEXT, at, true, "environment", NULL                           \
    }
#define CLASS(name, kind, at, line, word)                                                          \
    {                                                                                              \
        SQA_GROUP_CLASS, name, kind, at, true, line, word                                          \
    }
#define SHAPE(name, kind, at, word)                                                                \
    {                                                                                              \
        SQA_GROUP_TRIAL, name, kind, at, true, "problem", word                                     \
    }
#define TRIAL(name, kind, at, word)                                                                \
    {                                                                                              \
        SQA_GROUP_TRIAL, name, kind, at, true, "trial", word                                       \
    }

/* clang-format off */
const sqa_column sqa_columns[] = {
    DEVICE("vendor", TEXT, AT(device.identity.vendor), true, NULL),
    DEVICE("architecture", TEXT, AT(device.identity.architecture), true, NULL),
    DEVICE("model", TEXT, AT(device.identity.model), true, NULL),
    DEVICE("runtime", TEXT, AT(device.identity.runtime), true, NULL),
    DEVICE("type", WORD, AT(device.strings.type), true, type_word),
    DEVICE("platform_name", TEXT, AT(device.strings.platform_name), true, NULL),
    DEVICE("device_name", TEXT, AT(device.strings.device_name), true, NULL),
    DEVICE("device_vendor", TEXT, AT(device.strings.device_vendor), true, NULL),
    DEVICE("board_name", TEXT, AT(device.strings.board_name), true, NULL),
    DEVICE("nv_major", UNSIGNED, AT(device.strings.nv_major), true, NULL),
    DEVICE("nv_minor", UNSIGNED, AT(device.strings.nv_minor), true, NULL),
    DEVICE("compute_units", UNSIGNED, AT(device.strings.compute_units), true, NULL),
    DEVICE("max_work_group_size", UNSIGNED, AT(device.limits.max_work_group_size), true, NULL),
    DEVICE("max_work_item_size_0", UNSIGNED, AT(device.limits.max_work_item_sizes[0]), true, NULL),
    DEVICE("max_work_item_size_1", UNSIGNED, AT(device.limits.max_work_item_sizes[1]), true, NULL),
    DEVICE("max_work_item_size_2", UNSIGNED, AT(device.limits.max_work_item_sizes[2]), true, NULL),
    DEVICE("local_memory_bytes", UNSIGNED, AT(device.limits.local_memory_bytes), true, NULL),
    DEVICE("local_memory_is_global", BOOLEAN, AT(device.limits.local_memory_is_global), true, NULL),
    DEVICE("vector_width_float", UNSIGNED, AT(device.limits.vector_width_float), true, NULL),
    DEVICE("has_fp64", BOOLEAN, AT(device.limits.has_fp64), true, NULL),
    DEVICE("has_compiler", BOOLEAN, AT(device.limits.has_compiler), true, NULL),
    DEVICE("subgroups", SQA_COLUMN_SUBGROUPS, AT(device.limits), true, NULL),
    DEVICE("global_memory_bytes", UNSIGNED, AT(device.limits.global_memory_bytes), false, NULL),
    DEVICE("max_allocation_bytes", UNSIGNED, AT(device.limits.max_allocation_bytes), false, NULL),

    ENVIRONMENT("platform_version", AT(device.strings.platform_version)),
    ENVIRONMENT("device_version", AT(device.strings.device_version)),
    ENVIRONMENT("driver_version", AT(device.strings.driver_version)),
    ENVIRONMENT("library_version", AT(library_version)),

    CLASS("operation", WORD, AT(problem_class.operation), "problem", operation_word),
    CLASS("dtype", WORD, AT(problem_class.dtype), "problem", dtype_word),
    CLASS("head_dim", UNSIGNED, AT(problem_class.head_dim), "problem", NULL),
    CLASS("value_dim", UNSIGNED, AT(problem_class.value_dim), "problem", NULL),
    CLASS("mask", WORD, AT(problem_class.mask), NULL, mask_word),
    CLASS("group_size", UNSIGNED, AT(problem_class.group), NULL, NULL),
    CLASS("q_bucket", SIGNED, AT(problem_class.q_bucket), NULL, NULL),
    CLASS("kv_bucket", SIGNED, AT(problem_class.kv_bucket), NULL, NULL),
    CLASS("rows_bucket", SIGNED, AT(problem_class.rows_bucket), NULL, NULL),

    SHAPE("batch", UNSIGNED, AT(batch), NULL),
    SHAPE("q_heads", UNSIGNED, AT(q_heads), NULL),
    SHAPE("kv_heads", UNSIGNED, AT(kv_heads), NULL),
    SHAPE("q_length", UNSIGNED, AT(q_length), NULL),
    SHAPE("kv_length", UNSIGNED, AT(kv_length), NULL),
    SHAPE("causal", WORD, AT(causal), causal_word),
    SHAPE("pattern", TEXT, AT(pattern), NULL),
    SHAPE("write_lse", UNSIGNED, AT(write_lse), NULL),
    SHAPE("layout", TEXT, AT(layout), NULL),

    TRIAL("family", TEXT, AT(family), NULL),
    TRIAL("space_version", UNSIGNED, AT(space_version), NULL),
    TRIAL("config", TEXT, AT(config), NULL),
    TRIAL("source_hash", SQA_COLUMN_OPTIONAL_TEXT, AT(source_hash), NULL),
    TRIAL("status", WORD, AT(result.status), status_word),
    TRIAL("median_ms", FIGURE, AT(result.median_ms), NULL),
    TRIAL("spread_ms", FIGURE, AT(result.spread_ms), NULL),
    TRIAL("max_error", FIGURE, AT(result.max_error), NULL),
    TRIAL("gflops", FIGURE, AT(gflops), NULL),
    TRIAL("ceiling_gflops", FIGURE, AT(ceiling_gflops), NULL),
    TRIAL("build_ms", FIGURE, AT(result.build_ms), NULL),
    TRIAL("samples", UNSIGNED, AT(result.samples), NULL),
    TRIAL("seed", SIGNED, AT(seed), NULL),
    TRIAL("final", BOOLEAN, AT(final), NULL),
    TRIAL("message", TEXT, AT(result.message), NULL),
    TRIAL("recorded_at", TEXT, AT(recorded_at), NULL),

    {SQA_GROUP_VIEW, "id", SIGNED, AT(id), false, NULL, NULL},
    {SQA_GROUP_VIEW, "environment", SIGNED, AT(environment), false, NULL, NULL},
    {SQA_GROUP_VIEW, "class", SIGNED, AT(class_id), false, NULL, NULL},
    {SQA_GROUP_VIEW, "fraction_of_ceiling", FIGURE, AT(fraction_of_ceiling), false, NULL, NULL},
    {SQA_GROUP_VIEW, "winner", BOOLEAN, AT(winner), false, "trial", NULL},
};
/* clang-format on */
const size_t sqa_column_count = sizeof sqa_columns / sizeof *sqa_columns;

void sqa_columns_list(sqa_text *sql)
{
    for (size_t i = 0; i < sqa_column_count; i++)
        sqa_text_format(sql, "%s%s", i ? ", " : "", sqa_columns[i].name);
}

void sqa_columns_from_line(sqa_text *sql)
{
    for (size_t i = 0; i < sqa_column_count; i++) {
        const sqa_column *column = &sqa_columns[i];
        sqa_text_append(sql, i ? ", " : "");
        if (column->line)
            sqa_text_format(sql, "json_extract(?1, '$.%s.%s')", column->line, column->name);
        else
            sqa_text_append(sql, "NULL");
    }
}

void sqa_columns_to_line(sqa_text *sql)
{
    static const char *const objects[] = {"device", "environment", "problem", "trial"};
    sqa_text_append(sql, "json_object('schema', 1");
    for (size_t o = 0; o < sizeof objects / sizeof *objects; o++) {
        sqa_text_format(sql, ", '%s', json_object(", objects[o]);
        const char *separator = "";
        for (size_t i = 0; i < sqa_column_count; i++) {
            const sqa_column *column = &sqa_columns[i];
            if (!column->line || strcmp(column->line, objects[o]))
                continue;
            bool truth = column->kind == SQA_COLUMN_BOOLEAN;
            sqa_text_format(sql, "%s'%s', ", separator, column->name);
            if (truth)
                sqa_text_format(sql, "json(iif(%s, 'true', 'false'))", column->name);
            else
                sqa_text_append(sql, column->name);
            separator = ", ";
        }
        sqa_text_append(sql, ")");
    }
    sqa_text_append(sql, ")");
}

static bool read_text(sqlite3_stmt *statement, int index, const sqa_column *column, char *out)
{
    int type = sqlite3_column_type(statement, index);
    if (type == SQLITE_NULL && column->kind == SQA_COLUMN_OPTIONAL_TEXT)
        return true;
    const char *text = (const char *)sqlite3_column_text(statement, index);
    size_t length = (size_t)sqlite3_column_bytes(statement, index);
    if (type != SQLITE_TEXT || !text || length >= column->size || strlen(text) != length ||
        !sqa_utf8_is_valid(text))
        return false;
    memcpy(out, text, length + 1);
    return true;
}

/* Integers of either sign and width; both ends of the range are checked. */
static bool read_integer(sqlite3_stmt *statement, int index, const sqa_column *column, void *out)
{
    if (sqlite3_column_type(statement, index) != SQLITE_INTEGER)
        return false;
    int64_t value = sqlite3_column_int64(statement, index);
    bool is_unsigned = column->kind == SQA_COLUMN_UNSIGNED;
    if (column->size == sizeof value) {
        memcpy(out, &value, sizeof value);
        return !is_unsigned || value >= 0;
    }
    if (is_unsigned ? value < 0 || value > UINT32_MAX : value < INT32_MIN || value > INT32_MAX)
        return false;
    uint32_t narrow = (uint32_t)value;
    memcpy(out, &narrow, sizeof narrow);
    return true;
}

static bool read_boolean(sqlite3_stmt *statement, int index, bool *out)
{
    int value = sqlite3_column_int(statement, index);
    *out = value == 1;
    return sqlite3_column_type(statement, index) == SQLITE_INTEGER && (value == 0 || value == 1);
}

static bool read_figure(sqlite3_stmt *statement, int index, double *out)
{
    int type = sqlite3_column_type(statement, index);
    *out = type == SQLITE_NULL ? (double)NAN : sqlite3_column_double(statement, index);
    return type == SQLITE_NULL ||
           ((type == SQLITE_FLOAT || type == SQLITE_INTEGER) && isfinite(*out));
}

static bool read_word(sqlite3_stmt *statement, int index, const sqa_column *column, void *out)
{
    if (sqlite3_column_type(statement, index) != SQLITE_TEXT)
        return false;
    const char *text = (const char *)sqlite3_column_text(statement, index);
    for (int value = 0; text && column->word(value); value++)
        if (!strcmp(text, column->word(value))) {
            memcpy(out, &value, sizeof value);
            return true;
        }
    return false;
}

/* A line of before there was this column leaves it out. */
static bool read_subgroups(sqlite3_stmt *statement, int index, sqa_device_limits *out)
{
    if (sqlite3_column_type(statement, index) == SQLITE_NULL)
        return true;
    const char *text = (const char *)sqlite3_column_text(statement, index);
    return text && sqa_subgroups_parse(text, out);
}

static bool read_column(sqlite3_stmt *statement, int index, const sqa_column *column, void *out)
{
    switch (column->kind) {
    case SQA_COLUMN_TEXT:
    case SQA_COLUMN_OPTIONAL_TEXT: return read_text(statement, index, column, out);
    case SQA_COLUMN_UNSIGNED:
    case SQA_COLUMN_SIGNED: return read_integer(statement, index, column, out);
    case SQA_COLUMN_BOOLEAN: return read_boolean(statement, index, out);
    case SQA_COLUMN_FIGURE: return read_figure(statement, index, out);
    case SQA_COLUMN_WORD: return read_word(statement, index, column, out);
    case SQA_COLUMN_SUBGROUPS: return read_subgroups(statement, index, out);
    }
    return false;
}

sqa_status sqa_columns_read(sqlite3_stmt *statement, bool from_line, sqa_stored_trial *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < sqa_column_count; i++) {
        const sqa_column *column = &sqa_columns[i];
        if (from_line && !column->line)
            continue;
        if (!read_column(statement, (int)i, column, (char *)out + column->offset))
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s%s%s is missing or not a value it can have",
                            column->line ? column->line : "", column->line ? "." : "",
                            column->name);
    }
    return SQA_OK;
}

int sqa_column_bind(sqlite3_stmt *statement, int index, const sqa_column *column,
                    const sqa_stored_trial *trial)
{
    const void *at = (const char *)trial + column->offset;
    int64_t wide = 0;
    uint32_t narrow = 0;
    double figure;
    int value;
    switch (column->kind) {
    case SQA_COLUMN_OPTIONAL_TEXT:
        if (!*(const char *)at)
            return sqlite3_bind_null(statement, index);
        /* fall through */
    case SQA_COLUMN_TEXT: return sqlite3_bind_text(statement, index, at, -1, SQLITE_STATIC);
    case SQA_COLUMN_UNSIGNED:
    case SQA_COLUMN_SIGNED:
        if (column->size == sizeof wide) {
            memcpy(&wide, at, sizeof wide);
            /* Unsigned values this large only say "no limit". */
            if (column->kind == SQA_COLUMN_UNSIGNED && wide < 0)
                wide = INT64_MAX;
        } else {
            memcpy(&narrow, at, sizeof narrow);
            wide = column->kind == SQA_COLUMN_UNSIGNED ? (int64_t)narrow : (int32_t)narrow;
        }
        return sqlite3_bind_int64(statement, index, wide);
    case SQA_COLUMN_BOOLEAN: return sqlite3_bind_int(statement, index, *(const bool *)at);
    case SQA_COLUMN_FIGURE:
        memcpy(&figure, at, sizeof figure);
        /* SQLite stores NaN as NULL; infinities are as unknown. */
        return isfinite(figure) ? sqlite3_bind_double(statement, index, sqa_kept_figure(figure))
                                : sqlite3_bind_null(statement, index);
    case SQA_COLUMN_WORD:
        memcpy(&value, at, sizeof value);
        return sqlite3_bind_text(statement, index, column->word(value), -1, SQLITE_STATIC);
    case SQA_COLUMN_SUBGROUPS: {
        char text[SQA_SUBGROUP_TEXT];
        sqa_subgroups_format(at, text);
        return sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
    }
    }
    return SQLITE_MISUSE;
}
