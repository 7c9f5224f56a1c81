/* See pattern_files.h: a row per file, what it may hold and what it must fit. */
#include "cli/run/pattern_files.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "cli/run/tensor_files.h"
#include "operations/attention/slots.h"

#define MOST_GLOBALS (1u << 20)
#define MOST_SEQUENCES 65535u

/* A file that was read, and what it is to fit. */
typedef struct fitting {
    const char *path;
    const sqa_npy *file;
    const sqa_npy *files; /* all that were read until then, by slot */
    sqa_attention_desc *desc;
} fitting;

static uint32_t out_heads_of(const sqa_attention_desc *desc)
{
    return desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
}

static sqa_status refuse_shape(const fitting *f, const char *expected)
{
    char shape[160];
    sqa_npy_shape_text(f->file, shape, sizeof shape);
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: shape %s; expected %s", f->path, shape, expected);
}

/* Strides of a (B, H, Nq, Nk) array, or the last two or three of those, in which a
 * size of 1 repeats. */
static sqa_status fit_pairs(const fitting *f, sqa_strides *out)
{
    enum { DIMS = 3 };
    const sqa_attention_desc *desc = f->desc;
    const uint32_t missing = DIMS + 1 - f->file->rank;
    const uint32_t sizes[DIMS] = {desc->batch, out_heads_of(desc), desc->q_length};
    int64_t *const strides[DIMS] = {&out->batch, &out->head, &out->sequence};
    bool fits = f->file->shape[DIMS - missing] == desc->kv_length;
    int64_t stride = desc->kv_length;
    for (int i = DIMS - 1; i >= 0; i--) {
        const uint64_t size = i < (int)missing ? 1 : f->file->shape[i - (int)missing];
        fits = fits && (size == 1 || size == sizes[i]);
        *strides[i] = size == 1 ? 0 : stride;
        stride *= fits ? (int64_t)size : 0;
    }
    if (fits)
        return SQA_OK;
    char expected[192];
    snprintf(expected, sizeof expected,
             "(Nq, Nk), (H, Nq, Nk) or (B, H, Nq, Nk) with B of 1 or %u, H of 1 or %u, Nq of 1 or "
             "%u, Nk of %u",
             sizes[0], sizes[1], sizes[2], desc->kv_length);
    return refuse_shape(f, expected);
}

static sqa_status fit_bias(const fitting *f)
{
    f->desc->bias.present = 1;
    f->desc->bias.dtype = (int32_t)f->file->element;
    return fit_pairs(f, &f->desc->bias.strides);
}

static sqa_status fit_mask(const fitting *f)
{
    f->desc->mask.present = 1;
    return fit_pairs(f, &f->desc->mask.strides);
}

static sqa_status fit_key_mask(const fitting *f)
{
    char expected[64];
    f->desc->key_mask = 1;
    if (f->file->shape[0] == f->desc->batch && f->file->shape[1] == f->desc->kv_length)
        return SQA_OK;
    snprintf(expected, sizeof expected, "(B, Nk) of (%u, %u)", f->desc->batch, f->desc->kv_length);
    return refuse_shape(f, expected);
}

static sqa_status fit_heads(const fitting *f)
{
    char expected[64];
    if (f->file->count == out_heads_of(f->desc))
        return SQA_OK;
    snprintf(expected, sizeof expected, "(H,) of (%u,), the output heads", out_heads_of(f->desc));
    return refuse_shape(f, expected);
}

static sqa_status fit_sinks(const fitting *f)
{
    f->desc->sinks = 1;
    return fit_heads(f);
}

static sqa_status fit_globals(const fitting *f)
{
    if (f->file->count > MOST_GLOBALS)
        return refuse_shape(f, "at most 1048576 positions");
    f->desc->globals.count = (uint32_t)f->file->count;
    return SQA_OK;
}

