/* The keys of a shape that say which keys a query sees and what becomes of scores. Values
 * are read strictly; whether they go together is for the descriptor's checks to say. */
#include "operations/attention/fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/attention/pair_strides.h"
#include "operations/dropout.h"
#include "operations/field_values.h"
#include "problem/names.h"

#define MOST_LENGTH (1u << 30)
#define MOST_GLOBALS (1u << 20)

static sqa_status read_causal(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)value, (void)items;
    sqa_attention_desc *desc = descriptor;
    desc->causal = SQA_CAUSAL_BOTTOM_RIGHT;
    return SQA_OK;
}

static bool write_causal(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    (void)value;
    return desc->causal != SQA_CAUSAL_NONE;
}

/* With a causal mask the alignment is the mask's. */
static sqa_status read_align(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    sqa_causal corner;
    if (!sqa_causal_from_name(value, &corner) || corner == SQA_CAUSAL_NONE)
        return sqa_fail(SQA_INVALID_ARGUMENT, "align is '%s'; expected bottom-right or top-left",
                        value);
    if (desc->causal != SQA_CAUSAL_NONE)
        desc->causal = corner;
    else
        desc->align = corner == SQA_CAUSAL_TOP_LEFT ? SQA_ALIGN_TOP_LEFT : SQA_ALIGN_BOTTOM_RIGHT;
    return SQA_OK;
}

static bool write_align(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "top-left");
    return desc->causal == SQA_CAUSAL_NONE ? desc->align == SQA_ALIGN_TOP_LEFT
                                           : desc->causal == SQA_CAUSAL_TOP_LEFT;
}

static sqa_status read_window(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    if (sqa_read_window(value, ':', &desc->window))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "window is '%s'; expected LEFT:RIGHT, each from 0 to %d or -1 for no bound",
                    value, SQA_WINDOW_MOST);
}

static bool write_window(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%d:%d", desc->window.left, desc->window.right);
    return desc->window.left != -1 || desc->window.right != -1;
}

static sqa_status read_globals(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    const bool listed = !strncmp(value, "list", 4);
    desc->globals.listed = listed;
    if (sqa_read_count(value + (listed ? 4 : 0), 0, MOST_GLOBALS, &desc->globals.count))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "globals is '%s'; expected N (the first N positions) or listN (N positions of "
                    "a list), N from 0 to %u",
                    value, MOST_GLOBALS);
}

static bool write_globals(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    const sqa_globals *globals = &desc->globals;
    snprintf(value, SQA_FIELD_VALUE, "%s%u", globals->listed ? "list" : "", globals->count);
    return globals->count || globals->listed;
}

static sqa_status read_softcap(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    if (sqa_read_finite(value, &desc->softcap) && desc->softcap > 0.0f)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "softcap is '%s'; expected a finite number above 0",
                    value);
}

static bool write_softcap(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%.9g", (double)desc->softcap);
    return desc->softcap != 0.0f;
}

static sqa_status read_dropout(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    return sqa_dropout_read(value, &((sqa_attention_desc *)descriptor)->dropout);
}

static bool write_dropout(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    return sqa_dropout_write(((const sqa_attention_desc *)descriptor)->dropout, value);
}

static const char *const alibi_names[] = {
    [SQA_ALIBI_NONE] = "", [SQA_ALIBI_GEOMETRIC] = "geometric", [SQA_ALIBI_SLOPES] = "slopes"};

static sqa_status read_alibi(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    for (int i = SQA_ALIBI_GEOMETRIC; i <= SQA_ALIBI_SLOPES; i++)
        if (!strcmp(value, alibi_names[i])) {
            desc->alibi = (sqa_alibi)i;
            return SQA_OK;
        }
    return sqa_fail(SQA_INVALID_ARGUMENT, "alibi is '%s'; expected geometric or slopes", value);
}

static bool write_alibi(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    if (desc->alibi == SQA_ALIBI_NONE || (unsigned)desc->alibi > SQA_ALIBI_SLOPES)
        return false;
    snprintf(value, SQA_FIELD_VALUE, "%s", alibi_names[desc->alibi]);
    return true;
}

