#include "operations/forward/number_cases.h"

#include <float.h>

#include "operations/attention/slots.h"
#include "problem/storage.h"

/* The bias of a query's keys; all batch entries have the same. */
static float *bias_row(const sqa_host_tensors *test, uint32_t head, uint32_t row)
{
    return sqa_host_tensor_at(&test->of[SQA_SLOT_BIAS], 0, head, row);
}

/* The bias of a key, the same for every query. */
static void set_bias(const sqa_host_tensors *test, uint32_t key, float value)
{
    for (uint32_t h = 0; h < test->problem.of.attention.out_heads; h++)
        for (uint32_t i = 0; i < test->problem.of.attention.q_length; i++)
            bias_row(test, h, i)[key] = value;
}

static void set_value(const sqa_host_tensors *test, uint32_t key, float value)
{
    const sqa_attention *a = &test->problem.of.attention;
    for (uint32_t b = 0; b < a->batch; b++)
        for (uint32_t h = 0; h < a->kv_heads; h++)
            for (uint32_t d = 0; d < a->value_dim; d++)
                sqa_host_tensor_at(&test->of[SQA_SLOT_V], b, h, key)[d] = value;
}

static float most_of(const sqa_host_tensors *test)
{
    return sqa_storage_largest(test->problem.of.attention.dtype);
}

/* Their mean is what they are, and nothing on the way to it may be more. */
static void plant_equal_values(sqa_host_tensors *test)
{
    sqa_host_tensor_fill(&test->of[SQA_SLOT_V], most_of(test));
}

static void plant_high_key(sqa_host_tensors *test)
{
    set_bias(test, 5, 3e38f);
}

static void plant_lowest_bias(sqa_host_tensors *test)
{
    sqa_host_tensor_fill(&test->of[SQA_SLOT_BIAS], -FLT_MAX);
}

/* Not one value: the higher ones have all the weight. */
static void plant_low_biases(sqa_host_tensors *test)
{
    for (uint32_t j = 0; j < test->problem.of.attention.kv_length; j++)
        set_bias(test, j, j % 2 ? -1e38f : -3e38f);
}

/* Weights that no f32 has, of values that would show in any other. */
static void plant_underflow(sqa_host_tensors *test)
{
    for (uint32_t j = 0; j < test->problem.of.attention.kv_length; j += 3) {
        set_bias(test, j, -1e4f);
        set_value(test, j, j % 2 ? -most_of(test) : most_of(test));
    }
}

#define EVERYTHING "softcap=3e38,alibi=slopes,bias=f32/hq,sinks"

