/* Multi-head latent attention as keys of a shape. */
#include <stdio.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/field_values.h"
#include "operations/mla/slots.h"
#include "problem/names.h"

#define AT(member) offsetof(sqa_mla_desc, member)
#define MOST (1u << 30)

SQA_FLOAT_KEY(base, sqa_mla_desc, rope_base, 10000.0f)
SQA_FLOAT_KEY(eps, sqa_mla_desc, norm_eps, 1e-6f)
SQA_KEY(kv, sqa_mla_desc, kv_dtype, sqa_field_read_kv_dtype,
        sqa_field_write_kv_dtype(desc->kv_dtype, desc->dtype, value))

static float usual_scale(const sqa_mla_desc *desc)
{
    sqa_mla_desc usual = *desc;
    sqa_mla_pass mla;
    usual.scale = 0.0f;
    return sqa_mla_from_desc(&mla, &usual) == SQA_OK ? mla.scale : 0.0f;
}
SQA_FLOAT_KEY(scale, sqa_mla_desc, scale, usual_scale(desc))

SQA_PAGE_KEYS(sqa_mla_desc, capacity)

static sqa_status read_total(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_mla_desc *desc = descriptor;
    desc->ragged = 1;
    if (sqa_read_count(value, 0, MOST, &desc->total))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "total is '%.60s'; expected the rows of all sequences, from 0 to %u", value,
                    MOST);
}

static bool write_total(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_mla_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u", desc->total);
    return desc->ragged;
}

static const char *const pairs_words[] = {"interleaved", "half", NULL};

#define COUNT(name, column, meaning, member, low, high)                                            \
    {                                                                                              \
        name, column, meaning, SQA_FIELD_COUNT, .offset = AT(member), .least = low, .most = high   \
    }
#define OWN(name, column, meaning)                                                                 \
#name, column, meaning, SQA_FIELD_OWN, .read = read_##name, .write = write_##name

const sqa_shape_field sqa_mla_fields[] = {
    COUNT("b", "batch", "sequences (1)", batch, 0, 65535),
    COUNT("heads", "heads", "heads", heads, 1, 65535),
    COUNT("n", "length", "rows of a sequence", length, 0, MOST),
    {"nk", "capacity", "the most tokens of a sequence in the cache", SQA_FIELD_COUNT,
     .offset = AT(capacity), .most = MOST, .optional = true},
    COUNT("dmodel", "d_model", "width of X and Y", d_model, 1, 1u << 24),
    {"qrank", "q_lora_rank", "of the queries' latent (0: there is none)", SQA_FIELD_COUNT,
     .offset = AT(q_lora_rank), .most = SQA_MAX_LORA_RANK, .optional = true},
    COUNT("rank", "kv_lora_rank", "of the latent of keys and values (512)", kv_lora_rank, 1, 1022),
    COUNT("nope", "nope_dim", "elements of a query that are not turned (128)", nope_dim, 1, 1022),
    COUNT("rope", "rope_dim", "elements that are (64)", rope_dim, 2, 1022),
    COUNT("dv", "value_dim", "elements of a value (128)", value_dim, 1, SQA_MAX_HEAD_DIM),
    {"dtype", "dtype", "storage: f32 (default), f16 or bf16", SQA_FIELD_WORD, .offset = AT(dtype),
     .words = sqa_dtype_words},
    {OWN(kv, "kv_dtype", "storage of the cache (dtype): int8 and int4, too"),
     .together_with = "page"},
    {OWN(scale, "scale", "of the scores (1/sqrt(nope + rope))"), .number = true},
    {"pairs", "pairs", "interleaved (default) or half", SQA_FIELD_WORD, .offset = AT(pairs),
     .words = pairs_words},
    {OWN(base, "base", "base of the frequencies (10000)"), .number = true},
    {OWN(eps, "eps", "of the norms, above 0 (1e-6)"), .number = true},
    {OWN(page, "page", "tokens of a page of the cache (there is none)"), .number = true},
    {OWN(pages, "pages", "of the cache (as many as all sequences take)"), .number = true,
     .together_with = "page"},
    {"absorbed", "absorbed", "attention to the latents of the cache", SQA_FIELD_FLAG,
     .offset = AT(absorbed)},
    {OWN(total, "total", "rows of all sequences in a ragged batch, n of the longest"),
     .number = true},
    {0},
};

const sqa_shape_field_need sqa_mla_needs[] = {
    {"heads", "heads is missing; expected a number from 1 to 65535"},
    {"n", "n is missing; expected a number from 0 to 1073741824"},
    {"dmodel", "dmodel is missing; expected a number from 1 to 16777216"},
    {0},
};
