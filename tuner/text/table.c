/* Aligned columns. Knows nothing of what the cells mean; a cell that memory did
 * not suffice for prints as "?". */
#include "text/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void sqa_table_column(sqa_table *table, const char *heading, sqa_table_align align)
{
    assert(table->cell_count == 0 && table->column_count < SQA_TABLE_MAX_COLUMNS);
    if (table->column_count == SQA_TABLE_MAX_COLUMNS)
        return;
    table->heading[table->column_count] = heading;
    table->align[table->column_count] = align;
    table->column_count++;
}

static char *format_cell(const char *format, va_list arguments)
{
    char *cell = NULL;
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0)
        cell = malloc((size_t)length + 1);
    if (cell)
        vsnprintf(cell, (size_t)length + 1, format, again);
    va_end(again);
    return cell;
}

/* Cells hold what drivers and other people's databases say: nothing in them moves
 * the terminal's cursor. */
static char *make_printable(char *text)
{
    char *clean = text ? malloc(3 * strlen(text) + 1) : NULL;
    if (clean)
        sqa_utf8_clean(text, clean, 3 * strlen(text) + 1, true);
    free(text);
    return clean;
}

void sqa_table_cell(sqa_table *table, const char *format, ...)
{
    if (table->cell_count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        char **cells = realloc(table->cells, capacity * sizeof *cells);
        if (!cells)
            return;
        table->cells = cells;
        table->capacity = capacity;
    }
    va_list arguments;
    va_start(arguments, format);
    table->cells[table->cell_count++] = make_printable(format_cell(format, arguments));
    va_end(arguments);
}

static const char *cell_text(const sqa_table *table, size_t index)
{
    return table->cells[index] ? table->cells[index] : "?";
}

/* Characters, not bytes: continuation bytes are 10xxxxxx. */
static size_t display_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_padding(FILE *file, size_t count)
{
    while (count-- > 0)
        fputc(' ', file);
}

/* The last column is not padded on its right, so that lines have no blank tail. */
static void print_aligned(const sqa_table *table, FILE *file, size_t column, const char *text,
                          size_t width)
{
    size_t padding = width - display_width(text);
    bool right = table->align[column] == SQA_ALIGN_RIGHT;
    bool last = column + 1 == table->column_count;
    print_padding(file, right ? padding : 0);
    fputs(text, file);
    if (last)
        fputc('\n', file);
    else
        print_padding(file, right ? 2 : padding + 2);
}

void sqa_table_print(sqa_table *table, FILE *file)
{
    size_t width[SQA_TABLE_MAX_COLUMNS] = {0};
    size_t columns = table->column_count;
    bool headed = false;
    for (size_t c = 0; c < columns; c++) {
        width[c] = display_width(table->heading[c]);
        headed = headed || width[c] > 0;
    }
    for (size_t i = 0; columns > 0 && i < table->cell_count; i++) {
        size_t cell = display_width(cell_text(table, i));
        width[i % columns] = cell > width[i % columns] ? cell : width[i % columns];
    }
    for (size_t c = 0; headed && c < columns; c++)
        print_aligned(table, file, c, table->heading[c], width[c]);
    for (size_t i = 0; columns > 0 && i < table->cell_count; i++)
        print_aligned(table, file, i % columns, cell_text(table, i), width[i % columns]);
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (sqa_table)SQA_TABLE_INIT;
}
