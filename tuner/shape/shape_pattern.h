/* The keys of a shape that say which keys a query sees and what becomes of scores:
 * a row per key that reads its value into a descriptor, and one that tells it. For
 * shape.c alone. */
#ifndef SQA_TUNER_SHAPE_PATTERN_H
#define SQA_TUNER_SHAPE_PATTERN_H

#include <stdbool.h>

#include "sqa_cl/attention.h"

#define SQA_PATTERN_VALUE 80 /* bytes that any value fits in */

typedef struct sqa_pattern_key {
    const char *name;
    bool flag; /* takes no value */
    /* Into a descriptor whose heads and lengths are set. Errors name key and range. */
    sqa_status (*read)(const char *value, sqa_attention_desc *desc);
    /* false: the descriptor needs no such key. */
    bool (*write)(const sqa_attention_desc *desc, char value[SQA_PATTERN_VALUE]);
} sqa_pattern_key;

enum { SQA_PATTERN_KEY_COUNT = 12 };

/* In the order in which they are read and written. */
extern const sqa_pattern_key sqa_pattern_keys[SQA_PATTERN_KEY_COUNT];

#endif
