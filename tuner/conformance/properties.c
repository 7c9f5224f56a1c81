/* The table of properties, and what their checks share. */
#include "conformance/properties.h"

#include <math.h>
#include <string.h>

#include "conformance/layout.h"

const sqa_property sqa_properties[] = {
    {"ones", "V of ones gives O of ones on rows that see a key", SQA_CAUSAL_BOTTOM_RIGHT,
     sqa_property_ones},
    {"permuted-keys", "the order of the keys changes nothing", SQA_CAUSAL_NONE,
     sqa_property_permuted_keys},
    {"shifted-logits", "a constant added to a row's logits changes nothing but LSE",
     SQA_CAUSAL_NONE, sqa_property_shifted_logits},
    {"repeated-heads", "shared heads equal heads repeated in memory, rSQA included",
     SQA_CAUSAL_NONE, sqa_property_repeated_heads},
    {"hidden-values", "NaN and infinity behind a causal mask change no bit",
     SQA_CAUSAL_BOTTOM_RIGHT, sqa_property_hidden_values},
    {"hidden-values-top-left", "the same for keys that no query sees", SQA_CAUSAL_TOP_LEFT,
     sqa_property_hidden_values},
    {"gap-values", "what lies between and beyond the vectors changes no bit", SQA_CAUSAL_NONE,
     sqa_property_gap_values},
    {"visible-nan", "NaN in a key poisons exactly the rows that see it", SQA_CAUSAL_BOTTOM_RIGHT,
     sqa_property_visible_nan},
    {"lengths-apart", "causal with very different lengths, both alignments",
     SQA_CAUSAL_BOTTOM_RIGHT, sqa_property_lengths_apart},
    {"long-rows", "200,000 keys keep the promised accuracy", SQA_CAUSAL_NONE,
     sqa_property_long_rows},
    {"nothing-to-see", "rows without a key give O = 0 and LSE = -inf; empty outputs work",
     SQA_CAUSAL_BOTTOM_RIGHT, sqa_property_nothing_to_see},
    {"determinism", "two runs, and two plans, give the same bits", SQA_CAUSAL_NONE,
     sqa_property_determinism},
};
const size_t sqa_property_count = sizeof sqa_properties / sizeof *sqa_properties;

sqa_attention_desc sqa_property_desc(const sqa_property *property, bool small)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = small ? 1 : 2;
    desc.q_heads = 4;
    desc.kv_heads = 2;
    desc.q_length = small ? 9 : 37;
    desc.kv_length = small ? 21 : 133;
    /* Programs that the grids have anyway. */
    const bool masked = property->causal != SQA_CAUSAL_NONE;
    desc.head_dim = small ? 8 : masked ? 21 : 40;
    desc.value_dim = small ? 8 : masked ? 40 : 21;
    desc.causal = property->causal;
    desc.write_lse = 1;
    sqa_layout_apply(SQA_LAYOUT_PADDED, &desc);
    return desc;
}

sqa_status sqa_property_execute(const sqa_property_run *run, const sqa_attention_desc *desc,
                                sqa_forward_case *test, char message[SQA_CASE_MESSAGE])
{
    sqa_plan *plan = NULL;
    sqa_status status = sqa_plan_create(&plan, run->context, desc, run->options);
    if (status == SQA_OK)
        status =
            sqa_forward_case_run(test, plan, sqa_context_cl(run->context), run->queue, message);
    sqa_plan_destroy(plan);
    return status;
}

sqa_status sqa_case_pair_create(sqa_case_pair *out, const sqa_property_run *run,
                                const sqa_attention_desc *before, const sqa_attention_desc *after)
{
    sqa_status status = sqa_forward_case_create(&out->before, before, run->seed);
    if (status != SQA_OK)
        return status;
    status = sqa_forward_case_create(&out->after, after, run->seed);
    if (status != SQA_OK)
        sqa_forward_case_free(&out->before);
    return status;
}

void sqa_case_pair_free(sqa_case_pair *pair)
{
    sqa_forward_case_free(&pair->before);
    sqa_forward_case_free(&pair->after);
}

sqa_status sqa_case_pair_execute(sqa_case_pair *pair, const sqa_property_run *run,
                                 const sqa_attention_desc *before, const sqa_attention_desc *after,
                                 char message[SQA_CASE_MESSAGE])
{
    sqa_status status = sqa_property_execute(run, before, &pair->before, message);
    if (status == SQA_OK && !message[0])
        status = sqa_property_execute(run, after, &pair->after, message);
    return status;
}

bool sqa_row_same_bits(const sqa_case_pair *pair, uint32_t batch, uint32_t head, uint32_t row)
{
    const sqa_forward_case *a = &pair->before, *b = &pair->after;
    return !memcmp(sqa_forward_case_output(a, batch, head, row),
                   sqa_forward_case_output(b, batch, head, row),
                   a->problem.value_dim * sizeof(float)) &&
           (!a->problem.write_lse ||
            !memcmp(sqa_forward_case_lse(a, batch, head, row),
                    sqa_forward_case_lse(b, batch, head, row), sizeof(float)));
}

bool sqa_row_all_nan(const sqa_forward_case *test, uint32_t batch, uint32_t head, uint32_t row)
{
    const float *o = sqa_forward_case_output(test, batch, head, row);
    for (uint32_t d = 0; d < test->problem.value_dim; d++)
        if (!isnan(o[d]))
            return false;
    return !test->problem.write_lse || isnan(*sqa_forward_case_lse(test, batch, head, row));
}
