#include "operations/linear/gradients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT = 256 }; /* tokens whose states there are at once */

/* A head of a sequence on the way back. Matrices are head_dim x (value_dim + 1). */
typedef struct pass {
    sqa_linear_place at;
    sqa_linear_gradients *out;
    uint32_t rows, columns; /* of a state; the last column is that of the sums */
    double *starts;         /* before every segment, and after the last token */
    double *states;         /* before every token of a segment, and after its last */
    double *values;         /* what each token adds: r, and 1 */
    double *gradient;       /* of the state that is looked at */
} pass;

static double slope_of(const sqa_linear *linear, double x)
{
    switch (linear->feature) {
    case SQA_FEATURE_IDENTITY: break;
    case SQA_FEATURE_ELU1: return x >= 0.0 ? 1.0 : exp(x);
    case SQA_FEATURE_RELU: return x > 0.0 ? 1.0 : 0.0;
    }
    return 1.0;
}

static size_t state_size(const pass *p)
{
    return (size_t)p->rows * p->columns;
}

/* Before the token, which is of the segment whose states there are, or behind it. */
static double *state_of(const pass *p, uint32_t token, uint32_t first)
{
    return p->states + (token - first) * state_size(p);
}

/* f of a vector's elements. */
static void set_features(const pass *p, const float *x, double *out)
{
    for (uint32_t d = 0; d < p->rows; d++)
        out[d] = sqa_linear_feature(p->at.linear, (double)x[d]);
}

static uint64_t matrix_of(const pass *p)
{
    return (uint64_t)p->at.batch * p->at.linear->attention.kv_heads + p->at.head;
}

static uint32_t segments_of(uint32_t tokens)
{
    return tokens / SEGMENT + (tokens % SEGMENT != 0);
}

static void set_starts(pass *p)
{
    const uint32_t tokens = p->at.kv_length;
    double *state = p->states;
    for (uint32_t d = 0; d < p->rows; d++)
        for (uint32_t j = 0; j < p->columns; j++)
            state[d * p->columns + j] = sqa_linear_initial(&p->at, d, j);
    for (uint32_t t = 0; t < tokens; t++) {
        if (t % SEGMENT == 0)
            memcpy(p->starts + t / SEGMENT * state_size(p), state, state_size(p) * sizeof *state);
        sqa_linear_step(&p->at, t, state, state, p->values + (size_t)t * p->columns);
    }
    memcpy(p->starts + segments_of(tokens) * state_size(p), state, state_size(p) * sizeof *state);
}

/* The states of the tokens from `first` to before `end`. */
static void set_states(pass *p, uint32_t first, uint32_t end)
{
    memcpy(p->states, p->starts + first / SEGMENT * state_size(p),
           state_size(p) * sizeof *p->states);
    for (uint32_t t = first; t < end; t++)
        sqa_linear_step(&p->at, t, state_of(p, t, first), state_of(p, t + 1, first),
                        p->values + (size_t)t * p->columns);
}

/* The gradient of what O is divided from, scale S^T f(q), and of the sum it is divided by. */
static void set_product_gradient(const pass *p, const double *q, const float *dout,
                                 const double *state, double *out)
{
    const sqa_linear *linear = p->at.linear;
    const uint32_t last = p->columns - 1;
    double sum = (double)linear->epsilon, product = 0.0;
    for (uint32_t d = 0; d < p->rows; d++)
        sum += (double)linear->attention.scale * state[d * p->columns + last] * q[d];
    if (!linear->normalise)
        sum = 1.0;
    for (uint32_t j = 0; j < last; j++) {
        double y = 0.0;
        for (uint32_t d = 0; d < p->rows; d++)
            y += state[d * p->columns + j] * q[d];
        product += (double)dout[j] * (double)linear->attention.scale * y;
        out[j] = (double)dout[j] / sum;
    }
    out[last] = linear->normalise ? -product / (sum * sum) : 0.0;
}

