/* See reference.h. Sharing no code with any kernel or recipe; slow on purpose. */
#include "operations/block/reference.h"

#include <stdlib.h>
#include <string.h>

#include "operations/activation/reference.h"
#include "operations/norm/fields.h"
#include "operations/norm/slots.h"
#include "problem/storage.h"

static double at(const void *matrix, uint32_t columns, uint32_t row, uint32_t column)
{
    return (double)((const float *)matrix)[(uint64_t)row * columns + column];
}

static float stored(const sqa_block_pass *block, double value)
{
    return sqa_storage_round(block->layer.attention.dtype, (float)value);
}

static float *new_matrix(uint32_t rows, uint32_t columns)
{
    return calloc((size_t)rows * columns + 1, sizeof(float));
}

/* The norm whose weight is in that slot, of rows of x; with dy for its gradients. */
typedef struct norm {
    sqa_normalisation of;
    sqa_reference_inputs inputs;
} norm;

static norm norm_of(const sqa_block_reference *self, uint32_t rows, uint32_t weight, const void *x,
                    const void *dy)
{
    const sqa_block_pass *block = self->block;
    const uint32_t dim = block->layer.d_model;
    const sqa_strides packed = {(int64_t)rows * dim, (int64_t)rows * dim, dim};
    norm out;
    memset(&out, 0, sizeof out);
    out.of = (sqa_normalisation){.kind = block->norm,
                                 .dtype = block->layer.attention.dtype,
                                 .batch = 1,
                                 .heads = 1,
                                 .length = rows,
                                 .dim = dim,
                                 .eps = block->norm_eps,
                                 .weight = 1,
                                 .bias = sqa_block_has_norm_bias(block),
                                 .x = packed,
                                 .y = packed,
                                 .dy = packed};
    out.inputs.by_slot[SQA_SLOT_NORM_X] = x;
    out.inputs.by_slot[SQA_SLOT_NORM_DY] = dy;
    out.inputs.by_slot[SQA_SLOT_NORM_WEIGHT] = self->inputs->by_slot[weight];
    out.inputs.by_slot[SQA_SLOT_NORM_BIAS] = self->inputs->by_slot[weight + 1];
    return out;
}

/* All rows as they are stored; `gradient`: of dX. */
static float *norm_rows(const sqa_block_reference *self, uint32_t weight, const void *x,
                        const void *dy, bool gradient)
{
    const uint32_t rows = sqa_layer_q_rows(&self->block->layer), dim = self->block->layer.d_model;
    const norm n = norm_of(self, rows, weight, x, dy);
    float *out = new_matrix(rows, dim);
    double *values = calloc(dim, sizeof *values);
    for (uint32_t row = 0; out && values && row < rows; row++) {
        if (gradient)
            sqa_reference_norm_dx(&n.of, &n.inputs, row, 0, dim, values);
        else
            sqa_reference_norm_row(&n.of, &n.inputs, row, 0, dim, values);
        for (uint32_t j = 0; j < dim; j++)
            out[(uint64_t)row * dim + j] = stored(self->block, values[j]);
    }
    if (!values) {
        free(out);
        out = NULL;
    }
    free(values);
    return out;
}

static double activate(const sqa_block_pass *block, double up, double gate)
{
    return block->gated ? sqa_reference_activation(block->activation, gate) * up
                        : sqa_reference_activation(block->activation, up);
}

/* What is kept of `up`, and of `gate` 0 where there is none. */
static double kept(const sqa_block_reference *self, uint32_t slot, uint32_t row, uint32_t j)
{
    const void *matrix = self->inputs->by_slot[slot];
    return slot == SQA_BLOCK_GATE && !self->block->gated ? 0.0
                                                         : at(matrix, self->block->mlp_dim, row, j);
}

