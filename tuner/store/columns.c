/* See columns.h. Knows where each value lives and how it is written, not what a
 * sensible value is. */
#include "store/columns.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "device/subgroups.h"
#include "store/shape_functions.h"

_Static_assert(sizeof(sqa_trial_status) == sizeof(int) && sizeof(sqa_device_type) == sizeof(int),
               "enums are read and written as int");

static const char *status_word(int value)
{
    return value <= SQA_TRIAL_MODELLED ? sqa_trial_status_name((sqa_trial_status)value) : NULL;
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
        SQA_GROUP_DEVICE, name, kind, at, key, "device", word, 1, false                            \
    }
#define ENVIRONMENT(name, at)                                                                      \
    {                                                                                              \
        SQA_GROUP_ENVIRONMENT, name, TEXT, at, true, "environment", NULL, 1, false                 \
    }
#define PROBLEM(group, name, kind, at, key, line, since)                                           \
    {                                                                                              \
        group, name, kind, at, key, line, NULL, since, false                                       \
    }
#define TRIAL(name, kind, at, word, since)                                                         \
    {                                                                                              \
        SQA_GROUP_TRIAL, name, kind, at, true, "trial", word, since, false                         \
    }
/* A member of few lines: it is left out where it is NULL. */
#define SPARSE(name, at)                                                                           \
    {                                                                                              \
        SQA_GROUP_TRIAL, name, FIGURE, at, true, "trial", NULL, 2, true                            \
    }
/* Not part of what makes a trial the same trial: it follows from the problem. */
#define AMOUNT(name, at)                                                                           \
    {                                                                                              \
        SQA_GROUP_TRIAL, name, SQA_COLUMN_AMOUNT, at, false, NULL, NULL, 0, false                  \
    }
