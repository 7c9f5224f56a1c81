#include "runtime/page_table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

static size_t entries_of(const sqa_page_sizes *sizes)
{
    return (size_t)sizes->sequences * sizes->row;
}

static size_t number_count(const sqa_page_sizes *sizes)
{
    return sizes->sequences + 2 * (size_t)sizes->pages + entries_of(sizes);
}

sqa_page_table *sqa_page_table_create(const sqa_page_sizes *sizes)
{
    const size_t bytes = sizeof(sqa_page_table) + number_count(sizes) * sizeof(uint32_t);
    sqa_page_table *table = calloc(1, bytes);
    if (!table)
        return NULL;
    table->length = (uint32_t *)(table + 1);
    table->uses = table->length + sizes->sequences;
    table->free = table->uses + sizes->pages;
    table->table = (int32_t *)(table->free + sizes->pages);
    /* The last is taken first. */
    for (uint32_t i = 0; i < sizes->pages; i++)
        table->free[i] = sizes->pages - 1 - i;
    table->free_count = sizes->pages;
    for (size_t i = 0; i < entries_of(sizes); i++)
        table->table[i] = -1;
    return table;
}

void sqa_page_table_copy(const sqa_page_sizes *sizes, const sqa_page_table *from,
                         sqa_page_table *to)
{
    to->free_count = from->free_count;
    memcpy(to->length, from->length, number_count(sizes) * sizeof(uint32_t));
}

static int32_t *row_of(const sqa_page_sizes *sizes, const sqa_page_table *table, uint32_t sequence)
{
    return table->table + (size_t)sequence * sizes->row;
}

static uint32_t pages_of(const sqa_page_sizes *sizes, uint32_t tokens)
{
    return (uint32_t)(((uint64_t)tokens + sizes->page_size - 1) / sizes->page_size);
}

/* Whether the next token goes to a page that others have, too. */
static bool begins_shared(const sqa_page_sizes *sizes, const sqa_page_table *table,
                          uint32_t sequence)
{
    const uint32_t length = table->length[sequence];
    return length % sizes->page_size != 0 &&
           table->uses[row_of(sizes, table, sequence)[length / sizes->page_size]] > 1;
}

uint32_t sqa_page_table_room(const sqa_page_sizes *sizes, const sqa_page_table *table,
                             uint32_t sequence)
{
    const uint64_t length = table->length[sequence], size = sizes->page_size;
    const bool shared = begins_shared(sizes, table, sequence);
    if (shared && table->free_count == 0)
        return 0;
    const uint64_t free = table->free_count - (shared ? 1u : 0u);
    const uint64_t end = (pages_of(sizes, table->length[sequence]) + free) * size;
    return (uint32_t)((end < sizes->capacity ? end : sizes->capacity) - length);
}

static int32_t take(sqa_page_table *table)
{
    const uint32_t page = table->free[--table->free_count];
    table->uses[page] = 1;
    return (int32_t)page;
}

static void give_back(sqa_page_table *table, int32_t page)
{
    if (--table->uses[page] == 0)
        table->free[table->free_count++] = (uint32_t)page;
}

sqa_status sqa_page_table_grow(const sqa_page_sizes *sizes, sqa_page_table *table,
                               uint32_t sequence, uint32_t count, int32_t *from, int32_t *to)
{
    const uint32_t room = sqa_page_table_room(sizes, table, sequence);
    int32_t *row = row_of(sizes, table, sequence);
    *from = *to = -1;
    if (count > room)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "tokens: of %u new ones of sequence %u, which has %u, fit %u (capacity %u, "
                        "%u of %u pages of %u are free)",
                        count, sequence, table->length[sequence], room, sizes->capacity,
                        table->free_count, sizes->pages, sizes->page_size);
    if (count == 0)
        return SQA_OK;
    if (begins_shared(sizes, table, sequence)) {
        int32_t *last = &row[table->length[sequence] / sizes->page_size];
        *from = *last;
        *to = *last = take(table);
        give_back(table, *from);
    }
    const uint32_t pages = pages_of(sizes, table->length[sequence] + count);
    for (uint32_t i = pages_of(sizes, table->length[sequence]); i < pages; i++)
        row[i] = take(table);
    table->length[sequence] += count;
    return SQA_OK;
}

void sqa_page_table_cut(const sqa_page_sizes *sizes, sqa_page_table *table, uint32_t sequence,
                        uint32_t length)
{
    int32_t *row = row_of(sizes, table, sequence);
    assert(length <= table->length[sequence]);
    for (uint32_t i = pages_of(sizes, table->length[sequence]); i > pages_of(sizes, length); i--) {
        give_back(table, row[i - 1]);
        row[i - 1] = -1;
    }
    table->length[sequence] = length;
}

void sqa_page_table_fork(const sqa_page_sizes *sizes, sqa_page_table *table, uint32_t from,
                         uint32_t to)
{
    const int32_t *source = row_of(sizes, table, from);
    int32_t *row = row_of(sizes, table, to);
    assert(table->length[to] == 0);
    table->length[to] = table->length[from];
    for (uint32_t i = 0; i < pages_of(sizes, table->length[from]); i++) {
        row[i] = source[i];
        table->uses[row[i]]++;
    }
}
