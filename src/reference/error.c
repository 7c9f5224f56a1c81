#include "reference/error.h"

#include <math.h>

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
