/* Properties of numbers: finite inputs, however large or small, give what fp64 gives
 * (include/sqa_cl/attention.h says of which). */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "operations/attention/pattern_text.h"
#include "operations/forward/properties.h"
#include "problem/storage.h"

/* Changes a case's tensors before it is run. */
typedef void plant_function(sqa_host_tensors *test);

/* Random inputs times these; 0 leaves them as they are. Of sinks and slopes, the first and the
 * last become the factor and its opposite. */
typedef struct number_case {
    const char *what;    /* in words, for findings */
    const char *pattern; /* as in a shape */
    float scale;         /* 0: the usual */
    float q, k, v, sinks, slopes, bias;
    plant_function *plant; /* NULL: nothing else */
    bool subnormal;        /* not for devices that make zeros of such numbers */
} number_case;

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
static const number_case cases[] = {
    {"large values", "", .v = FLT_MAX},
    {"the largest value everywhere", "", .plant = plant_equal_values},
    {"a large scale", "", .scale = FLT_MAX},
    {"a large negative scale", "", .scale = -FLT_MAX},
    {"a small scale", "", .scale = FLT_MIN},
    {"a subnormal scale", "", .scale = -1e-42f},
    {"small Q, large K", "", .scale = 20.0f, .q = 1e-39f, .k = 3e37f, .subnormal = true},
    {"large Q, small K", "", .scale = 20.0f, .q = 3e37f, .k = 1e-39f, .subnormal = true},
    {"large Q and K, a small scale", "", .scale = 1e-39f, .q = 1e19f, .k = 1e19f},
    {"small Q and K, a large scale", "", .scale = 1e38f, .q = 1e-18f, .k = 3e-20f},
    {"the largest Q, a small scale", "", .scale = 1e-30f, .q = FLT_MAX, .k = 1e-8f},
    {"large sinks", "sinks", .sinks = FLT_MAX},
    {"large sinks, a large scale", "sinks", .scale = FLT_MAX, .sinks = -FLT_MAX},
    {"large sinks, a subnormal scale", "sinks", .scale = 1e-42f, .sinks = FLT_MAX},
    {"small sinks, the largest value", "sinks", .sinks = 1e-42f, .plant = plant_equal_values},
    {"a large cap", "softcap=3e38", .scale = 0.0f},
    {"a subnormal cap", "softcap=1e-42", .scale = 0.0f},
    {"a large cap and scale", "softcap=3.4e38", .scale = FLT_MAX, .q = 0.05f},
    {"a large scale, a cap", "softcap=2", .scale = -FLT_MAX},
    {"a large scale, a subnormal cap", "softcap=1e-42", .scale = FLT_MAX},
    {"a subnormal scale and cap", "softcap=1e-42", .scale = 1e-42f},
    {"large Q and K, a small scale, a cap", "softcap=3", .scale = 1e-39f, .q = 1e19f, .k = 1e19f},
    {"large slopes", "alibi=slopes", .slopes = FLT_MAX},
    {"large negative slopes", "alibi=slopes", .slopes = -FLT_MAX},
    {"small slopes", "alibi=slopes", .slopes = 1e-42f},
    {"large slopes and scale", "alibi=slopes", .scale = 1e37f, .q = 1e-37f, .slopes = FLT_MAX},
    {"large biases", "bias=f32/hq", .bias = FLT_MAX},
    {"large biases and scale", "bias=f32/hq", .scale = FLT_MAX, .bias = FLT_MAX},
    {"small biases", "bias=f32/hq", .bias = 1e-42f},
    {"a large bias of one key", "bias=f32/hq", .plant = plant_high_key},
    {"the lowest bias everywhere", "bias=f32/hq", .plant = plant_lowest_bias},
    {"two low biases", "bias=f32/hq", .plant = plant_low_biases},
    {"large values behind low biases", "bias=f32/hq", .plant = plant_underflow},
    {"large Q, small K, biases", "bias=f32/hq", .scale = 20.0f, .q = 3e37f, .k = 1e-39f,
     .subnormal = true},
    {"everything large", EVERYTHING, .scale = FLT_MAX, .q = 0.05f, .slopes = 1e37f, .bias = FLT_MAX,
     .sinks = FLT_MAX},
    {"everything small", EVERYTHING, .slopes = 1e-42f, .bias = 1e-42f, .sinks = 1e-42f},
};

static void multiply(sqa_host_tensors *test, uint32_t slot, float factor)
{
    if (factor != 0.0f && test->of[slot].data)
        sqa_host_tensor_multiply(&test->of[slot], factor);
}

/* Of a number per head. */
static void set_ends(sqa_host_tensors *test, uint32_t slot, float value)
{
    sqa_host_tensor *tensor = &test->of[slot];
    if (value == 0.0f || !tensor->data)
        return;
    sqa_host_tensor_multiply(tensor, value);
    float *of_heads = sqa_host_tensor_at(tensor, 0, 0, 0);
    of_heads[0] = value;
    of_heads[tensor->dim - 1] = -value;
}

static void set_numbers(sqa_host_tensors *test, const number_case *numbers)
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

static sqa_status check_numbers(const sqa_property_run *run, const sqa_attention_desc *plain,
                                const number_case *numbers, char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc desc = *plain;
    sqa_host_tensors test;
    char finding[SQA_FINDING_TEXT] = "";
    desc.scale = numbers->scale;
    sqa_status status = sqa_pattern_read(numbers->pattern, &desc);
    if (status == SQA_OK)
        status = sqa_forward_case_create(&test, &desc, run->seed);
    if (status != SQA_OK)
        return status;
    set_numbers(&test, numbers);
    status = sqa_property_judge(run, &test, finding);
    if (finding[0])
        snprintf(message, SQA_FINDING_TEXT, "%s: %.200s", numbers->what, finding);
    sqa_host_tensors_free(&test);
    return status;
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

sqa_status sqa_property_numbers(const sqa_property_run *run, const sqa_problem *problem,
                                char message[SQA_FINDING_TEXT])
{
    sqa_attention_desc desc;
    sqa_status status = SQA_OK;
    const bool subnormals = has_subnormals(run->queue);
    sqa_problem_to_desc(problem, &desc);
    for (size_t i = 0; i < sizeof cases / sizeof *cases && status == SQA_OK && !message[0]; i++)
        if (subnormals || !cases[i].subnormal)
            status = check_numbers(run, &desc, &cases[i], message);
    return status;
}
