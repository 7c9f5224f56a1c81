#include "text/field.h"

#include <math.h>
#include <string.h>

sqa_field sqa_field_text(const char *name, const char *text)
{
    return (sqa_field){.name = name, .type = SQA_FIELD_TEXT, .text = text};
}

sqa_field sqa_field_integer(const char *name, int64_t integer)
{
    return (sqa_field){.name = name, .type = SQA_FIELD_INTEGER, .integer = integer};
}

sqa_field sqa_field_number(const char *name, double number)
{
    return (sqa_field){.name = name, .type = SQA_FIELD_NUMBER, .number = number};
}

sqa_field sqa_field_boolean(const char *name, bool boolean)
{
    return (sqa_field){.name = name, .type = SQA_FIELD_BOOLEAN, .boolean = boolean};
}

void sqa_field_write_json(sqa_json *json, const sqa_field *field)
{
    switch (field->type) {
    case SQA_FIELD_TEXT: sqa_json_string(json, field->name, field->text); break;
    case SQA_FIELD_INTEGER: sqa_json_integer(json, field->name, field->integer); break;
    case SQA_FIELD_NUMBER: sqa_json_number(json, field->name, field->number); break;
    case SQA_FIELD_BOOLEAN: sqa_json_boolean(json, field->name, field->boolean); break;
    }
}

/* Quotes where a comma or a quote would mislead. */
static void write_csv_text(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++)
        fprintf(file, "%s%c", *text == '"' ? "\"" : "", *text);
    fputc('"', file);
}

static void write_csv_value(FILE *file, const sqa_field *field)
{
    switch (field->type) {
    case SQA_FIELD_TEXT: write_csv_text(file, field->text ? field->text : ""); break;
    case SQA_FIELD_INTEGER: fprintf(file, "%lld", (long long)field->integer); break;
    case SQA_FIELD_BOOLEAN: fputs(field->boolean ? "true" : "false", file); break;
    case SQA_FIELD_NUMBER:
        if (isfinite(field->number))
            fprintf(file, "%.9g", field->number);
        break;
    }
}

void sqa_fields_write_csv(FILE *file, const sqa_field *fields, size_t count, bool names)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', file);
        if (names)
            fputs(fields[i].name, file);
        else
            write_csv_value(file, &fields[i]);
    }
    fputc('\n', file);
}