/* act, and its gradients from dY Wdown^T. */
static bool set_hidden(sqa_block_reference *self)
{
    const sqa_block_pass *block = self->block;
    const uint32_t rows = sqa_layer_q_rows(&block->layer), inner = block->mlp_dim;
    const uint32_t model = block->layer.d_model;
    const void *const *of = self->inputs->by_slot;
    self->hidden = new_matrix(rows, inner);
    self->dup = new_matrix(rows, inner);
    self->dgate = new_matrix(rows, inner);
    if (!self->hidden || !self->dup || !self->dgate)
        return false;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t j = 0; j < inner; j++) {
            const uint64_t i = (uint64_t)row * inner + j;
            const double up = kept(self, SQA_BLOCK_UP, row, j);
            const double gate = kept(self, SQA_BLOCK_GATE, row, j);
            double sum = 0.0;
            for (uint32_t k = 0; k < model; k++)
                sum += at(of[SQA_LAYER_DY], model, row, k) * at(of[SQA_BLOCK_WDOWN], model, j, k);
            const double d = (double)stored(block, sum);
            const double slope =
                sqa_reference_activation_slope(block->activation, block->gated ? gate : up);
            self->hidden[i] = stored(block, activate(block, up, gate));
            self->dup[i] =
                stored(block, block->gated ? d * sqa_reference_activation(block->activation, gate)
                                           : d * slope);
            self->dgate[i] = block->gated ? stored(block, d * slope * up) : 0.0f;
        }
    return true;
}

/* dN += dC W^T, as it is stored. */
static void add_through(const sqa_block_reference *self, const float *dc, uint32_t weight,
                        float *dn)
{
    const uint32_t rows = sqa_layer_q_rows(&self->block->layer);
    const uint32_t model = self->block->layer.d_model, inner = self->block->mlp_dim;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t j = 0; j < model; j++) {
            double sum = at(dn, model, row, j);
            for (uint32_t k = 0; k < inner; k++)
                sum += at(dc, inner, row, k) * at(self->inputs->by_slot[weight], inner, j, k);
            dn[(uint64_t)row * model + j] = stored(self->block, sum);
        }
}

static void add_mlp_gradient(const sqa_block_reference *self, float *dn)
{
    add_through(self, self->dup, SQA_BLOCK_WUP, dn);
    if (self->block->gated)
        add_through(self, self->dgate, SQA_BLOCK_WGATE, dn);
}

/* dH of all rows. */
static bool set_dmiddle(sqa_block_reference *self)
{
    const uint32_t rows = sqa_layer_q_rows(&self->block->layer), dim = self->block->layer.d_model;
    const void *middle = self->inputs->by_slot[SQA_BLOCK_MIDDLE];
    self->normed2 = norm_rows(self, SQA_BLOCK_NORM2, middle, NULL, false);
    self->dnormed2 = new_matrix(rows, dim);
    if (!self->normed2 || !self->dnormed2)
        return false;
    add_mlp_gradient(self, self->dnormed2);
    self->dmiddle = norm_rows(self, SQA_BLOCK_NORM2, middle, self->dnormed2, true);
    for (uint64_t i = 0; self->dmiddle && i < (uint64_t)rows * dim; i++)
        self->dmiddle[i] = stored(
            self->block, (double)self->dmiddle[i] +
                             (double)((const float *)self->inputs->by_slot[SQA_LAYER_DY])[i]);
    return self->dmiddle;
}

/* What the layer gives of its input's gradient, of all rows. */
static bool set_dnormed(sqa_block_reference *self)
{
    const uint32_t rows = sqa_layer_q_rows(&self->block->layer), dim = self->block->layer.d_model;
    double *values = calloc(dim, sizeof *values);
    self->dnormed = new_matrix(rows, dim);
    const bool there = values && self->dnormed;
    for (uint32_t row = 0; there && row < rows; row++) {
        sqa_layer_reference_gradient(&self->layer, &self->layer_inputs, SQA_LAYER_DX, row, 0, dim,
                                     values);
        for (uint32_t j = 0; j < dim; j++)
            self->dnormed[(uint64_t)row * dim + j] = stored(self->block, values[j]);
    }
    free(values);
    return there;
}

static bool set_backward(sqa_block_reference *self)
{
    const bool serial = sqa_block_is_serial(self->block);
    if (!set_hidden(self) || (serial && !set_dmiddle(self)))
        return false;
    if (serial)
        self->layer_inputs.by_slot[SQA_LAYER_DY] = self->dmiddle;
    if (!sqa_layer_reference_backward(&self->layer, &self->block->layer, &self->layer_inputs,
                                      true) ||
        !set_dnormed(self))
        return false;
    if (!serial)
        add_mlp_gradient(self, self->dnormed);
    return true;
}

