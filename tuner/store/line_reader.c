#include "store/line_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Of a file that an editor has put one before. */
static void drop_mark(sqa_line *line)
{
    const size_t mark = sqa_utf8_mark(line->text);
    line->kept -= mark;
    line->bytes -= mark;
    memmove(line->text, line->text + mark, line->kept + 1);
}

sqa_status sqa_line_read(sqa_line *line, FILE *file, bool *more)
{
    if (!line->text)
        line->text = malloc(SQA_LONGEST_LINE + 1);
    if (!line->text)
        return sqa_fail_memory("a line");
    line->kept = 0;
    line->bytes = 0;
    int byte;
    while ((byte = getc(file)) != EOF && byte != '\n') {
        if (line->kept < SQA_LONGEST_LINE)
            line->text[line->kept++] = (char)byte;
        line->bytes++;
    }
    line->text[line->kept] = 0;
    if (line->number++ == 0)
        drop_mark(line);
    *more = byte != EOF || line->bytes > 0;
    return SQA_OK;
}

void sqa_line_free(sqa_line *line)
{
    free(line->text);
    *line = (sqa_line)SQA_LINE_INIT;
}
