#include "problem/names.h"

#include <string.h>

const char *const sqa_dtype_words[] = {
    [SQA_DTYPE_F32] = "f32", [SQA_DTYPE_F16] = "f16", [SQA_DTYPE_BF16] = "bf16", NULL};

static const size_t dtype_sizes[] = {
    [SQA_DTYPE_F32] = 4,
    [SQA_DTYPE_F16] = 2,
    [SQA_DTYPE_BF16] = 2,
};

const char *const sqa_kv_dtype_words[] = {
    [SQA_DTYPE_F32] = "f32",   [SQA_DTYPE_F16] = "f16",   [SQA_DTYPE_BF16] = "bf16",
    [SQA_DTYPE_INT8] = "int8", [SQA_DTYPE_INT4] = "int4", NULL};

const char *const sqa_products_words[] = {
    [SQA_PRODUCTS_F32] = "f32", [SQA_PRODUCTS_TF32] = "tf32", NULL};

enum { KV_DTYPES = SQA_DTYPE_INT4 + 1 };

static const char *const causal_names[] = {
    [SQA_CAUSAL_NONE] = "none",
    [SQA_CAUSAL_BOTTOM_RIGHT] = "bottom-right",
    [SQA_CAUSAL_TOP_LEFT] = "top-left",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Negative enum values become large indices, so one comparison checks both ends. */
const char *sqa_dtype_name(sqa_dtype dtype)
{
    return (size_t)dtype < COUNT(dtype_sizes) ? sqa_dtype_words[dtype] : NULL;
}

const char *sqa_kv_dtype_name(sqa_dtype dtype)
{
    return (size_t)dtype < KV_DTYPES ? sqa_kv_dtype_words[dtype] : NULL;
}

const char *sqa_products_name(sqa_products products)
{
    return (size_t)products < COUNT(sqa_products_words) ? sqa_products_words[products] : NULL;
}

const char *sqa_causal_name(sqa_causal causal)
{
    return (size_t)causal < COUNT(causal_names) ? causal_names[causal] : NULL;
}

static bool find_dtype(const char *name, size_t count, sqa_dtype *out)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, sqa_kv_dtype_words[i])) {
            *out = (sqa_dtype)i;
            return true;
        }
    return false;
}

bool sqa_dtype_from_name(const char *name, sqa_dtype *out)
{
    return find_dtype(name, COUNT(dtype_sizes), out);
}

bool sqa_kv_dtype_from_name(const char *name, sqa_dtype *out)
{
    return find_dtype(name, KV_DTYPES, out);
}

bool sqa_causal_from_name(const char *name, sqa_causal *out)
{
    for (size_t i = 0; i < COUNT(causal_names); i++)
        if (!strcmp(name, causal_names[i])) {
            *out = (sqa_causal)i;
            return true;
        }
    return false;
}

size_t sqa_dtype_size(sqa_dtype dtype)
{
    return (size_t)dtype < COUNT(dtype_sizes) ? dtype_sizes[dtype] : 0;
}
