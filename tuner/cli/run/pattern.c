/* See pattern.h. What a file's shape must be is pattern_files.c's business. */
#include "cli/run/pattern.h"

#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "cli/run/pattern_files.h"
#include "device/cl_status.h"
#include "operations/attention/slots.h"
#include "operations/selected_forward.h"
#include "problem/names.h"

#define MOST_GLOBALS (1u << 20)
#define MOST_BLOCK (1u << 30)

void sqa_run_pattern_options(sqa_run_pattern *pattern, sqa_option out[SQA_RUN_PATTERN_OPTIONS])
{
    const char **paths = pattern->paths;
    const sqa_option options[SQA_RUN_PATTERN_OPTIONS] = {
        {"causal", NULL, "query i sees no key after its own position", .flag = &pattern->causal},
        {"align", "CORNER", "where queries stand: bottom-right (default) or top-left",
         .text = &pattern->align, .needs = "causal|window|alibi|local-blocks"},
        {"window", "L,R", "only keys from L before to R after the position; -1: no bound",
         .window = &pattern->window},
        {"globals", "N|FILE", "with --window: the first N tokens, or those listed, see all",
         .text = &pattern->globals, .needs = "window", .excludes = "block-size"},
        {"softcap", "X", "scores become X tanh(score / X)",
         .real = {&pattern->softcap, SQA_REALS_ABOVE_ZERO}},
        {"alibi", "geometric|FILE", "bias by distance: the paper's slopes, or (H,)",
         .text = &pattern->alibi},
        {"bias", "FILE", "added to scores: (Nq, Nk), (H, Nq, Nk) or (B, H, Nq, Nk), 1 repeats",
         .text = &paths[SQA_SLOT_BIAS]},
        {"mask", "FILE", "bool, false hides the key; shapes as of --bias",
         .text = &paths[SQA_SLOT_MASK]},
        {"key-mask", "FILE", "bool (B, Nk), false hides the key from all queries",
         .text = &paths[SQA_SLOT_KEY_MASK]},
        {"sinks", "FILE", "a logit per head (H,) that joins every row's denominator",
         .text = &paths[SQA_SLOT_SINKS]},
        {"dropout", "P", "this part of the weights is dropped, at random",
         .real = {&pattern->dropout, SQA_REALS_ABOVE_ZERO}},
        {"dropout-seed", "N", "what is dropped follows from (0)",
         .number = {&pattern->dropout_seed, 0, UINT64_MAX}},
        {"block-size", "Q,K", "block-sparse: queries and keys of a block",
         .pair = {&pattern->block_queries, &pattern->block_keys, 1, MOST_BLOCK},
         .needs = "block-offsets|top-k"},
        {"block-offsets", "FILE", "where the list of each query block begins, and the end",
         .text = &paths[SQA_SLOT_BLOCK_OFFSETS], .needs = "block-size,block-indices"},
        {"block-indices", "FILE", "the key blocks of all lists, one list after the other",
         .text = &paths[SQA_SLOT_BLOCK_INDICES], .needs = "block-offsets"},
        {"top-k", "N", "with --block-size: the device selects N key blocks per query block",
         .count = {&pattern->select.top_k, 1, MOST_BLOCK}, .needs = "block-size",
         .excludes = "block-offsets,block-indices"},
        {"sink-blocks", "N", "of these, the first N",
         .count = {&pattern->select.sink_blocks, 0, MOST_BLOCK}, .needs = "top-k"},
        {"local-blocks", "N", "and the N up to the query block's own",
         .count = {&pattern->select.local_blocks, 0, MOST_BLOCK}, .needs = "top-k"},
        {"lists", "FOR", "one selection for each head (default), kv head, or all heads",
         .text = &pattern->lists, .needs = "top-k"},
        {"cu-seqlens-q", "FILE", "ragged: B + 1 starts of the sequences in a Q of batch 1",
         .text = &paths[SQA_SLOT_CU_SEQLENS_Q], .needs = "cu-seqlens-k|block-table"},
        {"cu-seqlens-k", "FILE", "likewise in K and V", .text = &paths[SQA_SLOT_CU_SEQLENS_KV],
         .needs = "cu-seqlens-q"},
        {"block-table", "FILE", "(B, pages): the pages of K and V, (pages, Hkv, page, D), each has",
         .text = &paths[SQA_SLOT_BLOCK_TABLE], .needs = "kv-lengths", .excludes = "cu-seqlens-k"},
        {"kv-lengths", "FILE", "(B,): how many keys each has in them",
         .text = &paths[SQA_SLOT_KV_LENGTHS], .needs = "block-table"},
    };
    memcpy(out, options, sizeof options);
}

