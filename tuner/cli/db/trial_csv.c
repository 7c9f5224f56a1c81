/* One trial as CSV: every column of the database, under its own name. */
#include <stdlib.h>
#include <string.h>

#include "cli/db/subcommand.h"
#include "device/subgroups.h"
#include "store/columns.h"
#include "text/field.h"

static int64_t read_integer(const sqa_column *column, const char *at)
{
    int64_t wide = 0;
    uint32_t narrow = 0;
    if (column->size == sizeof wide) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return column->kind == SQA_COLUMN_UNSIGNED ? (int64_t)narrow : (int32_t)narrow;
}

/* `subgroups` is where that text goes, which no column holds as such. */
static sqa_field field_of(const sqa_column *column, const sqa_stored_trial *trial,
                          char subgroups[SQA_SUBGROUP_TEXT])
{
    const char *at = (const char *)trial + column->offset;
    double figure = 0;
    int word = 0;
    switch (column->kind) {
    case SQA_COLUMN_TEXT:
    case SQA_COLUMN_OPTIONAL_TEXT: return sqa_field_text(column->name, at);
    case SQA_COLUMN_UNSIGNED:
    case SQA_COLUMN_SIGNED: return sqa_field_integer(column->name, read_integer(column, at));
    case SQA_COLUMN_BOOLEAN: return sqa_field_boolean(column->name, *(const bool *)at);
    case SQA_COLUMN_FIGURE:
    case SQA_COLUMN_AMOUNT:
        memcpy(&figure, at, sizeof figure);
        return sqa_field_number(column->name, figure);
    case SQA_COLUMN_WORD:
        memcpy(&word, at, sizeof word);
        return sqa_field_text(column->name, column->word(word));
    case SQA_COLUMN_SUBGROUPS:
        sqa_subgroups_format(&trial->device.limits, subgroups);
        return sqa_field_text(column->name, subgroups);
    case SQA_COLUMN_FIELDS: break; /* whose values have columns of their own */
    }
    return sqa_field_text(column->name, NULL);
}

void sqa_db_write_csv(const sqa_stored_trial *trial, const sqa_value_names *names)
{
    char subgroups[SQA_SUBGROUP_TEXT];
    sqa_problem_values values = {.count = 0};
    size_t count = 0;
    if (trial)
        sqa_problem_values_of(&values, trial);
    sqa_field *fields = calloc(sqa_column_count + names->count + 1, sizeof *fields);
    for (size_t i = 0; fields && i < sqa_column_count; i++) {
        const sqa_column *column = &sqa_columns[i];
        if (column->kind == SQA_COLUMN_FIELDS) {
            sqa_value_names_fields(names, &values, fields + count);
            count += names->count;
        } else {
            fields[count++] =
                trial ? field_of(column, trial, subgroups) : sqa_field_text(column->name, NULL);
        }
    }
    if (fields)
        fields[count++] = sqa_field_text("source", trial ? trial->source : NULL);
    if (fields)
        sqa_fields_write_csv(stdout, fields, count, !trial);
    free(fields);
}
