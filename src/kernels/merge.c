/* merge: the one family of merging two parts of attention; see cl/merge/merge.cl. */
#include <string.h>

#include "device/architectures.h"
#include "kernels/arguments.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "operations/merge/merging.h"

enum { COLUMNS };

static const sqa_parameter parameters[] = {
    [COLUMNS] = {"COLUMNS", "columns of a row that a work-item has", {1, 4, 16, 64, 512}, 5},
};

/* A work-item of a GPU has some columns, one of a CPU all of them. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    (void)problem;
    memset(config, 0, sizeof *config);
    config->value[COLUMNS] = sqa_architecture_find(device)->group_items > 1 ? 4 : 512;
}

#define STRIDES(name) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(merging.name)
#define INT(name) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(merging.name)

static const sqa_argument_row rows[] = {
    {SQA_READ(a, "sqa_stored", SQA_SLOT_PART_A)},
    {SQA_READ(a_lse, "float", SQA_SLOT_PART_A_LSE)},
    {SQA_READ(b, "sqa_stored", SQA_SLOT_PART_B)},
    {SQA_READ(b_lse, "float", SQA_SLOT_PART_B_LSE)},
    {SQA_WRITTEN(o, "sqa_stored", SQA_SLOT_MERGED)},
    {SQA_WRITTEN(lse, "float", SQA_SLOT_MERGED_LSE)},
    {STRIDES(a)},
    {STRIDES(b)},
    {STRIDES(o)},
    {INT(heads)},
    {INT(length)},
    {INT(dim)},
    {0},
};
static const sqa_argument_row *const tables[] = {rows, NULL};
static const char *const fragments[] = {"common/types.cl", "merge/merge.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_text_format(out, "#define SQA_DTYPE %d\n", (int)problem->of.merging.dtype);
    sqa_arguments_print(out, "SQA_MERGE_ARGUMENTS", tables, problem);
    sqa_text_append(out, "\n");
    sqa_source_fragments(out, &sqa_merge_family);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_merging *m = &problem->of.merging;
    const uint32_t columns = (uint32_t)config->value[COLUMNS];
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_merge_parts", 3);
    (void)device;
    step->global[0] = (m->dim + columns - 1) / columns;
    step->global[1] = m->length;
    step->global[2] = (size_t)m->heads * m->batch;
    sqa_arguments_fill(out, step, tables, problem, NULL);
}

const sqa_kernel_family sqa_merge_family = {
    .name = "merge",
    .summary = "some columns of a row to a work-item",
    .operation = SQA_OPERATION_MERGE,
    .space_version = 1,
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = default_config,
    .source = source,
    .launch = launch,
};
