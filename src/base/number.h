/* Numbers as people type them, the whole text or nothing. Says only whether the text
 * is one; what was expected is for the caller to tell. */
#ifndef SQA_BASE_NUMBER_H
#define SQA_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "sqa_cl/pattern.h"

#define SQA_WINDOW_MOST ((1 << 30) - 1) /* of either side */

/* Decimal digits alone. */
bool sqa_read_number(const char *text, uint64_t low, uint64_t high, uint64_t *out);
bool sqa_read_count(const char *text, uint32_t low, uint32_t high, uint32_t *out);

/* Any finite number. */
bool sqa_read_finite(const char *text, float *out);

/* "LEFT:RIGHT" or with another character `between`; each a count or -1, no bound. */
bool sqa_read_window(const char *text, char between, sqa_window *out);

/* "FIRST:SECOND" likewise, both counts of one range. */
bool sqa_read_pair(const char *text, char between, uint32_t low, uint32_t high, uint32_t *first,
                   uint32_t *second);

#endif