/* Adds what the query of an output head brings: to dQ, and to the gradient of its state. */
static void take_query(pass *p, uint32_t out_head, uint32_t query, const double *state)
{
    const sqa_linear *linear = p->at.linear;
    const sqa_attention *a = &linear->attention;
    const uint32_t q_head = out_head % a->q_heads;
    const float *q = sqa_linear_query(&p->at, out_head, query);
    const float *dout =
        sqa_linear_vector(&p->at, SQA_SLOT_LINEAR_DOUT, &a->o, out_head, p->at.q_begin + query);
    double g[SQA_MAX_HEAD_DIM + 1], features[SQA_MAX_HEAD_DIM];
    double *dq =
        p->out->dq + (((size_t)p->at.batch * a->q_heads + q_head) * a->q_length + query) * p->rows;
    set_features(p, q, features);
    set_product_gradient(p, features, dout, state, g);
    for (uint32_t d = 0; d < p->rows; d++) {
        double sum = 0.0;
        for (uint32_t j = 0; j < p->columns; j++) {
            sum += state[d * p->columns + j] * g[j];
            p->gradient[d * p->columns + j] += (double)a->scale * g[j] * features[d];
        }
        dq[d] += (double)a->scale * sum * slope_of(linear, (double)q[d]);
    }
}

/* Of what the token adds to the state it becomes what it adds: value_dim + 1 numbers. */
static void value_gradient(const pass *p, const double *key, double *out)
{
    for (uint32_t j = 0; j < p->columns; j++) {
        out[j] = 0.0;
        for (uint32_t d = 0; d < p->rows; d++)
            out[j] += p->gradient[d * p->columns + j] * key[d];
    }
}

/* From the gradient of the state after the token to that before it. `known`: the gradient of
 * S^T f(k), which the delta rule takes off the value. */
static void take_token(pass *p, uint32_t token, const double *before)
{
    const sqa_linear *linear = p->at.linear;
    const uint64_t row = matrix_of(p) * linear->attention.kv_length + token;
    const double beta = linear->delta ? sqa_linear_beta(&p->at, token) : 1.0;
    double g[SQA_MAX_HEAD_DIM + 1], known[SQA_MAX_HEAD_DIM + 1];
    double key[SQA_MAX_HEAD_DIM], decay[SQA_MAX_HEAD_DIM];
    set_features(p, sqa_linear_key(&p->at, token), key);
    for (uint32_t d = 0; d < p->rows; d++)
        decay[d] = exp(sqa_linear_log_decay(&p->at, token, d));
    value_gradient(p, key, g);
    for (uint32_t j = 0; j < p->columns; j++)
        known[j] = linear->delta ? -beta * g[j] : 0.0;
    for (uint32_t j = 0; j + 1 < p->columns; j++) {
        p->out->dv[row * (p->columns - 1) + j] = beta * g[j];
        for (uint32_t d = 0; d < p->rows && linear->delta; d++)
            p->out->dbeta[row] -= g[j] * before[d * p->columns + j] * key[d] * decay[d];
        p->out->dbeta[row] += linear->delta ? g[j] * sqa_linear_value(&p->at, token, j) : 0.0;
    }
    for (uint32_t d = 0; d < p->rows; d++) {
        double dkey = 0.0, ddecay = 0.0;
        for (uint32_t j = 0; j < p->columns; j++) {
            double *gradient = &p->gradient[d * p->columns + j];
            const double weakened = decay[d] * before[d * p->columns + j];
            dkey += *gradient * p->values[(size_t)token * p->columns + j] + weakened * known[j];
            *gradient += key[d] * known[j];
            ddecay += weakened * *gradient;
            *gradient *= decay[d];
        }
        p->out->dk[row * p->rows + d] =
            dkey * slope_of(linear, (double)sqa_linear_key(&p->at, token)[d]);
        p->out->ddecay[row * p->rows + d] = ddecay;
    }
}

