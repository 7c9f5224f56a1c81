/* Which rows a work-group has. With SHARE, the query heads of one key/value head are
 * rows of one matrix, in turn, so that a tile of K and V serves all of them and
 * queries still stand further along the further down they are. Without, each
 * output head is a matrix of its own. With block lists no work-group has rows of
 * two query blocks. */
#ifndef SHARE
#define SHARE 0
#endif

#if SHARE
#define ROWS_PER_QUERY group
#define FIRST_HEAD(id) ((id)*group)
#define ROW_HEAD(first_head, row) ((first_head) + (row) % group)
#define ROW_QUERY(row) ((row) / group)
#else
#define ROWS_PER_QUERY 1
#define FIRST_HEAD(id) (id)
#define ROW_HEAD(first_head, row) (first_head)
#define ROW_QUERY(row) (row)
#endif
#define ROW_COUNT (q_length * ROWS_PER_QUERY)

/* Rows FIRST_ROW .. END_ROW - 1 belong to work-group `id`, which holds `rows`; none
 * when that is no range. */
#if SQA_BLOCKS
#define BLOCK_ROWS (query_block * ROWS_PER_QUERY)
#define GROUPS_PER_BLOCK(rows) ((BLOCK_ROWS + (rows)-1) / (rows))
#define QUERY_BLOCK(id, rows) ((int)(id) / GROUPS_PER_BLOCK(rows))
#define FIRST_ROW(id, rows)                                                                        \
    (QUERY_BLOCK(id, rows) * BLOCK_ROWS + (int)(id) % GROUPS_PER_BLOCK(rows) * (rows))
#define END_ROW(id, rows)                                                                          \
    min(min(FIRST_ROW(id, rows) + (rows), (QUERY_BLOCK(id, rows) + 1) * BLOCK_ROWS), ROW_COUNT)
#else
#define QUERY_BLOCK(id, rows) 0
#define FIRST_ROW(id, rows) ((int)(id) * (rows))
#define END_ROW(id, rows) min(FIRST_ROW(id, rows) + (rows), ROW_COUNT)
#endif
