/* Aligned columns. Knows nothing of what the cells mean; a cell that memory did
 * not suffice for prints as "?". */
#include "text/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/terminal.h"

void sqa_table_column(sqa_table *table, const char *heading, sqa_table_align align)
{
    assert(table->cell_count == 0 && table->column_count < SQA_TABLE_MAX_COLUMNS);
    if (table->column_count == SQA_TABLE_MAX_COLUMNS)
        return;
    table->heading[table->column_count] = heading;
    table->align[table->column_count] = align;
    table->column_count++;
}

void sqa_table_spare(sqa_table *table, const char *heading, sqa_table_align align, unsigned rank)
{
    sqa_table_column(table, heading, align);
    table->rank[table->column_count - 1] = (uint8_t)rank;
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
static size_t count_characters(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static size_t display_width(const char *text)
{
    return count_characters(text, strlen(text));
}

static void print_padding(FILE *file, size_t count)
{
    while (count-- > 0)
        fputc(' ', file);
}

/* How a table is laid out on lines of some width. */
typedef struct layout {
    size_t width[SQA_TABLE_MAX_COLUMNS];
    bool shown[SQA_TABLE_MAX_COLUMNS];
    size_t last; /* of the columns shown */
    size_t room; /* on a line; 0: any */
    bool headed; /* not all headings are empty */
} layout;

static void measure(const sqa_table *table, layout *out)
{
    const size_t columns = table->column_count;
    for (size_t c = 0; c < columns; c++) {
        out->width[c] = display_width(table->heading[c]);
        out->headed = out->headed || out->width[c] > 0;
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        const size_t cell = display_width(cell_text(table, i));
        if (cell > out->width[i % columns])
            out->width[i % columns] = cell;
    }
}

/* By rank, each that still has room: a wide one gives way to narrow ones after it. */
static void choose(const sqa_table *table, layout *out)
{
    const size_t room = table->wide ? 0 : out->room;
    size_t used = 0;
    for (unsigned rank = 0; rank <= UINT8_MAX; rank++)
        for (size_t c = 0; c < table->column_count; c++) {
            const size_t more = out->width[c] + (used ? 2 : 0);
            if (table->rank[c] != rank || (rank && room && used + more > room))
                continue;
            out->shown[c] = true;
            out->last = c > out->last ? c : out->last;
            used += more;
        }
}

/* Words up to the end of a line, and the others below the first. */
static void print_wrapped(FILE *file, const char *text, size_t indent, size_t room)
{
    size_t used = indent;
    for (bool first = true; *text; first = false) {
        const size_t length = strcspn(text, " "), blanks = strspn(text + length, " ");
        const size_t width = count_characters(text, length);
        if (!first && used + 1 + width > room) {
            fputc('\n', file);
            print_padding(file, indent);
            used = indent;
        } else if (!first) {
            fputc(' ', file);
            used++;
        }
        fwrite(text, 1, length, file);
        used += width;
        text += length + blanks;
    }
    fputc('\n', file);
}

/* Where the last column begins. */
static size_t indent_of(const sqa_table *table, const layout *way)
{
    size_t indent = 0;
    for (size_t c = 0; c < table->column_count && c < way->last; c++)
        indent += way->shown[c] ? way->width[c] + 2 : 0;
    return indent;
}

/* The last column is not padded on its right, so that lines have no blank tail. */
static void print_aligned(const sqa_table *table, const layout *way, FILE *file, size_t column,
                          const char *text)
{
    if (!way->shown[column])
        return;
    size_t padding = way->width[column] - display_width(text);
    bool right = table->align[column] == SQA_ALIGN_RIGHT;
    if (table->wraps && column == way->last && way->room) {
        print_wrapped(file, text, indent_of(table, way), way->room);
        return;
    }
    print_padding(file, right ? padding : 0);
    fputs(text, file);
    if (column == way->last)
        fputc('\n', file);
    else
        print_padding(file, right ? 2 : padding + 2);
}

static void print_left_out(const sqa_table *table, const layout *way, FILE *file)
{
    const char *before = "not shown on this terminal: ";
    for (size_t c = 0; c < table->column_count; c++)
        if (!way->shown[c]) {
            fprintf(file, "%s%s", before, table->heading[c]);
            before = ", ";
        }
    if (before[0] == ',')
        fputs("; --wide shows all\n", file);
}

void sqa_table_print(sqa_table *table, FILE *file)
{
    const size_t columns = table->column_count;
    layout way = {.room = (size_t)sqa_terminal_columns(file)};
    if (columns) {
        measure(table, &way);
        choose(table, &way);
    }
    for (size_t c = 0; way.headed && c < columns; c++)
        print_aligned(table, &way, file, c, table->heading[c]);
    for (size_t i = 0; columns > 0 && i < table->cell_count; i++)
        print_aligned(table, &way, file, i % columns, cell_text(table, i));
    print_left_out(table, &way, file);
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (sqa_table)SQA_TABLE_INIT;
}
