/* The lines of a sweep, and which configurations it is of; see sweep.h. SQLite
 * writes what needs escaping. */
#include <assert.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "search/sweep.h"

/* {"RV":[1,2],...}: names are identifiers, so nothing needs escaping. */
static void write_parameters(const sqa_kernel_family *family, sqa_text *out)
{
    sqa_text_append(out, "{");
    for (size_t i = 0; i < family->parameter_count; i++) {
        const sqa_parameter *parameter = &family->parameters[i];
        sqa_text_format(out, "%s\"%s\":[", i ? "," : "", parameter->name);
        for (size_t j = 0; j < parameter->value_count; j++)
            sqa_text_format(out, "%s%d", j ? "," : "", (int)parameter->values[j]);
        sqa_text_append(out, "]");
    }
    sqa_text_append(out, "}");
}

static const char header_sql[] =
    "SELECT json_object('schema', 1, 'kind', 'sweep', 'shape', ?1, 'device', json_object("
    "'vendor', ?2, 'architecture', ?3, 'model', ?4, 'runtime', ?5, 'driver_version', ?6), "
    "'family', ?7, 'space_version', ?8, 'parameters', json(?9), 'count', ?10)";

static int write_header(sqlite3 *database, const char *const texts[], size_t text_count,
                        uint32_t space_version, const char *parameters, size_t count, sqa_text *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, header_sql, -1, &statement, NULL);
    for (size_t i = 0; i < text_count && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 8, space_version);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 9, parameters, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 10, (sqlite3_int64)count);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        sqa_text_append(out, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return code;
}

sqa_status sqa_sweep_header(const char *shape, const sqa_device *device,
                            const sqa_kernel_family *family, size_t count, sqa_text *out)
{
    const sqa_device_identity *id = &device->identity;
    const char *const texts[] = {shape,       id->vendor,  id->architecture,
                                 id->model,   id->runtime, device->strings.driver_version,
                                 family->name};
    sqa_text parameters = SQA_TEXT_INIT;
    write_parameters(family, &parameters);
    sqlite3 *database = NULL;
    int code = sqlite3_open(":memory:", &database);
    if (code == SQLITE_OK)
        code = write_header(database, texts, sizeof texts / sizeof texts[0], family->space_version,
                            sqa_text_get(&parameters), count, out);
    sqa_text_free(&parameters);
    sqa_status status = code == SQLITE_ROW
                            ? sqa_text_status(out)
                            : sqa_fail(SQA_DATABASE_ERROR, "the sweep's header: %s",
                                       database ? sqlite3_errmsg(database) : "out of memory");
    sqlite3_close(database);
    return status;
}

static void write_number(sqa_text *out, const char *name, double value)
{
    if (isfinite(value))
        sqa_text_format(out, ",\"%s\":%.5g", name, value);
    else
        sqa_text_format(out, ",\"%s\":null", name);
}

void sqa_sweep_line(const sqa_kernel_family *family, const sqa_config *config,
                    const sqa_trial_result *result, sqa_text *out)
{
    char text[SQA_CONFIG_TEXT];
    sqa_config_format(family, config, text);
    sqa_text_format(out, "{\"config\":\"%s\"", text);
    if (!result)
        return;
    sqa_text_format(out, ",\"status\":\"%s\"", sqa_trial_status_name(result->status));
    write_number(out, "median_ms", result->median_ms);
    write_number(out, "spread_ms", result->spread_ms);
    write_number(out, "relative", result->relative);
    write_number(out, "relative_spread", result->relative_spread);
    write_number(out, "yardstick_ms", result->yardstick_ms);
    sqa_text_append(out, "}");
}

/* The parameter that the text "NAME=..." names; sqa_config_parse has accepted it. */
static sqa_parameter *named(sqa_parameter *parameters, size_t count, const char *text,
                            size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(parameters[i].name) == length && !memcmp(parameters[i].name, text, length))
            return &parameters[i];
    return NULL;
}

/* Puts one more value in its ascending place; twice is once. */
static void insert_value(sqa_parameter *parameter, int32_t value)
{
    size_t at = 0;
    while (at < parameter->value_count && parameter->values[at] < value)
        at++;
    if (at < parameter->value_count && parameter->values[at] == value)
        return;
    assert(parameter->value_count < SQA_MAX_VALUES);
    memmove(&parameter->values[at + 1], &parameter->values[at],
            (parameter->value_count - at) * sizeof *parameter->values);
    parameter->values[at] = value;
    parameter->value_count++;
}

/* "NAME=V|V2": each value is checked by the one that reads configurations. */
static sqa_status narrow_one(const sqa_kernel_family *family, const char *item, size_t length,
                             sqa_parameter parameters[SQA_MAX_PARAMETERS])
{
    const char *end = item + length;
    size_t name_length = strcspn(item, "=,");
    const char *value = item + name_length + (item + name_length < end);
    sqa_parameter *parameter = NULL;
    do {
        char word[64];
        size_t value_length = strcspn(value, "|,");
        int written = snprintf(word, sizeof word, "%.*s=%.*s", (int)name_length, item,
                               (int)value_length, value);
        if (written < 0 || (size_t)written >= sizeof word)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--set: '%.40s...' is no NAME=VALUE", item);
        sqa_config config;
        memset(&config, 0, sizeof config);
        sqa_status status = sqa_config_parse(family, word, &config);
        if (status != SQA_OK)
            return status;
        bool first = !parameter;
        parameter = named(parameters, family->parameter_count, item, name_length);
        if (first)
            parameter->value_count = 0;
        insert_value(parameter, config.value[parameter - parameters]);
        value += value_length;
    } while (*value == '|' && value++);
    return SQA_OK;
}

sqa_status sqa_sweep_narrow(const sqa_kernel_family *family, const char *set,
                            sqa_parameter parameters[SQA_MAX_PARAMETERS])
{
    memcpy(parameters, family->parameters, family->parameter_count * sizeof *parameters);
    sqa_status status = SQA_OK;
    while (set && *set && status == SQA_OK) {
        size_t length = strcspn(set, ",");
        status = narrow_one(family, set, length, parameters);
        set += length;
        set += *set == ',';
    }
    return status;
}
