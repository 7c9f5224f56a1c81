/* See bench_rows.h. */
#include "trial/bench_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "operations/attention/slots.h"
#include "operations/operations.h"
#include "operations/tensors.h"
#include "problem/names.h"
#include "trial/peer.h"
#include "trial/timing_tensors.h"

/* A window's default: as many keys in reach, with a causal mask and without. */
enum { WINDOW_KEYS = 128 };

static const sqa_bench_variant *const mha = &sqa_bench_variants[0];

bool sqa_bench_next_key(const char **pattern, const char **key, size_t *length)
{
    *key = *pattern;
    *length = strcspn(*pattern, ",");
    *pattern += *length + ((*pattern)[*length] == ',');
    return *length > 0;
}

bool sqa_bench_key_is(const char *key, size_t length, const char *name)
{
    const size_t size = strlen(name);
    return length >= size && !strncmp(key, name, size) && (length == size || key[size] == '=');
}

bool sqa_bench_has_key(const char *pattern, const char *name)
{
    const char *key;
    size_t length;
    while (sqa_bench_next_key(&pattern, &key, &length))
        if (sqa_bench_key_is(key, length, name))
            return true;
    return false;
}

bool sqa_bench_has_field(const sqa_operation_entry *operation, const char *name)
{
    for (const sqa_shape_field *const *table = operation->fields; *table; table++)
        for (const sqa_shape_field *field = *table; field->name; field++)
            if (!strcmp(field->name, name))
                return true;
    return false;
}

bool sqa_bench_has_variants(const sqa_timed_pass *pass)
{
    static const char *const set[] = {"b", "hq", "hkv", "n", "d", "dtype"};
    for (size_t p = 0; p < pass->part_count; p++)
        for (size_t i = 0; i < sizeof set / sizeof *set; i++)
            if (!sqa_bench_has_field(pass->parts[p].operation, set[i]))
                return false;
    return true;
}

bool sqa_bench_has_latents(const sqa_timed_pass *pass)
{
    for (size_t p = 0; p < pass->part_count; p++)
        if (!sqa_bench_has_field(pass->parts[p].operation, "kv") ||
            !sqa_bench_has_field(pass->parts[p].operation, "v"))
            return false;
    return !sqa_bench_is_layer(pass);
}

bool sqa_bench_is_layer(const sqa_timed_pass *pass)
{
    for (size_t p = 0; p < pass->part_count; p++)
        if (!sqa_bench_has_field(pass->parts[p].operation, "dmodel"))
            return false;
    return true;
}

sqa_window sqa_bench_window(const sqa_bench_options *options)
{
    if (options->window)
        return *options->window;
    return sqa_bench_has_key(options->pattern, "causal")
               ? (sqa_window){WINDOW_KEYS, 0}
               : (sqa_window){WINDOW_KEYS / 2, WINDOW_KEYS / 2};
}

uint32_t sqa_bench_queries(const sqa_bench_options *options, const sqa_timed_pass *pass)
{
    return options->queries ? options->queries : pass->queries;
}

/* Values are the beginning of the keys, wherever those are. */
static void write_latent_keys(const sqa_bench_options *options, const sqa_bench_row *row,
                              sqa_text *out)
{
    const unsigned long long keys = options->page ? options->page : row->length;
    if (row->variant->is_latent)
        sqa_text_format(out, ",dv=%d,v=%llu:%llu:%u", SQA_BENCH_LATENT_VALUE, keys * row->dim,
                        keys * row->dim, row->dim);
}

/* The keys that a variant is asked for with, so that every operation that has them can be. A layer
 * is as wide as all heads of the multi-head model. */
