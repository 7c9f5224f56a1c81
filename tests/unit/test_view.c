/* Whether strided views share elements, held against views that are marked bit by bit. */
#include <stdint.h>
#include <string.h>

#include "base/random.h"
#include "operations/view.h"
#include "run_suite.h"

enum { MEMORY = 4096 };

static sqa_tensor_shape shape_of(int64_t batch, int64_t head, int64_t sequence,
                                 const uint32_t counts[3], uint32_t dim)
{
    return (sqa_tensor_shape){
        SQA_ELEMENT_F32, {batch, head, sequence}, counts[0], counts[1], counts[2], dim};
}

/* Counts the elements that are marked already, or marks them. */
static size_t walk(const sqa_tensor_shape *shape, size_t at, unsigned char *marks, int mark)
{
    size_t met = 0;
    for (uint32_t b = 0; b < shape->batch; b++)
        for (uint32_t h = 0; h < shape->heads; h++)
            for (uint32_t i = 0; i < shape->length; i++)
                for (uint32_t d = 0; d < shape->dim; d++) {
                    const size_t element =
                        at + (size_t)(b * shape->strides.batch + h * shape->strides.head +
                                      i * shape->strides.sequence + d);
                    if (element >= MEMORY)
                        ck_abort_msg("element %zu", element);
                    met += marks[element];
                    marks[element] |= mark ? 1 : 0;
                }
    return met;
}

static bool meet_by_marking(const sqa_tensor_shape *a, size_t at_a, const sqa_tensor_shape *b,
                            size_t at_b)
{
    static unsigned char marks[MEMORY];
    memset(marks, 0, sizeof marks);
    walk(a, at_a, marks, 1);
    return walk(b, at_b, marks, 0) > 0;
}

static bool overlap(const sqa_tensor_shape *a, uint64_t at_a, const sqa_tensor_shape *b,
                    uint64_t at_b)
{
    const sqa_view first = sqa_view_of(a), second = sqa_view_of(b);
    const bool met = sqa_views_overlap(&first, at_a * 32, &second, at_b * 32);
    if (met != sqa_views_overlap(&second, at_b * 32, &first, at_a * 32))
        ck_abort_msg("it depends on which of the two is asked");
    return met;
}

static sqa_tensor_shape random_shape(sqa_random *random)
{
    static const int64_t grids[] = {1, 2, 3, 5, 8, 12};
    const int64_t grid = grids[sqa_random_below(random, 6)];
    uint32_t counts[3];
    int64_t strides[3];
    for (int i = 0; i < 3; i++) {
        counts[i] = (uint32_t)sqa_random_below(random, 6);
        strides[i] = (int64_t)sqa_random_below(random, 20) * grid;
    }
    counts[sqa_random_below(random, 3)] |= 1;
    return shape_of(strides[0], strides[1], strides[2], counts,
                    1 + (uint32_t)sqa_random_below(random, 6));
}

START_TEST(random_views)
{
    sqa_random random = {(uint64_t)_i};
    size_t met = 0, interleaved = 0;
    for (int i = 0; i < 20000; i++) {
        const sqa_tensor_shape a = random_shape(&random), b = random_shape(&random);
        const size_t at_a = sqa_random_below(&random, 60), at_b = sqa_random_below(&random, 60);
        const bool expected = meet_by_marking(&a, at_a, &b, at_b);
        if (overlap(&a, at_a, &b, at_b) != expected)
            ck_abort_msg("%ux%ux%ux%u by %d:%d:%d at %zu and %ux%ux%ux%u by %d:%d:%d at %zu %s",
                         a.batch, a.heads, a.length, a.dim, (int)a.strides.batch,
                         (int)a.strides.head, (int)a.strides.sequence, at_a, b.batch, b.heads,
                         b.length, b.dim, (int)b.strides.batch, (int)b.strides.head,
                         (int)b.strides.sequence, at_b, expected ? "meet" : "lie apart");
        const sqa_view first = sqa_view_of(&a), second = sqa_view_of(&b);
        met += expected;
        interleaved +=
            !expected && at_a * 32 + first.span > at_b * 32 && at_b * 32 + second.span > at_a * 32;
    }
    /* Both answers have been asked for often, the hard one too. */
    ck_assert_uint_gt(met, 2000);
    ck_assert_uint_gt(interleaved, 1000);
}
END_TEST

/* What programs do, at lengths that nobody marks: (tokens, columns) of all heads in one
 * buffer. Each pair lies apart, and meets when one of the two is moved by one element. */