static sqa_status read_dims(const char *key, const char *value, const char *dims,
                            const sqa_attention_desc *desc, sqa_strides *out)
{
    unsigned varies = 0;
    if (sqa_read_strides(dims, out))
        return SQA_OK;
    if (!sqa_pair_dims_read(dims, &varies))
        return sqa_fail(
            SQA_INVALID_ARGUMENT,
            "%s is '%s'; expected of the letters b, h and q those of the dimensions "
            "(batch, head, query) it varies along, each once; or strides BATCH:HEAD:QUERY",
            key, value);
    if (!sqa_pair_strides(desc, varies, out))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s is '%s'; that has more than 2^60 elements at these lengths", key,
                        value);
    return SQA_OK;
}

/* The letters, or the strides where no letters read back as these. */
static void write_dims(const sqa_attention_desc *desc, const sqa_strides *strides, char *out,
                       size_t size)
{
    const char *letters = sqa_pair_dims_name(desc, strides);
    if (letters)
        snprintf(out, size, "%s", letters);
    else
        sqa_write_strides(strides, out, size);
}

static sqa_status read_bias(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    const char *slash = strchr(value, '/');
    char name[8] = "";
    sqa_dtype dtype;
    if (slash)
        snprintf(name, sizeof name, "%.*s", (int)(slash - value), value);
    if (!slash || !sqa_dtype_from_name(name, &dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "bias is '%s'; expected TYPE/DIMS such as f32/hq, TYPE of f32, f16 and "
                        "bf16, DIMS of the letters b, h and q",
                        value);
    desc->bias.present = 1;
    desc->bias.dtype = (int32_t)dtype;
    return read_dims("bias", value, slash + 1, desc, &desc->bias.strides);
}

static bool write_bias(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    const char *dtype = sqa_dtype_name((sqa_dtype)desc->bias.dtype);
    char dims[SQA_FIELD_VALUE - 8]; /* strides are up to 59 long, a type and the slash 5 */
    write_dims(desc, &desc->bias.strides, dims, sizeof dims);
    snprintf(value, SQA_FIELD_VALUE, "%s/%s", dtype ? dtype : "", dims);
    return desc->bias.present;
}

static sqa_status read_mask(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    desc->mask.present = 1;
    return read_dims("mask", value, value, desc, &desc->mask.strides);
}

static bool write_mask(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    write_dims(desc, &desc->mask.strides, value, SQA_FIELD_VALUE);
    return desc->mask.present;
}

static uint32_t out_heads_of(const sqa_attention_desc *desc)
{
    return desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
}

/* Entries of lists that name every key block. */
static double all_entries(const sqa_attention_desc *desc)
{
    const sqa_blocks *blocks = &desc->blocks;
    const double lists =
        (double)blocks->batch * blocks->heads * ceil((double)desc->q_length / blocks->query_size);
    return lists * ceil((double)desc->kv_length / blocks->key_size);
}

static double entries_of_part(const sqa_attention_desc *desc, double part)
{
    return floor(all_entries(desc) * part + 0.5);
}

/* "/bh": which dimensions have lists of their own. */
bool sqa_read_block_lists(const char *letters, sqa_attention_desc *desc)
{
    desc->blocks.batch = desc->blocks.heads = 1;
    if (*letters == 'b') {
        desc->blocks.batch = desc->batch;
        letters++;
    }
    if (*letters == 'h' || *letters == 'k') {
        desc->blocks.heads = *letters == 'h' ? out_heads_of(desc) : desc->kv_heads;
        letters++;
    }
    return !*letters;
}

static bool read_block_parts(char *sizes, sqa_attention_desc *desc, double *part)
{
    sqa_blocks *blocks = &desc->blocks;
    char *at = strchr(sizes, '@'), *end = NULL;
    if (!at)
        return false;
    *at = '\0';
    *part = strtod(at + 1, &end);
    bool number = end > at + 1 && *part >= 0.0 && *part <= 1.0;
    bool lists =
        (!*end || *end == '/') && sqa_read_block_lists(*end && end[1] ? end + 1 : end, desc);
    return number && lists &&
           sqa_read_pair(sizes, 'x', 1, MOST_LENGTH, &blocks->query_size, &blocks->key_size);
}

static sqa_status read_blocks(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    char text[SQA_FIELD_VALUE];
    double part = 0.0;
    int length = snprintf(text, sizeof text, "%s", value);
    if (length >= SQA_FIELD_VALUE || !read_block_parts(text, desc, &part))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "blocks is '%s'; expected QxK@PART such as 64x64@0.25: block sizes from 1 "
                        "to %u, the part of all key blocks that is listed from 0 to 1; then /b, "
                        "/h, /bh, /k or /bk where batches, heads or key/value heads have lists of "
                        "their own",
                        value, MOST_LENGTH);
    const double entries = entries_of_part(desc, part);
    if (entries > INT32_MAX)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "blocks is '%s'; that lists %.0f blocks, at most %d are allowed", value,
                        entries, INT32_MAX);
    desc->blocks.entries = (uint32_t)entries;
    return SQA_OK;
}

