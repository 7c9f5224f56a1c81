/* Tolerances as data, and the arithmetic of errors. */
#include "reference/tolerance.h"

#include <math.h>
#include <stddef.h>

static const struct {
    sqa_operation operation;
    sqa_dtype dtype;
    sqa_tolerance tolerance;
} tolerances[] = {
    {SQA_OPERATION_FORWARD, SQA_DTYPE_F32, {2e-6, 1e-5, 1e-6, 1e-5}},
    /* Twice what rounding the oracle's output to 11 or 8 bits costs: 2^-11 or 2^-8 of a
     * value at most, about 0.38 of that in the root mean square. */
    {SQA_OPERATION_FORWARD, SQA_DTYPE_F16, {3.7e-4, 9.8e-4, 1e-6, 1e-5}},
    {SQA_OPERATION_FORWARD, SQA_DTYPE_BF16, {3.0e-3, 7.9e-3, 1e-6, 1e-5}},
};

sqa_tolerance sqa_tolerance_of(sqa_operation operation, sqa_dtype dtype)
{
    for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; i++)
        if (tolerances[i].operation == operation && tolerances[i].dtype == dtype)
            return tolerances[i].tolerance;
    return (sqa_tolerance){0.0, 0.0, 0.0, 0.0};
}

double sqa_difference(double value, double reference)
{
    if (isnan(value) && isnan(reference))
        return 0.0;
    if (!isfinite(value) || !isfinite(reference))
        return value == reference ? 0.0 : (double)INFINITY;
    return fabs(value - reference);
}

void sqa_error_add(sqa_error_sum *sum, double value, double reference)
{
    double difference = sqa_difference(value, reference);
    sum->squared_difference += difference * difference;
    if (isfinite(reference))
        sum->squared_reference += reference * reference;
    if (difference > sum->largest)
        sum->largest = difference;
}

double sqa_error_rms(const sqa_error_sum *sum)
{
    if (sum->squared_difference == 0.0)
        return 0.0;
    return sqrt(sum->squared_difference / sum->squared_reference);
}

bool sqa_lse_within(const sqa_tolerance *tolerance, double value, double reference)
{
    double difference = sqa_difference(value, reference);
    return difference <= tolerance->lse_absolute ||
           (isfinite(difference) && difference <= tolerance->lse_relative * fabs(reference));
}
