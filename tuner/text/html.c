/* See html.h. One file, no script, no font and no picture from elsewhere. */
#include "text/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"
#include "sqa_cl/version.h"

static const char style[] =
    ":root{color-scheme:light}"
    "body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;margin:0 auto;"
    "max-width:68rem;padding:1.5rem}"
    "h1{font-size:1.8rem;line-height:1.2;margin:0 0 .5rem}"
    "h2{font-size:1.35rem;margin:2.5rem 0 .75rem;padding-top:1rem;border-top:3px solid #08306b}"
    "h3{font-size:1.1rem;margin:1.75rem 0 .5rem}"
    "p{max-width:46rem;margin:.5rem 0}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.25rem;margin:.5rem 0}"
    "dt{color:#555}dd{margin:0;overflow-wrap:anywhere}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;font-size:.875rem;width:100%;margin:.5rem 0}"
    "caption{text-align:left;color:#555;padding:.25rem 0}"
    "th,td{padding:.3rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid #ddd}"
    "th{border-bottom:2px solid #888;white-space:nowrap}"
    ".figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "td{white-space:nowrap}td:last-child:not(.figure){white-space:normal;min-width:16rem;"
    "overflow-wrap:anywhere}"
    "figure{margin:1rem 0}figure svg{width:100%;height:auto;max-width:60rem;display:block}"
    "figcaption,footer{color:#555;font-size:.875rem}"
    "footer{margin-top:3rem;border-top:1px solid #ddd;padding-top:.5rem}"
    "@media print{body{max-width:none;padding:0;font-size:10pt}table{font-size:7.5pt}"
    "th,td{padding:.1rem .3rem;white-space:normal}.wide{overflow:visible}h2{break-before:page}"
    "h2:first-of-type{break-before:auto}h2,h3,caption{break-after:avoid}"
    "tr,figure{break-inside:avoid}thead{display:table-header-group}}";

static void write_text(FILE *file, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&': fputs("&amp;", file); break;
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '"': fputs("&quot;", file); break;
        case '\'': fputs("&#39;", file); break;
        default: fputc(*text, file);
        }
}

static void write_formatted(FILE *file, const char *format, va_list arguments)
{
    char text[2048], clean[2048];
    vsnprintf(text, sizeof text, format, arguments);
    write_text(file, sqa_utf8_clean(text, clean, sizeof clean, true));
}

void sqa_html_text(FILE *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_formatted(file, format, arguments);
    va_end(arguments);
}

static void end_element(FILE *file, const char *name)
{
    fprintf(file, "</%.*s>\n", (int)strcspn(name, " "), name);
}

void sqa_html_element(FILE *file, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(file, "<%s>", name);
    write_formatted(file, format, arguments);
    end_element(file, name);
    va_end(arguments);
}

void sqa_html_begin(FILE *file, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
          file);
    sqa_html_element(file, "title", "%s", title);
    fprintf(file, "<style>%s</style>\n</head>\n<body>\n<main>\n", style);
    sqa_html_element(file, "h1", "%s", title);
}

void sqa_html_end(FILE *file)
{
    fputs("</main>\n", file);
    sqa_html_element(file, "footer", "Written by sqa report, libsqa_cl %s.", sqa_version_string());
    fputs("</body>\n</html>\n", file);
}

void sqa_html_table_begin(FILE *file, const char *caption, const char *headings)
{
    fputs("<div class=\"wide\"><table>\n", file);
    sqa_html_element(file, "caption", "%s", caption);
    fputs("<thead><tr>", file);
    for (const char *at = headings; *at; at += *at == '|') {
        size_t length = strcspn(at, "|");
        bool figure = *at == '#';
        fprintf(file, "<th scope=\"col\"%s>", figure ? " class=\"figure\"" : "");
        sqa_html_text(file, "%.*s", (int)(length - figure), at + figure);
        fputs("</th>", file);
        at += length;
    }
    fputs("</tr></thead>\n<tbody>\n", file);
}

void sqa_html_row_begin(FILE *file)
{
    fputs("<tr>", file);
}

void sqa_html_cell(FILE *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("<td>", file);
    write_formatted(file, format, arguments);
    fputs("</td>", file);
    va_end(arguments);
}

void sqa_html_figure(FILE *file, double value, int decimals, const char *unit)
{
    fputs("<td class=\"figure\">", file);
    if (isfinite(value))
        sqa_html_text(file, "%.*f%s", decimals, value, unit);
    else
        fputs("&ndash;", file);
    fputs("</td>", file);
}

void sqa_html_row_end(FILE *file)
{
    fputs("</tr>\n", file);
}

void sqa_html_table_end(FILE *file)
{
    fputs("</tbody></table></div>\n", file);
}
