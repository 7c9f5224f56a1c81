/* The stages of a block, forward and backward: norms, its layer, products and activations. */
#include "operations/recipe.h"

#include "operations/activation/fields.h"
#include "operations/activation/slots.h"
#include "operations/block/slots.h"
#include "operations/matmul/fields.h"
#include "operations/matmul/slots.h"
#include "operations/norm/fields.h"
#include "operations/norm/slots.h"

/* A recipe in the making; once a stage has failed, nothing is added to it. */
typedef struct maker {
    const sqa_problem *problem;
    const sqa_block_pass *block;
    sqa_recipe *recipe;
    uint32_t rows, model, inner;
    sqa_status status;
} maker;

static maker start(const sqa_problem *problem, sqa_recipe *recipe)
{
    const sqa_block_pass *block = &problem->of.block;
    return (maker){
        problem,        block, recipe, sqa_layer_q_rows(&block->layer), block->layer.d_model,
        block->mlp_dim, SQA_OK};
}

static const sqa_link nothing = {SQA_LINK_NONE, 0};

static sqa_link callers(uint32_t slot)
{
    return (sqa_link){(int16_t)slot, 0};
}

static sqa_link add_matrix(maker *self, uint32_t columns)
{
    const sqa_tensor_shape shape = sqa_layer_matrix(&self->block->layer, self->rows, columns);
    return sqa_recipe_add_scratch(self->recipe, &shape);
}

static sqa_matmul_desc product_of(const maker *self, uint32_t m, uint32_t n, uint32_t k)
{
    sqa_matmul_desc desc = SQA_MATMUL_DESC_INIT;
    desc.dtype = self->block->layer.attention.dtype;
    desc.m = m;
    desc.n = n;
    desc.k = k;
    return desc;
}

/* The stage, whose biases and residual are not linked yet. */
static sqa_stage *add_product(maker *self, const sqa_matmul_desc *desc, sqa_link a, sqa_link b,
                              sqa_link c)
{
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    stage->links[SQA_SLOT_MATRIX_A] = a;
    stage->links[SQA_SLOT_MATRIX_B] = b;
    stage->links[SQA_SLOT_MATRIX_C] = c;
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_matmul(&stage->problem, desc);
    return stage;
}

static sqa_norm_desc norm_of(const maker *self)
{
    sqa_norm_desc desc = SQA_NORM_DESC_INIT;
    desc.kind = self->block->norm;
    desc.dtype = self->block->layer.attention.dtype;
    desc.length = self->rows;
    desc.dim = self->model;
    desc.eps = self->block->norm_eps;
    desc.bias = sqa_block_has_norm_bias(self->block);
    return desc;
}

/* `weight`: its slot, behind which is the bias's. */
static void add_norm(maker *self, sqa_link x, uint32_t weight, sqa_link y)
{
    const sqa_norm_desc desc = norm_of(self);
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    stage->links[SQA_SLOT_NORM_X] = x;
    stage->links[SQA_SLOT_NORM_Y] = y;
    stage->links[SQA_SLOT_NORM_WEIGHT] = callers(weight);
    stage->links[SQA_SLOT_NORM_BIAS] = callers(weight + 1);
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_norm(&stage->problem, &desc);
}

/* With `add` dX is added to what is there. */
static void add_norm_backward(maker *self, sqa_link x, sqa_link dy, uint32_t weight, sqa_link dx,
                              bool add)
{
    const uint32_t gradient = sqa_block_gradient_of(weight);
    sqa_norm_backward_desc desc = SQA_NORM_BACKWARD_DESC_INIT;
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    desc.norm = norm_of(self);
    desc.accumulate = add ? SQA_NORM_GRADIENT_X : 0;
    if (self->block->layer.accumulate)
        desc.accumulate |=
            SQA_NORM_GRADIENT_WEIGHT | (desc.norm.bias ? (uint32_t)SQA_NORM_GRADIENT_BIAS : 0u);
    stage->links[SQA_SLOT_NORM_X] = x;
    stage->links[SQA_SLOT_NORM_DY] = dy;
    stage->links[SQA_SLOT_NORM_WEIGHT] = callers(weight);
    stage->links[SQA_SLOT_NORM_DX] = dx;
    stage->links[SQA_SLOT_NORM_DWEIGHT] = callers(gradient);
    stage->links[SQA_SLOT_NORM_DBIAS] = callers(gradient + 1);
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_norm_backward(&stage->problem, &desc);
}

