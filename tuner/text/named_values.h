/* Texts such as "d=64,causal,window=128:0", item by item: shapes, class keys and
 * configurations, without knowing what any name means. */
#ifndef SQA_TUNER_TEXT_NAMED_VALUES_H
#define SQA_TUNER_TEXT_NAMED_VALUES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sqa_named_value {
    char name[32];
    char value[128]; /* "" of a flag */
    bool flag;       /* there was no '=' */
} sqa_named_value;

/* Takes the first item off *text; false: there is none left. What is longer than an item
 * can be is cut off. */
bool sqa_named_value_next(const char **text, sqa_named_value *out);

/* The item of this name; false: there is none. */
bool sqa_named_value_find(const char *text, const char *name, sqa_named_value *out);

/* Whether the value is a decimal integer of at most 18 digits; without leading zeros, so
 * that it is the number's only text. */
bool sqa_named_value_integer(const sqa_named_value *item, int64_t *out);

/* Whether the value is a finite number as JSON writes it. */
bool sqa_named_value_number(const sqa_named_value *item, double *out);

#endif
