#include "problem/problem.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/names.h"

#define MAX_HEADS 65535u
#define MAX_LENGTH (1u << 30)

static sqa_status check_range(const char *field, uint32_t value, uint32_t low, uint32_t high)
{
    if (value >= low && value <= high)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %u is outside %u..%u", field, value, low, high);
}

static sqa_status check_scalars(const sqa_attention_desc *desc)
{
    const struct {
        const char *field;
        uint32_t value, low, high;
    } ranges[] = {
        {"desc.version", desc->version, SQA_ATTENTION_DESC_VERSION, SQA_ATTENTION_DESC_VERSION},
        {"desc.batch", desc->batch, 0, MAX_LENGTH},
        {"desc.q_heads", desc->q_heads, 1, MAX_HEADS},
        {"desc.kv_heads", desc->kv_heads, 1, MAX_HEADS},
        {"desc.q_length", desc->q_length, 0, MAX_LENGTH},
        {"desc.kv_length", desc->kv_length, 0, MAX_LENGTH},
        {"desc.head_dim", desc->head_dim, 1, SQA_MAX_HEAD_DIM},
        {"desc.value_dim", desc->value_dim, 0, SQA_MAX_HEAD_DIM},
        {"desc.write_lse", desc->write_lse, 0, 1},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        sqa_status status =
            check_range(ranges[i].field, ranges[i].value, ranges[i].low, ranges[i].high);
        if (status != SQA_OK)
            return status;
    }
    if (!sqa_operation_name(desc->operation))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.operation: %d is not an sqa_operation",
                        (int)desc->operation);
    if (!sqa_dtype_name(desc->dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.dtype: %d is not an sqa_dtype",
                        (int)desc->dtype);
    if (!sqa_causal_name(desc->causal))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.causal: %d is not one of 0..2",
                        (int)desc->causal);
    if (!isfinite(desc->scale))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.scale: must be finite");
    uint32_t most = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    uint32_t least = desc->q_heads > desc->kv_heads ? desc->kv_heads : desc->q_heads;
    if (most % least != 0)
        return sqa_fail(
            SQA_INVALID_ARGUMENT,
            "desc.kv_heads: of q_heads (%u) and kv_heads (%u) one must divide the other",
            desc->q_heads, desc->kv_heads);
    return SQA_OK;
}

/* How far apart the first and last element of a dimension may be: three of these
 * and a row still fit 63 bits, in which kernels add them up. */
#define MAX_REACH (INT64_C(1) << 60)

static sqa_status set_strides(sqa_strides *out, const char *field, const sqa_strides *asked,
                              const sqa_problem *problem, uint32_t heads, uint32_t length,
                              uint32_t dim)
{
    *out = *asked;
    if (asked->batch == 0 && asked->head == 0 && asked->sequence == 0)
        *out = sqa_strides_bhsd(heads, length, dim);
    const struct {
        const char *name;
        int64_t stride;
        uint32_t count;
    } dims[] = {{"batch", out->batch, problem->batch},
                {"head", out->head, heads},
                {"sequence", out->sequence, length}};
    for (size_t i = 0; i < 3; i++) {
        int64_t most = MAX_REACH / (dims[i].count > 1 ? dims[i].count - 1 : 1);
        if (dims[i].stride < 0 || dims[i].stride > most)
            return sqa_fail(SQA_INVALID_ARGUMENT, "desc.%s.%s: stride %lld is outside 0..%lld",
                            field, dims[i].name, (long long)dims[i].stride, (long long)most);
    }
    return SQA_OK;
}

/* Sorted by stride, each dimension must step over everything inside it. */
static sqa_status check_no_overlap(const sqa_problem *problem)
{
    struct {
        int64_t stride, count;
    } dims[3] = {{problem->o.batch, problem->batch},
                 {problem->o.head, problem->out_heads},
                 {problem->o.sequence, problem->q_length}};
    int64_t covered = problem->value_dim;
    bool used[3] = {false, false, false};
    for (int round = 0; round < 3; round++) {
        int next = -1;
        for (int i = 0; i < 3; i++)
            if (!used[i] && (next < 0 || dims[i].stride < dims[next].stride))
                next = i;
        used[next] = true;
        if (dims[next].count <= 1)
            continue;
        if (dims[next].stride < covered)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "desc.o: the strides make output elements overlap (a stride of %lld "
                            "must be at least %lld)",
                            (long long)dims[next].stride, (long long)covered);
        covered += dims[next].stride * (dims[next].count - 1);
    }
    return SQA_OK;
}