static sqa_status read_positions(const sqa_run_pattern *pattern, sqa_attention_desc *desc)
{
    sqa_causal corner = SQA_CAUSAL_BOTTOM_RIGHT;
    if (pattern->align &&
        (!sqa_causal_from_name(pattern->align, &corner) || corner == SQA_CAUSAL_NONE))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--align is '%s'; expected bottom-right or top-left",
                        pattern->align);
    if (pattern->causal)
        desc->causal = corner;
    else if (corner == SQA_CAUSAL_TOP_LEFT)
        desc->align = SQA_ALIGN_TOP_LEFT;
    desc->window = pattern->window;
    return SQA_OK;
}

/* A number of tokens, or else the name of a file. */
static sqa_status read_globals(sqa_run_pattern *pattern, sqa_attention_desc *desc)
{
    const char *word = pattern->globals;
    if (!word || sqa_read_count(word, 0, MOST_GLOBALS, &desc->globals.count))
        return SQA_OK;
    if (word[strspn(word, "0123456789")] == '\0')
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--globals is '%s'; expected a number from 0 to %u, or a .npy file", word,
                        MOST_GLOBALS);
    desc->globals.listed = 1;
    pattern->paths[SQA_SLOT_GLOBALS] = word;
    return SQA_OK;
}

static void read_scores(sqa_run_pattern *pattern, sqa_attention_desc *desc)
{
    desc->softcap = pattern->softcap;
    desc->dropout = pattern->dropout;
    if (!pattern->alibi)
        return;
    const bool geometric = !strcmp(pattern->alibi, "geometric");
    desc->alibi = geometric ? SQA_ALIBI_GEOMETRIC : SQA_ALIBI_SLOPES;
    if (!geometric)
        pattern->paths[SQA_SLOT_SLOPES] = pattern->alibi;
}

/* For what there are lists, by the words of --lists. */
static sqa_status read_lists(const sqa_run_pattern *pattern, sqa_attention_desc *desc)
{
    const uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    const struct {
        const char *word;
        uint32_t heads;
    } words[] = {{"head", out_heads}, {"kv", desc->kv_heads}, {"all", 1}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(pattern->lists ? pattern->lists : "head", words[i].word)) {
            desc->blocks.heads = words[i].heads;
            desc->blocks.batch = desc->batch;
            return SQA_OK;
        }
    return sqa_fail(SQA_INVALID_ARGUMENT, "--lists is '%.40s'; expected head, kv or all",
                    pattern->lists);
}

/* Blocks come with lists in files, or with what the device selects by. */
static sqa_status settle_blocks(const sqa_run_pattern *pattern, sqa_attention_desc *desc)
{
    desc->blocks.query_size = pattern->block_queries;
    desc->blocks.key_size = pattern->block_keys;
    return pattern->select.top_k ? read_lists(pattern, desc) : SQA_OK;
}

static sqa_status read_words(sqa_run_pattern *pattern, sqa_attention_desc *desc)
{
    sqa_status status = read_positions(pattern, desc);
    if (status == SQA_OK)
        status = read_globals(pattern, desc);
    read_scores(pattern, desc);
    return status ? status : settle_blocks(pattern, desc);
}

sqa_status sqa_run_pattern_read(sqa_run_pattern *pattern, sqa_attention_desc *desc,
                                sqa_problem *out)
{
    sqa_status status = read_words(pattern, desc);
    if (status == SQA_OK)
        status = sqa_pattern_files_read(pattern->paths, pattern->files, desc);
    if (status != SQA_OK)
        return status;
    return pattern->select.top_k ? sqa_problem_from_selected(out, desc, &pattern->select)
                                 : sqa_problem_from_desc(out, desc);
}

static sqa_status upload_blocks(sqa_run_pattern *pattern, sqa_context *context,
                                const sqa_attention_desc *desc)
{
    return sqa_block_list_create(context, desc, pattern->files[SQA_SLOT_BLOCK_OFFSETS].integers,
                                 pattern->files[SQA_SLOT_BLOCK_INDICES].integers,
                                 &pattern->indices[SQA_SLOT_BLOCK_OFFSETS],
                                 &pattern->indices[SQA_SLOT_BLOCK_INDICES]);
}

