/* What of an attention decides which configuration is best. Masks call for different ones by
 * how much a work-group sees at a time, where its rows may begin, what it has to read beside
 * K and V. ALiBi, softcap, sinks and ragged lengths change what is done to a score, not which
 * configuration does it best. */
#include "operations/attention/slots.h"
#include "operations/attention/work.h"
#include "operations/problem_class.h"
#include "problem/names.h"

const char *const sqa_stored_words[] = {
    "f32",      "f16",       "bf16",      "f32/f16",  "f32/bf16", "f16/f32",
    "f16/bf16", "bf16/f32",  "bf16/f16",  "f32/int8", "f32/int4", "f16/int8",
    "f16/int4", "bf16/int8", "bf16/int4", "tf32",     NULL};

/* Its results are not for who has not asked for it. */
enum { TF32_WORD = sizeof sqa_stored_words / sizeof *sqa_stored_words - 2 };

uint32_t sqa_stored_word(sqa_dtype own, sqa_dtype kept)
{
    enum { DTYPES = 3, QUANTISED = 2 };
    const uint32_t a = (uint32_t)own, b = (uint32_t)kept;
    if (b >= DTYPES)
        return DTYPES * DTYPES + a * QUANTISED + b - DTYPES;
    return a == b ? a : DTYPES + a * (DTYPES - 1) + b - (b > a ? 1 : 0);
}

uint32_t sqa_kv_dtype_word(sqa_dtype dtype, sqa_dtype kv_dtype)
{
    enum { DTYPES = 3 };
    const uint32_t own = (uint32_t)dtype, kept = (uint32_t)kv_dtype;
    return kept == own ? own : DTYPES + own * (DTYPES - 1) + kept - (kept > own ? 1 : 0);
}

static uint32_t dtype_of(const sqa_problem *problem)
{
    if (problem->of.attention.products == SQA_PRODUCTS_TF32)
        return TF32_WORD;
    return sqa_stored_word(problem->of.attention.dtype, problem->of.attention.kv_dtype);
}

static uint32_t head_dim_of(const sqa_problem *problem)
{
    return problem->of.attention.head_dim;
}

static uint32_t value_dim_of(const sqa_problem *problem)
{
    return problem->of.attention.value_dim;
}

/* Bits in the order of mask_words; a window also with global tokens, stored: bias, mask or
 * key mask, read for every score. */
static uint32_t mask_of(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return (a->mask & SQA_MASK_CAUSAL ? 1u : 0u) | (a->mask & SQA_MASK_WINDOW ? 2u : 0u) |
           (a->mask & SQA_MASK_BLOCKS ? 4u : 0u) | (sqa_attention_has_stored_scores(a) ? 8u : 0u) |
           (a->mask & SQA_MASK_PAGED ? 16u : 0u);
}

static uint32_t group_of(const sqa_problem *problem)
{
    return sqa_attention_group(&problem->of.attention);
}

static uint32_t q_bucket_of(const sqa_problem *problem)
{
    return sqa_bucket(problem->of.attention.q_length);
}

/* Of the keys that a query in the middle may see, the causal mask left aside: what bounds a
 * work-group's walk. */
static uint32_t kv_bucket_of(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    uint64_t keys = a->kv_length;
    if (a->mask & SQA_MASK_WINDOW) {
        const bool causal = a->mask & SQA_MASK_CAUSAL;
        const uint64_t right = causal ? 0 : (uint64_t)a->window.right;
        const uint64_t width = (uint64_t)a->window.left + 1 + right + a->globals.count;
        keys = width < keys ? width : keys;
    }
    if (a->mask & SQA_MASK_BLOCKS)
        keys = (uint64_t)((double)keys * sqa_attention_listed_part(a));
    return sqa_bucket(keys);
}

/* How many independent sets of rows there are. */
static uint32_t rows_bucket_of(const sqa_problem *problem)
{
    const sqa_attention *a = &problem->of.attention;
    return sqa_bucket((uint64_t)a->batch * a->out_heads);
}

static const char *const mask_words[] = {"causal", "window", "blocks", "stored", "paged", NULL};

/* Of a backward pass, which gradients there are, and how many output heads read a query head:
 * dQ is the sum of theirs. */
static uint32_t gradients_of(const sqa_problem *problem)
{
    return problem->of.backward.gradients;
}

static uint32_t copies_of(const sqa_problem *problem)
{
    return problem->of.attention.out_heads / problem->of.attention.q_heads;
}

static const char *const gradient_words[] = {"q", "k", "v", "bias", "sinks", "slopes", NULL};

#define ATTENTION_PARTS                                                                            \
    {"dtype", SQA_CLASS_WORD, 0, 0, sqa_stored_words, dtype_of},                                   \
        {"d", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, head_dim_of},                            \
        {"dv", SQA_CLASS_COUNT, 1, SQA_MAX_HEAD_DIM, NULL, value_dim_of},                          \
        {"mask", SQA_CLASS_BITS, 0, 0, mask_words, mask_of},                                       \
        {"group", SQA_CLASS_RATIO, 1, 65535, NULL, group_of},                                      \
        {"q", SQA_CLASS_FEW, 0, 63, NULL, q_bucket_of},                                            \
        {"kv", SQA_CLASS_BUCKET, 0, 63, NULL, kv_bucket_of},                                       \
    {                                                                                              \
        "rows", SQA_CLASS_BUCKET, 0, 63, NULL, rows_bucket_of                                      \
    }

const sqa_class_part sqa_attention_class_parts[] = {ATTENTION_PARTS, {0}};

const sqa_class_part sqa_backward_class_parts[] = {
    ATTENTION_PARTS,
    {"grads", SQA_CLASS_BITS, 0, 0, gradient_words, gradients_of},
    {"copies", SQA_CLASS_RATIO, 1, 65535, NULL, copies_of},
    {0},
};