static void write_keys(const sqa_bench_options *options, const sqa_bench_row *row, sqa_text *out)
{
    const sqa_bench_reach reach = row->variant->reach;
    sqa_text_format(out, "b=%u,hq=%u,hkv=%u,", row->batch, row->q_heads, row->kv_heads);
    if (sqa_bench_queries(options, row->pass))
        sqa_text_format(out, "nq=%u,nk=%u", row->queries, row->length);
    else
        sqa_text_format(out, "n=%u", row->length);
    sqa_text_format(out, ",d=%u,dtype=%s", row->dim, sqa_dtype_name(row->dtype));
    write_latent_keys(options, row, out);
    if (row->kv_dtype != row->dtype)
        sqa_text_format(out, ",kv=%s", sqa_kv_dtype_name(row->kv_dtype));
    if (options->pattern[0])
        sqa_text_format(out, ",%s", options->pattern);
    if (sqa_bench_is_layer(row->pass) && !sqa_bench_has_key(options->pattern, "dmodel"))
        sqa_text_format(out, ",dmodel=%u", options->heads * row->dim);
    if (reach != SQA_BENCH_REACH_ALL) {
        const sqa_window window = sqa_bench_window(options);
        sqa_text_format(out, ",window=%d:%d", window.left, window.right);
    }
    if (reach == SQA_BENCH_REACH_GLOBALS)
        sqa_text_format(out, ",globals=%u", options->globals);
}

/* What the shape says beyond what a row has fields for. */
static void keep_pattern(const char *shape, char out[SQA_SHAPE_TEXT])
{
    static const char *const fields[] = {"b", "hq", "hkv", "nq", "nk", "d", "dtype", "kv"};
    const char *key;
    size_t length, used = 0;
    out[0] = '\0';
    while (sqa_bench_next_key(&shape, &key, &length)) {
        bool known = false;
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            known = known || sqa_bench_key_is(key, length, fields[i]);
        if (!known)
            used += (size_t)snprintf(out + used, SQA_SHAPE_TEXT - used, "%s%.*s", used ? "," : "",
                                     (int)length, key);
    }
}

static void keep_shape(const sqa_problem *problem, char out[SQA_SHAPE_TEXT])
{
    sqa_problem_format(problem, out, SQA_SHAPE_TEXT);
    const char *keys = sqa_shape_keys(out);
    memmove(out, keys, strlen(keys) + 1);
}

/* The problem of each part, from the keys that they share. */
static sqa_status read_parts(sqa_bench_row *row, const char *keys)
{
    const sqa_timed_pass *pass = row->pass;
    sqa_status status = SQA_OK;
    for (size_t p = 0; p < pass->part_count && status == SQA_OK; p++) {
        const char *own = pass->parts[p].keys;
        sqa_text shape = SQA_TEXT_INIT;
        sqa_text_format(&shape, "op=%s,%s%s%s", pass->parts[p].operation->name, keys,
                        *own ? "," : "", own);
        status = sqa_text_status(&shape);
        if (status == SQA_OK)
            status = sqa_problem_parse(sqa_text_get(&shape), &row->parts[p]);
        sqa_text_free(&shape);
        if (status != SQA_OK)
            break;
        row->flop += sqa_problem_flop(&row->parts[p]);
        row->bytes += sqa_problem_bytes(&row->parts[p]);
    }
    if (status == SQA_OK)
        keep_shape(&row->parts[pass->part_count - 1], row->shape);
    return status;
}

/* Of the tensors k and v, the bytes of a key of all heads, and how they are stored. */
static void describe_cache(const sqa_problem *problem, sqa_bench_row *row)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    double bytes = 0.0;
    sqa_tensor_shape shape;
    for (uint32_t slot = 0; slot < entry->slot_count; slot++) {
        const char *name = entry->slots[slot].name;
        if (name && (!strcmp(name, "k") || !strcmp(name, "v")) &&
            sqa_tensor_shape_of(problem, slot, &shape))
            bytes += (double)shape.heads * shape.dim * sqa_element_size(shape.element);
        if (name && !strcmp(name, "k") && sqa_tensor_shape_of(problem, slot, &shape))
            row->kv_dtype = (sqa_dtype)shape.element;
    }
    row->token_bytes = bytes;
}

static double matrix_bytes(const sqa_problem *problem, uint32_t slot)
{
    sqa_tensor_shape shape;
    return sqa_tensor_shape_of(problem, slot, &shape)
               ? (double)shape.batch * shape.heads * shape.length * shape.dim *
                     sqa_element_size(shape.element)
               : 0.0;
}

