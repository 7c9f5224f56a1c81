#include "problem/pattern.h"

#include <math.h>

#include "base/status.h"
#include "problem/checks.h"
#include "problem/dropout.h"
#include "problem/names.h"

#define MAX_LENGTH (1u << 30)
#define MAX_GLOBALS (1u << 20)

/* Whether it had to be set is another question. */
static uint32_t known_or_0(uint32_t value)
{
    return value == SQA_NOT_SET ? 0 : value;
}

static sqa_status check_numbers(const sqa_attention_desc *desc)
{
    const struct {
        const char *field;
        uint32_t value, high;
    } fields[] = {
        {"desc.align", (uint32_t)desc->align, SQA_ALIGN_TOP_LEFT},
        {"desc.globals.count", desc->globals.count, MAX_GLOBALS},
        {"desc.globals.listed", desc->globals.listed, 1},
        {"desc.key_mask", desc->key_mask, 1},
        {"desc.mask.present", desc->mask.present, 1},
        {"desc.ragged.present", desc->ragged.present, 1},
        {"desc.ragged.q_total", known_or_0(desc->ragged.q_total), MAX_LENGTH},
        {"desc.ragged.kv_total", known_or_0(desc->ragged.kv_total), MAX_LENGTH},
        {"desc.alibi", (uint32_t)desc->alibi, SQA_ALIBI_SLOPES},
        {"desc.bias.present", desc->bias.present, 1},
        {"desc.sinks", desc->sinks, 1},
        {"desc.paged.page_size", desc->paged.page_size, MAX_LENGTH},
        {"desc.paged.pages", desc->paged.pages, MAX_LENGTH},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        sqa_status status = sqa_check_range(fields[i].field, fields[i].value, 0, fields[i].high);
        if (status != SQA_OK)
            return status;
    }
    if (!isfinite(desc->softcap) || desc->softcap < 0.0f)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.softcap: must be positive and finite, or 0 for none");
    const sqa_status status = sqa_check_dropout("desc.dropout", desc->dropout);
    if (status != SQA_OK)
        return status;
    if (desc->bias.present && !sqa_dtype_name((sqa_dtype)desc->bias.dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc.bias.dtype: %d is not an sqa_dtype",
                        desc->bias.dtype);
    return SQA_OK;
}

static sqa_status read_bound(const char *field, int32_t asked, int32_t *out)
{
    if (asked < -1 || asked > SQA_UNBOUNDED)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %d is outside 0..%d, and not -1 (no bound)",
                        field, asked, SQA_UNBOUNDED);
    *out = asked == -1 ? SQA_UNBOUNDED : asked;
    return SQA_OK;
}

/* Whether some query may be too far from some key it sees otherwise. Lengths of sequences that a
 * tensor says are not known here. */
static bool window_hides(const sqa_attention *attention, const sqa_window *window)
{
    if (sqa_attention_has_own_lengths(attention))
        return window->left < SQA_UNBOUNDED || window->right < SQA_UNBOUNDED;
    const int64_t last_position = (int64_t)attention->q_length - 1 + attention->diagonal;
    const bool left = window->left < last_position;
    const bool right = window->right < (int64_t)attention->kv_length - 1 - attention->diagonal &&
                       !(attention->mask & SQA_MASK_CAUSAL && window->right >= 0);
    return left || right;
}

static sqa_status set_window(sqa_attention *attention, const sqa_attention_desc *desc)
{
    sqa_window window;
    sqa_status status = read_bound("desc.window.left", desc->window.left, &window.left);
    if (status == SQA_OK)
        status = read_bound("desc.window.right", desc->window.right, &window.right);
    if (status != SQA_OK || !window_hides(attention, &window))
        return status;
    attention->mask |= SQA_MASK_WINDOW;
    attention->window = window;
    if (desc->globals.count > 0) {
        attention->mask |= SQA_MASK_GLOBALS;
        attention->globals = desc->globals;
    }
    return SQA_OK;
}

void sqa_set_positions(sqa_attention *attention, const sqa_attention_desc *desc)
{
    const bool bottom_right = desc->causal == SQA_CAUSAL_NONE
                                  ? desc->align == SQA_ALIGN_BOTTOM_RIGHT
                                  : desc->causal == SQA_CAUSAL_BOTTOM_RIGHT;
    attention->bottom_right = bottom_right;
    attention->diagonal =
        bottom_right ? (int32_t)attention->kv_length - (int32_t)attention->q_length : 0;
}

