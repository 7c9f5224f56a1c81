/* See slots.h. */
#include <math.h>

#include "operations/linear/slots.h"

float sqa_map_key(const sqa_problem *problem, float number)
{
    const sqa_linear *linear = &problem->of.linear;
    return linear->delta ? number * sqrtf(3.0f / (float)linear->attention.head_dim) : number;
}

float sqa_map_decay(const sqa_problem *problem, float number)
{
    const float strong = 1.0f / 16.0f;
    (void)problem;
    return number < strong ? -9.25f : 0.25f * (number - 1.0f);
}
