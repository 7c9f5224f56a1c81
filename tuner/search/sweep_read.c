/* Reading a sweep back; see sweep.h. SQLite parses the JSON, everything is checked
 * here: the file may come from anywhere. */
#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "search/sweep.h"

#define MOST_CONFIGURATIONS 10000000

typedef struct reader {
    const char *file;
    size_t line; /* the current one, from 1 */
    sqlite3 *database;
    sqlite3_stmt *header, *parameters, *point;
    sqa_sweep *out;
} reader;

static const char header_sql[] =
    "SELECT json_extract(?1, '$.schema'), json_extract(?1, '$.kind'), json_extract(?1, '$.shape'),"
    " json_extract(?1, '$.family'), json_extract(?1, '$.space_version'),"
    " json_extract(?1, '$.count'), json_extract(?1, '$.device.vendor') || '/' ||"
    " json_extract(?1, '$.device.architecture') || '/' || json_extract(?1, '$.device.model')"
    " || ' ' || json_extract(?1, '$.device.runtime') || ' ' ||"
    " json_extract(?1, '$.device.driver_version')";

static const char parameters_sql[] =
    "SELECT parameter.key, value.value FROM json_each(?1, '$.parameters') AS parameter,"
    " json_each(parameter.value) AS value";

static const char point_sql[] =
    "SELECT json_extract(?1, '$.config'), json_extract(?1, '$.status'),"
    " json_extract(?1, '$.median_ms'), json_extract(?1, '$.spread_ms'),"
    " json_extract(?1, '$.relative'), json_extract(?1, '$.relative_spread')";

static sqa_status refuse(const reader *self, const char *why)
{
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: line %zu: %s", self->file, self->line, why);
}

/* Binds the line and makes the first step. A line that is no JSON is refused. */
static sqa_status ask(const reader *self, sqlite3_stmt *statement, const char *line, int *code)
{
    *code = sqlite3_bind_text(statement, 1, line, -1, SQLITE_STATIC);
    if (*code == SQLITE_OK)
        *code = sqlite3_step(statement);
    if (*code == SQLITE_ROW || *code == SQLITE_DONE)
        return SQA_OK;
    return (*code & 0xff) == SQLITE_ERROR ? refuse(self, "not JSON")
                                          : refuse(self, sqlite3_errmsg(self->database));
}