/* The alignment counts only where some rule asks where queries stand. */
static void drop_unused_positions(sqa_attention *attention)
{
    if (attention->mask & (SQA_MASK_CAUSAL | SQA_MASK_WINDOW) || attention->score & SQA_SCORE_ALIBI)
        return;
    attention->bottom_right = 0;
    attention->diagonal = 0;
}

static sqa_status set_ragged(sqa_attention *attention, const sqa_ragged *ragged)
{
    if (!ragged->present)
        return SQA_OK;
    if (attention->batch > 65535)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.batch: %u is outside 0..65535 sequences of a ragged batch",
                        attention->batch);
    const bool own_keys = !(attention->mask & SQA_MASK_PAGED);
    sqa_status status = sqa_check_is_set("desc.ragged.q_total", ragged->q_total, MAX_LENGTH);
    if (status == SQA_OK && own_keys)
        status = sqa_check_is_set("desc.ragged.kv_total", ragged->kv_total, MAX_LENGTH);
    if (status != SQA_OK)
        return status;
    attention->mask |= SQA_MASK_RAGGED;
    attention->q_total = ragged->q_total;
    attention->kv_total = own_keys ? ragged->kv_total : 0;
    return SQA_OK;
}

static sqa_status set_paged(sqa_attention *attention, const sqa_paged *paged)
{
    if (!paged->page_size)
        return SQA_OK;
    attention->mask |= SQA_MASK_PAGED;
    attention->paged = *paged;
    if (!paged->pages && attention->kv_length > 0)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.paged.pages: 0 pages have no room for kv_length (%u) keys; expected "
                        "1..%u",
                        attention->kv_length, MAX_LENGTH);
    const uint64_t entries = (uint64_t)attention->batch * sqa_attention_table_row(attention);
    if (entries > INT32_MAX)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.paged.page_size: %u keys make a block table of %llu entries, at most "
                        "2^31 - 1 are allowed",
                        paged->page_size, (unsigned long long)entries);
    return SQA_OK;
}

static sqa_status check_lists(const char *field, uint32_t count, uint32_t other,
                              const char *other_name, uint32_t third)
{
    if (count == 1 || count == other || count == third)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %u is neither 1 nor %s (%u)", field, count,
                    other_name, other);
}

static sqa_status set_blocks(sqa_attention *attention, const sqa_attention_desc *desc)
{
    const sqa_blocks *blocks = &desc->blocks;
    if (!blocks->query_size && !blocks->key_size)
        return SQA_OK;
    sqa_status status =
        sqa_check_range("desc.blocks.query_size", blocks->query_size, 1, MAX_LENGTH);
    if (status == SQA_OK)
        status = sqa_check_range("desc.blocks.key_size", blocks->key_size, 1, MAX_LENGTH);
    if (status == SQA_OK)
        status = sqa_check_is_set("desc.blocks.entries", blocks->entries, INT32_MAX);
    if (status == SQA_OK && desc->globals.count > 0)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.globals: not together with desc.blocks");
    if (status == SQA_OK)
        status = check_lists("desc.blocks.batch", blocks->batch, attention->batch, "batch",
                             attention->batch);
    if (status == SQA_OK)
        status = check_lists("desc.blocks.heads", blocks->heads, attention->out_heads,
                             "the output heads", attention->kv_heads);
    if (status != SQA_OK)
        return status;
    attention->mask |= SQA_MASK_BLOCKS;
    attention->blocks = *blocks;
    /* No block is longer than the sequence: kernels count rows of a block in an int. */
    if (blocks->query_size > attention->q_length)
        attention->blocks.query_size = attention->q_length ? attention->q_length : 1;
    if (blocks->key_size > attention->kv_length)
        attention->blocks.key_size = attention->kv_length ? attention->kv_length : 1;
    const uint64_t rows = sqa_attention_block_lists(attention);
    if (rows >= INT32_MAX)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "desc.blocks: %llu lists, at most 2^31 - 2 are allowed",
                        (unsigned long long)rows);
    return SQA_OK;
}