static void set_last_gradient(pass *p)
{
    const float *state = p->at.inputs->by_slot[SQA_SLOT_LINEAR_DSTATE];
    const float *sums = p->at.inputs->by_slot[SQA_SLOT_LINEAR_DSUMS];
    const uint32_t last = p->columns - 1;
    for (uint32_t d = 0; d < p->rows; d++) {
        const uint64_t row = matrix_of(p) * p->rows + d;
        for (uint32_t j = 0; j < last; j++)
            p->gradient[d * p->columns + j] = state ? (double)state[row * last + j] : 0.0;
        p->gradient[d * p->columns + last] = sums ? (double)sums[row] : 0.0;
    }
}

static void take_queries(pass *p, uint32_t query, const double *state)
{
    const uint32_t group = sqa_attention_group(&p->at.linear->attention);
    for (uint32_t h = p->at.head * group; h < (p->at.head + 1) * group; h++)
        take_query(p, h, query, state);
}

static void go_back(pass *p)
{
    const bool causal = p->at.linear->causal;
    const uint32_t segments = segments_of(p->at.kv_length);
    set_starts(p);
    set_last_gradient(p);
    for (uint32_t i = 0; i < p->at.q_length && !causal; i++)
        take_queries(p, i, p->starts + segments * state_size(p));
    for (uint32_t s = segments; s-- > 0;) {
        const uint32_t first = s * SEGMENT, left = p->at.kv_length - first;
        const uint32_t end = first + (left < SEGMENT ? left : SEGMENT);
        set_states(p, first, end);
        for (uint32_t t = end; t-- > first;) {
            if (causal)
                take_queries(p, t, state_of(p, t + 1, first));
            take_token(p, t, state_of(p, t, first));
        }
    }
    memcpy(p->out->dstate + matrix_of(p) * state_size(p), p->gradient,
           state_size(p) * sizeof *p->gradient);
}

/* Parts of one piece of memory, behind the struct. */
static sqa_linear_gradients *create(const sqa_attention *a)
{
    const size_t keys = (size_t)a->batch * a->kv_heads * a->kv_length;
    const size_t queries = (size_t)a->batch * a->q_heads * a->q_length;
    const size_t states = (size_t)a->batch * a->kv_heads * a->head_dim * (a->value_dim + 1u);
    const size_t count =
        queries * a->head_dim + keys * (2 * a->head_dim + a->value_dim + 1) + states;
    sqa_linear_gradients *out = calloc(1, sizeof *out + count * sizeof(double));
    if (!out)
        return NULL;
    out->dq = (double *)(out + 1);
    out->dk = out->dq + queries * a->head_dim;
    out->dv = out->dk + keys * a->head_dim;
    out->dbeta = out->dv + keys * a->value_dim;
    out->ddecay = out->dbeta + keys;
    out->dstate = out->ddecay + keys * a->head_dim;
    return out;
}

sqa_linear_gradients *sqa_linear_gradients_of(const sqa_linear *linear,
                                              const sqa_reference_inputs *inputs)
{
    const sqa_attention *a = &linear->attention;
    const size_t state = (size_t)a->head_dim * (a->value_dim + 1u);
    const size_t starts = segments_of(a->kv_length) + (size_t)1;
    sqa_linear_gradients *out = create(a);
    double *room =
        malloc(((starts + SEGMENT + 2) * state + (size_t)a->kv_length * (a->value_dim + 1u)) *
               sizeof *room);
    for (uint32_t b = 0; b < a->batch && out && room; b++)
        for (uint32_t h = 0; h < a->kv_heads; h++) {
            pass p = {.at = sqa_linear_place_of(linear, inputs, b, h),
                      .out = out,
                      .rows = a->head_dim,
                      .columns = a->value_dim + 1,
                      .starts = room,
                      .states = room + starts * state,
                      .gradient = room + (starts + SEGMENT + 1) * state,
                      .values = room + (starts + SEGMENT + 2) * state};
            go_back(&p);
        }
    if (!room) {
        free(out);
        out = NULL;
    }
    free(room);
    return out;
}
