/* The first stage of a backward pass: delta = rowsum(dO * O), one number per output head and
 * query. A ragged batch is one packed sequence to it. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "operations/attention/fields.h"
#include "operations/backward/fields.h"
#include "operations/backward/reference.h"
#include "operations/backward/stages.h"
#include "operations/entries.h"
#include "operations/problem_class.h"
#include "operations/tensors.h"
#include "problem/names.h"

/* What reads O alone has one number of heads, one length and one dimension. */
static sqa_status settle(const void *descriptor, sqa_problem *out)
{
    sqa_backward_desc desc = *(const sqa_backward_desc *)descriptor;
    desc.attention.kv_heads = desc.attention.q_heads;
    desc.attention.kv_length = desc.attention.q_length;
    desc.attention.value_dim = desc.attention.head_dim;
    sqa_status status = sqa_problem_from_gradients(out, SQA_OPERATION_BACKWARD_DELTA,
                                                   SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V,
                                                   &desc.attention, &desc.options);
    if (status != SQA_OK)
        return status;
    out->of.backward.gradients = 0;
    out->of.backward.dq = out->of.backward.dk = out->of.backward.dv = (sqa_strides){0, 0, 0};
    return SQA_OK;
}

static void describe(const sqa_problem *problem, void *descriptor)
{
    sqa_backward_desc *desc = descriptor;
    sqa_backward_describe(problem, desc);
    const sqa_attention *a = &problem->of.attention;
    const sqa_strides packed = sqa_strides_bhsd(a->out_heads, a->q_length, a->value_dim);
    desc->options.gradients = SQA_GRADIENT_Q;
    if (!memcmp(&packed, &a->o, sizeof packed))
        desc->attention.o = (sqa_strides){0, 0, 0};
}

sqa_status sqa_backward_delta_of(const sqa_problem *problem, sqa_problem *out)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    const sqa_attention *a = &pass->attention;
    const bool ragged = a->mask & SQA_MASK_RAGGED;
    sqa_backward_desc desc;
    sqa_backward_start(&desc);
    desc.attention.dtype = a->dtype;
    desc.attention.batch = ragged && a->batch > 1 ? 1 : a->batch;
    desc.attention.q_heads = a->out_heads;
    desc.attention.q_length = ragged ? a->q_total : a->q_length;
    desc.attention.head_dim = a->value_dim;
    desc.attention.o = a->o;
    desc.options.dout = pass->dout;
    return settle(&desc, out);
}

#define AT(member) offsetof(sqa_backward_desc, attention.member)

static sqa_status read_o(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    if (sqa_read_strides(value, &((sqa_backward_desc *)descriptor)->attention.o))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "o is '%.60s'; expected the strides BATCH:HEAD:SEQUENCE in elements", value);
}

static bool write_o(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_strides *o = &((const sqa_backward_desc *)descriptor)->attention.o;
    sqa_write_strides(o, value, SQA_FIELD_VALUE);
    return o->batch || o->head || o->sequence;
}

static const sqa_shape_field size_fields[] = {
    {"b", "batch", "batch (1)", SQA_FIELD_COUNT, .offset = AT(batch), .most = 1u << 30},
    {"heads", "heads", "output heads", SQA_FIELD_COUNT, .offset = AT(q_heads), .least = 1,
     .most = 65535},
    {"rows", "length", "queries", SQA_FIELD_COUNT, .offset = AT(q_length), .most = 1u << 30},
    {"d", "dim", "value head dimension (64)", SQA_FIELD_COUNT, .offset = AT(head_dim), .least = 1,
     .most = SQA_MAX_HEAD_DIM},
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    {"o", "o_strides", "strides of O where it is not packed", SQA_FIELD_OWN, .read = read_o,
     .write = write_o},
    {0},
};

static const sqa_shape_field *const fields[] = {size_fields, sqa_dout_fields, NULL};

static const sqa_shape_field_need needs[] = {
    {"heads", "the heads are missing; expected heads=1..65535"},
    {"rows", "the queries are missing; expected rows from 0 to 1073741824"},
    {0},
};

static uint32_t dtype_of(const sqa_problem *problem)
{
    return (uint32_t)problem->of.attention.dtype;
}

static uint32_t dim_of(const sqa_problem *problem)
{
    return problem->of.attention.value_dim;
}

static uint32_t rows_of(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_bucket((uint64_t)a->batch * a->out_heads * a->q_length);
}

static const sqa_class_part class_parts[] = {
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_dtype_words, dtype_of},
    {"d", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, dim_of},
    {"rows", SQA_CLASS_BUCKET, 0, 63, NULL, rows_of},
    {0},
};

static const sqa_tensor_slot slots[SQA_BACKWARD_SLOTS] = {
    [SQA_SLOT_O] = {SQA_BACKWARD_SLOT(o, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_LSE] = {SQA_BACKWARD_SLOT(lse, SQA_SLOT_INPUT), .fill = sqa_fill_lse},
    [SQA_SLOT_DOUT] = {SQA_BACKWARD_SLOT(dout, SQA_SLOT_INPUT), SQA_UNIT_INPUT},
    [SQA_SLOT_DELTA] = {SQA_BACKWARD_DELTA(SQA_SLOT_OUTPUT)},
};

static uint64_t count_rows(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return (uint64_t)a->batch * a->out_heads * a->q_length;
}

static bool expect_row(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                       sqa_expected_row *out)
{
    const sqa_attention *a = &problem->of.attention;
    const uint64_t matrix = row / a->q_length;
    out->at[0] = (int64_t)row;
    out->count[0] = 1;
    out->values[0][0] =
        sqa_reference_delta(&problem->of.backward, inputs, (uint32_t)(matrix / a->out_heads),
                            (uint32_t)(matrix % a->out_heads), (uint32_t)(row % a->q_length));
    return true;
}

static void place_of_row(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
{
    const uint32_t length = problem->of.attention.q_length;
    snprintf(out, SQA_PLACE_TEXT, "matrix %llu, query %u", (unsigned long long)(row / length),
             (uint32_t)(row % length));
}

static const sqa_row_group groups[] = {
    {.slots = {SQA_SLOT_DELTA},
     .slot_count = 1,
     .samples = 256,
     .count = count_rows,
     .expect = expect_row,
     .place = place_of_row},
    {.slot_count = 0},
};

static const sqa_tolerance tolerances[] = {
    {SQA_SLOT_DELTA, SQA_ELEMENT_F32, .rms = 1e-6, .max = 1e-5, .max_of = SQA_SLOT_DELTA},
};

const sqa_operation_entry sqa_operation_backward_delta = {
    .id = SQA_OPERATION_BACKWARD_DELTA,
    .name = "backward_delta",
    .summary = "of backward: rowsum(dO * O)",
    .fields = fields,
    .needs = needs,
    .descriptor_bytes = sizeof(sqa_backward_desc),
    .start = sqa_backward_start,
    .settle = settle,
    .describe = describe,
    .class_parts = class_parts,
    .tensors = SQA_BACKWARD_STAGE_TENSORS,
    .slots = slots,
    .slot_count = SQA_BACKWARD_SLOTS,
    .tensor = sqa_backward_tensor,
    .is_touched = sqa_backward_is_touched,
    .is_nothing = sqa_writes_nothing,
    .flop = sqa_backward_delta_flop,
    .relative = sqa_backward_relative,
    .groups = groups,
    .tolerances = tolerances,
    .tolerance_count = 1,
};
