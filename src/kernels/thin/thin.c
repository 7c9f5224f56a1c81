#include "kernels/thin/thin.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/thin/lines.h"

/* Blank lines stay between two lines of code, one of several. */
static void write_lines(sqa_text *out, const sqa_lines *lines)
{
    const sqa_line *last = NULL;
    bool blank = false;
    for (size_t i = 0; i < lines->count; i++) {
        const sqa_line *line = &lines->items[i];
        blank = blank || (!line->is_head && line->kind == SQA_LINE_BLANK);
        if (line->is_head || line->kind == SQA_LINE_BLANK)
            continue;
        if (blank && last && last->kind == SQA_LINE_CODE && line->kind == SQA_LINE_CODE)
            sqa_text_append(out, "\n");
        sqa_text_append(out, line->lead);
        sqa_text_append_bytes(out, line->text, line->length);
        sqa_text_append(out, "\n");
        last = line;
        blank = false;
    }
}

/* Without its comments, to be freed; NULL: no memory. */
static char *strip(const char *text, size_t *length, bool *ends)
{
    char *plain = malloc(strlen(text) + 1);
    *length = 0;
    if (plain) {
        *ends = sqa_strip_comments(text, plain, length) && *ends;
        plain[*length] = '\0';
    }
    return plain;
}

/* Reads the head for what it defines and for what names are put together of, and the text. */
static sqa_lines_result read_both(const char *head, size_t head_length, const char *text,
                                  size_t text_length, sqa_names *names, sqa_lines *out)
{
    sqa_lines_result result = sqa_lines_read(out, names, head, head_length);
    for (size_t i = 0; i < out->count; i++)
        out->items[i].is_head = true;
    if (result == SQA_LINES_OK)
        result = sqa_lines_read(out, names, text, text_length);
    if (result == SQA_LINES_OK && !sqa_lines_drop_unused(out, names, head, head_length))
        result = SQA_LINES_NO_MEMORY;
    return result;
}

void sqa_thin(sqa_text *out, const char *head, const char *text)
{
    size_t head_length, text_length;
    bool ends = true;
    sqa_names names;
    sqa_lines lines = {0};
    char *plain_head = strip(head, &head_length, &ends);
    char *plain = strip(text, &text_length, &ends);
    sqa_lines_result result = SQA_LINES_NO_MEMORY;
    if (sqa_names_create(&names) && plain_head && plain)
        result = ends ? read_both(plain_head, head_length, plain, text_length, &names, &lines)
                      : SQA_LINES_MALFORMED;
    sqa_text_append(out, head);
    if (result == SQA_LINES_OK)
        write_lines(out, &lines);
    else
        sqa_text_append(out, text);
    out->failed = out->failed || result == SQA_LINES_NO_MEMORY;
    sqa_names_free(&names);
    free(lines.items);
    free(plain);
    free(plain_head);
}