/* false: no text, or too long. */
static bool copy_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (!text || strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static double number(sqlite3_stmt *statement, int column)
{
    int type = sqlite3_column_type(statement, column);
    return type == SQLITE_FLOAT || type == SQLITE_INTEGER ? sqlite3_column_double(statement, column)
                                                          : (double)NAN;
}

/* One more allowed value of the parameter `name`. */
static bool add_value(sqa_sweep *sweep, const char *name, int64_t value)
{
    size_t *count = &sweep->family.parameter_count;
    if (!*count || strcmp(sweep->names[*count - 1], name) != 0) {
        if (*count == SQA_MAX_PARAMETERS || strlen(name) >= sizeof sweep->names[0])
            return false;
        snprintf(sweep->names[*count], sizeof sweep->names[0], "%s", name);
        sweep->parameters[*count] = (sqa_parameter){.name = sweep->names[*count], .meaning = ""};
        ++*count;
    }
    sqa_parameter *parameter = &sweep->parameters[*count - 1];
    bool ascends = !parameter->value_count || parameter->values[parameter->value_count - 1] < value;
    if (!ascends || parameter->value_count == SQA_MAX_VALUES || value < INT32_MIN ||
        value > INT32_MAX)
        return false;
    parameter->values[parameter->value_count++] = (int32_t)value;
    return true;
}

static sqa_status read_parameters(reader *self, const char *line)
{
    int code;
    sqa_status status = ask(self, self->parameters, line, &code);
    while (status == SQA_OK && code == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(self->parameters, 0);
        if (!name || !add_value(self->out, name, sqlite3_column_int64(self->parameters, 1)))
            return refuse(self, "parameters are not as many names, with ascending values each, "
                                "as a family can have");
        code = sqlite3_step(self->parameters);
    }
    self->out->family.parameters = self->out->parameters;
    return status;
}

static sqa_status read_header(reader *self, const char *line)
{
    sqa_sweep *out = self->out;
    char kind[16];
    int code;
    sqa_status status = ask(self, self->header, line, &code);
    if (status != SQA_OK)
        return status;
    if (sqlite3_column_int(self->header, 0) != 1 ||
        !copy_text(self->header, 1, kind, sizeof kind) || strcmp(kind, "sweep") != 0)
        return refuse(self, "not a sweep of schema 1");
    char *family = out->names[SQA_MAX_PARAMETERS];
    sqlite3_int64 count = sqlite3_column_int64(self->header, 5);
    if (!copy_text(self->header, 2, out->shape, sizeof out->shape) ||
        !copy_text(self->header, 3, family, sizeof out->names[0]) ||
        !copy_text(self->header, 6, out->device, sizeof out->device) || count < 1 ||
        count > MOST_CONFIGURATIONS)
        return refuse(self, "shape, family, device or count is missing or out of range");
    out->family.name = family;
    out->family.space_version = (uint32_t)sqlite3_column_int64(self->header, 4);
    out->space.family = &out->family;
    out->space.configs = calloc((size_t)count, sizeof *out->space.configs);
    out->points = calloc((size_t)count, sizeof *out->points);
    if (!out->space.configs || !out->points)
        return sqa_fail_memory("a sweep");
    out->space.count = (size_t)count;
    return read_parameters(self, line);
}

/* Whether `b` comes after `a` in the order of a space. */
static bool ascends(const sqa_config *a, const sqa_config *b)
{
    for (size_t i = 0; i < SQA_MAX_PARAMETERS; i++)
        if (a->value[i] != b->value[i])
            return a->value[i] < b->value[i];
    return false;
}

static sqa_status read_point(reader *self, const char *line, size_t index)
{
    sqa_sweep *out = self->out;
    sqa_config *config = &out->space.configs[index];
    sqa_sweep_point *point = &out->points[index];
    char text[SQA_CONFIG_TEXT], word[32];
    int code;
    sqa_status status = ask(self, self->point, line, &code);
    if (status != SQA_OK)
        return status;
    if (!copy_text(self->point, 0, text, sizeof text) ||
        sqa_config_parse(&out->family, text, config) != SQA_OK)
        return refuse(self, "config is not one of this sweep's parameters");
    if (index && !ascends(&out->space.configs[index - 1], config))
        return refuse(self, "the configuration does not come after the one before");
    if (!copy_text(self->point, 1, word, sizeof word) ||
        !sqa_trial_status_from_name(word, &point->status) || point->status == SQA_TRIAL_MODELLED)
        return refuse(self, "status is not one");
    point->median_ms = number(self->point, 2);
    point->spread_ms = number(self->point, 3);
    point->relative = number(self->point, 4);
    point->relative_spread = number(self->point, 5);
    if (point->status == SQA_TRIAL_OK && !(point->median_ms > 0))
        return refuse(self, "status is ok, but there is no median_ms");
    out->best = fmin(out->best, sqa_sweep_cost(out, index));
    return SQA_OK;
}

static sqa_status prepare(reader *self)
{
    int code = sqlite3_open(":memory:", &self->database);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(self->database, header_sql, -1, &self->header, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(self->database, parameters_sql, -1, &self->parameters, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(self->database, point_sql, -1, &self->point, NULL);
    return code == SQLITE_OK ? SQA_OK
                             : sqa_fail(SQA_DATABASE_ERROR, "SQLite cannot read JSON: %s",
                                        self->database ? sqlite3_errmsg(self->database) : "");
}

static sqa_status read_lines(reader *self, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0, found = 0;
    sqa_status status = SQA_OK;
    for (self->line = 1; status == SQA_OK && getline(&line, &capacity, file) > 0; self->line++) {
        if (self->line == 1)
            status = read_header(self, line + sqa_utf8_mark(line));
        else if (found == self->out->space.count)
            status = refuse(self, "more configurations than the header says");
        else
            status = read_point(self, line, found++);
        sqlite3_reset(self->header);
        sqlite3_reset(self->parameters);
        sqlite3_reset(self->point);
    }
    free(line);
    if (status == SQA_OK && ferror(file))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s", self->file, strerror(errno));
    if (status == SQA_OK && (found == 0 || found < self->out->space.count))
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "%s has %zu of %zu configurations; `sqa tune --record` measures the rest",
                          self->file, found, self->out->space.count);
    if (status == SQA_OK && !isfinite(self->out->best))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "%s: no configuration worked", self->file);
    return status;
}

sqa_status sqa_sweep_read(sqa_sweep *out, const char *file)
{
    memset(out, 0, sizeof *out);
    out->best = (double)INFINITY;
    reader self = {.file = file, .out = out};
    FILE *stream = fopen(file, "r");
    if (!stream)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s", file, strerror(errno));
    sqa_status status = prepare(&self);
    if (status == SQA_OK)
        status = read_lines(&self, stream);
    sqlite3_finalize(self.header);
    sqlite3_finalize(self.parameters);
    sqlite3_finalize(self.point);
    sqlite3_close(self.database);
    fclose(stream);
    if (status != SQA_OK)
        sqa_sweep_free(out);
    return status;
}

void sqa_sweep_free(sqa_sweep *sweep)
{
    sqa_config_space_free(&sweep->space);
    free(sweep->points);
    sweep->points = NULL;
}

double sqa_sweep_cost(const sqa_sweep *sweep, size_t config)
{
    const sqa_sweep_point *point = &sweep->points[config];
    if (point->status != SQA_TRIAL_OK)
        return (double)INFINITY;
    return isfinite(point->relative) ? point->relative : point->median_ms;
}
