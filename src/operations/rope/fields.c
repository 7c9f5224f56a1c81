/* A rotation's numbers as keys of a shape. */
#include "operations/rope/fields.h"

#include <stdio.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/field_values.h"
#include "problem/names.h"

#define AT(member) offsetof(sqa_rope_desc, member)

SQA_FLOAT_KEY(base, sqa_rope_desc, base, 10000.0f)
SQA_VIEW_KEY(x, sqa_rope_desc, x, desc->heads, desc->length, desc->dim)
SQA_VIEW_KEY(y, sqa_rope_desc, y, desc->heads, desc->length, desc->dim)

static sqa_status read_rotary(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    if (sqa_read_count(value, 0, SQA_MAX_HEAD_DIM, &((sqa_rope_desc *)descriptor)->rotary))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "rotary is '%.60s'; expected an even number from 0 to %u",
                    value, SQA_MAX_HEAD_DIM);
}

static bool write_rotary(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_rope_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u", desc->rotary);
    return desc->rotary != desc->dim / 2 * 2;
}

static sqa_status read_positions(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_rope_desc *desc = descriptor;
    uint64_t stride = 0;
    (void)items;
    desc->positions = 1;
    if (!sqa_read_number(value, 0, INT64_MAX, &stride))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "positions is '%.60s'; expected the stride of the batch in elements",
                        value);
    desc->position_batch = (int64_t)stride;
    return SQA_OK;
}

static bool write_positions(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_rope_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%lld", (long long)desc->position_batch);
    return desc->positions == 1;
}

static sqa_status read_atend(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_rope_desc *desc = descriptor;
    (void)items;
    desc->positions = 2;
    if (sqa_read_count(value, 0, 65535, &desc->sequences))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "atend is '%.60s'; expected a number from 0 to 65535",
                    value);
}

static bool write_atend(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_rope_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u", desc->sequences);
    return desc->positions == 2;
}

static const char *const pairs_words[] = {"interleaved", "half", NULL};

const sqa_shape_field sqa_rope_fields[] = {
    {"b", "batch", "batch (1)", SQA_FIELD_COUNT, .offset = AT(batch), .most = SQA_MAX_ROWS},
    {"heads", "heads", "heads", SQA_FIELD_COUNT, .offset = AT(heads), .least = 1, .most = 65535},
    {"n", "length", "rows of a sequence", SQA_FIELD_COUNT, .offset = AT(length),
     .most = SQA_MAX_ROWS},
    {"d", "dim", "elements of a row", SQA_FIELD_COUNT, .offset = AT(dim), .least = 1,
     .most = SQA_MAX_HEAD_DIM},
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    {"rotary", "rotary", "elements that are turned (all)", SQA_FIELD_OWN, .number = true,
     .read = read_rotary, .write = write_rotary},
    {"pairs", "pairs", "interleaved (default) or half", SQA_FIELD_WORD, .offset = AT(pairs),
     .words = pairs_words},
    {"base", "base", "base of the frequencies (10000)", SQA_FIELD_OWN, .number = true,
     .read = read_base, .write = write_base},
    {"offset", "offset", "position of the first row (0)", SQA_FIELD_COUNT, .offset = AT(offset),
     .most = SQA_MAX_ROWS, .optional = true},
    {"positions", "positions",
     "a tensor of positions, with this stride of the batch; 0: all share it", SQA_FIELD_OWN,
     .read = read_positions, .write = write_positions},
    {"atend", "at_end",
     "positions are lengths of sequences that the rows end, of as many one after "
     "another; 0: of batch entries",
     SQA_FIELD_OWN, .number = true, .read = read_atend, .write = write_atend},
    {"inverse", "inverse", "turns back", SQA_FIELD_FLAG, .offset = AT(inverse)},
    {"hadamard", "hadamard", "and blocks go through a Hadamard matrix", SQA_FIELD_FLAG,
     .offset = AT(hadamard)},
    {"x", "x_strides", "strides of X, BATCH:HEAD:SEQUENCE in elements", SQA_FIELD_OWN,
     .read = read_x, .write = write_x},
    {"y", "y_strides", "strides of Y, BATCH:HEAD:SEQUENCE in elements", SQA_FIELD_OWN,
     .read = read_y, .write = write_y},
    {0},
};

const sqa_shape_field_need sqa_rope_needs[] = {
    {"heads", "heads is missing; expected a number from 1 to 65535"},
    {"n", "n is missing; expected a number from 0 to 1073741824"},
    {"d", "d is missing; expected a number from 1 to 1024"},
    {0},
};
