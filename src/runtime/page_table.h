/* Which pages the sequences of a cache have: numbers on the host alone. Sequences share pages by
 * forking; what is written next goes to pages that one sequence has. Knows no device. */
#ifndef SQA_RUNTIME_PAGE_TABLE_H
#define SQA_RUNTIME_PAGE_TABLE_H

#include <stdint.h>

#include "sqa_cl/status.h"

typedef struct sqa_page_sizes {
    uint32_t sequences, capacity; /* tokens of a sequence, at most */
    uint32_t page_size, pages;
    uint32_t row; /* pages of a sequence, at most: a row of the table */
} sqa_page_sizes;

/* One allocation, for free(); of a fixed size, so that one is copied to another of equal sizes. */
typedef struct sqa_page_table {
    uint32_t free_count;
    uint32_t *length; /* tokens, by sequence */
    uint32_t *uses;   /* sequences that have the page */
    uint32_t *free;   /* pages that nobody has: the first free_count */
    int32_t *table;   /* sequences x row; -1 behind a sequence's end */
} sqa_page_table;

/* All sequences are empty. NULL: there is no memory. */
sqa_page_table *sqa_page_table_create(const sqa_page_sizes *sizes);
void sqa_page_table_copy(const sqa_page_sizes *sizes, const sqa_page_table *from,
                         sqa_page_table *to);

/* Makes room for `count` more tokens of the sequence. Where they begin in a page that others have,
 * too, the sequence gets another one, and what it has of that has to be copied: *from and *to are
 * the two pages then, else both are -1.
 * Errors: SQA_INVALID_ARGUMENT, saying how many tokens fit. */
sqa_status sqa_page_table_grow(const sqa_page_sizes *sizes, sqa_page_table *table,
                               uint32_t sequence, uint32_t count, int32_t *from, int32_t *to);

/* How many tokens sqa_page_table_grow() has room for. */
uint32_t sqa_page_table_room(const sqa_page_sizes *sizes, const sqa_page_table *table,
                             uint32_t sequence);

/* Leaves the sequence its first `length` tokens, no more than it has. */
void sqa_page_table_cut(const sqa_page_sizes *sizes, sqa_page_table *table, uint32_t sequence,
                        uint32_t length);

/* Gives the empty sequence `to` the pages of `from`. */
void sqa_page_table_fork(const sqa_page_sizes *sizes, sqa_page_table *table, uint32_t from,
                         uint32_t to);

#endif
