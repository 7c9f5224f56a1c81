#include "problem/merging.h"

#include <string.h>

#include "base/status.h"
#include "problem/attention.h"
#include "problem/checks.h"
#include "problem/names.h"

static sqa_status check_counts(const sqa_merge_desc *desc)
{
    const uint32_t most = UINT32_C(1) << 30;
    sqa_status status = sqa_check_version("desc.version", desc->version, SQA_MERGE_DESC_VERSION);
    if (status == SQA_OK && !sqa_dtype_name(desc->dtype))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.dtype: %d is outside 0..2", (int)desc->dtype);
    if (status == SQA_OK)
        status = sqa_check_range("desc.batch", desc->batch, 0, most);
    if (status == SQA_OK)
        status = sqa_check_range("desc.heads", desc->heads, 1, 65535);
    if (status == SQA_OK)
        status = sqa_check_is_set("desc.length", desc->length, most);
    return status == SQA_OK ? sqa_check_range("desc.dim", desc->dim, 1, SQA_MAX_HEAD_DIM) : status;
}

static sqa_status set_view(sqa_strides *out, const char *field, const sqa_strides *asked,
                           const sqa_merging *merging)
{
    const bool packed = asked->batch == 0 && asked->head == 0 && asked->sequence == 0;
    *out = packed ? sqa_strides_bhsd(merging->heads, merging->length, merging->dim) : *asked;
    return sqa_check_strides(field, out, merging->batch, merging->heads, merging->length);
}

sqa_status sqa_merging_from_desc(sqa_merging *out, const sqa_merge_desc *desc)
{
    sqa_merging merging;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    memset(&merging, 0, sizeof merging);
    sqa_status status = check_counts(desc);
    if (status != SQA_OK)
        return status;
    merging.dtype = desc->dtype;
    merging.batch = desc->batch;
    merging.heads = desc->heads;
    merging.length = desc->length;
    merging.dim = desc->dim;
    status = set_view(&merging.a, "desc.a", &desc->a, &merging);
    if (status == SQA_OK)
        status = set_view(&merging.b, "desc.b", &desc->b, &merging);
    if (status == SQA_OK)
        status = set_view(&merging.o, "desc.o", &desc->o, &merging);
    if (status == SQA_OK)
        status = sqa_check_no_overlap("desc.o", &merging.o, merging.batch, merging.heads,
                                      merging.length, merging.dim);
    if (status == SQA_OK)
        memcpy(out, &merging, sizeof merging);
    return status;
}

void sqa_merging_to_desc(const sqa_merging *merging, sqa_merge_desc *out)
{
    *out = (sqa_merge_desc)SQA_MERGE_DESC_INIT;
    out->dtype = merging->dtype;
    out->batch = merging->batch;
    out->heads = merging->heads;
    out->length = merging->length;
    out->dim = merging->dim;
    out->a = merging->a;
    out->b = merging->b;
    out->o = merging->o;
}

void sqa_merging_pack(sqa_merging *merging)
{
    merging->a = merging->b = merging->o =
        sqa_strides_bhsd(merging->heads, merging->length, merging->dim);
}