/* Which dimensions have lists of their own follows from how many there are. */
static sqa_status fit_block_offsets(const fitting *f)
{
    sqa_attention_desc *desc = f->desc;
    const uint32_t size = desc->blocks.query_size, heads = out_heads_of(desc);
    const uint64_t rows = ((uint64_t)desc->q_length + size - 1) / size;
    const uint32_t lists[][2] = {{1, 1}, {1, heads}, {desc->batch, heads}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (f->file->count == lists[i][0] * rows * lists[i][1] + 1) {
            desc->blocks.batch = lists[i][0];
            desc->blocks.heads = lists[i][1];
            return SQA_OK;
        }
    char expected[160];
    snprintf(expected, sizeof expected,
             "a number for each of the %llu query blocks, once, per head (%u) or per batch and "
             "head (%llu), and one more",
             (unsigned long long)rows, heads, (unsigned long long)desc->batch * heads);
    return refuse_shape(f, expected);
}

static sqa_status fit_block_indices(const fitting *f)
{
    if (f->file->count > INT32_MAX)
        return refuse_shape(f, "at most 2^31 - 1 numbers");
    f->desc->blocks.entries = (uint32_t)f->file->count;
    return SQA_OK;
}

/* Of all sequences; starts that do not ascend are refused later. */
static uint32_t longest(const sqa_npy *starts, uint32_t total)
{
    int64_t most = 0;
    for (size_t i = 0; i + 1 < starts->count; i++) {
        const int64_t length = (int64_t)starts->integers[i + 1] - starts->integers[i];
        most = length > most ? length : most;
    }
    return most < total ? (uint32_t)most : total;
}

static sqa_status check_starts(const fitting *f)
{
    if (f->file->count >= 1 && f->file->count <= MOST_SEQUENCES + 1)
        return SQA_OK;
    return refuse_shape(f, "the starts of 0 to 65535 sequences, and the end");
}

/* Of queries: the batch is the sequences, not the one Q has. Keys in pages have no starts. */
static sqa_status fit_starts(const fitting *f)
{
    sqa_attention_desc *desc = f->desc;
    sqa_status status = check_starts(f);
    if (status)
        return status;
    if (desc->batch != 1)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s: Q has batch %u; expected 1, all sequences in a row", f->path,
                        desc->batch);
    desc->ragged = (sqa_ragged){1, desc->q_length, 0};
    desc->batch = (uint32_t)f->file->count - 1;
    desc->q_length = longest(f->file, desc->ragged.q_total);
    return SQA_OK;
}

static sqa_status fit_key_starts(const fitting *f)
{
    sqa_attention_desc *desc = f->desc;
    const sqa_npy *q = &f->files[SQA_SLOT_CU_SEQLENS_Q];
    sqa_status status = check_starts(f);
    if (status)
        return status;
    if (q->count != f->file->count) {
        char expected[96];
        snprintf(expected, sizeof expected, "(%zu,), as --cu-seqlens-q has", q->count);
        return refuse_shape(f, expected);
    }
    desc->ragged.kv_total = desc->kv_length;
    desc->kv_length = longest(f->file, desc->ragged.kv_total);
    return SQA_OK;
}

/* Keys are as many as the pages of a row hold. */
static sqa_status fit_block_table(const fitting *f)
{
    sqa_attention_desc *desc = f->desc;
    const uint64_t keys = f->file->shape[1] * desc->paged.page_size;
    char expected[96];
    desc->kv_length = (uint32_t)keys;
    if (f->file->shape[0] == desc->batch && keys <= 1u << 30)
        return SQA_OK;
    snprintf(expected, sizeof expected, "(B, pages) of (%u, ...), of no more than 2^30 keys",
             desc->batch);
    return refuse_shape(f, expected);
}

static sqa_status fit_kv_lengths(const fitting *f)
{
    char expected[64];
    if (f->file->count == f->desc->batch)
        return SQA_OK;
    snprintf(expected, sizeof expected, "(B,) of (%u,)", f->desc->batch);
    return refuse_shape(f, expected);
}

