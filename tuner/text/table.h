/* A table for people: cells are collected, then printed with columns as wide as
 * their widest cell. Widths count UTF-8 characters, not bytes. Where the terminal is too
 * narrow, columns that may be are left out, and a line below the table says which.
 *
 *   sqa_table table = SQA_TABLE_INIT;
 *   sqa_table_column(&table, "variant", SQA_ALIGN_LEFT);
 *   sqa_table_column(&table, "ms", SQA_ALIGN_RIGHT);
 *   sqa_table_cell(&table, "%s", "mha");
 *   sqa_table_cell(&table, "%.2f", 12.5);
 *   sqa_table_print(&table, stdout); */
#ifndef SQA_TUNER_TEXT_TABLE_H
#define SQA_TUNER_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

#define SQA_TABLE_MAX_COLUMNS 24

typedef enum sqa_table_align { SQA_ALIGN_LEFT = 0, SQA_ALIGN_RIGHT = 1 } sqa_table_align;

typedef struct sqa_table {
    const char *heading[SQA_TABLE_MAX_COLUMNS]; /* borrowed */
    sqa_table_align align[SQA_TABLE_MAX_COLUMNS];
    uint8_t rank[SQA_TABLE_MAX_COLUMNS]; /* 0: it is never left out */
    bool wide;                           /* nor is any other */
    bool wraps; /* a last column of words goes on below itself where lines end */
    size_t column_count;
    char **cells; /* row by row */
    size_t cell_count;
    size_t capacity;
} sqa_table;

#define SQA_TABLE_INIT                                                                             \
    {                                                                                              \
        {0}, {SQA_ALIGN_LEFT}, {0}, false, false, 0, 0, 0, 0                                       \
    }

/* Columns are declared before the first cell. */
void sqa_table_column(sqa_table *table, const char *heading, sqa_table_align align);

/* Likewise, of one that may be left out: what there is room for is given by rank, from 1. */
void sqa_table_spare(sqa_table *table, const char *heading, sqa_table_align align, unsigned rank);

/* The next cell; a row is full after as many cells as there are columns. */
void sqa_table_cell(sqa_table *table, const char *format, ...) SQA_PRINTF(2, 3);

/* Prints headings (unless all are empty) and rows, then frees the cells. */
void sqa_table_print(sqa_table *table, FILE *file);

#endif
