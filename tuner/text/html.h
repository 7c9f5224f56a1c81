/* HTML as it goes: every text is escaped here, and nowhere else. */
#ifndef SQA_TUNER_TEXT_HTML_H
#define SQA_TUNER_TEXT_HTML_H

#include <stdio.h>

#include "base/status.h"

/* The document up to and including <main>, and from </main> on. */
void sqa_html_begin(FILE *file, const char *title);
void sqa_html_end(FILE *file);

/* Escaped text; what is no UTF-8 is replaced, control characters become blanks. */
void sqa_html_text(FILE *file, const char *format, ...) SQA_PRINTF(2, 3);

/* <name>escaped text</name>; the name may have attributes: "td class=\"figure\"". */
void sqa_html_element(FILE *file, const char *name, const char *format, ...) SQA_PRINTF(3, 4);

/* A table: headings separated by '|', those of figures marked by a leading '#'; then
 * rows of cells in the same order. */
void sqa_html_table_begin(FILE *file, const char *caption, const char *headings);
void sqa_html_row_begin(FILE *file);
void sqa_html_cell(FILE *file, const char *format, ...) SQA_PRINTF(2, 3);

/* A figure with so many decimals, and what follows it; NaN is a dash. */
void sqa_html_figure(FILE *file, double value, int decimals, const char *unit);
void sqa_html_row_end(FILE *file);
void sqa_html_table_end(FILE *file);

#endif
