#include "operations/field_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/attention/fields.h"
#include "problem/names.h"

#define MOST_KEYS (1u << 30)

sqa_status sqa_field_read_float(const char *name, const char *value, float *out)
{
    if (sqa_read_finite(value, out))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%.60s'; expected a finite number", name, value);
}

bool sqa_field_write_float(float number, float usual, char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%.9g", (double)number);
    return memcmp(&number, &usual, sizeof number) != 0;
}

/* Up to its end, which is `end`. */
static bool read_stride(const char **text, char end, int64_t *out)
{
    char *behind = NULL;
    errno = 0;
    if (**text < '0' || **text > '9')
        return false;
    *out = strtoll(*text, &behind, 10);
    if (errno || *behind != end)
        return false;
    *text = behind + 1;
    return true;
}

sqa_status sqa_field_read_matrix(const char *name, const char *value, sqa_matrix_strides *out)
{
    const char *text = value;
    if (read_stride(&text, ':', &out->batch) && read_stride(&text, '\0', &out->row))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "%s is '%.60s'; expected the strides BATCH:ROW in elements", name, value);
}

bool sqa_field_write_matrix(const sqa_matrix_strides *strides, uint32_t rows, uint32_t columns,
                            char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%lld:%lld", (long long)strides->batch,
             (long long)strides->row);
    return (strides->batch || strides->row) &&
           (strides->batch != (int64_t)rows * columns || strides->row != columns);
}

sqa_status sqa_field_read_view(const char *name, const char *value, sqa_strides *out)
{
    if (sqa_read_strides(value, out))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "%s is '%.60s'; expected the strides BATCH:HEAD:SEQUENCE in elements", name,
                    value);
}

bool sqa_field_write_view(const sqa_strides *strides, uint32_t heads, uint32_t length, uint32_t dim,
                          char value[SQA_FIELD_VALUE])
{
    const sqa_strides packed = sqa_strides_bhsd(heads, length, dim);
    sqa_write_strides(strides, value, SQA_FIELD_VALUE);
    return (strides->batch || strides->head || strides->sequence) &&
           memcmp(strides, &packed, sizeof packed) != 0;
}

sqa_status sqa_field_read_kv_dtype(const char *name, const char *value, int32_t *out)
{
    sqa_dtype dtype;
    if (!sqa_kv_dtype_from_name(value, &dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%.60s'; expected " SQA_KV_DTYPES, name,
                        value);
    *out = (int32_t)dtype;
    return SQA_OK;
}

bool sqa_field_write_kv_dtype(int32_t kv_dtype, sqa_dtype dtype, char value[SQA_FIELD_VALUE])
{
    const bool given = kv_dtype >= 0 && kv_dtype != (int32_t)dtype;
    snprintf(value, SQA_FIELD_VALUE, "%s", given ? sqa_kv_dtype_name((sqa_dtype)kv_dtype) : "");
    return given;
}

static uint32_t all_pages(uint32_t size, uint32_t batch, uint32_t capacity)
{
    const uint64_t pages = (uint64_t)batch * (((uint64_t)capacity + size - 1) / size);
    return pages < MOST_KEYS ? (uint32_t)pages : MOST_KEYS;
}

sqa_status sqa_field_read_page(const char *value, uint32_t batch, uint32_t capacity, sqa_paged *out)
{
    if (!sqa_read_count(value, 1, MOST_KEYS, &out->page_size))
        return sqa_fail(SQA_INVALID_ARGUMENT, "page is '%.60s'; expected a number from 1 to %u",
                        value, MOST_KEYS);
    out->pages = all_pages(out->page_size, batch, capacity);
    return SQA_OK;
}

bool sqa_field_write_page(const sqa_paged *paged, char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%u", paged->page_size);
    return paged->page_size > 0;
}

sqa_status sqa_field_read_pages(const char *name, const char *value, uint32_t *out)
{
    if (sqa_read_count(value, 0, MOST_KEYS, out))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%.60s'; expected a number from 0 to %u", name,
                    value, MOST_KEYS);
}

bool sqa_field_write_pages(const sqa_paged *paged, uint32_t batch, uint32_t capacity,
                           char value[SQA_FIELD_VALUE])
{
    snprintf(value, SQA_FIELD_VALUE, "%u", paged->pages);
    return paged->page_size > 0 && paged->pages != all_pages(paged->page_size, batch, capacity);
}
