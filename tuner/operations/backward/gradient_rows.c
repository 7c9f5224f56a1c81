#include "operations/backward/gradient_rows.h"

#include <math.h>

static bool is_of_keys(uint32_t slot)
{
    return slot == SQA_SLOT_K || slot == SQA_SLOT_V || slot == SQA_SLOT_DK || slot == SQA_SLOT_DV;
}

static sqa_sequence sequence_of(const sqa_host_tensors *tensors, uint32_t batch)
{
    const sqa_reference_inputs inputs = sqa_host_tensors_views(tensors);
    return sqa_reference_sequence(&tensors->problem.of.attention, &inputs, batch);
}

/* Of a tensor that the rows of all sequences lie in, one behind the other. */
static float *row_at(const sqa_host_tensors *tensors, uint32_t slot, uint32_t batch, uint32_t head,
                     uint32_t row)
{
    const bool ragged = tensors->problem.of.attention.mask & SQA_MASK_RAGGED;
    const sqa_sequence at = sequence_of(tensors, batch);
    return sqa_host_tensor_at(&tensors->of[slot], ragged ? 0 : batch, head,
                              (is_of_keys(slot) ? at.kv_begin : at.q_begin) + row);
}

float *sqa_vector_at(const sqa_host_tensors *tensors, const sqa_vector_place *at)
{
    return row_at(tensors, at->slot, at->batch, at->head, at->row);
}

uint32_t sqa_vector_length(const sqa_host_tensors *tensors, uint32_t slot)
{
    return tensors->of[slot].dim;
}

uint32_t sqa_vector_heads(const sqa_host_tensors *tensors, uint32_t slot)
{
    return tensors->of[slot].heads;
}

uint32_t sqa_vector_rows(const sqa_host_tensors *tensors, uint32_t slot, uint32_t batch)
{
    const sqa_sequence at = sequence_of(tensors, batch);
    return is_of_keys(slot) ? at.kv_length : at.q_length;
}

/* Goes on to the next head or batch until there is a row. */
static bool settle(const sqa_host_tensors *tensors, sqa_vector_place *at)
{
    while (at->batch < tensors->problem.of.attention.batch) {
        if (at->head < sqa_vector_heads(tensors, at->slot) &&
            at->row < sqa_vector_rows(tensors, at->slot, at->batch))
            return true;
        at->row = 0;
        if (++at->head >= sqa_vector_heads(tensors, at->slot)) {
            at->head = 0;
            at->batch++;
        }
    }
    return false;
}

bool sqa_vector_first(const sqa_host_tensors *tensors, uint32_t slot, sqa_vector_place *at)
{
    *at = (sqa_vector_place){slot, 0, 0, 0};
    return tensors->of[slot].data && settle(tensors, at);
}

bool sqa_vector_next(const sqa_host_tensors *tensors, sqa_vector_place *at)
{
    at->row++;
    return settle(tensors, at);
}

bool sqa_row_is_live(const sqa_host_tensors *tensors, uint32_t batch, uint32_t head, uint32_t row)
{
    return *row_at(tensors, SQA_SLOT_LSE, batch, head, row) != -INFINITY;
}

bool sqa_pair_is_live(const sqa_host_tensors *tensors, uint32_t batch, uint32_t head, uint32_t row,
                      uint32_t key)
{
    const sqa_reference_inputs inputs = sqa_host_tensors_views(tensors);
    return sqa_row_is_live(tensors, batch, head, row) &&
           sqa_reference_sees(&tensors->problem.of.attention, &inputs, batch, head, row, key);
}

static bool sees_a_key(const sqa_host_tensors *tensors, uint32_t batch, uint32_t head, uint32_t row)
{
    const uint32_t keys = sequence_of(tensors, batch).kv_length;
    for (uint32_t key = 0; key < keys; key++)
        if (sqa_pair_is_live(tensors, batch, head, row, key))
            return true;
    return false;
}

void sqa_settle_lse(sqa_host_tensors *tensors)
{
    sqa_vector_place at;
    for (bool more = sqa_vector_first(tensors, SQA_SLOT_LSE, &at); more;
         more = sqa_vector_next(tensors, &at))
        if (!sees_a_key(tensors, at.batch, at.head, at.row))
            *sqa_vector_at(tensors, &at) = -INFINITY;
}

void sqa_set_outputs_of(sqa_host_tensors *tensors, const sqa_attention *attention,
                        const sqa_reference_inputs *views)
{
    sqa_vector_place at;
    for (bool more = sqa_vector_first(tensors, SQA_SLOT_LSE, &at); more;
         more = sqa_vector_next(tensors, &at)) {
        double o[SQA_MAX_ROW], lse;
        const sqa_vector_place row = {SQA_SLOT_O, at.batch, at.head, at.row};
        sqa_reference_forward_row(attention, views, at.batch, at.head, at.row, o, &lse);
        *sqa_vector_at(tensors, &at) = (float)lse;
        for (uint32_t d = 0; tensors->of[SQA_SLOT_O].data && d < attention->value_dim; d++)
            sqa_vector_at(tensors, &row)[d] = (float)o[d];
    }
}

void sqa_set_outputs(sqa_host_tensors *tensors)
{
    const sqa_reference_inputs views = sqa_host_tensors_views(tensors);
    sqa_set_outputs_of(tensors, &tensors->problem.of.attention, &views);
}

/* Whether an output head reads the vector's head. */
static bool reads(const sqa_attention *a, uint32_t head, const sqa_vector_place *at)
{
    if (is_of_keys(at->slot))
        return head / (a->out_heads / a->kv_heads) == at->head;
    return at->slot == SQA_SLOT_DOUT ? head == at->head : head % a->q_heads == at->head;
}

/* Whether an output head that reads both has a pair that both rows belong to; the rows of one
 * kind are all those that the row sees, or is seen by. */
static bool meet(const sqa_host_tensors *tensors, const sqa_vector_place *of,
                 const sqa_vector_place *in)
{
    const sqa_attention *a = &tensors->problem.of.attention;
    const sqa_sequence at = sequence_of(tensors, of->batch);
    const bool of_keys = is_of_keys(of->slot), in_keys = is_of_keys(in->slot);
    if (of->batch != in->batch || (of_keys == in_keys && of->row != in->row))
        return false;
    const uint32_t others = of_keys != in_keys ? 1 : of_keys ? at.q_length : at.kv_length;
    for (uint32_t head = 0; head < a->out_heads; head++) {
        if (!reads(a, head, of) || !reads(a, head, in))
            continue;
        for (uint32_t other = 0; other < others; other++) {
            const uint32_t key = of_keys ? of->row : in_keys ? in->row : other;
            const uint32_t query = !of_keys ? of->row : !in_keys ? in->row : other;
            if (sqa_pair_is_live(tensors, of->batch, head, query, key))
                return true;
        }
    }
    return false;
}

/* dV has P from Q and K, and dO itself; the others everything. */
sqa_influence sqa_influence_of(const sqa_host_tensors *tensors, const sqa_vector_place *of,
                               const sqa_vector_place *in)
{
    if ((in->slot == SQA_SLOT_DV && of->slot == SQA_SLOT_V) || !meet(tensors, of, in))
        return SQA_INFLUENCE_NONE;
    return in->slot == SQA_SLOT_DV && of->slot == SQA_SLOT_DOUT ? SQA_INFLUENCE_ONE
                                                                : SQA_INFLUENCE_ALL;
}