static sqa_status set_views(sqa_problem *problem, const sqa_attention_desc *desc)
{
    sqa_status status = set_strides(&problem->q, "q", &desc->q, problem, problem->q_heads,
                                    problem->q_length, problem->head_dim);
    if (status == SQA_OK)
        status = set_strides(&problem->k, "k", &desc->k, problem, problem->kv_heads,
                             problem->kv_length, problem->head_dim);
    if (status == SQA_OK)
        status = set_strides(&problem->v, "v", &desc->v, problem, problem->kv_heads,
                             problem->kv_length, problem->value_dim);
    if (status == SQA_OK)
        status = set_strides(&problem->o, "o", &desc->o, problem, problem->out_heads,
                             problem->q_length, problem->value_dim);
    if (status == SQA_OK && problem->batch > 0 && problem->q_length > 0)
        status = check_no_overlap(problem);
    return status;
}

static void set_mask(sqa_problem *problem, sqa_causal causal)
{
    if (causal == SQA_CAUSAL_NONE)
        return;
    problem->mask |= SQA_MASK_CAUSAL;
    if (causal == SQA_CAUSAL_BOTTOM_RIGHT)
        problem->diagonal = (int32_t)problem->kv_length - (int32_t)problem->q_length;
}

sqa_status sqa_problem_from_desc(sqa_problem *out, const sqa_attention_desc *desc)
{
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status = check_scalars(desc);
    if (status != SQA_OK)
        return status;
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = desc->operation;
    problem.dtype = desc->dtype;
    problem.batch = desc->batch;
    problem.q_heads = desc->q_heads;
    problem.kv_heads = desc->kv_heads;
    problem.out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    problem.q_length = desc->q_length;
    problem.kv_length = desc->kv_length;
    problem.head_dim = desc->head_dim;
    problem.value_dim = desc->value_dim ? desc->value_dim : desc->head_dim;
    problem.scale = desc->scale != 0.0f ? desc->scale : 1.0f / sqrtf((float)desc->head_dim);
    problem.write_lse = desc->write_lse;
    set_mask(&problem, desc->causal);
    status = set_views(&problem, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

sqa_strides sqa_strides_bhsd(uint32_t heads, uint32_t length, uint32_t dim)
{
    int64_t row = dim;
    return (sqa_strides){row * length * heads, row * length, row};
}

sqa_strides sqa_strides_bshd(uint32_t heads, uint32_t length, uint32_t dim)
{
    int64_t row = dim;
    return (sqa_strides){row * length * heads, row, row * heads};
}

uint32_t sqa_problem_group(const sqa_problem *problem)
{
    return problem->out_heads / problem->kv_heads;
}

uint64_t sqa_extent(const sqa_strides *strides, uint32_t batch, uint32_t heads, uint32_t length,
                    uint32_t dim)
{
    if (batch == 0 || heads == 0 || length == 0 || dim == 0)
        return 0;
    return (uint64_t)strides->batch * (batch - 1) + (uint64_t)strides->head * (heads - 1) +
           (uint64_t)strides->sequence * (length - 1) + dim;
}

/* Visible (query, key) pairs of one head: with a diagonal, query i sees
 * clamp(i + diagonal + 1, 0, kv_length) keys. */
static double visible_pairs(const sqa_problem *problem)
{
    double queries = problem->q_length, keys = problem->kv_length;
    if (!(problem->mask & SQA_MASK_CAUSAL))
        return queries * keys;
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

double sqa_problem_flops(const sqa_problem *problem)
{
    return 2.0 * ((double)problem->head_dim + problem->value_dim) * visible_pairs(problem) *
           problem->batch * problem->out_heads;
}

double sqa_problem_bytes(const sqa_problem *problem)
{
    double q = (double)problem->q_heads * problem->q_length * problem->head_dim;
    double kv = (double)problem->kv_heads * problem->kv_length *
                ((double)problem->head_dim + problem->value_dim);
    double o = (double)problem->out_heads * problem->q_length * problem->value_dim;
    double lse = problem->write_lse ? 4.0 * problem->out_heads * problem->q_length : 0.0;
    return problem->batch * ((q + kv + o) * (double)sqa_dtype_size(problem->dtype) + lse);
}
