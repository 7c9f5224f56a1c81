#include "operations/activation/reference.h"

#include <math.h>

/* Of tanh in GELU, and its derivative: sqrt(2 / pi) (x + 0.044715 x^3). */
static double gelu_argument(double x, double *slope)
{
    const double factor = sqrt(2.0 / acos(-1.0));
    *slope = factor * (1.0 + 3.0 * 0.044715 * x * x);
    return factor * (x + 0.044715 * x * x * x);
}

double sqa_reference_activation(sqa_activation activation, double x)
{
    double unused;
    switch (activation) {
    case SQA_ACTIVATION_NONE: break;
    case SQA_ACTIVATION_SILU: return x / (1.0 + exp(-x));
    case SQA_ACTIVATION_GELU_TANH: return 0.5 * x * (1.0 + tanh(gelu_argument(x, &unused)));
    case SQA_ACTIVATION_GELU_ERF: return 0.5 * x * erfc(-x / sqrt(2.0));
    case SQA_ACTIVATION_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case SQA_ACTIVATION_RELU: return x < 0.0 ? 0.0 : x;
    case SQA_ACTIVATION_LOG_SIGMOID: return (x < 0.0 ? x : 0.0) - log1p(exp(-fabs(x)));
    }
    return x;
}

double sqa_reference_activation_slope(sqa_activation activation, double x)
{
    const double s = 1.0 / (1.0 + exp(-x));
    double inner;
    switch (activation) {
    case SQA_ACTIVATION_NONE: break;
    case SQA_ACTIVATION_SILU: return s + x * s * (1.0 - s);
    case SQA_ACTIVATION_GELU_TANH: {
        const double t = tanh(gelu_argument(x, &inner));
        return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner;
    }
    case SQA_ACTIVATION_GELU_ERF:
        return 0.5 * erfc(-x / sqrt(2.0)) + x * exp(-0.5 * x * x) / sqrt(2.0 * acos(-1.0));
    case SQA_ACTIVATION_SIGMOID: return s * (1.0 - s);
    case SQA_ACTIVATION_RELU: return x > 0.0 ? 1.0 : 0.0;
    case SQA_ACTIVATION_LOG_SIGMOID: return 1.0 / (1.0 + exp(x));
    }
    return 1.0;
}
