#include "problem/work.h"

#include "problem/tensors.h"

/* Seen pairs under a causal mask alone: query i sees clamp(i + diagonal + 1, 0,
 * kv_length) keys. */
static double causal_pairs(const sqa_problem *problem)
{
    double queries = problem->q_length, keys = problem->kv_length;
    double first = problem->diagonal + 1.0;            /* keys seen by query 0, unclamped */
    double start = first > 1 ? 0 : 1 - first;          /* first query that sees a key */
    double full = keys - first > 0 ? keys - first : 0; /* first query that sees every key */
    if (start > queries)
        start = queries;
    if (full > queries)
        full = queries;
    if (full < start)
        full = start;
    double ramp = full - start;
    return ramp * (first + start) + ramp * (ramp - 1) / 2 + (queries - full) * keys;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Keys that the query at position `at` sees of those the causal mask leaves, the
 * first `limit`. Listed globals are taken to lie outside every window. */
static int64_t windowed_keys(const sqa_problem *problem, int64_t at, int64_t limit)
{
    const int64_t begin = clamp(at - problem->window.left, 0, limit);
    const int64_t end = clamp(at + problem->window.right + 1, begin, limit);
    if (!(problem->mask & SQA_MASK_GLOBALS))
        return end - begin;
    const int64_t count = problem->globals.count;
    if (problem->globals.listed)
        return clamp(end - begin + count, 0, limit);
    if (at >= 0 && at < count)
        return limit;
    const int64_t shown = clamp(count, begin, end) - begin; /* globals within the window */
    return end - begin + clamp(count, 0, limit) - shown;
}

static double windowed_pairs(const sqa_problem *problem)
{
    double pairs = 0.0;
    for (int64_t i = 0; i < problem->q_length; i++) {
        const int64_t at = i + problem->diagonal;
        const int64_t limit = problem->mask & SQA_MASK_CAUSAL ? clamp(at + 1, 0, problem->kv_length)
                                                              : problem->kv_length;
        pairs += (double)windowed_keys(problem, at, limit);
    }
    return pairs;
}

double sqa_problem_listed_part(const sqa_problem *problem)
{
    const double pairs = (double)sqa_problem_block_lists(problem) * sqa_problem_key_blocks(problem);
    const double part = pairs > 0 ? problem->blocks.entries / pairs : 0.0;
    return part < 1.0 ? part : 1.0;
}

double sqa_problem_seen_keys(const sqa_problem *problem)
{
    const double queries = problem->q_length;
    if (problem->q_length == 0)
        return 0.0;
    double seen = problem->kv_length;
    if (problem->mask & SQA_MASK_WINDOW)
        seen = windowed_pairs(problem) / queries;
    else if (problem->mask & SQA_MASK_CAUSAL)
        seen = causal_pairs(problem) / queries;
    if (problem->mask & SQA_MASK_BLOCKS)
        seen *= sqa_problem_listed_part(problem);
    return seen;
}

/* A sum per element of Q and K, and the products of all pairs of means, whether a mask
 * leaves them to choose from or not. */
static double selection_flops(const sqa_problem *problem)
{
    const double rows = (double)problem->q_heads * problem->q_length +
                        (double)problem->kv_heads * problem->kv_length;
    const double pairs =
        (double)sqa_problem_query_blocks(problem) * sqa_problem_key_blocks(problem);
    const double heads =
        problem->blocks.heads == problem->out_heads ? problem->out_heads : problem->kv_heads;
    return problem->batch * problem->head_dim * (rows + 2.0 * pairs * heads);
}

double sqa_problem_flops(const sqa_problem *problem)
{
    if (problem->operation == SQA_OPERATION_SELECT_BLOCKS)
        return selection_flops(problem);
    const double queries = problem->mask & SQA_MASK_RAGGED
                               ? problem->q_total
                               : (double)problem->batch * problem->q_length;
    return 2.0 * ((double)problem->head_dim + problem->value_dim) * sqa_problem_seen_keys(problem) *
           queries * problem->out_heads;
}

/* Elements that a tensor really has: repeated dimensions count once. */
static double stored_elements(const sqa_tensor_shape *shape)
{
    const double batch = shape->strides.batch || shape->batch < 2 ? shape->batch : 1;
    const double heads = shape->strides.head || shape->heads < 2 ? shape->heads : 1;
    const double length = shape->strides.sequence || shape->length < 2 ? shape->length : 1;
    return batch * heads * length * shape->dim;
}

double sqa_problem_bytes(const sqa_problem *problem)
{
    double bytes = 0.0;
    sqa_tensor_shape shape;
    for (int role = 0; role < SQA_ROLE_TENSOR_COUNT; role++)
        if (sqa_tensor_shape_of(problem, (sqa_role)role, &shape))
            bytes += stored_elements(&shape) * (double)sqa_element_size(shape.element);
    return bytes;
}