/* Where two large terms might cancel, one is smaller by far: what is left of both is rounding. */
const sqa_number_case sqa_number_cases[SQA_NUMBER_CASES] = {
    {"large values", "", .v = FLT_MAX, .dout = 1e-20f},
    {"the largest value everywhere", "", .plant = plant_equal_values, .dout = 1e-20f},
    {"a large scale", "", .scale = FLT_MAX, .vague = true},
    {"a large negative scale", "", .scale = -FLT_MAX, .vague = true},
    {"a small scale", "", .scale = FLT_MIN, .dout = 1e20f},
    {"a subnormal scale", "", .scale = -1e-42f, .dout = 1e20f},
    {"small Q, large K", "", .scale = 20.0f, .q = 1e-39f, .k = 3e37f, .subnormal = true,
     .gradients = SQA_GRADIENT_Q | SQA_GRADIENT_V},
    {"large Q, small K", "", .scale = 20.0f, .q = 3e37f, .k = 1e-39f, .subnormal = true,
     .gradients = SQA_GRADIENT_K | SQA_GRADIENT_V},
    {"large Q and K, a small scale", "", .scale = 1e-39f, .q = 1e19f, .k = 1e19f},
    {"small Q and K, a large scale", "", .scale = 1e38f, .q = 1e-18f, .k = 3e-20f},
    {"the largest Q, a small scale", "", .scale = 1e-30f, .q = FLT_MAX, .k = 1e-8f, .dout = 100.0f,
     .gradients = SQA_GRADIENT_K | SQA_GRADIENT_V},
    {"large sinks", "sinks", .sinks = FLT_MAX},
    {"large sinks, a large scale", "sinks", .scale = FLT_MAX, .sinks = -FLT_MAX, .vague = true},
    {"large sinks, a subnormal scale", "sinks", .scale = 1e-42f, .sinks = FLT_MAX, .dout = 1e20f},
    {"small sinks, the largest value", "sinks", .sinks = 1e-42f, .plant = plant_equal_values,
     .dout = 1e-20f},
    {"a large cap", "softcap=3e38", .scale = 0.0f},
    {"a subnormal cap", "softcap=1e-42", .scale = 0.0f},
    {"a large cap and scale", "softcap=3.4e38", .scale = FLT_MAX, .q = 0.05f, .vague = true},
    {"a large scale, a cap", "softcap=2", .scale = -FLT_MAX},
    {"a large scale, a subnormal cap", "softcap=1e-42", .scale = FLT_MAX},
    {"a subnormal scale and cap", "softcap=1e-42", .scale = 1e-42f, .dout = 1e20f},
    {"large Q and K, a small scale, a cap", "softcap=3", .scale = 1e-39f, .q = 1e19f, .k = 1e19f},
    {"large slopes", "alibi=slopes", .slopes = FLT_MAX},
    {"large negative slopes", "alibi=slopes", .slopes = -FLT_MAX},
    {"small slopes", "alibi=slopes", .slopes = 1e-42f},
    {"large slopes and scale", "alibi=slopes", .scale = 1e37f, .q = 1e-37f, .slopes = FLT_MAX},
    {"large biases", "bias=f32/hq", .bias = FLT_MAX},
    {"large biases and scale", "bias=f32/hq", .scale = FLT_MAX, .bias = FLT_MAX, .vague = true},
    {"small biases", "bias=f32/hq", .bias = 1e-42f},
    {"a large bias of one key", "bias=f32/hq", .plant = plant_high_key},
    {"the lowest bias everywhere", "bias=f32/hq", .plant = plant_lowest_bias},
    {"two low biases", "bias=f32/hq", .plant = plant_low_biases},
    {"large values behind low biases", "bias=f32/hq", .plant = plant_underflow, .dout = 1e-20f},
    {"large Q, small K, biases", "bias=f32/hq", .scale = 20.0f, .q = 3e37f, .k = 1e-39f,
     .subnormal = true, .gradients = SQA_GRADIENT_K | SQA_GRADIENT_V},
    {"everything large", EVERYTHING, .scale = FLT_MAX, .q = 0.05f, .slopes = 1e37f, .bias = FLT_MAX,
     .sinks = FLT_MAX, .vague = true},
    {"everything small", EVERYTHING, .slopes = 1e-42f, .bias = 1e-42f, .sinks = 1e-42f},
};

static void multiply(sqa_host_tensors *test, uint32_t slot, float factor)
{
    if (factor != 0.0f && test->of[slot].data)
        sqa_host_tensor_multiply(&test->of[slot], factor);
}

void sqa_number_case_ends(float *of_heads, uint32_t count, float value)
{
    of_heads[0] = value;
    of_heads[count - 1] = -value;
}

/* Of a number per head. */
static void set_ends(sqa_host_tensors *test, uint32_t slot, float value)
{
    sqa_host_tensor *tensor = &test->of[slot];
    if (value == 0.0f || !tensor->data)
        return;
    sqa_host_tensor_multiply(tensor, value);
    sqa_number_case_ends(sqa_host_tensor_at(tensor, 0, 0, 0), tensor->dim, value);
}

void sqa_number_case_set(const sqa_number_case *numbers, sqa_host_tensors *test)
{
    multiply(test, SQA_SLOT_Q, numbers->q);
    multiply(test, SQA_SLOT_K, numbers->k);
    multiply(test, SQA_SLOT_V, numbers->v);
    multiply(test, SQA_SLOT_BIAS, numbers->bias);
    set_ends(test, SQA_SLOT_SINKS, numbers->sinks);
    set_ends(test, SQA_SLOT_SLOPES, numbers->slopes);
    if (numbers->plant)
        numbers->plant(test);
}

static bool has_subnormals(cl_command_queue queue)
{
    cl_device_id device = NULL;
    cl_device_fp_config config = 0;
    return clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL) ==
               CL_SUCCESS &&
           clGetDeviceInfo(device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof config, &config, NULL) ==
               CL_SUCCESS &&
           config & CL_FP_DENORM;
}

bool sqa_number_case_runs(const sqa_number_case *numbers, cl_command_queue queue)
{
    return !numbers->subnormal || has_subnormals(queue);
}
