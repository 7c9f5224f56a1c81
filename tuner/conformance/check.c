/* A forward plan held against the oracle. How tensors lie among guards is
 * forward_case.c's business, how far off is too far tolerance.c's. */
#include "conformance/check.h"

#include <math.h>
#include <stdio.h>

#include "conformance/forward_case.h"
#include "reference/tolerance.h"

/* An output row, counted over batch, head and query. */
typedef struct row_position {
    uint32_t batch, head, query;
} row_position;

/* What the comparison has found so far. */
typedef struct comparison {
    const sqa_forward_case *test;
    sqa_tolerance tolerance;
    sqa_error_sum error;
    double lse_error;
    double worst; /* the largest difference of O so far, and where */
    row_position worst_row;
    char lse_message[SQA_CASE_MESSAGE];
} comparison;

static row_position position_of(const sqa_problem *problem, uint64_t number)
{
    uint64_t heads = number / problem->q_length;
    return (row_position){(uint32_t)(heads / problem->out_heads),
                          (uint32_t)(heads % problem->out_heads),
                          (uint32_t)(number % problem->q_length)};
}

static void compare_lse(comparison *c, row_position at, double reference)
{
    double value = (double)*sqa_forward_case_lse(c->test, at.batch, at.head, at.query);
    double difference = sqa_difference(value, reference);
    if (difference > c->lse_error)
        c->lse_error = difference;
    if (!c->lse_message[0] && !sqa_lse_within(&c->tolerance, value, reference))
        snprintf(c->lse_message, sizeof c->lse_message,
                 "LSE[batch %u, head %u, query %u] is %.9g, the oracle says %.9g", at.batch,
                 at.head, at.query, value, reference);
}

static void compare_row(comparison *c, row_position at)
{
    const sqa_forward_case *test = c->test;
    double reference[SQA_MAX_HEAD_DIM], lse;
    const sqa_reference_inputs inputs = sqa_forward_case_inputs(test);
    if (at.query >= sqa_reference_sequence(&test->problem, &inputs, at.batch).q_length)
        return;
    sqa_reference_forward_row(&test->problem, &inputs, at.batch, at.head, at.query, reference,
                              &lse);
    const float *o = sqa_forward_case_output(test, at.batch, at.head, at.query);
    for (uint32_t d = 0; d < test->problem.value_dim; d++)
        sqa_error_add(&c->error, (double)o[d], reference[d]);
    if (c->error.largest > c->worst) {
        c->worst = c->error.largest;
        c->worst_row = at;
    }
    if (test->problem.write_lse)
        compare_lse(c, at, lse);
}

/* The first row, the last and random ones: ends are where tiles go wrong. */
static void compare_rows(comparison *c, uint32_t sampled_rows, uint64_t seed)
{
    const sqa_problem *p = &c->test->problem;
    uint64_t rows = (uint64_t)p->batch * p->out_heads * p->q_length;
    if (!sampled_rows || sampled_rows >= rows) {
        for (uint64_t row = 0; row < rows; row++)
            compare_row(c, position_of(p, row));
        return;
    }
    sqa_random random = {~seed};
    for (uint32_t i = 0; i < sampled_rows; i++) {
        uint64_t row = i == 0 ? 0 : i == 1 ? rows - 1 : sqa_random_below(&random, rows);
        compare_row(c, position_of(p, row));
    }
}

static double largest_value(const sqa_forward_case *test)
{
    double largest = 0.0;
    for (size_t i = 0; i < test->v.count; i++)
        if (test->v.inside[i] && fabs((double)test->v.data[i]) > largest)
            largest = fabs((double)test->v.data[i]);
    return largest > 0.0 ? largest : 1.0;
}

/* Inputs are finite here, so rows that were not sampled must be finite too. */
static bool has_nan(const sqa_host_tensor *tensor)
{
    for (size_t i = 0; i < tensor->count; i++)
        if (tensor->inside[i] && isnan(tensor->data[i]))
            return true;
    return false;
}

static void judge(const comparison *c, sqa_check_result *out)
{
    const sqa_tolerance *t = &c->tolerance;
    out->rms_error = sqa_error_rms(&c->error);
    out->max_error = c->error.largest / largest_value(c->test);
    out->lse_error = c->lse_error;
    if (out->message[0]) /* the run itself already found something worse */
        ;
    else if (!(out->max_error <= t->max) || !(out->rms_error <= t->rms))
        snprintf(out->message, sizeof out->message,
                 "O differs from the oracle: relative rms %.2g (allowed %.2g), largest %.2g of "
                 "max|V| (allowed %.2g), at batch %u, head %u, query %u",
                 out->rms_error, t->rms, out->max_error, t->max, c->worst_row.batch,
                 c->worst_row.head, c->worst_row.query);
    else if (c->lse_message[0])
        snprintf(out->message, sizeof out->message, "%s", c->lse_message);
    else if (has_nan(&c->test->o) || has_nan(&c->test->lse))
        snprintf(out->message, sizeof out->message, "NaN from finite inputs");
    out->passed = !out->message[0];
}

static sqa_status run_and_compare(sqa_forward_case *test, sqa_plan *plan, sqa_context *context,
                                  cl_command_queue queue, uint64_t seed, uint32_t sampled_rows,
                                  sqa_check_result *out)
{
    sqa_status status =
        sqa_forward_case_run(test, plan, sqa_context_cl(context), queue, out->message);
    if (status != SQA_OK)
        return status;
    comparison c = {.test = test,
                    .tolerance = sqa_tolerance_of(test->problem.operation, test->problem.dtype)};
    compare_rows(&c, sampled_rows, seed);
    judge(&c, out);
    return SQA_OK;
}

sqa_status sqa_check_forward(sqa_context *context, cl_command_queue queue,
                             const sqa_attention_desc *desc, const sqa_plan_options *options,
                             uint64_t seed, uint32_t sampled_rows, sqa_check_result *out)
{
    sqa_forward_case test;
    sqa_plan *plan = NULL;
    sqa_check_result result = {false, NAN, NAN, NAN, ""};
    sqa_status status = sqa_forward_case_create(&test, desc, seed);
    if (status != SQA_OK)
        return status;
    status = sqa_plan_create(&plan, context, desc, options);
    if (status == SQA_OK)
        status = run_and_compare(&test, plan, context, queue, seed, sampled_rows, &result);
    if (status == SQA_OK)
        *out = result;
    sqa_plan_destroy(plan);
    sqa_forward_case_free(&test);
    return status;
}
