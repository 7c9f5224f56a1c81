/* See linear_rows.h. They are those of linear attention, of the Q, K, V and dO that the layer's
 * reference has. */
#include "operations/layer/linear_rows.h"

#include <string.h>

#include "operations/layer/reference.h"

/* The group of linear attention that judges the slot. */
static const sqa_row_group *group_of(const sqa_row_group *groups, uint32_t slot)
{
    for (; groups->slot_count; groups++)
        for (uint32_t i = 0; i < groups->slot_count; i++)
            if (groups->slots[i] == slot)
                return groups;
    return NULL;
}

static sqa_problem linear_of(const sqa_problem *problem, bool backward)
{
    sqa_problem out;
    sqa_layer_linear_problem(
        &problem->of.layer, backward ? SQA_OPERATION_LINEAR_BACKWARD : SQA_OPERATION_LINEAR_FORWARD,
        &out);
    return out;
}

/* Rows that the slot has in its pass. */
static uint64_t count(const sqa_problem *problem, const sqa_row_group *groups, uint32_t slot)
{
    const bool backward = groups == sqa_linear_gradient_groups;
    const sqa_problem linear = linear_of(problem, backward);
    sqa_tensor_shape shape;
    return sqa_layer_tensor(problem, slot, &shape)
               ? group_of(groups, sqa_layer_linear_slot(slot))->count(&linear)
               : 0;
}

static bool expect_gradient(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                            uint32_t slot, uint64_t row, sqa_expected_row *out)
{
    const sqa_problem linear = linear_of(problem, true);
    sqa_layer_reference reference;
    memset(out->count, 0, sizeof out->count);
    const bool there = sqa_layer_reference_backward(&reference, &problem->of.layer, inputs, true) &&
                       group_of(sqa_linear_gradient_groups, sqa_layer_linear_slot(slot))
                           ->expect(&linear, &reference.attention, row, out);
    sqa_layer_reference_free(&reference);
    return there;
}

static void place(const sqa_problem *problem, const sqa_row_group *groups, uint32_t slot,
                  uint64_t row, char out[SQA_PLACE_TEXT])
{
    const sqa_problem linear = linear_of(problem, groups == sqa_linear_gradient_groups);
    group_of(groups, sqa_layer_linear_slot(slot))->place(&linear, row, out);
}

#define COUNT_AND_PLACE(name, groups, slot)                                                        \
    uint64_t sqa_layer_count_##name(const sqa_problem *problem)                                    \
    {                                                                                              \
        return count(problem, groups, slot);                                                       \
    }                                                                                              \
    void sqa_layer_place_##name(const sqa_problem *problem, uint64_t row,                          \
                                char out[SQA_PLACE_TEXT])                                          \
    {                                                                                              \
        place(problem, groups, slot, row, out);                                                    \
    }
COUNT_AND_PLACE(state, sqa_linear_groups, SQA_LAYER_STATE)
COUNT_AND_PLACE(ddecay, sqa_linear_gradient_groups, SQA_LAYER_DDECAY)
COUNT_AND_PLACE(dbeta, sqa_linear_gradient_groups, SQA_LAYER_DBETA)
COUNT_AND_PLACE(dstate_in, sqa_linear_gradient_groups, SQA_LAYER_DSTATE_IN)

bool sqa_layer_expect_state(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                            uint64_t row, sqa_expected_row *out)
{
    const sqa_problem linear = linear_of(problem, false);
    sqa_layer_reference reference;
    const sqa_row_group *group = group_of(sqa_linear_groups, SQA_SLOT_STATE);
    bool there = sqa_layer_reference_forward(&reference, &problem->of.layer, inputs);
    if (there)
        reference.attention.prepared = group->prepare(&linear, &reference.attention);
    there = there && reference.attention.prepared &&
            group->expect(&linear, &reference.attention, row, out);
    sqa_layer_reference_free(&reference);
    return there;
}

bool sqa_layer_expect_ddecay(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                             uint64_t row, sqa_expected_row *out)
{
    return expect_gradient(problem, inputs, SQA_LAYER_DDECAY, row, out);
}

/* Linear attention judges it beside dK and dV. */
bool sqa_layer_expect_dbeta(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                            uint64_t row, sqa_expected_row *out)
{
    enum { DBETA = 2 };
    if (!expect_gradient(problem, inputs, SQA_LAYER_DBETA, row, out))
        return false;
    out->at[0] = out->at[DBETA];
    out->count[0] = out->count[DBETA];
    memcpy(out->values[0], out->values[DBETA], out->count[0] * sizeof *out->values[0]);
    return true;
}

bool sqa_layer_expect_dstate_in(const sqa_problem *problem, const sqa_reference_inputs *inputs,
                                uint64_t row, sqa_expected_row *out)
{
    return expect_gradient(problem, inputs, SQA_LAYER_DSTATE_IN, row, out);
}
