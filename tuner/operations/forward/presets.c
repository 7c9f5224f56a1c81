/* The problems of forward attention that people mean by a name, as data. */
#include "operations/forward/presets.h"

#include <string.h>

#define END (-1)

/* A row stands for the product of its variants, lengths and dimensions. */
typedef struct preset_row {
    const char *preset;
    uint32_t heads, kv_heads; /* kv_heads 0: those of the variants, of a model of `heads` */
    int variants[6];          /* sqa_variant; the list may end with END */
    uint32_t lengths[4];
    uint32_t dims[3];
    sqa_causal causal;
    uint32_t q_length; /* 0: as many as keys */
    uint32_t batch;    /* 0: one */
    uint32_t lse;      /* 1: is written too */
} preset_row;

#define LLM(q, kv, dim)                                                                            \
    {"llm", q, kv, {END}, {2048}, {dim}, .causal = SQA_CAUSAL_BOTTOM_RIGHT},                       \
    {                                                                                              \
        "llm", q, kv, {END}, {4096}, {dim}, .causal = SQA_CAUSAL_BOTTOM_RIGHT, .q_length = 1       \
    }

static const preset_row rows[] = {
    /* One model's variants side by side: what the quickstart shows. */
    {"quick",
     8,
     0,
     {SQA_VARIANT_MHA, SQA_VARIANT_GQA, SQA_VARIANT_MQA, SQA_VARIANT_SQA, SQA_VARIANT_SSQA,
      SQA_VARIANT_XSQA},
     {2048},
     {64},
     .causal = SQA_CAUSAL_NONE},
    /* The sizes of the small models in arXiv 2510.01817. */
    {"paper",
     16,
     0,
     {SQA_VARIANT_MHA, SQA_VARIANT_GQA, SQA_VARIANT_MQA, SQA_VARIANT_SQA, SQA_VARIANT_SSQA,
      SQA_VARIANT_XSQA},
     {4096, 8192},
     {16},
     .causal = SQA_CAUSAL_NONE},
    /* Reading a prompt, and one token after it, with the heads that well-known language models
     * have: Llama 3.2 1B, Llama 3 8B (Mistral 7B, Qwen 3 8B too), Qwen 2.5 7B, Gemma 2 9B and
     * Phi-3 mini. */
    LLM(32, 8, 64),
    LLM(32, 8, 128),
    LLM(28, 4, 128),
    LLM(16, 8, 256),
    LLM(32, 32, 96),
    /* Short texts and images in batches, each seen whole. */
    {"encoder",
     12,
     0,
     {SQA_VARIANT_MHA, SQA_VARIANT_SQA, SQA_VARIANT_SSQA, SQA_VARIANT_XSQA, END},
     {128, 256, 512},
     {64},
     .causal = SQA_CAUSAL_NONE,
     .batch = 8},
    /* Steps of training: forward, with LSE for what follows, and backward (operations/backward). */
    {"train",
     8,
     0,
     {SQA_VARIANT_MHA, SQA_VARIANT_GQA, SQA_VARIANT_SQA, SQA_VARIANT_XSQA, END},
     {2048},
     {64, 128},
     .causal = SQA_CAUSAL_BOTTOM_RIGHT,
     .lse = 1},
    {"train",
     16,
     0,
     {SQA_VARIANT_MHA, SQA_VARIANT_SQA, SQA_VARIANT_SSQA, SQA_VARIANT_XSQA, END},
     {4096},
     {16},
     .causal = SQA_CAUSAL_NONE,
     .lse = 1},
    /* One token after another, over all that came before. */
    {"decode",
     16,
     0,
     {SQA_VARIANT_MHA, SQA_VARIANT_GQA, SQA_VARIANT_MQA, SQA_VARIANT_SQA, SQA_VARIANT_XSQA, END},
     {1024, 4096, 16384},
     {64, 128},
     .causal = SQA_CAUSAL_BOTTOM_RIGHT,
     .q_length = 1},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static sqa_status append(const preset_row *row, uint32_t q_heads, uint32_t kv_heads,
                         uint32_t length, uint32_t dim, sqa_case_list *out)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.batch = row->batch ? row->batch : 1;
    desc.q_heads = q_heads;
    desc.kv_heads = kv_heads;
    desc.q_length = row->q_length ? row->q_length : length;
    desc.kv_length = length;
    desc.head_dim = dim;
    desc.causal = row->causal;
    desc.write_lse = row->lse;
    sqa_problem problem;
    sqa_status status = sqa_problem_from_desc(&problem, &desc);
    return status == SQA_OK ? sqa_case_list_add(out, &problem) : status;
}

/* Every kind of heads at one length and dimension. */
static sqa_status append_heads(const preset_row *row, uint32_t length, uint32_t dim,
                               sqa_case_list *out)
{
    if (row->kv_heads)
        return append(row, row->heads, row->kv_heads, length, dim, out);
    sqa_status status = SQA_OK;
    for (size_t v = 0; v < 6 && row->variants[v] != END && status == SQA_OK; v++) {
        uint32_t q_heads, kv_heads;
        status = sqa_variant_heads((sqa_variant)row->variants[v], row->heads, &q_heads, &kv_heads);
        if (status == SQA_OK)
            status = append(row, q_heads, kv_heads, length, dim, out);
    }
    return status;
}

static sqa_status expand(const preset_row *row, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (size_t d = 0; d < 3 && row->dims[d]; d++)
        for (size_t n = 0; n < 4 && row->lengths[n] && status == SQA_OK; n++)
            status = append_heads(row, row->lengths[n], row->dims[d], out);
    return status;
}

sqa_status sqa_forward_preset(const char *name, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < ROWS && status == SQA_OK; i++)
        if (!strcmp(rows[i].preset, name))
            status = expand(&rows[i], out);
    return status;
}

const char *const sqa_forward_preset_names[] = {"quick",   "paper",  "llm", "train",
                                                "encoder", "decode", NULL};