static const char pairs[] = "(Nq, Nk), (H, Nq, Nk) or (B, H, Nq, Nk)";

/* In the order in which they are read: the starts say how long sequences are. */
static const struct {
    uint32_t slot;
    const char *option;
    sqa_npy_wish wish;
    sqa_status (*fit)(const fitting *f);
} inputs[SQA_PATTERN_FILES] = {
    {SQA_SLOT_CU_SEQLENS_Q, "--cu-seqlens-q", {SQA_NPY_INTEGERS, 1, 1, "(B + 1,)"}, fit_starts},
    {SQA_SLOT_CU_SEQLENS_KV,
     "--cu-seqlens-k",
     {SQA_NPY_INTEGERS, 1, 1, "(B + 1,)"},
     fit_key_starts},
    {SQA_SLOT_BLOCK_TABLE,
     "--block-table",
     {SQA_NPY_INTEGERS, 2, 2, "(B, pages)"},
     fit_block_table},
    {SQA_SLOT_KV_LENGTHS, "--kv-lengths", {SQA_NPY_INTEGERS, 1, 1, "(B,)"}, fit_kv_lengths},
    {SQA_SLOT_BIAS, "--bias", {SQA_NPY_FLOATS, 2, 4, pairs}, fit_bias},
    {SQA_SLOT_MASK, "--mask", {SQA_NPY_BYTES, 2, 4, pairs}, fit_mask},
    {SQA_SLOT_KEY_MASK, "--key-mask", {SQA_NPY_BYTES, 2, 2, "(B, Nk)"}, fit_key_mask},
    {SQA_SLOT_SINKS, "--sinks", {SQA_NPY_FLOATS, 1, 1, "(H,)"}, fit_sinks},
    {SQA_SLOT_SLOPES, "--alibi", {SQA_NPY_FLOATS, 1, 1, "(H,)"}, fit_heads},
    {SQA_SLOT_GLOBALS, "--globals", {SQA_NPY_INTEGERS, 1, 1, "(N,)"}, fit_globals},
    {SQA_SLOT_BLOCK_OFFSETS,
     "--block-offsets",
     {SQA_NPY_INTEGERS, 1, 1, "(lists + 1,)"},
     fit_block_offsets},
    {SQA_SLOT_BLOCK_INDICES,
     "--block-indices",
     {SQA_NPY_INTEGERS, 1, 1, "(entries,)"},
     fit_block_indices},
};

sqa_status sqa_pattern_files_read(const char *const paths[SQA_MAX_TENSORS],
                                  sqa_npy files[SQA_MAX_TENSORS], sqa_attention_desc *desc)
{
    for (size_t i = 0; i < SQA_PATTERN_FILES; i++) {
        const uint32_t slot = inputs[i].slot;
        const fitting f = {paths[slot], &files[slot], files, desc};
        if (!paths[slot])
            continue;
        sqa_status status = sqa_npy_read(&files[slot], paths[slot], &inputs[i].wish);
        if (status == SQA_OK)
            status = inputs[i].fit(&f);
        if (status)
            return sqa_fail(status, "%s: %s", inputs[i].option, sqa_last_error());
    }
    return SQA_OK;
}

void sqa_pattern_files_note(const char *const paths[SQA_MAX_TENSORS],
                            const sqa_npy files[SQA_MAX_TENSORS])
{
    for (size_t i = 0; i < SQA_PATTERN_FILES; i++)
        sqa_tensor_file_note(inputs[i].option, paths[inputs[i].slot], &files[inputs[i].slot]);
}

void sqa_pattern_files_name(const char *const paths[SQA_MAX_TENSORS],
                            sqa_command_file out[SQA_PATTERN_FILES])
{
    for (size_t i = 0; i < SQA_PATTERN_FILES; i++)
        out[i] = (sqa_command_file){inputs[i].option, paths[inputs[i].slot], SQA_FILE_READ};
}