static sqa_activation_desc activation_of(const maker *self, uint32_t columns)
{
    sqa_activation_desc desc = SQA_ACTIVATION_DESC_INIT;
    desc.dtype = self->block->layer.attention.dtype;
    desc.length = self->rows;
    desc.dim = columns;
    return desc;
}

static void add_sum(maker *self, sqa_link a, sqa_link b, sqa_link y)
{
    sqa_activation_desc desc = activation_of(self, self->model);
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    desc.add_residual = 1;
    stage->links[SQA_SLOT_ACTIVATION_A] = a;
    stage->links[SQA_SLOT_ACTIVATION_RESIDUAL] = b;
    stage->links[SQA_SLOT_ACTIVATION_Y] = y;
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_activation(&stage->problem, &desc);
}

static sqa_stage *add_layer(maker *self)
{
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    sqa_stage_link_callers(stage, SQA_LAYER_SLOTS);
    sqa_block_layer(self->problem, &stage->problem);
    return stage;
}

/* What the activation is of. */
static uint32_t activated(const sqa_block_pass *block)
{
    return block->gated ? SQA_BLOCK_GATE : SQA_BLOCK_UP;
}

static sqa_activation_desc mlp_activation(const maker *self)
{
    sqa_activation_desc desc = activation_of(self, self->inner);
    desc.activation = self->block->activation;
    desc.gated = self->block->gated;
    return desc;
}

/* act(gate) * up, or act(up), from what is kept. */
static sqa_link add_activation(maker *self)
{
    const sqa_activation_desc desc = mlp_activation(self);
    const sqa_link hidden = add_matrix(self, self->inner);
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    stage->links[SQA_SLOT_ACTIVATION_A] = callers(activated(self->block));
    stage->links[SQA_SLOT_ACTIVATION_B] = callers(SQA_BLOCK_UP);
    stage->links[SQA_SLOT_ACTIVATION_Y] = hidden;
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_activation(&stage->problem, &desc);
    return hidden;
}

static void add_kept_product(maker *self, sqa_link n, uint32_t weight, uint32_t bias, uint32_t to)
{
    sqa_matmul_desc desc = product_of(self, self->rows, self->inner, self->model);
    desc.bias = self->block->biases;
    add_product(self, &desc, n, callers(weight), callers(to))->links[SQA_SLOT_COLUMN_BIAS] =
        callers(bias);
}

/* One product with all that follows it, unless what it follows from is kept. */
static sqa_link add_hidden(maker *self, sqa_link n)
{
    const sqa_block_pass *block = self->block;
    if (block->layer.keep) {
        add_kept_product(self, n, SQA_BLOCK_WUP, SQA_BLOCK_BUP, SQA_BLOCK_UP);
        if (block->gated)
            add_kept_product(self, n, SQA_BLOCK_WGATE, SQA_BLOCK_BGATE, SQA_BLOCK_GATE);
        return add_activation(self);
    }
    const sqa_link hidden = add_matrix(self, self->inner);
    sqa_matmul_desc desc = product_of(self, self->rows, self->inner, self->model);
    desc.activation = block->activation;
    desc.bias = block->biases;
    desc.gated = block->gated;
    sqa_stage *stage = add_product(self, &desc, n,
                                   callers(block->gated ? SQA_BLOCK_WGATE : SQA_BLOCK_WUP), hidden);
    stage->links[SQA_SLOT_COLUMN_BIAS] = callers(block->gated ? SQA_BLOCK_BGATE : SQA_BLOCK_BUP);
    stage->links[SQA_SLOT_MATRIX_B2] = callers(SQA_BLOCK_WUP);
    stage->links[SQA_SLOT_COLUMN_BIAS2] = callers(SQA_BLOCK_BUP);
    return hidden;
}

