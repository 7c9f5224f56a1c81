/* UTF-8 as it should be, and what to make of text that is not: names come from
 * drivers, files and other people's databases, and may hold anything. */
#ifndef SQA_BASE_UTF8_H
#define SQA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed sequence at the zero-terminated `text`; 0 when it is none. */
size_t sqa_utf8_length(const char *text);

/* Bytes of the byte order mark that some editors begin a file with; 0: there is none. */
size_t sqa_utf8_mark(const char *text);

/* Whether the whole text is well-formed. */
bool sqa_utf8_is_valid(const char *text);

/* Copies a name so that it is UTF-8 and can still be told from every other: bytes that are
 * none become \xHH, and a backslash \\ wherever \xHH could be meant otherwise. Any other
 * text stays as it is. No more than size - 1 bytes and a zero, whole characters. Returns `out`. */
char *sqa_utf8_escape(const char *text, char *out, size_t size);

/* Copies at most size - 1 bytes and a zero: what is not UTF-8 becomes U+FFFD, and a
 * character that would be cut is left out. With `printable`, control characters
 * become blanks, so that the text cannot move a terminal's cursor. Returns `out`. */
char *sqa_utf8_clean(const char *text, char *out, size_t size, bool printable);

#endif