static sqa_status upload_sequences(sqa_run_pattern *pattern, sqa_context *context,
                                   const sqa_attention_desc *desc)
{
    return sqa_sequences_create(context, desc, pattern->files[SQA_SLOT_CU_SEQLENS_Q].integers,
                                pattern->files[SQA_SLOT_CU_SEQLENS_KV].integers,
                                &pattern->indices[SQA_SLOT_CU_SEQLENS_Q],
                                &pattern->indices[SQA_SLOT_CU_SEQLENS_KV]);
}

static sqa_status upload_table(sqa_run_pattern *pattern, sqa_context *context,
                               const sqa_attention_desc *desc)
{
    return sqa_block_table_create(context, desc, pattern->files[SQA_SLOT_BLOCK_TABLE].integers,
                                  pattern->files[SQA_SLOT_KV_LENGTHS].integers,
                                  &pattern->indices[SQA_SLOT_BLOCK_TABLE],
                                  &pattern->indices[SQA_SLOT_KV_LENGTHS]);
}

static sqa_status upload_globals(sqa_run_pattern *pattern, sqa_context *context,
                                 const sqa_attention_desc *desc)
{
    return sqa_globals_create(context, desc, pattern->files[SQA_SLOT_GLOBALS].integers,
                              &pattern->indices[SQA_SLOT_GLOBALS]);
}

/* What is made together, and how an error tells where it came from. */
static const struct {
    uint32_t slot, other;
    const char *option, *other_option;
    sqa_status (*upload)(sqa_run_pattern *, sqa_context *, const sqa_attention_desc *);
} index_tensors[] = {
    {SQA_SLOT_CU_SEQLENS_Q, SQA_SLOT_CU_SEQLENS_KV, "cu-seqlens-q", "cu-seqlens-k",
     upload_sequences},
    {SQA_SLOT_BLOCK_OFFSETS, SQA_SLOT_BLOCK_INDICES, "block-offsets", "block-indices",
     upload_blocks},
    {SQA_SLOT_BLOCK_TABLE, SQA_SLOT_KV_LENGTHS, "block-table", "kv-lengths", upload_table},
    {SQA_SLOT_GLOBALS, SQA_SLOT_GLOBALS, "globals", NULL, upload_globals},
};
enum { INDEX_COUNT = sizeof index_tensors / sizeof index_tensors[0] };

static sqa_status name_index(const sqa_run_pattern *pattern, int i, sqa_status status)
{
    const char *first = pattern->paths[index_tensors[i].slot];
    const char *second = pattern->paths[index_tensors[i].other];
    if (!second || !index_tensors[i].other_option)
        return sqa_fail(status, "--%s: %s: %s", index_tensors[i].option, first, sqa_last_error());
    return sqa_fail(status, "--%s %s, --%s %s: %s", index_tensors[i].option, first,
                    index_tensors[i].other_option, second, sqa_last_error());
}

static sqa_status upload_seed(sqa_run_pattern *pattern, sqa_context *context)
{
    uint32_t halves[2] = {(uint32_t)pattern->dropout_seed, (uint32_t)(pattern->dropout_seed >> 32)};
    cl_int code = CL_SUCCESS;
    pattern->indices[SQA_SLOT_DROPOUT_SEED] =
        clCreateBuffer(sqa_context_cl(context), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                       sizeof halves, halves, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer(seed)");
}

sqa_status sqa_run_pattern_upload(sqa_run_pattern *pattern, sqa_context *context,
                                  const sqa_attention_desc *desc)
{
    for (int i = 0; i < INDEX_COUNT; i++) {
        if (!pattern->paths[index_tensors[i].slot])
            continue;
        sqa_status status = index_tensors[i].upload(pattern, context, desc);
        if (status)
            return name_index(pattern, i, status);
    }
    return pattern->dropout > 0.0f ? upload_seed(pattern, context) : SQA_OK;
}

void sqa_run_pattern_free(sqa_run_pattern *pattern)
{
    for (int slot = 0; slot < SQA_MAX_TENSORS; slot++) {
        sqa_npy_free(&pattern->files[slot]);
        if (pattern->indices[slot])
            clReleaseMemObject(pattern->indices[slot]);
        pattern->indices[slot] = NULL;
    }
}
