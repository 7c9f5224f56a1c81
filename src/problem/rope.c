#include "problem/rope.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/status.h"
#include "problem/attention.h"
#include "problem/checks.h"

/* As the newest version has it. */
static sqa_rope_desc read_desc(const sqa_rope_desc *desc)
{
    sqa_rope_desc read = SQA_ROPE_DESC_INIT;
    static const size_t bytes[SQA_ROPE_DESC_VERSION + 1] = {
        [1] = offsetof(sqa_rope_desc, sequences),
        [2] = offsetof(sqa_rope_desc, hadamard),
        [3] = sizeof(sqa_rope_desc),
    };
    memcpy(&read, desc, bytes[desc->version]);
    return read;
}

static sqa_status check_counts(const sqa_rope_desc *desc)
{
    const struct {
        const char *name;
        uint32_t value, least, most;
    } counts[] = {
        {"desc.batch", desc->batch, 0, SQA_MAX_ROWS},
        {"desc.heads", desc->heads, 1, 65535},
        {"desc.length", desc->length, 0, SQA_MAX_ROWS},
        {"desc.dim", desc->dim, 1, SQA_MAX_HEAD_DIM},
        {"desc.pairs", (uint32_t)desc->pairs, 0, SQA_ROPE_HALF},
        {"desc.offset", desc->offset, 0, SQA_MAX_ROWS},
        {"desc.positions", desc->positions, 0, 2},
        {"desc.inverse", desc->inverse, 0, 1},
        {"desc.hadamard", desc->hadamard, 0, 1},
        {"desc.sequences", desc->sequences, 0,
         desc->positions == 2 && desc->batch == 1 ? 65535u : 0u},
    };
    sqa_status status = sqa_check_dtype("desc.dtype", desc->dtype);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == SQA_OK; i++)
        status = sqa_check_range(counts[i].name, counts[i].value, counts[i].least, counts[i].most);
    return status;
}

static sqa_status check_turning(const sqa_rope_desc *desc)
{
    if (desc->rotary != SQA_NOT_SET && (desc->rotary > desc->dim || desc->rotary % 2 != 0))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.rotary: %u is not an even number within 0..%u, the dimension",
                        desc->rotary, desc->dim);
    if (!isfinite(desc->base) || desc->base < 1.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.base: must be finite, and 1 or more");
    return desc->positions == 1
               ? sqa_check_stride("desc.position", "batch", desc->position_batch, desc->batch)
               : SQA_OK;
}

sqa_status sqa_rotation_from_desc(sqa_rotation *out, const sqa_rope_desc *given)
{
    sqa_rotation r;
    if (!given)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    memset(&r, 0, sizeof r);
    sqa_status status = sqa_check_version("desc.version", given->version, SQA_ROPE_DESC_VERSION);
    if (status != SQA_OK)
        return status;
    const sqa_rope_desc read = read_desc(given), *desc = &read;
    status = check_counts(desc);
    if (status == SQA_OK)
        status = check_turning(desc);
    if (status != SQA_OK)
        return status;
    r.dtype = desc->dtype;
    r.batch = desc->batch;
    r.heads = desc->heads;
    r.length = desc->length;
    r.dim = desc->dim;
    r.rotary = desc->rotary == SQA_NOT_SET ? desc->dim / 2 * 2 : desc->rotary;
    r.pairs = desc->pairs;
    r.base = desc->base;
    r.offset = desc->positions ? 0 : desc->offset;
    r.positions = desc->positions;
    r.inverse = desc->inverse;
    r.position_batch = desc->positions == 1 ? desc->position_batch : 0;
    r.sequences = desc->sequences;
    r.hadamard = desc->hadamard;
    status = sqa_set_strides(&r.x, "desc.x", &desc->x, r.batch, r.heads, r.length, r.dim);
    if (status == SQA_OK)
        status = sqa_set_strides(&r.y, "desc.y", &desc->y, r.batch, r.heads, r.length, r.dim);
    if (status == SQA_OK)
        status = sqa_check_no_overlap("desc.y", &r.y, r.batch, r.heads, r.length, r.dim);
    if (status == SQA_OK)
        memcpy(out, &r, sizeof r);
    return status;
}

void sqa_rotation_to_desc(const sqa_rotation *rotation, sqa_rope_desc *out)
{
    *out = (sqa_rope_desc)SQA_ROPE_DESC_INIT;
    out->dtype = rotation->dtype;
    out->batch = rotation->batch;
    out->heads = rotation->heads;
    out->length = rotation->length;
    out->dim = rotation->dim;
    out->rotary = rotation->rotary;
    out->pairs = rotation->pairs;
    out->base = rotation->base;
    out->offset = rotation->offset;
    out->positions = rotation->positions;
    out->position_batch = rotation->position_batch;
    out->inverse = rotation->inverse;
    out->sequences = rotation->sequences;
    out->hadamard = rotation->hadamard;
    out->x = rotation->x;
    out->y = rotation->y;
}
