/* See gradients.h. */
#include "conformance/gradients.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "opencl_fixture.h"
#include "operations/attention/slots.h"
#include "operations/layer/slots.h"
#include "operations/shape.h"
#include "operations/tensors.h"

sqa_host_tensors tensors_of(const char *operation, const char *shape, uint64_t seed)
{
    char text[SQA_SHAPE_TEXT];
    sqa_problem problem;
    sqa_host_tensors tensors;
    snprintf(text, sizeof text, "op=%s,%s", operation, shape);
    ck_assert_msg(sqa_problem_parse(text, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&tensors, &problem, seed, true), SQA_OK);
    return tensors;
}

float *values_of(const sqa_host_tensors *tensors, uint32_t slot)
{
    const sqa_host_tensor *tensor = &tensors->of[slot];
    return (float *)tensor->data + (int64_t)tensor->guard;
}

void share_inputs(const sqa_host_tensors *forward, sqa_host_tensors *backward, uint32_t first,
                  uint32_t end)
{
    for (uint32_t slot = first; slot < end; slot++) {
        const sqa_host_tensor *from = &forward->of[slot];
        sqa_host_tensor *to = &backward->of[slot];
        if (!to->data || !from->data || sqa_tensor_is_output(&forward->problem, slot))
            continue;
        const size_t bytes = (size_t)sqa_element_bytes(from->element, 1);
        const size_t count = from->count - 2 * from->guard;
        ck_assert_uint_eq(count, to->count - 2 * to->guard);
        memcpy((char *)to->data + to->guard * bytes, (char *)from->data + from->guard * bytes,
               count * bytes);
    }
}

uint32_t input_of_layer(uint32_t gradient)
{
    switch (gradient) {
    case SQA_LAYER_DBIAS: return SQA_SLOT_BIAS;
    case SQA_LAYER_DSINKS: return SQA_SLOT_SINKS;
    case SQA_LAYER_DSLOPES: return SQA_SLOT_SLOPES;
    case SQA_LAYER_DWG: return SQA_LAYER_WG;
    case SQA_LAYER_DBG: return SQA_LAYER_BG;
    case SQA_LAYER_DQ_NORM: return SQA_LAYER_Q_NORM;
    case SQA_LAYER_DK_NORM: return SQA_LAYER_K_NORM;
    case SQA_LAYER_DDECAY: return SQA_LAYER_DECAY;
    case SQA_LAYER_DBETA: return SQA_LAYER_BETA;
    case SQA_LAYER_DSTATE_IN: return SQA_LAYER_STATE_IN;
    case SQA_LAYER_DSUMS_IN: return SQA_LAYER_SUMS_IN;
    case SQA_LAYER_DWDECAY:
    case SQA_LAYER_DBDECAY:
    case SQA_LAYER_DWBETA:
    case SQA_LAYER_DBBETA: return gradient - SQA_LAYER_DWDECAY + SQA_LAYER_WDECAY;
    default: return gradient - SQA_LAYER_DX + SQA_LAYER_X;
    }
}

static double difference(loss_function *loss, const sqa_host_tensors *forward, const float *dy,
                         float *x, float step)
{
    const float before = *x;
    *x = before + step;
    const double above = loss(forward, dy);
    *x = before - step;
    const double below = loss(forward, dy);
    *x = before;
    return (above - below) / (2.0 * (double)step);
}

/* Of two step sizes, so that the error is of their fourth power (Richardson). */
double slope_of(loss_function *loss, const sqa_host_tensors *forward, const float *dy, float *x)
{
    return (4.0 * difference(loss, forward, dy, x, 0x1p-6f) -
            difference(loss, forward, dy, x, 0x1p-5f)) /
           3.0;
}

static void print_failure(void *user, const sqa_outcome *outcome)
{
    (void)user;
    if (outcome->verdict == SQA_VERDICT_FAILED)
        printf("FAILED: %s\n    %s\n", outcome->message, outcome->subject);
}

static sqa_suite suite_of(const sqa_tuner_operation *operation, sqa_dtype dtype)
{
    return (sqa_suite){.context = test_context,
                       .queue = test_queue,
                       .device = &test_device,
                       .operation = operation->entry->id,
                       .dtype = dtype,
                       .seed = 7,
                       .report = print_failure};
}

void expect_right(const sqa_tuner_operation *operation, sqa_dtype dtype, sqa_grid_size size)
{
    sqa_suite_counts counts = {0};
    const sqa_suite suite = suite_of(operation, dtype);
    for (const sqa_case_grid *grid = operation->grids; grid->name; grid++)
        ck_assert_int_eq(sqa_suite_grid(&suite, grid, size, &counts), SQA_OK);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_gt(counts.passed, 0);
}

void expect_properties(const sqa_tuner_operation *operation)
{
    sqa_suite_counts counts = {0};
    const sqa_suite suite = suite_of(operation, SQA_DTYPE_F32);
    for (size_t i = 0; i < operation->property_count; i++)
        sqa_suite_property(&suite, &operation->properties[i], true, &counts);
    ck_assert_uint_eq(counts.failed, 0);
    ck_assert_uint_eq(counts.passed, operation->property_count);
}

bool is_full(void)
{
    const char *size = getenv("SQA_TEST_SIZE");
    return size && !strcmp(size, "full");
}
