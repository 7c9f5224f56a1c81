/* A normalisation's numbers as keys of a shape. */
#include "operations/norm/fields.h"

#include "operations/field_values.h"
#include "problem/names.h"

#define AT(member) offsetof(sqa_norm_backward_desc, member)

SQA_FLOAT_KEY(eps, sqa_norm_backward_desc, norm.eps, 1e-5f)
SQA_VIEW_KEY(x, sqa_norm_backward_desc, norm.x, desc->norm.heads, desc->norm.length, desc->norm.dim)
SQA_VIEW_KEY(y, sqa_norm_backward_desc, norm.y, desc->norm.heads, desc->norm.length, desc->norm.dim)
SQA_VIEW_KEY(dy, sqa_norm_backward_desc, dy, desc->norm.heads, desc->norm.length, desc->norm.dim)
SQA_VIEW_KEY(dx, sqa_norm_backward_desc, dx, desc->norm.heads, desc->norm.length, desc->norm.dim)

static const char *const kind_words[] = {"rms", "layer", NULL};
/* By the bits of sqa_norm_gradient. */
static const char *const gradient_words[] = {
    "all", "x", "weight", "x+weight", "bias", "x+bias", "weight+bias", "x+weight+bias", NULL};
static const char *const accumulate_words[] = {
    "none", "x", "weight", "x+weight", "bias", "x+bias", "weight+bias", "x+weight+bias", NULL};

const sqa_shape_field sqa_norm_fields[] = {
    {"b", "batch", "batch (1)", SQA_FIELD_COUNT, .offset = AT(norm.batch), .most = 1u << 30},
    {"heads", "heads", "heads (1)", SQA_FIELD_COUNT, .offset = AT(norm.heads), .least = 1,
     .most = 65535},
    {"n", "length", "rows of a sequence", SQA_FIELD_COUNT, .offset = AT(norm.length),
     .most = 1u << 30},
    {"d", "dim", "elements of a row", SQA_FIELD_COUNT, .offset = AT(norm.dim), .least = 1,
     .most = SQA_MAX_NORM_DIM},
    {"kind", "kind", "rms (default) or layer", SQA_FIELD_WORD, .offset = AT(norm.kind),
     .words = kind_words},
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD,
     .offset = AT(norm.dtype), .words = sqa_dtype_words},
    {"eps", "eps", "is added to the variance (1e-5)", SQA_FIELD_OWN, .number = true,
     .read = read_eps, .write = write_eps},
    {"weight", "weight", "a factor per column", SQA_FIELD_FLAG, .offset = AT(norm.weight)},
    {"bias", "bias", "of layer: a number per column is added", SQA_FIELD_FLAG,
     .offset = AT(norm.bias)},
    {"x", "x_strides", "strides of X, BATCH:HEAD:SEQUENCE in elements", SQA_FIELD_OWN,
     .read = read_x, .write = write_x},
    {0},
};

const sqa_shape_field sqa_norm_output_fields[] = {
    {"y", "y_strides", "strides of Y, BATCH:HEAD:SEQUENCE in elements", SQA_FIELD_OWN,
     .read = read_y, .write = write_y},
    {0},
};

const sqa_shape_field sqa_norm_gradient_fields[] = {
    {"wanted", "gradients", "gradients: all (default), x, weight, bias, x+weight, ...",
     SQA_FIELD_WORD, .offset = AT(gradients), .words = gradient_words},
    {"add", "accumulate", "those added to what is there: none (default), x, weight+bias, ...",
     SQA_FIELD_WORD, .offset = AT(accumulate), .words = accumulate_words},
    {"dy", "dy_strides", "strides of dY, BATCH:HEAD:SEQUENCE in elements", SQA_FIELD_OWN,
     .read = read_dy, .write = write_dy},
    {"dx", "dx_strides", "strides of dX, BATCH:HEAD:SEQUENCE in elements", SQA_FIELD_OWN,
     .read = read_dx, .write = write_dx},
    {0},
};

const sqa_shape_field_need sqa_norm_needs[] = {
    {"n", "n is missing; expected a number from 0 to 1073741824"},
    {"d", "d is missing; expected a number from 1 to 1048576"},
    {0},
};