/* The shortest number that is read as as many entries. */
static void format_part(const sqa_attention_desc *desc, char out[32])
{
    const double all = all_entries(desc);
    const double part = all > 0.0 ? desc->blocks.entries / all : 0.0;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, part);
        if (entries_of_part(desc, strtod(out, NULL)) == desc->blocks.entries)
            return;
    }
}

static bool write_blocks(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    const sqa_blocks *blocks = &desc->blocks;
    if (!blocks->query_size || !blocks->key_size)
        return false;
    char part[32];
    const char *batch = blocks->batch == 1 ? "" : "b";
    const char *heads = blocks->heads == 1 ? "" : blocks->heads == out_heads_of(desc) ? "h" : "k";
    format_part(desc, part);
    snprintf(value, SQA_FIELD_VALUE, "%ux%u@%s%s%s%s", blocks->query_size, blocks->key_size, part,
             *batch || *heads ? "/" : "", batch, heads);
    return true;
}

static sqa_status read_ragged(const char *value, const sqa_shape_items *items, void *descriptor)
{
    (void)items;
    sqa_attention_desc *desc = descriptor;
    sqa_ragged *ragged = &desc->ragged;
    ragged->present = 1;
    if (sqa_read_pair(value, ':', 0, MOST_LENGTH, &ragged->q_total, &ragged->kv_total))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "ragged is '%s'; expected QTOTAL:KVTOTAL, the rows of all sequences together, "
                    "each from 0 to %u",
                    value, MOST_LENGTH);
}

static bool write_ragged(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_attention_desc *desc = descriptor;
    snprintf(value, SQA_FIELD_VALUE, "%u:%u", desc->ragged.q_total, desc->ragged.kv_total);
    return desc->ragged.present;
}

#define AT(member) offsetof(sqa_attention_desc, member)
#define OWN(name, meaning)                                                                         \
#name, #name, meaning, SQA_FIELD_OWN, .read = read_##name, .write = write_##name

const sqa_shape_field sqa_position_fields[] = {
    {OWN(causal, "no key after the query's own position"), .flag = true},
    {OWN(align, "bottom-right or top-left: where queries stand, with causal and without")},
    {0},
};

const sqa_shape_field sqa_pattern_fields[] = {
    {OWN(window, "LEFT:RIGHT, keys before and after the position; -1: all")},
    {OWN(globals,
         "N or listN: the first N positions, or N of a list, see and are seen everywhere")},
    {OWN(softcap, "X: scores become X tanh(score / X)")},
    {OWN(alibi, "geometric or slopes: those of the paper, or a tensor of them")},
    {OWN(bias, "TYPE/DIMS: packed along those of b, h and q named, repeated along the others")},
    {OWN(mask, "DIMS likewise; a byte per query and key")},
    {"keymask", "key_mask", "a byte per key", SQA_FIELD_FLAG, .offset = AT(key_mask)},
    {"sinks", "sinks", "a logit per head that joins the sum", SQA_FIELD_FLAG, .offset = AT(sinks)},
    {OWN(dropout, "the part of the weights that is dropped"), .number = true},
    {0},
};

const sqa_shape_field sqa_list_fields[] = {
    {OWN(blocks, "QxK@PART[/LISTS]: block sizes, the part of all key blocks that is listed, and b, "
                 "h (k) where batches, (key/value) heads have lists of their own")},
    {0},
};

SQA_PAGE_KEYS(sqa_attention_desc, kv_length)

const sqa_shape_field sqa_paged_fields[] = {
    {OWN(page, "K and V in pages of so many keys; nk is then the most of a sequence"),
     .number = true},
    {OWN(pages, "of K and V (as many as all sequences take)"), .number = true,
     .together_with = "page"},
    {0},
};

const sqa_shape_field sqa_ragged_fields[] = {
    {OWN(ragged, "QTOTAL:KVTOTAL, rows of all sequences; nq and nk are then the longest's")},
    {0},
};
