/* Rotary position embedding by its definition. */
#include <math.h>

#include "operations/rope/fields.h"
#include "operations/rope/slots.h"

static double position_of(const sqa_rotation *r, const sqa_reference_inputs *inputs, uint32_t batch,
                          uint32_t row)
{
    const int32_t *positions = inputs->by_slot[SQA_SLOT_POSITIONS];
    const int32_t *starts = inputs->by_slot[SQA_SLOT_ROPE_STARTS];
    for (uint32_t s = 0; s < r->sequences; s++)
        if ((int64_t)row >= starts[s] && (int64_t)row < starts[s + 1])
            return (double)positions[s] - starts[s + 1] + row;
    if (r->positions == 2)
        return (double)positions[batch] - r->length + row;
    return r->positions ? (double)positions[batch * r->position_batch + row]
                        : (double)r->offset + row;
}

void sqa_reference_rope_row(const sqa_rotation *r, const sqa_reference_inputs *inputs,
                            uint32_t batch, uint32_t head, uint32_t row, double *out)
{
    const float *x = inputs->by_slot[SQA_SLOT_ROPE_X];
    const double position = position_of(r, inputs, batch, row);
    const uint32_t pairs = r->rotary / 2;
    x += batch * r->x.batch + head * r->x.head + row * r->x.sequence;
    for (uint32_t j = r->rotary; j < r->dim; j++)
        out[j] = (double)x[j];
    for (uint32_t i = 0; i < pairs; i++) {
        const double angle =
            position * pow((double)r->base, -2.0 * i / r->rotary) * (r->inverse ? -1.0 : 1.0);
        const uint32_t first = r->pairs == SQA_ROPE_HALF ? i : 2 * i;
        const uint32_t second = r->pairs == SQA_ROPE_HALF ? i + pairs : 2 * i + 1;
        out[first] = (double)x[first] * cos(angle) - (double)x[second] * sin(angle);
        out[second] = (double)x[first] * sin(angle) + (double)x[second] * cos(angle);
    }
}
