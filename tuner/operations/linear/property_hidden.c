#include "operations/linear/property_hidden.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conformance/common_properties.h"
#include "operations/linear/slots.h"
#include "operations/operations.h"

/* NaN in a token of `planted` leaves these rows of `output` as they were. */
typedef struct hiding {
    uint32_t planted, output;
    bool before, behind; /* rows of earlier tokens; of later ones */
} hiding;

static const hiding outputs[] = {
    {SQA_SLOT_V, SQA_SLOT_O, true, false},
    {SQA_SLOT_K, SQA_SLOT_O, true, false},
    {SQA_SLOT_Q, SQA_SLOT_O, true, true},
};

static const hiding gradients[] = {
    {SQA_SLOT_V, SQA_SLOT_LINEAR_DQ, true, false},
    {SQA_SLOT_K, SQA_SLOT_LINEAR_DQ, true, false},
    {SQA_SLOT_Q, SQA_SLOT_LINEAR_DQ, true, true},
    {SQA_SLOT_Q, SQA_SLOT_LINEAR_DK, false, true},
    {SQA_SLOT_Q, SQA_SLOT_LINEAR_DV, false, true},
    {SQA_SLOT_LINEAR_DOUT, SQA_SLOT_LINEAR_DQ, true, true},
    {SQA_SLOT_LINEAR_DOUT, SQA_SLOT_LINEAR_DK, false, true},
    {SQA_SLOT_LINEAR_DOUT, SQA_SLOT_LINEAR_DV, false, true},
};

static void plant(sqa_host_tensor *tensor, uint32_t token)
{
    for (uint32_t b = 0; b < tensor->batch; b++)
        for (uint32_t h = 0; h < tensor->heads; h++)
            for (uint32_t d = 0; d < tensor->dim; d++)
                sqa_host_tensor_at(tensor, b, h, token)[d] = NAN;
}

static void compare(const sqa_host_tensors *clean, const sqa_host_tensors *planted,
                    const hiding *what, uint32_t token, char finding[SQA_FINDING_TEXT])
{
    const sqa_host_tensor *a = &clean->of[what->output], *b = &planted->of[what->output];
    for (uint32_t i = 0; i < a->batch; i++)
        for (uint32_t h = 0; h < a->heads; h++)
            for (uint32_t t = 0; t < a->length && !finding[0]; t++)
                if ((t < token ? what->before : t > token && what->behind) &&
                    memcmp(sqa_host_tensor_at(a, i, h, t), sqa_host_tensor_at(b, i, h, t),
                           a->dim * sizeof(float)) != 0)
                    snprintf(finding, SQA_FINDING_TEXT,
                             "NaN in token %u of %s changes row %u of %s, batch %u, head %u", token,
                             sqa_tensor_name(&clean->problem, what->planted), t,
                             sqa_tensor_name(&clean->problem, what->output), i, h);
}

/* All outputs that have to do with one input, of one token. */
static sqa_status check_token(const sqa_property_run *run, const sqa_host_tensors *clean,
                              const hiding *all, size_t count, uint32_t slot, uint32_t token,
                              char finding[SQA_FINDING_TEXT])
{
    sqa_host_tensors planted;
    sqa_status status = sqa_host_tensors_create(&planted, &clean->problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    plant(&planted.of[slot], token);
    status = sqa_property_execute(run, &planted, finding);
    for (size_t i = 0; i < count && status == SQA_OK && !finding[0]; i++)
        if (all[i].planted == slot)
            compare(clean, &planted, &all[i], token, finding);
    sqa_host_tensors_free(&planted);
    return status;
}

/* Tokens at the beginning, within and at the end of any tile. */
static sqa_status check(const sqa_property_run *run, const sqa_problem *problem, const hiding *all,
                        size_t count, char finding[SQA_FINDING_TEXT])
{
    const uint32_t length = problem->of.attention.q_length;
    const uint32_t tokens[] = {1, 2, 3, length / 2, length - 2};
    sqa_host_tensors clean;
    sqa_status status = sqa_host_tensors_create(&clean, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_property_execute(run, &clean, finding);
    for (size_t i = 0; i < count && status == SQA_OK; i++)
        for (size_t t = 0; t < sizeof tokens / sizeof *tokens && status == SQA_OK && !finding[0];
             t++)
            if (i == 0 || all[i].planted != all[i - 1].planted)
                status = check_token(run, &clean, all, count, all[i].planted, tokens[t], finding);
    sqa_host_tensors_free(&clean);
    return status;
}

sqa_status sqa_property_linear_hidden(const sqa_property_run *run, const sqa_problem *problem,
                                      char finding[SQA_FINDING_TEXT])
{
    return check(run, problem, outputs, sizeof outputs / sizeof *outputs, finding);
}

sqa_status sqa_property_linear_hidden_gradients(const sqa_property_run *run,
                                                const sqa_problem *problem,
                                                char finding[SQA_FINDING_TEXT])
{
    return check(run, problem, gradients, sizeof gradients / sizeof *gradients, finding);
}
