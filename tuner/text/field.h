/* A named value of a row, for the machine-readable outputs: what a row has is said
 * once, as fields, and written as JSON or CSV from there. */
#ifndef SQA_TUNER_TEXT_FIELD_H
#define SQA_TUNER_TEXT_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "text/json.h"

typedef enum sqa_field_type {
    SQA_FIELD_TEXT,
    SQA_FIELD_INTEGER,
    SQA_FIELD_NUMBER,
    SQA_FIELD_BOOLEAN
} sqa_field_type;

typedef struct sqa_field {
    const char *name;
    sqa_field_type type;
    const char *text; /* NULL: unknown */
    int64_t integer;
    double number; /* NaN: unknown */
    bool boolean;
} sqa_field;

sqa_field sqa_field_text(const char *name, const char *text);
sqa_field sqa_field_integer(const char *name, int64_t integer);
sqa_field sqa_field_number(const char *name, double number);
sqa_field sqa_field_boolean(const char *name, bool boolean);

/* A member of the open object. */
void sqa_field_write_json(sqa_json *json, const sqa_field *field);

/* A line of CSV (RFC 4180): the names, or the values; unknown ones are empty. */
void sqa_fields_write_csv(FILE *file, const sqa_field *fields, size_t count, bool names);

#endif