sqa_block_reference *sqa_block_reference_create(const sqa_problem *problem,
                                                const sqa_reference_inputs *inputs)
{
    sqa_block_reference *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->block = &problem->of.block;
    self->inputs = inputs;
    self->layer_inputs = *inputs;
    self->layer_inputs.prepared = &self->layer;
    sqa_block_layer(problem, &self->layer_problem);
    self->normed = norm_rows(self, SQA_BLOCK_NORM1, inputs->by_slot[SQA_LAYER_X], NULL, false);
    self->layer_inputs.by_slot[SQA_LAYER_X] = self->normed;
    const bool backward = problem->operation == SQA_OPERATION_BLOCK_BACKWARD;
    if (self->normed && (backward ? set_backward(self)
                                  : sqa_layer_reference_forward(&self->layer, &self->block->layer,
                                                                &self->layer_inputs)))
        return self;
    sqa_block_reference_free(self);
    return NULL;
}

void sqa_block_reference_free(sqa_block_reference *self)
{
    sqa_layer_reference_free(&self->layer);
    free(self->normed);
    free(self->normed2);
    free(self->hidden);
    free(self->dup);
    free(self->dgate);
    free(self->dmiddle);
    free(self->dnormed);
    free(self->dnormed2);
    free(self);
}

/* A row of the perceptron, from its normalised input; what is kept is rounded. */
static void set_mlp(const sqa_block_reference *self, const float *n, sqa_block_row *out)
{
    const sqa_block_pass *block = self->block;
    const uint32_t model = block->layer.d_model, inner = block->mlp_dim;
    const void *const *of = self->inputs->by_slot;
    for (uint32_t j = 0; j < inner; j++) {
        out->up[j] = block->biases ? at(of[SQA_BLOCK_BUP], inner, 0, j) : 0.0;
        out->gate[j] = block->biases && block->gated ? at(of[SQA_BLOCK_BGATE], inner, 0, j) : 0.0;
        for (uint32_t k = 0; k < model; k++) {
            out->up[j] += (double)n[k] * at(of[SQA_BLOCK_WUP], inner, k, j);
            if (block->gated)
                out->gate[j] += (double)n[k] * at(of[SQA_BLOCK_WGATE], inner, k, j);
        }
        if (block->layer.keep) {
            out->up[j] = (double)stored(block, out->up[j]);
            out->gate[j] = (double)stored(block, out->gate[j]);
        }
        const double hidden = (double)stored(block, activate(block, out->up[j], out->gate[j]));
        for (uint32_t k = 0; k < model; k++)
            out->y[k] += hidden * at(of[SQA_BLOCK_WDOWN], model, j, k);
    }
}

/* H, with the layer's part in out->y; then norm2 of it. */
static void set_middle(const sqa_block_reference *self, uint32_t row, float *middle, float *normed,
                       sqa_block_row *out)
{
    const uint32_t model = self->block->layer.d_model;
    for (uint32_t k = 0; k < model; k++) {
        out->middle[k] = out->y[k] + at(self->inputs->by_slot[SQA_LAYER_X], model, row, k);
        middle[k] = stored(self->block, out->middle[k]);
        out->y[k] = (double)middle[k];
    }
    const norm n = norm_of(self, 1, SQA_BLOCK_NORM2, middle, NULL);
    double *values = calloc(model, sizeof *values);
    if (values)
        sqa_reference_norm_row(&n.of, &n.inputs, 0, 0, model, values);
    for (uint32_t k = 0; values && k < model; k++)
        normed[k] = stored(self->block, values[k]);
    free(values);
}

bool sqa_block_reference_row(const sqa_block_reference *self, uint32_t batch, uint32_t query,
                             uint32_t row, sqa_block_row *out)
{
    const sqa_block_pass *block = self->block;
    const uint32_t model = block->layer.d_model, inner = block->mlp_dim;
    const void *const *of = self->inputs->by_slot;
    float *middle = new_matrix(1, model), *normed = new_matrix(1, model);
    *out = (sqa_block_row){calloc(model, sizeof(double)), calloc(model, sizeof(double)),
                           calloc(inner, sizeof(double)), calloc(inner, sizeof(double))};
    const bool there = middle && normed && out->y && out->middle && out->up && out->gate;
    if (there) {
        sqa_layer_reference_y(&self->layer, &self->layer_inputs, batch, query, 0, model, out->y);
        for (uint32_t k = 0; k < model; k++)
            out->y[k] = (double)stored(block, out->y[k]);
        if (sqa_block_is_serial(block))
            set_middle(self, row, middle, normed, out);
        for (uint32_t k = 0; k < model; k++)
            out->y[k] += (block->biases ? at(of[SQA_BLOCK_BDOWN], model, 0, k) : 0.0) +
                         (sqa_block_is_serial(block) ? 0.0 : at(of[SQA_LAYER_X], model, row, k));
        set_mlp(self, sqa_block_is_serial(block) ? normed : self->normed + (uint64_t)row * model,
                out);
    }
    free(middle);
    free(normed);
    return there;
}