static sqa_status set_masks(sqa_attention *attention, const sqa_attention_desc *desc)
{
    if (desc->key_mask)
        attention->mask |= SQA_MASK_KEY;
    if (!desc->mask.present)
        return SQA_OK;
    attention->mask |= SQA_MASK_PAIR;
    attention->pair_mask = desc->mask.strides;
    return sqa_check_strides("desc.mask.strides", &attention->pair_mask, attention->batch,
                             attention->out_heads, attention->q_length);
}

static sqa_status set_scores(sqa_attention *attention, const sqa_attention_desc *desc)
{
    if (desc->softcap > 0.0f) {
        attention->score |= SQA_SCORE_SOFTCAP;
        attention->softcap = desc->softcap;
    }
    if (desc->dropout > 0.0f) {
        attention->score |= SQA_SCORE_DROPOUT;
        attention->dropout = desc->dropout;
    }
    if (desc->alibi != SQA_ALIBI_NONE)
        attention->score |= SQA_SCORE_ALIBI;
    if (desc->alibi == SQA_ALIBI_SLOPES)
        attention->score |= SQA_SCORE_SLOPES;
    if (desc->sinks)
        attention->score |= SQA_SCORE_SINKS;
    if (!desc->bias.present)
        return SQA_OK;
    attention->score |= SQA_SCORE_BIAS;
    attention->bias = desc->bias.strides;
    attention->bias_dtype = (sqa_dtype)desc->bias.dtype;
    return sqa_check_strides("desc.bias.strides", &attention->bias, attention->batch,
                             attention->out_heads, attention->q_length);
}

sqa_status sqa_pattern_from_desc(sqa_attention *attention, const sqa_attention_desc *desc)
{
    sqa_status status = check_numbers(desc);
    if (status == SQA_OK)
        status = set_paged(attention, &desc->paged);
    if (status == SQA_OK)
        status = set_ragged(attention, &desc->ragged);
    if (desc->causal != SQA_CAUSAL_NONE)
        attention->mask |= SQA_MASK_CAUSAL;
    sqa_set_positions(attention, desc);
    if (status == SQA_OK)
        status = set_window(attention, desc);
    if (status == SQA_OK)
        status = set_blocks(attention, desc);
    if (status == SQA_OK)
        status = set_masks(attention, desc);
    if (status == SQA_OK)
        status = set_scores(attention, desc);
    drop_unused_positions(attention);
    return status;
}

static uint32_t block_count(uint32_t length, uint32_t size)
{
    return size ? (uint32_t)(((uint64_t)length + size - 1) / size) : 0;
}

uint32_t sqa_attention_query_blocks(const sqa_attention *attention)
{
    return block_count(attention->q_length, attention->blocks.query_size);
}

uint64_t sqa_attention_block_lists(const sqa_attention *attention)
{
    return (uint64_t)attention->blocks.batch * attention->blocks.heads *
           sqa_attention_query_blocks(attention);
}

bool sqa_attention_has_stored_scores(const sqa_attention *attention)
{
    return attention->mask & (SQA_MASK_KEY | SQA_MASK_PAIR) || attention->score & SQA_SCORE_BIAS;
}

bool sqa_attention_has_own_lengths(const sqa_attention *attention)
{
    return attention->mask & (SQA_MASK_RAGGED | SQA_MASK_PAGED);
}

sqa_status sqa_check_not_paged(const sqa_attention *attention)
{
    return attention->mask & SQA_MASK_PAGED
               ? sqa_fail(SQA_UNSUPPORTED, "desc.paged: only forward attention takes pages")
               : SQA_OK;
}

uint32_t sqa_attention_table_row(const sqa_attention *attention)
{
    return block_count(attention->kv_length, attention->paged.page_size);
}

uint32_t sqa_attention_kv_entries(const sqa_attention *attention)
{
    if (attention->mask & SQA_MASK_PAGED)
        return attention->paged.pages;
    return attention->mask & SQA_MASK_RAGGED && attention->batch > 1 ? 1 : attention->batch;
}

uint32_t sqa_attention_kv_rows(const sqa_attention *attention)
{
    return attention->mask & SQA_MASK_PAGED    ? attention->paged.page_size
           : attention->mask & SQA_MASK_RAGGED ? attention->kv_total
                                               : attention->kv_length;
}

uint32_t sqa_attention_key_blocks(const sqa_attention *attention)
{
    return block_count(attention->kv_length, attention->blocks.key_size);
}
