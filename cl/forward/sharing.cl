/* Sharing key/value tiles: with SHARE, the query heads of one key/value head are
 * rows of one matrix, in turn, so that a tile of K and V serves all of them and
 * rows still see more keys the further down they are. Without, each output head
 * is a matrix of its own. */
#ifndef SHARE
#define SHARE 0
#endif

#if SHARE
#define ROW_COUNT (q_length * group)
#define FIRST_HEAD(id) ((id)*group)
#define ROW_HEAD(first_head, row) ((first_head) + (row) % group)
#define ROW_QUERY(row) ((row) / group)
#else
#define ROW_COUNT q_length
#define FIRST_HEAD(id) (id)
#define ROW_HEAD(first_head, row) (first_head)
#define ROW_QUERY(row) (row)
#endif
