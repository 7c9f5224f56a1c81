#include "problem/checks.h"

#include "base/status.h"

sqa_status sqa_check_range(const char *field, uint32_t value, uint32_t low, uint32_t high)
{
    if (value >= low && value <= high)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %u is outside %u..%u", field, value, low, high);
}

sqa_status sqa_check_version(const char *field, uint32_t version, uint32_t newest)
{
    return sqa_check_range(field, version, 1, newest);
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
