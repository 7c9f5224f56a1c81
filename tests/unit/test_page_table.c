/* Who has which page: after any sequence of growing, cutting and forking, every page is either free
 * or has as many users as the table says, what two sequences write next goes to pages of their own,
 * and the room that is promised is there. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/random.h"
#include "run_suite.h"
#include "runtime/page_table.h"

enum { SEQUENCES = 5, STEPS = 150 };

static const sqa_page_sizes kinds[] = {
    {SEQUENCES, 23, 4, 17, 6},
    {SEQUENCES, 9, 1, 30, 9},
    {SEQUENCES, 40, 40, 5, 1},
    {SEQUENCES, 64, 7, 50, 10},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static uint32_t pages_of(const sqa_page_sizes *sizes, uint32_t tokens)
{
    return (tokens + sizes->page_size - 1) / sizes->page_size;
}

static void check_pages(const sqa_page_sizes *sizes, const sqa_page_table *t)
{
    uint32_t users[64] = {0}, used = 0;
    for (uint32_t b = 0; b < SEQUENCES; b++)
        for (uint32_t i = 0; i < sizes->row; i++) {
            const int32_t page = t->table[b * sizes->row + i];
            const bool has = i < pages_of(sizes, t->length[b]);
            ck_assert(has == (page >= 0));
            if (has)
                users[page]++;
        }
    for (uint32_t p = 0; p < sizes->pages; p++) {
        ck_assert_uint_eq(users[p], t->uses[p]);
        used += users[p] > 0;
    }
    ck_assert_uint_eq(used + t->free_count, sizes->pages);
    for (uint32_t i = 0; i < t->free_count; i++)
        ck_assert_uint_eq(users[t->free[i]], 0);
}

static void grow(const sqa_page_sizes *sizes, sqa_page_table *t, uint32_t b, uint32_t count)
{
    const uint32_t before = t->length[b], room = sqa_page_table_room(sizes, t, b);
    int32_t from, to;
    if (count > room) {
        ck_assert_int_eq(sqa_page_table_grow(sizes, t, b, count, &from, &to), SQA_INVALID_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(sqa_last_error(), "fit"));
        count = room;
    }
    ck_assert_int_eq(sqa_page_table_grow(sizes, t, b, count, &from, &to), SQA_OK);
    ck_assert_uint_eq(t->length[b], before + count);
    ck_assert(from == -1 || (to == t->table[b * sizes->row + before / sizes->page_size] &&
                             t->uses[from] > 0 && before % sizes->page_size != 0));
    for (uint32_t j = before; j < before + count; j++)
        ck_assert_uint_eq(t->uses[t->table[b * sizes->row + j / sizes->page_size]], 1);
}

START_TEST(pages_have_their_users)
{
    const sqa_page_sizes *sizes = &kinds[_i];
    sqa_random random = {11 + (uint64_t)_i};
    sqa_page_table *t = sqa_page_table_create(sizes), *copy = sqa_page_table_create(sizes);
    ck_assert(t && copy);
    for (int step = 0; step < STEPS; step++) {
        const uint32_t b = (uint32_t)sqa_random_below(&random, SEQUENCES);
        const uint32_t other = (uint32_t)sqa_random_below(&random, SEQUENCES);
        switch (sqa_random_below(&random, 4)) {
        case 0:
            sqa_page_table_cut(sizes, t, b, (uint32_t)sqa_random_below(&random, t->length[b] + 1u));
            break;
        case 1:
            if (other == b)
                break;
            sqa_page_table_cut(sizes, t, b, 0);
            sqa_page_table_fork(sizes, t, other, b);
            break;
        default: grow(sizes, t, b, (uint32_t)sqa_random_below(&random, 9)); break;
        }
        check_pages(sizes, t);
        sqa_page_table_copy(sizes, t, copy);
        check_pages(sizes, copy);
    }
    free(t);
    free(copy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("page_table");
    TCase *tests = tcase_create("page_table");
    tcase_add_loop_test(tests, pages_have_their_users, 0, KINDS);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
