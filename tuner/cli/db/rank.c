#include "cli/db/rank.h"

#include <math.h>

#include "store/heads.h"

static bool are_comparable(const sqa_stored_trial *a, const sqa_stored_trial *b)
{
    return sqa_same_environment(a, b) && sqa_same_but_heads(a, b);
}

static uint32_t heads_of(const sqa_trial_list *list, const sqa_stored_trial *trial)
{
    uint32_t heads = 0, q, kv;
    for (size_t i = 0; i < list->count; i++)
        if (are_comparable(&list->trials[i], trial) &&
            sqa_shape_heads(list->trials[i].shape, &q, &kv) && q > heads)
            heads = q;
    return heads;
}

static bool has_heads_of(const sqa_stored_trial *trial, sqa_variant variant, uint32_t heads)
{
    uint32_t q, kv;
    return sqa_shape_heads(trial->shape, &q, &kv) && sqa_heads_are_of(variant, heads, q, kv);
}

static double mha_ms(const sqa_trial_list *list, const sqa_stored_trial *trial, uint32_t heads)
{
    for (size_t i = 0; i < list->count; i++)
        if (are_comparable(&list->trials[i], trial) &&
            has_heads_of(&list->trials[i], SQA_VARIANT_MHA, heads))
            return list->trials[i].result.median_ms;
    return NAN;
}

/* The variant asked for, or the first whose heads these are. Of a model so small that
 * a variant has all of its heads, it is MHA. */
static const char *variant_of(const sqa_stored_trial *trial, uint32_t heads, const char *wanted)
{
    sqa_variant variant;
    if (wanted && sqa_variant_from_name(wanted, &variant) == SQA_OK)
        return has_heads_of(trial, variant, heads) &&
                       (variant == SQA_VARIANT_MHA || !has_heads_of(trial, SQA_VARIANT_MHA, heads))
                   ? sqa_variant_name(variant)
                   : NULL;
    for (int i = 0; i < SQA_VARIANT_COUNT; i++)
        if (has_heads_of(trial, (sqa_variant)i, heads))
            return sqa_variant_name((sqa_variant)i);
    return NULL;
}

sqa_rank sqa_rank_of(const sqa_trial_list *list, const sqa_stored_trial *trial, uint32_t heads,
                     const char *wanted)
{
    heads = heads ? heads : heads_of(list, trial);
    return (sqa_rank){trial, heads, variant_of(trial, heads, wanted),
                      mha_ms(list, trial, heads) / trial->result.median_ms};
}
