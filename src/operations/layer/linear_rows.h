/* The rows that only a layer of linear attention has, for its tables of groups. */
#ifndef SQA_OPERATIONS_LAYER_LINEAR_ROWS_H
#define SQA_OPERATIONS_LAYER_LINEAR_ROWS_H

#include "operations/layer/slots.h"

#define SQA_LAYER_LINEAR_ROWS(name)                                                                \
    uint64_t sqa_layer_count_##name(const sqa_problem *problem);                                   \
    bool sqa_layer_expect_##name(const sqa_problem *problem, const sqa_reference_inputs *inputs,   \
                                 uint64_t row, sqa_expected_row *out);                             \
    void sqa_layer_place_##name(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT])
SQA_LAYER_LINEAR_ROWS(state);
SQA_LAYER_LINEAR_ROWS(ddecay);
SQA_LAYER_LINEAR_ROWS(dbeta);
SQA_LAYER_LINEAR_ROWS(dstate_in);

#define SQA_LAYER_LINEAR_GROUP(name, rows)                                                         \
    .samples = rows, .count = sqa_layer_count_##name, .expect = sqa_layer_expect_##name,           \
    .place = sqa_layer_place_##name

#define SQA_LAYER_STATE_GROUP                                                                      \
    {                                                                                              \
        .slots = {SQA_LAYER_STATE, SQA_LAYER_SUMS}, .slot_count = 2,                               \
        SQA_LAYER_LINEAR_GROUP(state, 8)                                                           \
    }

#define SQA_LAYER_LINEAR_GRADIENT_GROUPS                                                           \
    {.slots = {SQA_LAYER_DDECAY}, .slot_count = 1, SQA_LAYER_LINEAR_GROUP(ddecay, 8)},             \
        {.slots = {SQA_LAYER_DBETA}, .slot_count = 1, SQA_LAYER_LINEAR_GROUP(dbeta, 8)},           \
    {                                                                                              \
        .slots = {SQA_LAYER_DSTATE_IN, SQA_LAYER_DSUMS_IN}, .slot_count = 2,                       \
        SQA_LAYER_LINEAR_GROUP(dstate_in, 8)                                                       \
    }

#endif
