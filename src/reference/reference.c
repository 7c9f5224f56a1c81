/* The oracle, from the definition and nothing else: no tiles, no online softmax,
 * no shared code with any kernel. Slow on purpose. Does not know OpenCL. */
#include "reference/reference.h"

#include <math.h>
#include <stdint.h>

/* The vector at (batch, head, position) of a strided tensor. */
static const float *vector_at(const float *tensor, const sqa_strides *strides, uint32_t batch,
                              uint32_t head, uint32_t position)
{
    return tensor + (int64_t)batch * strides->batch + (int64_t)head * strides->head +
           (int64_t)position * strides->sequence;
}

static double logit(const sqa_problem *problem, const float *query, const float *key)
{
    double dot = 0.0;
    for (uint32_t d = 0; d < problem->head_dim; d++)
        dot += (double)query[d] * (double)key[d];
    return (double)problem->scale * dot;
}

/* How many keys the row sees; with the masks there are, they are the first ones. */
static uint32_t visible_keys(const sqa_problem *problem, uint32_t row)
{
    if (!(problem->mask & SQA_MASK_CAUSAL))
        return problem->kv_length;
    int64_t end = (int64_t)row + problem->diagonal + 1;
    if (end <= 0)
        return 0;
    return end < problem->kv_length ? (uint32_t)end : problem->kv_length;
}

void sqa_reference_forward_row(const sqa_problem *problem, const float *q, const float *k,
                               const float *v, uint32_t batch, uint32_t head, uint32_t row,
                               double *o, double *lse)
{
    uint32_t kv_head = head / (problem->out_heads / problem->kv_heads);
    const float *query = vector_at(q, &problem->q, batch, head % problem->q_heads, row);
    uint32_t keys = visible_keys(problem, row);

    for (uint32_t d = 0; d < problem->value_dim; d++)
        o[d] = 0.0;
    *lse = -(double)INFINITY;
    if (!keys)
        return;

    /* Every pass recomputes the logits, so that nothing has to be stored. NaN
     * fails every comparison, hence the explicit test. */
    double largest = -(double)INFINITY;
    for (uint32_t j = 0; j < keys; j++) {
        double s = logit(problem, query, vector_at(k, &problem->k, batch, kv_head, j));
        if (isnan(s) || s > largest)
            largest = s;
        if (isnan(s))
            break;
    }
    double sum = 0.0;
    for (uint32_t j = 0; j < keys; j++) {
        double s = logit(problem, query, vector_at(k, &problem->k, batch, kv_head, j));
        double p = exp(s - largest);
        const float *value = vector_at(v, &problem->v, batch, kv_head, j);
        sum += p;
        for (uint32_t d = 0; d < problem->value_dim; d++)
            o[d] += p * (double)value[d];
    }
    for (uint32_t d = 0; d < problem->value_dim; d++)
        o[d] /= sum;
    *lse = largest + log(sum);
}
