#include "problem/product.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "problem/checks.h"

uint32_t sqa_product_a_rows(const sqa_product *product)
{
    return product->transpose_a ? product->k : product->m;
}

uint32_t sqa_product_a_columns(const sqa_product *product)
{
    return product->transpose_a ? product->m : product->k;
}

uint32_t sqa_product_b_rows(const sqa_product *product)
{
    return product->transpose_b ? product->n : product->k;
}

uint32_t sqa_product_b_columns(const sqa_product *product)
{
    return product->transpose_b ? product->k : product->n;
}

static sqa_status check_counts(const sqa_matmul_desc *desc)
{
    const struct {
        const char *name;
        uint32_t value, most;
    } counts[] = {
        {"desc.batch", desc->batch, SQA_MAX_MATRIX_LENGTH},
        {"desc.m", desc->m, SQA_MAX_MATRIX_LENGTH},
        {"desc.n", desc->n, SQA_MAX_MATRIX_LENGTH},
        {"desc.k", desc->k, SQA_MAX_MATRIX_LENGTH},
        {"desc.transpose_a", desc->transpose_a, 1},
        {"desc.transpose_b", desc->transpose_b, 1},
        {"desc.activation", (uint32_t)desc->activation, SQA_ACTIVATION_LAST},
        {"desc.bias", desc->bias, 1},
        {"desc.gated", desc->gated, 1},
        {"desc.add_residual", desc->add_residual, 1},
    };
    sqa_status status = sqa_check_version("desc.version", desc->version, SQA_MATMUL_DESC_VERSION);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == SQA_OK; i++)
        status = sqa_check_range(counts[i].name, counts[i].value, 0, counts[i].most);
    return status == SQA_OK ? sqa_check_dtype("desc.dtype", desc->dtype) : status;
}

static sqa_status check_factors(const sqa_matmul_desc *desc)
{
    if (!isfinite(desc->alpha))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.alpha: must be finite");
    if (!isfinite(desc->beta))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.beta: must be finite");
    if (desc->gated && desc->beta != 0.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.beta: must be 0 with desc.gated");
    return SQA_OK;
}

static sqa_status set_views(sqa_product *product, const sqa_matmul_desc *desc)
{
    const sqa_matrix_strides packed = {0, 0};
    const bool reads = product->k > 0;
    const struct {
        const char *field;
        const sqa_matrix_strides *asked;
        sqa_matrix_strides *out;
        uint32_t rows, columns;
    } views[] = {
        {"desc.a", reads ? &desc->a : &packed, &product->a, sqa_product_a_rows(product),
         sqa_product_a_columns(product)},
        {"desc.b", reads ? &desc->b : &packed, &product->b, sqa_product_b_rows(product),
         sqa_product_b_columns(product)},
        {"desc.c", &desc->c, &product->c, product->m, product->n},
        {"desc.residual", product->add_residual ? &desc->residual : &packed, &product->residual,
         product->m, product->n},
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        sqa_status status = sqa_matrix_view(views[i].out, views[i].field, views[i].asked,
                                            product->batch, views[i].rows, views[i].columns);
        if (status != SQA_OK)
            return status;
    }
    return sqa_matrix_check_no_overlap("desc.c", &product->c, product->batch, product->m,
                                       product->n);
}

static void set_numbers(sqa_product *product, const sqa_matmul_desc *desc)
{
    product->dtype = desc->dtype;
    product->batch = desc->batch;
    product->m = desc->m;
    product->n = desc->n;
    product->k = desc->alpha != 0.0f ? desc->k : 0;
    product->transpose_a = product->k ? desc->transpose_a : 0;
    product->transpose_b = product->k ? desc->transpose_b : 0;
    product->activation = desc->activation;
    product->bias = desc->bias;
    product->gated = desc->gated;
    product->add_residual = desc->add_residual;
    product->alpha = product->k ? desc->alpha : 1.0f;
    product->beta = desc->beta != 0.0f ? desc->beta : 0.0f; /* -0 is 0 */
}

sqa_status sqa_product_from_desc(sqa_product *out, const sqa_matmul_desc *desc)
{
    sqa_product product;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    memset(&product, 0, sizeof product);
    sqa_status status = check_counts(desc);
    if (status == SQA_OK)
        status = check_factors(desc);
    if (status != SQA_OK)
        return status;
    set_numbers(&product, desc);
    status = set_views(&product, desc);
    if (status == SQA_OK)
        memcpy(out, &product, sizeof product);
    return status;
}

void sqa_product_to_desc(const sqa_product *product, sqa_matmul_desc *out)
{
    *out = (sqa_matmul_desc)SQA_MATMUL_DESC_INIT;
    out->dtype = product->dtype;
    out->batch = product->batch;
    out->m = product->m;
    out->n = product->n;
    out->k = product->k;
    out->transpose_a = product->transpose_a;
    out->transpose_b = product->transpose_b;
    out->a = product->a;
    out->b = product->b;
    out->c = product->c;
    out->residual = product->residual;
    out->alpha = product->alpha;
    out->beta = product->beta;
    out->activation = product->activation;
    out->bias = product->bias;
    out->gated = product->gated;
    out->add_residual = product->add_residual;
}

void sqa_product_pack(sqa_product *product)
{
    product->a = sqa_matrix_packed(sqa_product_a_rows(product), sqa_product_a_columns(product));
    product->b = sqa_matrix_packed(sqa_product_b_rows(product), sqa_product_b_columns(product));
    product->c = product->residual = sqa_matrix_packed(product->m, product->n);
}
