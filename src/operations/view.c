/* Whether two strided views meet is whether a sum of whole steps of both can be less than a
 * row: whether sum of stride[i] * z[i], 0 <= z[i] <= steps[i], lies in [low, high]. Dimensions
 * whose strides fit into each other become one, those that a row bridges become part of the
 * row; the rest, of which a common layout leaves hardly any, are tried from the largest on. */
#include "operations/view.h"

#include "operations/tensors.h"

enum { MOST_TERMS = 6, MOST_TRIES = 4096 };

typedef struct term {
    int64_t stride, steps;
} term;

typedef struct search {
    term terms[MOST_TERMS]; /* from the smallest stride on */
    int tries;              /* that are left */
} search;

static uint64_t bits(const sqa_tensor_shape *shape, uint64_t elements)
{
    return 8 * sqa_element_bytes(shape->element, elements);
}

sqa_view sqa_view_of(const sqa_tensor_shape *shape)
{
    const struct {
        int64_t stride;
        uint32_t count;
    } dims[] = {{shape->strides.batch, shape->batch},
                {shape->strides.head, shape->heads},
                {shape->strides.sequence, shape->length}};
    sqa_view view = {.width = bits(shape, shape->dim),
                     .span = bits(shape, sqa_tensor_extent(shape))};
    for (int i = 0; i < 3; i++)
        if (dims[i].stride > 0 && dims[i].count > 1) {
            view.dims[i].stride = bits(shape, (uint64_t)dims[i].stride);
            view.dims[i].steps = dims[i].count - 1;
        }
    return view;
}

/* Sorts in what the view has; false terms, of no steps, are none. */
static int add_terms(search *by, int count, const sqa_view *view)
{
    for (int i = 0; i < 3; i++) {
        const term added = {(int64_t)view->dims[i].stride, (int64_t)view->dims[i].steps};
        int at = count;
        if (added.steps == 0)
            continue;
        for (; at > 0 && by->terms[at - 1].stride > added.stride; at--)
            by->terms[at] = by->terms[at - 1];
        by->terms[at] = added;
        count++;
    }
    return count;
}

/* A stride that is some steps of a smaller one, no more than there are and one, adds steps. */
static int merge_terms(search *by, int count)
{
    int merged = 0;
    for (int i = 0; i < count; i++) {
        const term next = by->terms[i];
        term *last = merged ? &by->terms[merged - 1] : NULL;
        if (last && next.stride % last->stride == 0 &&
            next.stride / last->stride <= last->steps + 1)
            last->steps += next.stride / last->stride * next.steps;
        else
            by->terms[merged++] = next;
    }
    return merged;
}

static int64_t common_divisor(const term *terms, int count)
{
    int64_t divisor = 0;
    for (int i = 0; i < count; i++)
        for (int64_t other = terms[i].stride; other;) {
            const int64_t rest = divisor % other;
            divisor = other;
            other = rest;
        }
    return divisor;
}

/* Whether the terms from `first` to before `end` can add up to something in low..high; true
 * when the tries are used up. */
static bool can_reach(search *by, int first, int end, int64_t low, int64_t high)
{
    int64_t most = 0;
    for (; first < end && by->terms[first].stride <= high - low + 1; first++)
        low -= by->terms[first].stride * by->terms[first].steps;
    for (int i = first; i < end; i++)
        most += by->terms[i].stride * by->terms[i].steps;
    if (high < 0 || low > most)
        return false;
    if (low <= 0 || first == end)
        return true;
    if (high % common_divisor(by->terms + first, end - first) > high - low)
        return false;
    const term last = by->terms[end - 1];
    const int64_t others = most - last.stride * last.steps;
    int64_t step = low > others ? (low - others + last.stride - 1) / last.stride : 0;
    for (; step <= last.steps && step * last.stride <= high; step++)
        if (by->tries-- <= 0 ||
            can_reach(by, first, end - 1, low - step * last.stride, high - step * last.stride))
            return true;
    return false;
}

bool sqa_views_overlap(const sqa_view *a, uint64_t at_a, const sqa_view *b, uint64_t at_b)
{
    if (a->span == 0 || b->span == 0 || at_a + a->span <= at_b || at_b + b->span <= at_a)
        return false;
    search by = {.tries = MOST_TRIES};
    const int count = merge_terms(&by, add_terms(&by, add_terms(&by, 0, a), b));
    /* The rows of b are counted from its last one back, so that all terms add. */
    const int64_t apart = (int64_t)at_b - (int64_t)at_a + (int64_t)(b->span - b->width);
    return can_reach(&by, 0, count, apart - (int64_t)a->width + 1, apart + (int64_t)b->width - 1);
}
