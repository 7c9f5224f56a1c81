/* The columns of the database, as a table: from it come the SQL that finds, adds
 * and reads rows, and the JSON of an exported line. Adding a column is a line
 * there (and one in db/schema.sql). */
#ifndef SQA_TUNER_COLUMNS_H
#define SQA_TUNER_COLUMNS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "store/stored_trial.h"

typedef enum sqa_column_kind {
    SQA_COLUMN_TEXT,          /* char array of `size` bytes */
    SQA_COLUMN_OPTIONAL_TEXT, /* the same; "" is NULL */
    SQA_COLUMN_UNSIGNED,      /* `size` bytes wide, 4 or 8 */
    SQA_COLUMN_SIGNED,        /* the same */
    SQA_COLUMN_BOOLEAN,       /* bool */
    SQA_COLUMN_FIGURE,        /* double, as it was measured; NaN is NULL */
    SQA_COLUMN_AMOUNT,        /* double, as it follows from the problem; likewise */
    SQA_COLUMN_WORD,          /* an enum, by the names that `word` gives its values */
    SQA_COLUMN_SUBGROUPS,     /* what sqa_device_limits knows of sub-groups, as a text */
    SQA_COLUMN_FIELDS         /* the items of the shape as JSON; only ever written */
} sqa_column_kind;

/* The table a column is in, which is also its object in an exported line. */
typedef enum sqa_column_group {
    SQA_GROUP_DEVICE = 0,
    SQA_GROUP_ENVIRONMENT,
    SQA_GROUP_CLASS,
    SQA_GROUP_PROBLEM,
    SQA_GROUP_TRIAL,
    SQA_GROUP_VIEW, /* only the views have it */
    SQA_GROUP_COUNT
} sqa_column_group;

typedef struct sqa_column {
    sqa_column_group group;
    const char *name;
    sqa_column_kind kind;
    size_t offset, size;            /* in sqa_stored_trial */
    bool is_key;                    /* part of what makes the row the same row */
    const char *line;               /* object of the exported line; NULL: left out */
    const char *(*word)(int value); /* NULL past the last value */
    int since;                      /* schema of the first lines that have it */
    bool is_sparse;                 /* a line leaves it out where it is NULL */
} sqa_column;

extern const sqa_column sqa_columns[];
extern const size_t sqa_column_count;

/* SQL: "vendor, architecture, ..." of every column, in the table's order. */
void sqa_columns_list(sqa_text *sql);

/* SQL: the same values taken out of an exported line that is bound as ?1. */
void sqa_columns_from_line(sqa_text *sql);

/* SQL: json_object(...) that makes an exported line of a row. */
void sqa_columns_to_line(sqa_text *sql);

/* Reads a row of either list, from column 0 on. Columns a line leaves out are
 * NULL there and stay zero.
 * Errors: SQA_INVALID_ARGUMENT, naming the column whose value is missing, of the
 * wrong type or out of range. */
sqa_status sqa_columns_read(sqlite3_stmt *statement, bool from_line, sqa_stored_trial *out);

/* Binds one column's value to parameter `index`; an SQLite result code. */
int sqa_column_bind(sqlite3_stmt *statement, int index, const sqa_column *column,
                    const sqa_stored_trial *trial);

#endif
