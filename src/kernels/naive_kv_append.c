/* naive, of appending to a cache: one work-item per pair that is turned, or element; per group of
 * elements where the cache is quantised; per block of a key that goes through a Hadamard matrix. */
#include "kernels/arguments.h"
#include "kernels/elements.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "operations/kv_append/slots.h"
#include "problem/groups.h"
#include "problem/rope.h"

static bool is_ragged(const sqa_problem *problem)
{
    return problem->of.appending.ragged;
}

static bool is_even(const sqa_problem *problem)
{
    return !problem->of.appending.ragged;
}

#define STRIDES(name) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(appending.name)
#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(appending.member)

static const sqa_argument_row rows[] = {
    {SQA_READ(k, "sqa_stored", SQA_SLOT_NEW_K)},
    {SQA_READ(v, "sqa_stored", SQA_SLOT_NEW_V)},
    {SQA_READ(positions, "int", SQA_SLOT_TOKEN_POSITIONS)},
    {SQA_READ(table, "int", SQA_SLOT_TOKEN_TABLE)},
    {SQA_READ(starts, "int", SQA_SLOT_TOKEN_STARTS), .when = is_ragged},
    {SQA_WRITTEN(k_cache, "sqa_kv_stored", SQA_SLOT_K_CACHE)},
    {SQA_WRITTEN(v_cache, "sqa_kv_stored", SQA_SLOT_V_CACHE)},
    {STRIDES(k)},
    {STRIDES(v)},
    {SQA_STRIDES_OF(k_cache, SQA_SLOT_K_CACHE)},
    {SQA_STRIDES_OF(v_cache, SQA_SLOT_V_CACHE)},
    {INT(kv_heads, kv_heads)},
    {INT(capacity, capacity)},
    {INT(page_size, paged.page_size)},
    {INT(pages, paged.pages)},
    {INT(total, total), .when = is_ragged},
    {INT(length, length), .when = is_even},
    {0},
};
static const sqa_argument_row *const tables[] = {rows, NULL};
static const char *const fragments[] = {"common/types.cl", "rope/turn.cl", "rope/hadamard.cl",
                                        "kv/group.cl",     "kv/append.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const sqa_appending *a = &problem->of.appending;
    (void)config, (void)device;
    sqa_text_format(out,
                    "#define SQA_DTYPE %d\n#define SQA_KV_DTYPE %d\n"
                    "#define SQA_HEAD_DIM %u\n#define SQA_VALUE_DIM %u\n"
                    "#define SQA_ROTARY %u\n#define SQA_HALF %u\n#define SQA_INVERSE 0\n"
                    "#define SQA_RAGGED %u\n#define SQA_AT_END %u\n#define SQA_HADAMARD %u\n",
                    (int)a->dtype, (int)a->kv_dtype, a->head_dim, a->value_dim, a->rotary,
                    (uint32_t)a->pairs, a->ragged, a->at_end,
                    a->hadamard ? sqa_hadamard_block(a->head_dim) : 0);
    if (a->rotary > 0)
        sqa_source_turns(out, a->rotary, a->base);
    sqa_arguments_print(out, "SQA_KV_APPEND_ARGUMENTS", tables, problem);
    sqa_source_fragments(out, &sqa_naive_kv_append);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_appending *a = &problem->of.appending;
    (void)config;
    const bool quantised = sqa_dtype_is_quantised(a->kv_dtype);
    const uint32_t keys = a->hadamard ? a->head_dim / sqa_hadamard_block(a->head_dim)
                          : quantised ? a->head_dim / SQA_GROUP
                                      : a->head_dim - a->rotary / 2;
    const uint32_t values = quantised ? a->value_dim / SQA_GROUP : a->value_dim;
    sqa_launch_step *step = sqa_elements_add_step(out, device, "sqa_kv_append", keys + values,
                                                  a->length, (size_t)a->batch * a->kv_heads);
    sqa_arguments_fill(out, step, tables, problem, NULL);
}

const sqa_kernel_family sqa_naive_kv_append = {
    .name = "naive",
    .summary = "one work-item per element, or group or block of them",
    .operation = SQA_OPERATION_KV_APPEND,
    .space_version = 1,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = source,
    .launch = launch,
};
