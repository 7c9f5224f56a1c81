/* The table of properties, and what their checks share. */
#include "operations/forward/properties.h"

#include <math.h>
#include <string.h>

#include "operations/case_shapes.h"
#include "operations/forward/layout.h"

/* The problems that properties are checked on: few programs, awkward sizes, gaps; those
 * that the grids have anyway. */
static sqa_problem problem_with(sqa_causal causal, bool small, sqa_dtype dtype)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    sqa_problem problem;
    const bool masked = causal != SQA_CAUSAL_NONE;
    desc.dtype = dtype;
    desc.batch = small ? 1 : 2;
    desc.q_heads = 4;
    desc.kv_heads = 2;
    desc.q_length = small ? 9 : 37;
    desc.kv_length = small ? 21 : 133;
    desc.head_dim = small ? 8 : masked ? 21 : 40;
    desc.value_dim = small ? 8 : masked ? 40 : 21;
    desc.causal = causal;
    desc.write_lse = 1;
    sqa_layout_apply(SQA_LAYOUT_PADDED, &desc);
    (void)sqa_problem_from_desc(&problem, &desc); /* is valid */
    return problem;
}

static sqa_problem unmasked(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return problem_with(SQA_CAUSAL_NONE, small, dtype);
}

static sqa_problem bottom_right(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return problem_with(SQA_CAUSAL_BOTTOM_RIGHT, small, dtype);
}

static sqa_problem top_left(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return problem_with(SQA_CAUSAL_TOP_LEFT, small, dtype);
}

/* A column of V for every key; tiles begin anywhere among the keys. */
static sqa_problem dropped(const sqa_property *self, bool small, sqa_dtype dtype)
{
    (void)self;
    return sqa_case_shape_problem(
        small ? "hq=4,hkv=2,nq=9,nk=21,d=8,dv=21,window=7:5,dropout=0.4"
              : "b=2,hq=4,hkv=2,nq=37,nk=133,d=21,dv=133,window=50:21,dropout=0.4",
        dtype);
}

/* Those with a mask need no program beyond the sample's. */
const sqa_property sqa_forward_properties[SQA_FORWARD_PROPERTIES] = {
    {"ones", "V of ones gives O of ones on rows that see a key", true, bottom_right,
     sqa_property_ones},
    {"permuted-keys", "the order of the keys changes nothing", false, unmasked,
     sqa_property_permuted_keys},
    {"shifted-logits", "a constant added to a row's logits changes nothing but LSE", false,
     unmasked, sqa_property_shifted_logits},
    {"repeated-heads", "shared heads equal heads repeated in memory, rSQA included", false,
     unmasked, sqa_property_repeated_heads},
    {"hidden-values", "NaN and infinity behind a causal mask change no bit", true, bottom_right,
     sqa_property_hidden_values},
    {"hidden-values-top-left", "the same for keys that no query sees", true, top_left,
     sqa_property_hidden_values},
    {"gap-values", "what lies between and beyond the vectors changes no bit", false, unmasked,
     sqa_property_gap_values},
    {"visible-nan", "NaN in a key poisons exactly the rows that see it", true, bottom_right,
     sqa_property_visible_nan},
    {"weightless-nan", "NaN in V reaches the rows that see it, however little it weighs", false,
     bottom_right, sqa_property_weightless_nan},
    {"lengths-apart", "causal with very different lengths, both alignments", true, bottom_right,
     sqa_property_lengths_apart},
    {"long-rows", "200,000 keys keep the promised accuracy", false, unmasked,
     sqa_property_long_rows},
    {"nothing-to-see", "rows without a key give O = 0 and LSE = -inf; empty outputs work", true,
     bottom_right, sqa_property_nothing_to_see},
    {"numbers", "parameters, values and weights at the ends of their ranges give what fp64 gives",
     false, unmasked, sqa_property_numbers},
    {"dropout", "what is dropped is what the seed and a pair's numbers say, key by key", true,
     dropped, sqa_property_dropout},
    {"determinism", "two runs, and two plans, give the same bits", false, unmasked,
     sqa_property_determinism},
};

sqa_status sqa_case_pair_create(sqa_case_pair *out, const sqa_property_run *run,
                                const sqa_attention_desc *before, const sqa_attention_desc *after)
{
    sqa_status status = sqa_forward_case_create(&out->before, before, run->seed);
    if (status != SQA_OK)
        return status;
    status = sqa_forward_case_create(&out->after, after, run->seed);
    if (status != SQA_OK)
        sqa_host_tensors_free(&out->before);
    return status;
}

void sqa_case_pair_free(sqa_case_pair *pair)
{
    sqa_host_tensors_free(&pair->before);
    sqa_host_tensors_free(&pair->after);
}

sqa_status sqa_case_pair_execute(sqa_case_pair *pair, const sqa_property_run *run,
                                 char message[SQA_FINDING_TEXT])
{
    sqa_status status = sqa_property_execute(run, &pair->before, message);
    if (status == SQA_OK && !message[0])
        status = sqa_property_execute(run, &pair->after, message);
    return status;
}

bool sqa_row_same_bits(const sqa_case_pair *pair, uint32_t batch, uint32_t head, uint32_t row)
{
    const sqa_host_tensors *a = &pair->before, *b = &pair->after;
    return !memcmp(sqa_forward_case_output(a, batch, head, row),
                   sqa_forward_case_output(b, batch, head, row),
                   a->problem.of.attention.value_dim * sizeof(float)) &&
           (!a->problem.of.attention.write_lse ||
            !memcmp(sqa_forward_case_lse(a, batch, head, row),
                    sqa_forward_case_lse(b, batch, head, row), sizeof(float)));
}

bool sqa_row_all_nan(const sqa_host_tensors *test, uint32_t batch, uint32_t head, uint32_t row)
{
    const float *o = sqa_forward_case_output(test, batch, head, row);
    for (uint32_t d = 0; d < test->problem.of.attention.value_dim; d++)
        if (!isnan(o[d]))
            return false;
    return !test->problem.of.attention.write_lse ||
           isnan(*sqa_forward_case_lse(test, batch, head, row));
}
