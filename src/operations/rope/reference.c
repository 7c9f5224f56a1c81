/* Rotary position embedding by its definition. */
#include <math.h>
#include <string.h>

#include "operations/rope/fields.h"
#include "operations/rope/slots.h"
#include "problem/attention.h"

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

void sqa_reference_hadamard(uint32_t dim, double *x)
{
    const uint32_t size = sqa_hadamard_block(dim);
    double block[SQA_MAX_HEAD_DIM];
    for (uint32_t first = 0; first < dim; first += size) {
        memcpy(block, x + first, size * sizeof *block);
        for (uint32_t i = 0; i < size; i++) {
            double sum = 0.0;
            for (uint32_t j = 0; j < size; j++) {
                uint32_t common = 0;
                for (uint32_t bits = i & j; bits; bits >>= 1)
                    common += bits & 1;
                sum += common % 2 ? -block[j] : block[j];
            }
            x[first + i] = sum / sqrt(size);
        }
    }
}

static void turn_pairs(const sqa_rotation *r, double position, double *x)
{
    const uint32_t pairs = r->rotary / 2;
    for (uint32_t i = 0; i < pairs; i++) {
        const double angle =
            position * pow((double)r->base, -2.0 * i / r->rotary) * (r->inverse ? -1.0 : 1.0);
        const uint32_t first = r->pairs == SQA_ROPE_HALF ? i : 2 * i;
        const uint32_t second = r->pairs == SQA_ROPE_HALF ? i + pairs : 2 * i + 1;
        const double a = x[first], b = x[second];
        x[first] = a * cos(angle) - b * sin(angle);
        x[second] = a * sin(angle) + b * cos(angle);
    }
}

void sqa_reference_rope_row(const sqa_rotation *r, const sqa_reference_inputs *inputs,
                            uint32_t batch, uint32_t head, uint32_t row, double *out)
{
    const float *x = inputs->by_slot[SQA_SLOT_ROPE_X];
    x += batch * r->x.batch + head * r->x.head + row * r->x.sequence;
    for (uint32_t j = 0; j < r->dim; j++)
        out[j] = (double)x[j];
    if (r->hadamard && r->inverse)
        sqa_reference_hadamard(r->dim, out);
    turn_pairs(r, position_of(r, inputs, batch, row), out);
    if (r->hadamard && !r->inverse)
        sqa_reference_hadamard(r->dim, out);
}
