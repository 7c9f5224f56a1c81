/* The numbers of an activation, and of its gradients, as keys of a shape. */
#include "operations/activation/fields.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "operations/dropout.h"
#include "operations/field_values.h"
#include "operations/matrix_fields.h"
#include "problem/names.h"

#define AT(member) offsetof(sqa_activating_desc, of.member)
#define AT_BACKWARD(member) offsetof(sqa_activating_desc, backward.member)

#define STRIDES_OF(key, member)                                                                    \
    SQA_MATRIX_KEY(key, sqa_activating_desc, of.member, desc->of.length, desc->of.dim)
STRIDES_OF(sa, a)
STRIDES_OF(sb, b)
STRIDES_OF(sy, y)
STRIDES_OF(sr, residual)

static sqa_status read_dropout(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    return sqa_dropout_read(value, &((sqa_activating_desc *)descriptor)->of.dropout);
}

static bool write_dropout(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    return sqa_dropout_write(((const sqa_activating_desc *)descriptor)->of.dropout, value);
}

#define STRIDES_FIELD(key, member, of)                                                             \
    {                                                                                              \
#key, #member "_strides", "strides of " of ", BATCH:ROW in elements", SQA_FIELD_OWN,       \
            .read = read_##key, .write = write_##key                                               \
    }

const sqa_shape_field sqa_activation_fields[] = {
    {"b", "batch", "batch (1)", SQA_FIELD_COUNT, .offset = AT(batch),
     .most = SQA_MAX_MATRIX_LENGTH},
    {"n", "length", "rows", SQA_FIELD_COUNT, .offset = AT(length), .most = SQA_MAX_MATRIX_LENGTH},
    {"d", "dim", "columns", SQA_FIELD_COUNT, .offset = AT(dim), .most = SQA_MAX_MATRIX_LENGTH},
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    {"act", "activation", SQA_ACTIVATION_MEANING, SQA_FIELD_WORD, .offset = AT(activation),
     .words = sqa_activation_words},
    {"gated", "gated", "times B", SQA_FIELD_FLAG, .offset = AT(gated)},
    {"dropout", "dropout", "the part that is dropped", SQA_FIELD_OWN, .read = read_dropout,
     .write = write_dropout},
    {"wide", "wide", "Y, and dY, in f32", SQA_FIELD_FLAG, .offset = AT(wide)},
    STRIDES_FIELD(sa, a, "A"),
    STRIDES_FIELD(sb, b, "B"),
    STRIDES_FIELD(sy, y, "Y"),
    {0},
};

const sqa_shape_field sqa_activation_only_fields[] = {
    {"residual", "residual", "a matrix is added at the end", SQA_FIELD_FLAG,
     .offset = AT(add_residual)},
    STRIDES_FIELD(sr, residual, "the residual"),
    {0},
};

static sqa_status read_wanted(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_activation_backward_options *backward = &((sqa_activating_desc *)descriptor)->backward;
    (void)items;
    backward->da = strcmp(value, "b") != 0;
    backward->db = strcmp(value, "a") != 0;
    if (!strcmp(value, "a") || !strcmp(value, "b") || !strcmp(value, "a+b"))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "wanted is '%.60s'; expected a, b or a+b", value);
}

static bool write_wanted(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_activation_backward_options *backward =
        &((const sqa_activating_desc *)descriptor)->backward;
    snprintf(value, SQA_FIELD_VALUE, "%s%s%s", backward->da ? "a" : "",
             backward->da && backward->db ? "+" : "", backward->db ? "b" : "");
    return !backward->da || !backward->db;
}

const sqa_shape_field sqa_activation_backward_fields[] = {
    {"wanted", "wanted", "gradients: a, b or a+b (all)", SQA_FIELD_OWN, .read = read_wanted,
     .write = write_wanted},
    {"accumulate", "accumulate", "gradients are added to what is there", SQA_FIELD_FLAG,
     .offset = AT_BACKWARD(accumulate)},
    {0},
};

const sqa_shape_field_need sqa_activation_needs[] = {
    {"n", "n is missing; expected a number from 0 to 1073741824"},
    {"d", "d is missing; expected a number from 0 to 1073741824"},
    {0},
};
