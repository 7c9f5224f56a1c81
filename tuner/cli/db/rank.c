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

/* MHA of the model; NULL: it was not measured. */
static const sqa_stored_trial *mha_of(const sqa_trial_list *list, const sqa_stored_trial *trial,
                                      uint32_t heads)
{
    for (size_t i = 0; i < list->count; i++)
        if (are_comparable(&list->trials[i], trial) &&
            has_heads_of(&list->trials[i], SQA_VARIANT_MHA, heads))
            return &list->trials[i];
    return NULL;
}

/* What the trial would take where the device does a unit per millisecond; NaN: the ceiling was
 * not sampled in the trial's own rounds, which is so wherever the yardstick was not. */
static double work_of(const sqa_stored_trial *trial)
{
    const double matrix = trial->ceilings.matrix_gflops;
    const double ceiling = isfinite(matrix) ? matrix : trial->ceilings.fma_gflops;
    const bool beside = trial->final && isfinite(trial->result.yardstick_ms);
    return beside ? trial->result.median_ms * ceiling : NAN;
}

static void compare(const sqa_trial_list *list, sqa_rank *rank)
{
    const sqa_stored_trial *mha = mha_of(list, rank->trial, rank->heads);
    const double share = mha ? work_of(mha) / work_of(rank->trial) : NAN;
    rank->comparable = isfinite(share) || mha == rank->trial;
    rank->speedup = NAN;
    if (mha)
        rank->speedup =
            isfinite(share) ? share : mha->result.median_ms / rank->trial->result.median_ms;
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
    sqa_rank rank = {.trial = trial, .heads = heads, .variant = variant_of(trial, heads, wanted)};
    compare(list, &rank);
    return rank;
}
