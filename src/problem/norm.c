#include "problem/norm.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/checks.h"

uint32_t sqa_normalisation_gradients(const sqa_normalisation *norm)
{
    return SQA_NORM_GRADIENT_X | (norm->weight ? SQA_NORM_GRADIENT_WEIGHT : 0u) |
           (norm->bias ? SQA_NORM_GRADIENT_BIAS : 0u);
}

uint64_t sqa_normalisation_rows(const sqa_normalisation *norm)
{
    return (uint64_t)norm->batch * norm->heads * norm->length;
}

static sqa_status check_numbers(const sqa_norm_desc *desc)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } counts[] = {
        {"desc.kind", (uint32_t)desc->kind, 0, SQA_NORM_LAYER},
        {"desc.batch", desc->batch, 0, 1u << 30},
        {"desc.heads", desc->heads, 1, 65535},
        {"desc.length", desc->length, 0, 1u << 30},
        {"desc.dim", desc->dim, 1, SQA_MAX_NORM_DIM},
        {"desc.weight", desc->weight, 0, 1},
        {"desc.bias", desc->bias, 0, 1},
    };
    sqa_status status = sqa_check_version("desc.version", desc->version, SQA_NORM_DESC_VERSION);
    if (status == SQA_OK)
        status = sqa_check_dtype("desc.dtype", desc->dtype);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == SQA_OK; i++)
        status = sqa_check_range(counts[i].name, counts[i].value, counts[i].least, counts[i].most);
    if (status != SQA_OK)
        return status;
    if (!isfinite(desc->eps) || desc->eps <= 0.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.eps: must be finite and above 0");
    if (desc->bias && desc->kind != SQA_NORM_LAYER)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.bias: must be 0 but for SQA_NORM_LAYER");
    return SQA_OK;
}

/* All but Y. */
static sqa_status set_common(sqa_normalisation *n, const sqa_norm_desc *desc)
{
    memset(n, 0, sizeof *n);
    sqa_status status = check_numbers(desc);
    if (status != SQA_OK)
        return status;
    n->kind = desc->kind;
    n->dtype = desc->dtype;
    n->batch = desc->batch;
    n->heads = desc->heads;
    n->length = desc->length;
    n->dim = desc->dim;
    n->eps = desc->eps;
    n->weight = desc->weight;
    n->bias = desc->bias;
    return sqa_set_strides(&n->x, "desc.x", &desc->x, n->batch, n->heads, n->length, n->dim);
}

static sqa_status set_output(sqa_strides *out, const char *field, const sqa_strides *asked,
                             const sqa_normalisation *n)
{
    sqa_status status = sqa_set_strides(out, field, asked, n->batch, n->heads, n->length, n->dim);
    return status == SQA_OK
               ? sqa_check_no_overlap(field, out, n->batch, n->heads, n->length, n->dim)
               : status;
}

sqa_status sqa_normalisation_from_desc(sqa_normalisation *out, const sqa_norm_desc *desc)
{
    sqa_normalisation n;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status = set_common(&n, desc);
    if (status == SQA_OK)
        status = set_output(&n.y, "desc.y", &desc->y, &n);
    if (status == SQA_OK)
        memcpy(out, &n, sizeof n);
    return status;
}

static sqa_status set_gradients(sqa_normalisation *n, const sqa_norm_backward_desc *desc)
{
    const uint32_t all = sqa_normalisation_gradients(n);
    if (desc->gradients & ~all)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.gradients: %u has bits beyond %u, the gradients of what is there",
                        desc->gradients, all);
    n->gradients = desc->gradients ? desc->gradients : all;
    if (desc->accumulate & ~n->gradients)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.accumulate: %u has bits beyond %u, the gradients wanted",
                        desc->accumulate, n->gradients);
    n->accumulate = desc->accumulate;
    n->bias = n->gradients & SQA_NORM_GRADIENT_BIAS ? 1 : 0;
    return SQA_OK;
}

sqa_status sqa_normalisation_from_backward(sqa_normalisation *out,
                                           const sqa_norm_backward_desc *desc)
{
    sqa_normalisation n;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status =
        sqa_check_version("desc.version", desc->version, SQA_NORM_BACKWARD_DESC_VERSION);
    if (status == SQA_OK)
        status = set_common(&n, &desc->norm);
    if (status == SQA_OK)
        status = set_gradients(&n, desc);
    if (status == SQA_OK)
        status = sqa_set_strides(&n.dy, "desc.dy", &desc->dy, n.batch, n.heads, n.length, n.dim);
    if (status == SQA_OK && n.gradients & SQA_NORM_GRADIENT_X)
        status = set_output(&n.dx, "desc.dx", &desc->dx, &n);
    if (status == SQA_OK)
        memcpy(out, &n, sizeof n);
    return status;
}

void sqa_normalisation_to_desc(const sqa_normalisation *norm, sqa_norm_backward_desc *out)
{
    *out = (sqa_norm_backward_desc)SQA_NORM_BACKWARD_DESC_INIT;
    out->norm.kind = norm->kind;
    out->norm.dtype = norm->dtype;
    out->norm.batch = norm->batch;
    out->norm.heads = norm->heads;
    out->norm.length = norm->length;
    out->norm.dim = norm->dim;
    out->norm.eps = norm->eps;
    out->norm.weight = norm->weight;
    out->norm.bias = norm->bias;
    out->norm.x = norm->x;
    out->norm.y = norm->y;
    out->gradients = norm->gradients == sqa_normalisation_gradients(norm) ? 0 : norm->gradients;
    out->accumulate = norm->accumulate;
    out->dy = norm->dy;
    out->dx = norm->dx;
}
