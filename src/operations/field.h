/* A key of a shape's text, as data: its name, what it means, and how its value goes into
 * a descriptor and comes out of it. Which keys an operation has is in its entry
 * (operations/operation.h), how a text of them is read in shape.c. */
#ifndef SQA_OPERATIONS_FIELD_H
#define SQA_OPERATIONS_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sqa_cl/status.h"

#define SQA_FIELD_VALUE 96 /* bytes that any value fits in */

typedef struct sqa_shape_items sqa_shape_items;

/* The value of another key of the same text; NULL: it is not given. */
const char *sqa_shape_item(const sqa_shape_items *items, const char *name);

typedef enum sqa_shape_field_kind {
    SQA_FIELD_COUNT, /* a number, uint32_t, least..most */
    SQA_FIELD_FLAG,  /* no value, uint32_t: 1 where given */
    SQA_FIELD_WORD,  /* one of `words`, uint32_t or an enum: its place among them */
    SQA_FIELD_OWN    /* as `read` and `write` say */
} sqa_shape_field_kind;

typedef struct sqa_shape_field {
    const char *name;
    const char *column;  /* its long name, as members and columns of results have it; NULL: it
                            only stands for others */
    const char *meaning; /* a few words for people */
    sqa_shape_field_kind kind;
    size_t offset; /* in the descriptor */
    uint32_t least, most;
    bool optional; /* SQA_FIELD_COUNT: 0 where it is left out, and left out where it is 0 */
    const char *const *words;  /* up to NULL */
    bool flag;                 /* SQA_FIELD_OWN: takes no value */
    bool number;               /* SQA_FIELD_OWN: the value is one */
    const char *instead_of;    /* names that must not be given beside it: "nq,nk" */
    const char *together_with; /* a name that must be */

    /* Into a descriptor whose keys further up in the table are read. Errors:
     * SQA_INVALID_ARGUMENT, naming key and range. */
    sqa_status (*read)(const char *value, const sqa_shape_items *items, void *descriptor);
    /* false: the descriptor says no more with this key than without it. NULL: never
     * written. */
    bool (*write)(const void *descriptor, char value[SQA_FIELD_VALUE]);
} sqa_shape_field;

/* Of these keys one has to be given. */
typedef struct sqa_shape_field_need {
    const char *names; /* "hq,variant" */
    const char *message;
} sqa_shape_field_need;

#endif
