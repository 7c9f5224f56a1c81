#include "kernels/scale.h"

#include <assert.h>
#include <math.h>

static const double log2_e = 1.4426950408889634;

sqa_scale_parts sqa_scale_divide(float scale)
{
    const double scaled = (double)scale * log2_e;
    int exponent;
    assert(isfinite(scale) && fabsf(scale) > 0.0f);
    (void)frexp(scaled, &exponent);
    exponent -= 1; /* 2^exponent <= |scaled| */
    const int whole = exponent;
    if (exponent < SQA_SCORE_POWER_LOW)
        exponent = SQA_SCORE_POWER_LOW;
    if (exponent > SQA_SCORE_POWER_HIGH)
        exponent = SQA_SCORE_POWER_HIGH;
    const int flow = (whole - exponent) / 2;
    return (sqa_scale_parts){(float)ldexp(scaled, -exponent), ldexpf(1.0f, exponent),
                             ldexpf(1.0f, flow), ldexpf(scale, -flow)};
}
