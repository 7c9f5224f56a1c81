#include "problem/checks.h"

#include "base/status.h"
#include "problem/groups.h"
#include "problem/names.h"

sqa_status sqa_check_range(const char *field, uint32_t value, uint32_t low, uint32_t high)
{
    if (value >= low && value <= high)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %u is outside %u..%u", field, value, low, high);
}

sqa_status sqa_check_is_set(const char *field, uint32_t value, uint32_t high)
{
    if (value == SQA_NOT_SET)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: was not set; expected 0..%u", field, high);
    return sqa_check_range(field, value, 0, high);
}

sqa_status sqa_check_dtype(const char *field, sqa_dtype dtype)
{
    if (sqa_dtype_name(dtype))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %d is outside 0..2", field, (int)dtype);
}

sqa_status sqa_check_groups(sqa_dtype dtype, const char *field, const sqa_strides *strides,
                            uint32_t dim)
{
    if (!sqa_dtype_is_quantised(dtype))
        return SQA_OK;
    if (dim % SQA_GROUP != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s: vectors of %u elements cannot be %s, whose groups are of %u; expected "
                        "a multiple of that",
                        field, dim, sqa_kv_dtype_name(dtype), SQA_GROUP);
    if (strides->batch % SQA_GROUP || strides->head % SQA_GROUP || strides->sequence % SQA_GROUP)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s: strides of quantised elements must be multiples of %u", field,
                        SQA_GROUP);
    return SQA_OK;
}

sqa_status sqa_check_version(const char *field, uint32_t version, uint32_t newest)
{
    return sqa_check_range(field, version, 1, newest);
}

/* How far apart the first and last element of a dimension may be: three of these
 * and a row still fit 63 bits, in which kernels add them up. */
#define MAX_REACH (INT64_C(1) << 60)

sqa_status sqa_check_stride(const char *field, const char *dimension, int64_t stride,
                            uint32_t count)
{
    const int64_t most = MAX_REACH / (count > 1 ? count - 1 : 1);
    if (stride >= 0 && stride <= most)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s.%s: stride %lld is outside 0..%lld", field, dimension,
                    (long long)stride, (long long)most);
}

sqa_status sqa_check_strides(const char *field, const sqa_strides *strides, uint32_t batch,
                             uint32_t heads, uint32_t length)
{
    sqa_status status = sqa_check_stride(field, "batch", strides->batch, batch);
    if (status == SQA_OK)
        status = sqa_check_stride(field, "head", strides->head, heads);
    return status == SQA_OK ? sqa_check_stride(field, "sequence", strides->sequence, length)
                            : status;
}

sqa_strides sqa_strides_or_packed(const sqa_strides *asked, uint32_t heads, uint32_t length,
                                  uint32_t dim)
{
    const bool packed = asked->batch == 0 && asked->head == 0 && asked->sequence == 0;
    return packed ? sqa_strides_bhsd(heads, length, dim) : *asked;
}

sqa_status sqa_set_strides(sqa_strides *out, const char *field, const sqa_strides *asked,
                           uint32_t batch, uint32_t heads, uint32_t length, uint32_t dim)
{
    *out = sqa_strides_or_packed(asked, heads, length, dim);
    return sqa_check_strides(field, out, batch, heads, length);
}

/* A dimension whose neighbours lie closer than what they hold is long. */
typedef struct overlap {
    int64_t stride, least;
} overlap;

/* Sorted by stride, each dimension must step over everything inside it. */
static bool find_overlap(const sqa_strides *strides, uint32_t batch, uint32_t heads,
                         uint32_t length, uint32_t dim, overlap *out)
{
    const struct {
        int64_t stride, count;
    } dims[3] = {{strides->batch, batch}, {strides->head, heads}, {strides->sequence, length}};
    int64_t covered = dim;
    bool used[3] = {false, false, false};
    if (batch == 0 || length == 0)
        return false;
    for (int round = 0; round < 3; round++) {
        int next = -1;
        for (int i = 0; i < 3; i++)
            if (!used[i] && (next < 0 || dims[i].stride < dims[next].stride))
                next = i;
        used[next] = true;
        if (dims[next].count <= 1)
            continue;
        *out = (overlap){dims[next].stride, covered};
        if (dims[next].stride < covered)
            return true;
        covered += dims[next].stride * (dims[next].count - 1);
    }
    return false;
}

bool sqa_strides_overlap(const sqa_strides *strides, uint32_t batch, uint32_t heads,
                         uint32_t length, uint32_t dim)
{
    overlap found;
    return find_overlap(strides, batch, heads, length, dim, &found);
}

sqa_status sqa_check_no_overlap(const char *field, const sqa_strides *strides, uint32_t batch,
                                uint32_t heads, uint32_t length, uint32_t dim)
{
    overlap found;
    if (!find_overlap(strides, batch, heads, length, dim, &found))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "%s: the strides make output elements overlap (a stride of %lld must be at "
                    "least %lld)",
                    field, (long long)found.stride, (long long)found.least);
}
