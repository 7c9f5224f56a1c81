#include "problem/problem.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/names.h"
#include "problem/pattern.h"

#define MAX_HEADS 65535u
#define MAX_LENGTH (1u << 30)

sqa_status sqa_check_range(const char *field, uint32_t value, uint32_t low, uint32_t high)
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
            sqa_check_range(ranges[i].field, ranges[i].value, ranges[i].low, ranges[i].high);
        if (status != SQA_OK)
            return status;
    }
    if (!sqa_operation_name(desc->operation))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.operation: %d is not an sqa_operation",
                        (int)desc->operation);
    if (desc->operation == SQA_OPERATION_SELECT_BLOCKS)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.operation: block selection has options of its own, and is planned by "
                        "sqa_select_plan_create()");
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

sqa_status sqa_check_strides(const char *field, const sqa_strides *strides, uint32_t batch,
                             uint32_t heads, uint32_t length)
{
    const struct {
        const char *name;
        int64_t stride;
        uint32_t count;
    } dims[] = {{"batch", strides->batch, batch},
                {"head", strides->head, heads},
                {"sequence", strides->sequence, length}};
    for (size_t i = 0; i < 3; i++) {
        int64_t most = MAX_REACH / (dims[i].count > 1 ? dims[i].count - 1 : 1);
        if (dims[i].stride < 0 || dims[i].stride > most)
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s.%s: stride %lld is outside 0..%lld", field,
                            dims[i].name, (long long)dims[i].stride, (long long)most);
    }
    return SQA_OK;
}

/* A ragged batch is one packed sequence as far as memory goes. */
static sqa_status set_strides(sqa_strides *out, const char *field, const sqa_strides *asked,
                              const sqa_problem *problem, uint32_t heads, uint32_t length,
                              uint32_t dim)
{
    *out = *asked;
    if (asked->batch == 0 && asked->head == 0 && asked->sequence == 0)
        *out = sqa_strides_bhsd(heads, length, dim);
    const bool ragged = problem->mask & SQA_MASK_RAGGED;
    if (ragged)
        out->batch = 0;
    return sqa_check_strides(field, out, ragged ? 1 : problem->batch, heads, length);
}

/* Sorted by stride, each dimension must step over everything inside it. */
static sqa_status check_no_overlap(const sqa_problem *problem, uint32_t batch, uint32_t length)
{
    struct {
        int64_t stride, count;
    } dims[3] = {{problem->o.batch, batch},
                 {problem->o.head, problem->out_heads},
                 {problem->o.sequence, length}};
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
    const bool ragged = problem->mask & SQA_MASK_RAGGED;
    const uint32_t batch = ragged && problem->batch > 1 ? 1 : problem->batch;
    const uint32_t queries = ragged ? problem->q_total : problem->q_length;
    const uint32_t keys = ragged ? problem->kv_total : problem->kv_length;
    const struct {
        const char *field;
        sqa_strides *out;
        const sqa_strides *asked;
        uint32_t heads, length, dim;
    } views[] = {
        {"desc.q", &problem->q, &desc->q, problem->q_heads, queries, problem->head_dim},
        {"desc.k", &problem->k, &desc->k, problem->kv_heads, keys, problem->head_dim},
        {"desc.v", &problem->v, &desc->v, problem->kv_heads, keys, problem->value_dim},
        {"desc.o", &problem->o, &desc->o, problem->out_heads, queries, problem->value_dim},
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        sqa_status status = set_strides(views[i].out, views[i].field, views[i].asked, problem,
                                        views[i].heads, views[i].length, views[i].dim);
        if (status != SQA_OK)
            return status;
    }
    return batch > 0 && queries > 0 ? check_no_overlap(problem, batch, queries) : SQA_OK;
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
    status = sqa_pattern_from_desc(&problem, desc);
    if (status == SQA_OK)
        status = set_views(&problem, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

static void pattern_to_desc(const sqa_problem *problem, sqa_attention_desc *out)
{
    static const sqa_window unbounded = {-1, -1};
    const bool causal = problem->mask & SQA_MASK_CAUSAL;
    out->causal = !causal                 ? SQA_CAUSAL_NONE
                  : problem->bottom_right ? SQA_CAUSAL_BOTTOM_RIGHT
                                          : SQA_CAUSAL_TOP_LEFT;
    const bool positions = problem->mask & SQA_MASK_WINDOW || problem->score & SQA_SCORE_ALIBI;
    out->align =
        causal || problem->bottom_right || !positions ? SQA_ALIGN_BOTTOM_RIGHT : SQA_ALIGN_TOP_LEFT;
    out->window = problem->mask & SQA_MASK_WINDOW ? problem->window : unbounded;
    if (out->window.left == SQA_UNBOUNDED)
        out->window.left = -1;
    if (out->window.right == SQA_UNBOUNDED)
        out->window.right = -1;
    out->globals = problem->globals;
    out->key_mask = problem->mask & SQA_MASK_KEY ? 1 : 0;
    out->mask = (sqa_mask_view){problem->mask & SQA_MASK_PAIR ? 1 : 0, problem->pair_mask};
    out->blocks = problem->blocks;
    out->ragged =
        (sqa_ragged){problem->mask & SQA_MASK_RAGGED ? 1 : 0, problem->q_total, problem->kv_total};
    out->softcap = problem->softcap;
    out->alibi = problem->score & SQA_SCORE_SLOPES  ? SQA_ALIBI_SLOPES
                 : problem->score & SQA_SCORE_ALIBI ? SQA_ALIBI_GEOMETRIC
                                                    : SQA_ALIBI_NONE;
    out->bias = (sqa_bias){problem->score & SQA_SCORE_BIAS ? 1 : 0, (int32_t)problem->bias_dtype,
                           problem->bias};
    out->sinks = problem->score & SQA_SCORE_SINKS ? 1 : 0;
}

void sqa_problem_to_desc(const sqa_problem *problem, sqa_attention_desc *out)
{
    *out = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    out->operation = problem->operation;
    out->dtype = problem->dtype;
    out->batch = problem->batch;
    out->q_heads = problem->q_heads;
    out->kv_heads = problem->kv_heads;
    out->q_length = problem->q_length;
    out->kv_length = problem->kv_length;
    out->head_dim = problem->head_dim;
    out->value_dim = problem->value_dim;
    out->scale = problem->scale;
    out->write_lse = problem->write_lse;
    out->q = problem->q;
    out->k = problem->k;
    out->v = problem->v;
    out->o = problem->o;
    pattern_to_desc(problem, out);
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
