/* Inputs of a backward pass that follow from the problem. */
#include <math.h>

#include "operations/attention/work.h"
#include "operations/backward/slots.h"

/* Lengths of sequences of a ragged batch are not known here. */
static double keys_of(const sqa_attention *a, uint64_t row)
{
    return a->mask & SQA_MASK_RAGGED ? sqa_attention_seen_keys(a)
                                     : sqa_attention_keys_of(a, (uint32_t)(row % a->q_length));
}

void sqa_fill_lse(const sqa_problem *problem, uint64_t count, bool shuffled, sqa_random *random,
                  void *out)
{
    (void)shuffled;
    float *lse = out;
    for (uint64_t row = 0; row < count; row++) {
        const double keys = keys_of(&problem->of.attention, row);
        const bool none = keys <= 0.0 || sqa_random_below(random, 32) == 0;
        const double noise = (double)sqa_random_below(random, 1000) / 1000.0 - 0.5;
        lse[row] = none ? -INFINITY : (float)(log(keys) + noise);
    }
}