void sqa_block_row_free(sqa_block_row *row)
{
    free(row->y);
    free(row->middle);
    free(row->up);
    free(row->gate);
}

/* dW = A^T dC, or of a bias the sum of the rows of dC. */
static void sum_rows(const sqa_block_reference *self, const void *a, uint32_t width, const void *dc,
                     uint32_t columns, uint32_t row, uint32_t first, uint32_t count, double *out)
{
    const uint32_t rows = sqa_layer_q_rows(&self->block->layer);
    memset(out, 0, count * sizeof *out);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t j = 0; j < count; j++)
            out[j] += (a ? at(a, width, r, row) : 1.0) * at(dc, columns, r, first + j);
}

static void norm_sums(const sqa_block_reference *self, uint32_t slot, uint32_t first,
                      uint32_t count, double *out)
{
    const bool second = slot >= SQA_BLOCK_DNORM2;
    const norm n = norm_of(self, sqa_layer_q_rows(&self->block->layer),
                           second ? SQA_BLOCK_NORM2 : SQA_BLOCK_NORM1,
                           self->inputs->by_slot[second ? SQA_BLOCK_MIDDLE : SQA_LAYER_X],
                           second ? self->dnormed2 : self->dnormed);
    double other[SQA_MAX_ROW];
    if (slot == SQA_BLOCK_DNORM1 || slot == SQA_BLOCK_DNORM2)
        sqa_reference_norm_sums(&n.of, &n.inputs, first, count, out, other);
    else
        sqa_reference_norm_sums(&n.of, &n.inputs, first, count, other, out);
}

/* Past the norm, what has come by the residual; of a parallel block the part through the norm is
 * stored in between. */
static void dx_row(const sqa_block_reference *self, uint32_t row, uint32_t first, uint32_t count,
                   double *out)
{
    const bool serial = sqa_block_is_serial(self->block);
    const uint32_t model = self->block->layer.d_model;
    const void *past = serial ? self->dmiddle : self->inputs->by_slot[SQA_LAYER_DY];
    const norm n = norm_of(self, sqa_layer_q_rows(&self->block->layer), SQA_BLOCK_NORM1,
                           self->inputs->by_slot[SQA_LAYER_X], self->dnormed);
    sqa_reference_norm_dx(&n.of, &n.inputs, row, first, count, out);
    for (uint32_t j = 0; j < count; j++)
        out[j] = (serial ? out[j] : (double)stored(self->block, out[j])) +
                 at(past, model, row, first + j);
}

void sqa_block_reference_gradient(const sqa_block_reference *self, uint32_t slot, uint32_t row,
                                  uint32_t first, uint32_t count, double *out)
{
    const uint32_t model = self->block->layer.d_model, inner = self->block->mlp_dim;
    const void *dy = self->inputs->by_slot[SQA_LAYER_DY];
    const float *n = sqa_block_is_serial(self->block) ? self->normed2 : self->normed;
    switch (slot) {
    case SQA_LAYER_DX: dx_row(self, row, first, count, out); break;
    case SQA_BLOCK_DWUP: sum_rows(self, n, model, self->dup, inner, row, first, count, out); break;
    case SQA_BLOCK_DWGATE:
        sum_rows(self, n, model, self->dgate, inner, row, first, count, out);
        break;
    case SQA_BLOCK_DWDOWN:
        sum_rows(self, self->hidden, inner, dy, model, row, first, count, out);
        break;
    case SQA_BLOCK_DBUP: sum_rows(self, NULL, 0, self->dup, inner, 0, first, count, out); break;
    case SQA_BLOCK_DBGATE: sum_rows(self, NULL, 0, self->dgate, inner, 0, first, count, out); break;
    case SQA_BLOCK_DBDOWN: sum_rows(self, NULL, 0, dy, model, 0, first, count, out); break;
    default: norm_sums(self, slot, first, count, out); break;
    }
}
