/* The oracle of linear attention: fp64, plain loops, from the definition in
 * include/sqa_cl/linear.h. Tokens count within their sequence. */
#ifndef SQA_OPERATIONS_LINEAR_REFERENCE_H
#define SQA_OPERATIONS_LINEAR_REFERENCE_H

#include "operations/linear/slots.h"

/* A sequence and a key/value head. */
typedef struct sqa_linear_place {
    const sqa_linear *linear;
    const sqa_reference_inputs *inputs;
    uint32_t batch, head;
    uint32_t q_begin, q_length, kv_begin, kv_length;
} sqa_linear_place;

sqa_linear_place sqa_linear_place_of(const sqa_linear *linear, const sqa_reference_inputs *inputs,
                                     uint32_t batch, uint32_t head);

/* What there is at a token, or before the first. f of a number; the vector of a head in a slot;
 * Q of an output head, K, and an element of V, which is 1 of column value_dim; logarithms of
 * decays by row of the state; beta; element (row, column) of S_0, of column value_dim of z_0. */
double sqa_linear_feature(const sqa_linear *linear, double x);
const float *sqa_linear_vector(const sqa_linear_place *at, uint32_t slot,
                               const sqa_strides *strides, uint32_t head, uint32_t token);
const float *sqa_linear_query(const sqa_linear_place *at, uint32_t out_head, uint32_t query);
const float *sqa_linear_key(const sqa_linear_place *at, uint32_t token);
double sqa_linear_value(const sqa_linear_place *at, uint32_t token, uint32_t column);
double sqa_linear_log_decay(const sqa_linear_place *at, uint32_t token, uint32_t row);
double sqa_linear_beta(const sqa_linear_place *at, uint32_t token);
double sqa_linear_initial(const sqa_linear_place *at, uint32_t row, uint32_t column);

/* Keys in the state that a query sees. */
uint32_t sqa_linear_seen(const sqa_linear_place *at, uint32_t query);

/* By the recurrence: column `column` of the state, head_dim doubles, after the first `tokens`
 * keys; the sums of keys for column == value_dim. */
void sqa_linear_state_column(const sqa_linear_place *at, uint32_t tokens, uint32_t column,
                             double *state);

/* The recurrence by one token, of head_dim x (value_dim + 1) doubles, the last column that of the
 * sums: from the state before the token to that after it, which may be the same memory; `values`,
 * value_dim + 1 of them, become what the token adds, of which f(k) is one factor. */
void sqa_linear_step(const sqa_linear_place *at, uint32_t token, const double *before,
                     double *after, double *values);

/* By the weights of all keys that are seen, where there is no delta rule: value_dim doubles of
 * row `row` of the state after the first `tokens` keys, and of the sums. */
void sqa_linear_state_row(const sqa_linear_place *at, uint32_t tokens, uint32_t row, double *state,
                          double *sum);

/* value_dim doubles of a query of an output head, by the recurrence, by weights, or from a state
 * of sqa_linear_step(), after the keys that the query sees. */
void sqa_linear_row_recurrent(const sqa_linear_place *at, uint32_t out_head, uint32_t query,
                              double *o);
void sqa_linear_row_weighted(const sqa_linear_place *at, uint32_t out_head, uint32_t query,
                             double *o);
void sqa_linear_row_of_state(const sqa_linear_place *at, uint32_t out_head, uint32_t query,
                             const double *state, double *o);

#endif