/* Y = mlp(n) + residual, with `add` also what Y holds. */
static void add_mlp(maker *self, sqa_link n, sqa_link residual, bool add)
{
    const sqa_link hidden = add_hidden(self, n);
    sqa_matmul_desc desc = product_of(self, self->rows, self->model, self->inner);
    desc.bias = self->block->biases;
    desc.beta = add ? 1.0f : 0.0f;
    desc.add_residual = 1;
    sqa_stage *stage =
        add_product(self, &desc, hidden, callers(SQA_BLOCK_WDOWN), callers(SQA_LAYER_Y));
    stage->links[SQA_SLOT_COLUMN_BIAS] = callers(SQA_BLOCK_BDOWN);
    stage->links[SQA_SLOT_RESIDUAL] = residual;
}

sqa_status sqa_block_forward_recipe(const sqa_problem *problem, sqa_recipe *out)
{
    maker self = start(problem, out);
    const bool serial = sqa_block_is_serial(self.block);
    const sqa_link x = callers(SQA_LAYER_X), n = add_matrix(&self, self.model);
    const sqa_link attended = serial ? add_matrix(&self, self.model) : callers(SQA_LAYER_Y);
    add_norm(&self, x, SQA_BLOCK_NORM1, n);
    sqa_stage *layer = add_layer(&self);
    layer->links[SQA_LAYER_X] = n;
    layer->links[SQA_LAYER_Y] = attended;
    if (!serial) {
        add_mlp(&self, n, x, true);
        return self.status;
    }
    const sqa_link middle =
        self.block->layer.keep ? callers(SQA_BLOCK_MIDDLE) : add_matrix(&self, self.model);
    const sqa_link n2 = add_matrix(&self, self.model);
    add_sum(&self, attended, x, middle);
    add_norm(&self, middle, SQA_BLOCK_NORM2, n2);
    add_mlp(&self, n2, middle, false);
    return self.status;
}

/* Gradients of a product of rows with a weight, and of its bias. */
static void add_parameter_gradients(maker *self, sqa_link a, uint32_t width, sqa_link dc,
                                    uint32_t columns, uint32_t weight, uint32_t bias)
{
    const sqa_link one = {SQA_LINK_ONE, 0};
    sqa_matmul_desc desc = product_of(self, width, columns, self->rows);
    desc.transpose_a = 1;
    desc.beta = self->block->layer.accumulate ? 1.0f : 0.0f;
    add_product(self, &desc, a, dc, callers(sqa_block_gradient_of(weight)));
    desc.m = 1;
    desc.a = (sqa_matrix_strides){1, 0};
    if (self->block->biases)
        add_product(self, &desc, one, dc, callers(sqa_block_gradient_of(bias)));
}

/* dA = dC W^T, with `add` added to what is there. */
static void add_input_gradient(maker *self, sqa_link dc, uint32_t columns, uint32_t weight,
                               uint32_t width, sqa_link da, bool add)
{
    sqa_matmul_desc desc = product_of(self, self->rows, width, columns);
    desc.transpose_b = 1;
    desc.beta = add ? 1.0f : 0.0f;
    add_product(self, &desc, dc, callers(weight), da);
}

