/* The names and numbers of a text, each once, and what is known of those that are
 * macros. */
#ifndef SQA_KERNELS_THIN_NAMES_H
#define SQA_KERNELS_THIN_NAMES_H

#include <stdint.h>

#include "kernels/thin/tokens.h"

/* Of a name as a macro, at one place of the text. */
typedef enum sqa_macro_state {
    SQA_MACRO_NEVER = 0, /* the text did not define it; a compiler may have */
    SQA_MACRO_DEFINED,
    SQA_MACRO_UNDEFINED, /* by #undef */
    SQA_MACRO_UNKNOWN    /* one or the other, by a condition that was not decided */
} sqa_macro_state;

typedef struct sqa_name {
    const char *text; /* of the token met first */
    size_t length;
    sqa_macro_state state;
    const char *body; /* where DEFINED: what it stands for, body_length bytes */
    size_t body_length;
    bool has_arguments;
    bool is_expanding; /* a macro within its own body is no macro */
    bool is_seen;      /* a token of what remains of the text */
} sqa_name;

/* A name is told by its number, from 1 on. */
typedef struct sqa_names {
    sqa_name *names;
    uint32_t count;
    uint32_t *slots; /* by hash: numbers, 0 where it is free */
    uint32_t slot_count;
} sqa_names;

/* false: no memory. Freed also then. */
bool sqa_names_create(sqa_names *out);
void sqa_names_free(sqa_names *names);

/* 0: there is none. */
uint32_t sqa_names_find(const sqa_names *names, const char *text, size_t length);

/* Adds it where there is none; 0: no memory. */
uint32_t sqa_names_add(sqa_names *names, const sqa_token *token);

/* Until the next one is added. */
static inline sqa_name *sqa_names_at(const sqa_names *names, uint32_t number)
{
    return &names->names[number];
}

#endif