#define VIEW(name, kind, at, line)                                                                 \
    {                                                                                              \
        SQA_GROUP_VIEW, name, kind, at, false, line, NULL, 1, false                                \
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

    PROBLEM(SQA_GROUP_CLASS, "operation", TEXT, AT(operation), true, "problem", 1),
    PROBLEM(SQA_GROUP_CLASS, "key", TEXT, AT(class_key), true, NULL, 0),
    PROBLEM(SQA_GROUP_PROBLEM, "shape", TEXT, AT(shape), true, "problem", 2),
    PROBLEM(SQA_GROUP_PROBLEM, "fields", SQA_COLUMN_FIELDS, AT(shape), false, NULL, 0),

    TRIAL("family", TEXT, AT(family), NULL, 1),
    TRIAL("space_version", UNSIGNED, AT(space_version), NULL, 1),
    TRIAL("candidates", SQA_COLUMN_OPTIONAL_TEXT, AT(candidates), NULL, 2),
    TRIAL("config", TEXT, AT(config), NULL, 1),
    TRIAL("source_hash", SQA_COLUMN_OPTIONAL_TEXT, AT(source_hash), NULL, 1),
    TRIAL("status", WORD, AT(result.status), status_word, 1),
    TRIAL("median_ms", FIGURE, AT(result.median_ms), NULL, 1),
    TRIAL("spread_ms", FIGURE, AT(result.spread_ms), NULL, 1),
    TRIAL("yardstick_ms", FIGURE, AT(result.yardstick_ms), NULL, 2),
    TRIAL("max_error", FIGURE, AT(result.max_error), NULL, 1),
    SPARSE("modelled", AT(modelled)),
    AMOUNT("flop", AT(flop)),
    AMOUNT("bytes", AT(bytes)),
    VIEW("gflops", FIGURE, AT(gflops), "trial"),
    VIEW("gbs", FIGURE, AT(gbs), NULL),
    TRIAL("ceiling_gflops", FIGURE, AT(ceilings.fma_gflops), NULL, 1),
    TRIAL("ceiling_matrix_gflops", FIGURE, AT(ceilings.matrix_gflops), NULL, 2),
    TRIAL("ceiling_copy_gbs", FIGURE, AT(ceilings.copy_gbs), NULL, 2),
    TRIAL("ceiling_read_gbs", FIGURE, AT(ceilings.read_gbs), NULL, 2),
    TRIAL("build_ms", FIGURE, AT(result.build_ms), NULL, 1),
    TRIAL("samples", UNSIGNED, AT(result.samples), NULL, 1),
    TRIAL("seed", SIGNED, AT(seed), NULL, 1),
    TRIAL("final", BOOLEAN, AT(final), NULL, 1),
    TRIAL("message", TEXT, AT(result.message), NULL, 1),
    TRIAL("recorded_at", TEXT, AT(recorded_at), NULL, 1),

    VIEW("id", SIGNED, AT(id), NULL),
    VIEW("environment", SIGNED, AT(environment), NULL),
    VIEW("problem", SIGNED, AT(problem_id), NULL),
    VIEW("class", SIGNED, AT(class_id), NULL),
    VIEW("fraction_of_ceiling", FIGURE, AT(fraction_of_ceiling), NULL),
    VIEW("fraction_of_roofline", FIGURE, AT(fraction_of_roofline), NULL),
    VIEW("winner", BOOLEAN, AT(winner), "trial"),
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

/* One member of an exported line. Figures of a view have no more digits than measured ones. */
static void append_member(sqa_text *sql, const sqa_column *column)
{
    const char *name = column->name;
    sqa_text_format(sql, "'%s', ", name);
    if (column->kind == SQA_COLUMN_BOOLEAN)
        sqa_text_format(sql, "json(iif(%s, 'true', 'false'))", name);
    else if (column->kind == SQA_COLUMN_FIGURE && column->group == SQA_GROUP_VIEW)
        sqa_text_format(sql, "json(iif(%s IS NULL, 'null', printf('%%!.9g', %s)))", name, name);
    else
        sqa_text_append(sql, name);
}

void sqa_columns_to_line(sqa_text *sql)
{
    static const char *const objects[] = {"device", "environment", "problem", "trial"};
    sqa_text_append(sql, "json_remove(json_object('schema', 2");
    for (size_t o = 0; o < sizeof objects / sizeof *objects; o++) {
        sqa_text_format(sql, ", '%s', json_object(", objects[o]);
        const char *separator = "";
        for (size_t i = 0; i < sqa_column_count; i++) {
            const sqa_column *column = &sqa_columns[i];
            if (!column->line || strcmp(column->line, objects[o]))
                continue;
            sqa_text_append(sql, separator);
            append_member(sql, column);
            separator = ", ";
        }
        sqa_text_append(sql, ")");
    }
    sqa_text_append(sql, ")");
    for (size_t i = 0; i < sqa_column_count; i++)
        if (sqa_columns[i].is_sparse)
            sqa_text_format(sql, ", iif(%s IS NULL, '$.%s.%s', '$.none')", sqa_columns[i].name,
                            sqa_columns[i].line, sqa_columns[i].name);
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
    case SQA_COLUMN_FIGURE:
    case SQA_COLUMN_AMOUNT: return read_figure(statement, index, out);
    case SQA_COLUMN_WORD: return read_word(statement, index, column, out);
    case SQA_COLUMN_SUBGROUPS: return read_subgroups(statement, index, out);
    case SQA_COLUMN_FIELDS: return true;
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

static int bind_fields(sqlite3_stmt *statement, int index, const char *shape)
{
    sqa_text json = SQA_TEXT_INIT;
    sqa_shape_fields(shape, &json);
    int code = sqa_text_status(&json) == SQA_OK
                   ? sqlite3_bind_text(statement, index, sqa_text_get(&json), -1, SQLITE_TRANSIENT)
                   : SQLITE_NOMEM;
    sqa_text_free(&json);
    return code;
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
    case SQA_COLUMN_AMOUNT:
        memcpy(&figure, at, sizeof figure);
        return sqlite3_bind_double(statement, index, figure);
    case SQA_COLUMN_WORD:
        memcpy(&value, at, sizeof value);
        return sqlite3_bind_text(statement, index, column->word(value), -1, SQLITE_STATIC);
    case SQA_COLUMN_SUBGROUPS: {
        char text[SQA_SUBGROUP_TEXT];
        sqa_subgroups_format(at, text);
        return sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
    }
    case SQA_COLUMN_FIELDS: return bind_fields(statement, index, at);
    }
    return SQLITE_MISUSE;
}