START_TEST(layouts_of_programs)
{
    enum { D = 64, T = 1 << 20, B = 4 };
    const int64_t columns = 4 * 8 * D, row = columns, entry = (int64_t)T * columns;
    const uint32_t all[3] = {B, 8, T}, few[3] = {B, 2, T};
    const sqa_tensor_shape heads = shape_of(entry, D, row, all, D);
    const sqa_tensor_shape wide = shape_of(entry, 2 * D, row, all, D);
    const sqa_tensor_shape outer = shape_of(8 * D * (int64_t)T, D * (int64_t)T, D, all, D);
    const sqa_tensor_shape inner = shape_of(8 * D * (int64_t)T, D, 8 * D, all, D);
    const sqa_tensor_shape group = shape_of(entry, D, row, few, D);
    const sqa_tensor_shape turns = shape_of(entry, 3 * D, row, all, D);
    const struct {
        const sqa_tensor_shape *a, *b;
        uint64_t at_a, at_b;
    } apart[] = {
        {&heads, &heads, 0, 8 * D},                   /* O after Q in every token */
        {&heads, &heads, 24 * D, 16 * D},             /* and before V */
        {&heads, &group, 0, 8 * D},                   /* fewer key/value heads */
        {&wide, &wide, 0, D},                         /* head by head in turn */
        {&turns, &turns, 2 * D, D},                   /* ... with Q, K and V */
        {&outer, &inner, 0, (uint64_t)B * 8 * D * T}, /* one behind the other */
        {&inner, &inner, (uint64_t)B * 8 * D * T, 0},
    };
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        const bool before = apart[i].at_a < apart[i].at_b;
        ck_assert_msg(!overlap(apart[i].a, apart[i].at_a, apart[i].b, apart[i].at_b), "pair %zu",
                      i);
        ck_assert_msg(overlap(apart[i].a, apart[i].at_a + (before ? 1 : 0), apart[i].b,
                              apart[i].at_b + (before ? 0 : 1)),
                      "pair %zu, moved", i);
        ck_assert_msg(overlap(apart[i].a, apart[i].at_a, apart[i].a, apart[i].at_a), "itself");
    }
    ck_assert(overlap(&outer, 0, &inner, 0));
    ck_assert(overlap(&outer, (uint64_t)D * T, &inner, 0));
}
END_TEST

/* Other tensors' batches and heads in turn: a token's row of 5 units, of 3 that batches and
 * lengths multiply, and offsets that no unit divides. */
START_TEST(turns_of_everything)
{
    const uint32_t counts[3] = {1000, 1000, 1000};
    const sqa_tensor_shape a = shape_of(INT64_C(15000000), 15, 15000, counts, 3);
    for (uint64_t at = 0; at < 40; at++)
        ck_assert_int_eq(overlap(&a, 20, &a, at),
                         (at + 15 - 20 % 15) % 15 < 3 || (at + 15 - 20 % 15) % 15 > 12);
}
END_TEST

/* Strides that have nothing to do with each other: the answer comes soon, and is not that
 * the two lie apart unless they do. */
START_TEST(unrelated_strides)
{
    const uint32_t long_one[3] = {1, 1, 1u << 30}, batches[3] = {1u << 20, 1 << 10, 1 << 10};
    const sqa_tensor_shape a = shape_of(0, 0, 1000003, long_one, 1);
    const sqa_tensor_shape b = shape_of(0, 0, 1000033, long_one, 1);
    const sqa_tensor_shape c = shape_of(1000037 * INT64_C(7), 999983, 1000081, batches, 1);
    for (uint64_t at = 1; at < 50; at++) {
        ck_assert(overlap(&a, 0, &b, at));
        ck_assert(overlap(&c, at, &b, 0));
    }
    const sqa_tensor_shape even = shape_of(0, 0, 1000002, long_one, 1);
    const sqa_tensor_shape other = shape_of(0, 0, 1000034, long_one, 1);
    ck_assert(!overlap(&even, 0, &other, 1)); /* one has even elements, one odd ones */
}
END_TEST

START_TEST(empty_views)
{
    const uint32_t none[3] = {2, 0, 4}, some[3] = {2, 3, 4};
    const sqa_tensor_shape a = shape_of(12, 4, 1, none, 1), b = shape_of(12, 4, 1, some, 1);
    const sqa_view empty = sqa_view_of(&a), full = sqa_view_of(&b);
    ck_assert(!sqa_views_overlap(&empty, 0, &full, 0));
    ck_assert(!sqa_views_overlap(&full, 0, &empty, 3));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("views");
    TCase *views = tcase_create("views");
    tcase_add_loop_test(views, random_views, 1, 5);
    tcase_add_test(views, layouts_of_programs);
    tcase_add_test(views, turns_of_everything);
    tcase_add_test(views, unrelated_strides);
    tcase_add_test(views, empty_views);
    suite_add_tcase(suite, views);
    return sqa_run_suite(suite);
}