/* Of a cache in pages, what the sequences have there; of latents, the values are read as keys. */
static void count_cache(const sqa_bench_options *options, sqa_bench_row *row)
{
    const sqa_problem *problem = &row->parts[0];
    double keys = 0.0;
    for (uint32_t b = 0; b < row->batch; b++)
        keys += sqa_timing_length(row->shortest, row->length, row->batch, b);
    if (row->variant->is_latent)
        row->token_bytes = row->dim * sqa_element_size((sqa_element)row->kv_dtype);
    if (!options->page && !row->variant->is_latent)
        return;
    row->bytes += row->token_bytes * keys - matrix_bytes(problem, SQA_SLOT_K) -
                  matrix_bytes(problem, SQA_SLOT_V);
    if (row->batch)
        row->flop *= keys / ((double)row->batch * row->length);
}

/* Heads and dimension are the model's, but for what has its own. */
static sqa_status read_heads(const sqa_bench_options *options, sqa_bench_row *row)
{
    if (!row->variant->is_latent)
        return sqa_variant_heads(row->variant->heads, options->heads, &row->q_heads,
                                 &row->kv_heads);
    row->q_heads = SQA_BENCH_LATENT_HEADS;
    row->kv_heads = 1;
    row->dim = SQA_BENCH_LATENT_DIM;
    return SQA_OK;
}

static sqa_status read_variant(const sqa_bench_options *options, const sqa_bench_rows *group,
                               sqa_bench_row *row)
{
    sqa_text keys = SQA_TEXT_INIT;
    const uint32_t queries = sqa_bench_queries(options, row->pass);
    row->batch = group->batch;
    row->queries = queries ? queries : group->length;
    row->length = group->length;
    row->shortest = options->shortest;
    row->dim = group->dim;
    row->dtype = options->dtype;
    row->kv_dtype = group->kv_dtype;
    sqa_status status = read_heads(options, row);
    if (status != SQA_OK)
        return status;
    write_keys(options, row, &keys);
    status = sqa_text_status(&keys);
    if (status == SQA_OK)
        status = read_parts(row, sqa_text_get(&keys));
    sqa_text_free(&keys);
    if (status != SQA_OK)
        return status;
    keep_pattern(row->shape, row->pattern);
    row->causal = sqa_bench_has_key(row->pattern, "causal");
    describe_cache(&row->parts[row->pass->part_count - 1], row);
    count_cache(options, row);
    return SQA_OK;
}

static sqa_bench_row *add_row(const sqa_bench_options *options, size_t pass, size_t family,
                              sqa_bench_rows *out)
{
    const double unknown = (double)NAN;
    sqa_bench_row *row = &out->items[out->count++];
    *row = (sqa_bench_row){
        .pass = &options->passes[pass],
        .asked_family = options->family_count ? options->families[family] : NULL,
        .shown = true,
        .token_bytes = unknown,
        .saving_vs_mha = unknown,
        .speedup_vs_mha = unknown,
        .default_ms = unknown,
    };
    return row;
}

static bool asked_for(const sqa_bench_options *options, const sqa_bench_variant *variant)
{
    for (size_t i = 0; i < options->variant_count; i++)
        if (options->variants[i] == variant)
            return true;
    return false;
}

static bool has_window(const sqa_timed_pass *pass)
{
    for (size_t p = 0; p < pass->part_count; p++)
        if (!sqa_bench_has_field(pass->parts[p].operation, "window"))
            return false;
    return true;
}

/* Whether a pass has no such variant, which others that were asked for have. */
static bool goes_without(const sqa_bench_options *options, const sqa_timed_pass *pass,
                         const sqa_bench_variant *variant)
{
    bool others = false;
    for (size_t i = 0; i < options->pass_count; i++)
        others = others || has_window(&options->passes[i]);
    return variant->reach != SQA_BENCH_REACH_ALL && others && !has_window(pass);
}

/* Once is enough, whatever dimensions others have. */
static bool is_repeated(const sqa_bench_options *options, const sqa_bench_rows *group,
                        const sqa_bench_variant *variant)
{
    return variant->is_latent && group->dim != options->dims[0];
}