/* Of the perceptron, with n its input: dn, with `add` added to what is there. */
static void add_mlp_backward(maker *self, sqa_link n, sqa_link dn, bool add)
{
    const sqa_link dy = callers(SQA_LAYER_DY), hidden = add_activation(self);
    const bool gated = self->block->gated;
    const sqa_link dhidden = add_matrix(self, self->inner), dup = add_matrix(self, self->inner);
    const sqa_link dgate = gated ? add_matrix(self, self->inner) : nothing;
    const sqa_activation_desc desc = mlp_activation(self);
    add_parameter_gradients(self, hidden, self->inner, dy, self->model, SQA_BLOCK_WDOWN,
                            SQA_BLOCK_BDOWN);
    add_input_gradient(self, dy, self->model, SQA_BLOCK_WDOWN, self->inner, dhidden, false);
    sqa_activation_backward_options options = SQA_ACTIVATION_BACKWARD_OPTIONS_INIT;
    options.db = gated;
    sqa_stage *stage = sqa_recipe_add_stage(self->recipe);
    stage->links[SQA_SLOT_ACTIVATION_A] = callers(activated(self->block));
    stage->links[SQA_SLOT_ACTIVATION_B] = callers(SQA_BLOCK_UP);
    stage->links[SQA_SLOT_ACTIVATION_DY] = dhidden;
    stage->links[SQA_SLOT_ACTIVATION_DA] = gated ? dgate : dup;
    stage->links[SQA_SLOT_ACTIVATION_DB] = dup;
    if (self->status == SQA_OK)
        self->status = sqa_problem_from_activation_backward(&stage->problem, &desc, &options);
    add_parameter_gradients(self, n, self->model, dup, self->inner, SQA_BLOCK_WUP, SQA_BLOCK_BUP);
    add_input_gradient(self, dup, self->inner, SQA_BLOCK_WUP, self->model, dn, add);
    if (!gated)
        return;
    add_parameter_gradients(self, n, self->model, dgate, self->inner, SQA_BLOCK_WGATE,
                            SQA_BLOCK_BGATE);
    add_input_gradient(self, dgate, self->inner, SQA_BLOCK_WGATE, self->model, dn, true);
}

static void add_layer_backward(maker *self, sqa_link x, sqa_link dy, sqa_link dx)
{
    sqa_stage *layer = add_layer(self);
    layer->links[SQA_LAYER_X] = x;
    layer->links[SQA_LAYER_DY] = dy;
    layer->links[SQA_LAYER_DX] = dx;
}

/* dH gathers where dX will lie. */
static void add_serial_backward(maker *self, sqa_link n, sqa_link dn)
{
    const sqa_link x = callers(SQA_LAYER_X), dx = callers(SQA_LAYER_DX);
    const sqa_link middle = callers(SQA_BLOCK_MIDDLE), dmiddle = add_matrix(self, self->model);
    add_norm(self, middle, SQA_BLOCK_NORM2, n);
    add_mlp_backward(self, n, dn, false);
    add_norm_backward(self, middle, dn, SQA_BLOCK_NORM2, dmiddle, false);
    add_sum(self, dmiddle, callers(SQA_LAYER_DY), dx);
    add_norm(self, x, SQA_BLOCK_NORM1, n);
    add_layer_backward(self, n, dx, dn);
    add_norm_backward(self, x, dn, SQA_BLOCK_NORM1, dx, true);
}

static void add_parallel_backward(maker *self, sqa_link n, sqa_link dn)
{
    const sqa_link x = callers(SQA_LAYER_X), dy = callers(SQA_LAYER_DY);
    const sqa_link through = add_matrix(self, self->model);
    add_norm(self, x, SQA_BLOCK_NORM1, n);
    add_layer_backward(self, n, dy, dn);
    add_mlp_backward(self, n, dn, true);
    add_norm_backward(self, x, dn, SQA_BLOCK_NORM1, through, false);
    add_sum(self, through, dy, callers(SQA_LAYER_DX));
}

sqa_status sqa_block_backward_recipe(const sqa_problem *problem, sqa_recipe *out)
{
    maker self = start(problem, out);
    const sqa_link n = add_matrix(&self, self.model), dn = add_matrix(&self, self.model);
    if (sqa_block_is_serial(self.block))
        add_serial_backward(&self, n, dn);
    else
        add_parallel_backward(&self, n, dn);
    return self.status;
}