/* Those of one pass and family, or peer: MHA in front where it is but a reference. */
static sqa_status add_variants(const sqa_bench_options *options, size_t pass, size_t family,
                               const char *peer, sqa_bench_rows *out)
{
    const size_t first = asked_for(options, mha) ? 1 : 0;
    const size_t begin = out->count;
    sqa_status status = SQA_OK;
    double most = 0.0;
    for (size_t v = first; v <= options->variant_count && status == SQA_OK; v++) {
        if (v && (goes_without(options, &options->passes[pass], options->variants[v - 1]) ||
                  is_repeated(options, out, options->variants[v - 1])))
            continue;
        sqa_bench_row *row = add_row(options, pass, family, out);
        row->shown = v > 0;
        row->peer = peer;
        row->variant = v ? options->variants[v - 1] : mha;
        status = read_variant(options, out, row);
        if (row->variant == mha)
            most = row->flop;
    }
    for (size_t i = begin; i < out->count; i++)
        out->items[i].saving_vs_mha =
            out->items[i].flop > 0.0 ? most / out->items[i].flop : (double)NAN;
    return status;
}

/* Of one pass: each family's, and the peer's. */
static sqa_status add_pass(const sqa_bench_options *options, size_t pass,
                           const sqa_bench_shape *shape, sqa_bench_rows *out)
{
    const size_t families = options->family_count ? options->family_count : 1;
    const bool variants = !shape && sqa_bench_has_variants(&options->passes[pass]);
    sqa_status status = SQA_OK;
    for (size_t f = 0; f < families && status == SQA_OK; f++) {
        if (shape)
            status = read_parts(add_row(options, pass, f, out), shape->keys);
        else if (variants)
            status = add_variants(options, pass, f, NULL, out);
    }
    if (status != SQA_OK || !options->peer ||
        !sqa_peer_is_for(options->peer, &options->passes[pass], variants))
        return status;
    if (variants)
        return add_variants(options, pass, 0, options->peer, out);
    sqa_bench_row *row = add_row(options, pass, 0, out);
    row->peer = options->peer;
    return read_parts(row, shape->keys);
}

static size_t model_group_count(const sqa_bench_options *options)
{
    const size_t formats = options->kv_format_count ? options->kv_format_count : 1;
    return options->variant_count
               ? formats * options->batch_count * options->dim_count * options->length_count
               : 0;
}

bool sqa_bench_group_sizes(const sqa_bench_options *options, size_t group, uint32_t *length,
                           uint32_t *dim, uint32_t *batch, sqa_dtype *kv_dtype)
{
    if (group >= model_group_count(options))
        return false;
    *length = options->lengths[group % options->length_count];
    *dim = options->dims[group / options->length_count % options->dim_count];
    group /= options->length_count * options->dim_count;
    *batch = options->batches[group % options->batch_count];
    *kv_dtype = options->kv_format_count ? options->kv_formats[group / options->batch_count]
                                         : options->dtype;
    return true;
}

size_t sqa_bench_group_count(const sqa_bench_options *options)
{
    return model_group_count(options) + options->shape_count;
}

sqa_status sqa_bench_rows_lay_out(const sqa_bench_options *options, size_t group,
                                  sqa_bench_rows *out)
{
    const size_t models = model_group_count(options);
    const size_t families = options->family_count ? options->family_count : 1;
    const sqa_bench_shape *shape = group < models ? NULL : &options->shapes[group - models];
    const size_t first = shape ? shape->first : 0;
    const size_t count = shape ? shape->count : options->pass_count;
    const size_t most = count * (families + 1) * (shape ? 1 : options->variant_count + 1);
    *out = (sqa_bench_rows){.items = calloc(most, sizeof *out->items)};
    if (!out->items)
        return sqa_fail_memory("the benchmark's rows");
    (void)sqa_bench_group_sizes(options, group, &out->length, &out->dim, &out->batch,
                                &out->kv_dtype);
    sqa_status status = SQA_OK;
    for (size_t p = first; p < first + count && status == SQA_OK; p++)
        status = add_pass(options, p, shape, out);
    return status;
}

void sqa_bench_rows_free(sqa_bench_rows *rows)
{
    free(rows->items);
    *rows = (sqa_bench_rows){0};
}

void sqa_bench_row_name(const sqa_bench_row *row, char *out, size_t size)
{
    if (row->variant)
        snprintf(out, size, "%s at length %u", row->variant->name, row->length);
    else
        snprintf(out, size, "%s", row->shape);
}
