/* elements, of activations and of their gradients: vectors of a row, one after the other. It is
 * all that these need: they wait for memory. */
#include <string.h>

#include "kernels/arguments.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "kernels/thread_tiles.h"
#include "operations/activation/slots.h"
#include "problem/dropout.h"

enum { LANES, STEPS, ITEMS };

static const sqa_parameter parameters[] = {
    [LANES] = {"LANES", "elements of a vector", {4, 8, 16}, 3},
    [STEPS] = {"STEPS", "vectors of a work-item", {1, 4, 16, 64, 256}, 5},
    [ITEMS] = {"ITEMS", "work-items of a work-group", {1, 64, 256}, 3},
};

static bool is_gated(const sqa_problem *problem)
{
    return problem->of.activating.gated;
}

static bool has_residual(const sqa_problem *problem)
{
    return problem->of.activating.add_residual;
}

static bool has_da(const sqa_problem *problem)
{
    return problem->of.activating.da;
}

static bool has_db(const sqa_problem *problem)
{
    return problem->of.activating.db;
}

static bool has_dropout(const sqa_problem *problem)
{
    return problem->of.activating.dropout > 0.0f;
}

static bool is_wide(const sqa_problem *problem)
{
    return problem->of.activating.wide;
}

static bool is_narrow(const sqa_problem *problem)
{
    return !is_wide(problem);
}

/* Where dA is computed, with a gate. */
static bool reads_gate(const sqa_problem *problem)
{
    return is_gated(problem) && has_da(problem);
}

/* What the host works out for a launch. */
typedef struct activation_values {
    int32_t dropout_below; /* the bits of a uint: smaller numbers drop an element */
    float dropout_factor;  /* what others are multiplied by */
} activation_values;

#define LONG(name, member) #name, SQA_TYPE_LONG, SQA_IN_PROBLEM(activating.member)

static const sqa_argument_row forward_rows[] = {
    {SQA_READ_HERE(a, "sqa_stored", SQA_SLOT_ACTIVATION_A)},
    {SQA_READ(b, "sqa_stored", SQA_SLOT_ACTIVATION_B), .when = is_gated},
    {SQA_READ(residual, "sqa_stored", SQA_SLOT_ACTIVATION_RESIDUAL), .when = has_residual},
    {SQA_WRITTEN_HERE(y, "sqa_stored", SQA_SLOT_ACTIVATION_Y), .when = is_narrow},
    {SQA_WRITTEN(y, "float", SQA_SLOT_ACTIVATION_Y), .when = is_wide},
    {LONG(y_batch, y.batch)},
    {LONG(y_row, y.row)},
    {LONG(residual_batch, residual.batch), .when = has_residual},
    {LONG(residual_row, residual.row), .when = has_residual},
    {SQA_READ(dropout_seed, "uint", SQA_SLOT_ACTIVATION_SEED), .when = has_dropout},
    {0},
};

static const sqa_argument_row backward_rows[] = {
    {SQA_READ(a, "sqa_stored", SQA_SLOT_ACTIVATION_A)},
    {SQA_READ(b, "sqa_stored", SQA_SLOT_ACTIVATION_B), .when = reads_gate},
    {SQA_READ(dy, "sqa_stored", SQA_SLOT_ACTIVATION_DY), .when = is_narrow},
    {SQA_READ(dy, "float", SQA_SLOT_ACTIVATION_DY), .when = is_wide},
    {SQA_WRITTEN(da, "sqa_stored", SQA_SLOT_ACTIVATION_DA), .when = has_da},
    {SQA_WRITTEN(db, "sqa_stored", SQA_SLOT_ACTIVATION_DB), .when = has_db},
    {LONG(dy_batch, y.batch)},
    {LONG(dy_row, y.row)},
    {SQA_READ(dropout_seed, "uint", SQA_SLOT_ACTIVATION_BACKWARD_SEED), .when = has_dropout},
    {0},
};

static const sqa_argument_row shared_rows[] = {
    {"dim", SQA_TYPE_INT, SQA_IN_PROBLEM(activating.dim)},
    {LONG(a_batch, a.batch)},
    {LONG(a_row, a.row)},
    {LONG(b_batch, b.batch), .when = is_gated},
    {LONG(b_row, b.row), .when = is_gated},
    {"dropout_below", SQA_TYPE_INT, SQA_IN_VALUES(activation_values, dropout_below),
     .when = has_dropout},
    {"dropout_factor", SQA_TYPE_FLOAT, SQA_IN_VALUES(activation_values, dropout_factor),
     .when = has_dropout},
    {0},
};

static const sqa_argument_row *const forward_tables[] = {forward_rows, shared_rows, NULL};
static const sqa_argument_row *const backward_tables[] = {backward_rows, shared_rows, NULL};

static const sqa_argument_row *const *tables_of(const sqa_problem *problem)
{
    const sqa_activating *of = &problem->of.activating;
    return of->da || of->db ? backward_tables : forward_tables;
}

static const char *const fragments[] = {
    "common/types.cl",       "common/vectors.cl",      "common/activation.cl",
    "common/stored.cl",      "common/dropout.cl",      "activation/slope.cl",
    "activation/dropout.cl", "activation/elements.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const sqa_activating *of = &problem->of.activating;
    const struct {
        const char *macro;
        uint32_t value;
    } facts[] = {
        {"SQA_DTYPE", (uint32_t)of->dtype},
        {"SQA_ACTIVATION", (uint32_t)of->activation},
        {"SQA_GATED", of->gated},
        {"SQA_RESIDUAL", of->add_residual},
        {"SQA_DA", of->da},
        {"SQA_DB", of->db},
        {"SQA_ACCUMULATE", of->accumulate},
        {"SQA_DROPOUT", has_dropout(problem)},
        {"SQA_WIDE", of->wide},
    };
    (void)config, (void)device;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        sqa_text_format(out, "#define %s %u\n", facts[i].macro, facts[i].value);
    sqa_arguments_print(out, "SQA_ACTIVATION_ARGUMENTS", tables_of(problem), problem);
    sqa_text_append(out, "\n");
    sqa_source_fragments(out, &sqa_elements_activation);
}

static bool is_valid(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why)
{
    const sqa_device_limits *limits = &device->limits;
    const size_t items = (size_t)config->value[ITEMS];
    (void)problem;
    *why = "the work-group is larger than the device allows";
    return items <= limits->max_work_group_size && items <= limits->max_work_item_sizes[0];
}

/* Neighbours read neighbours on a GPU; on a CPU each core a stretch of its own. */
static void default_config(const sqa_problem *problem, const sqa_device *device, sqa_config *config)
{
    const bool cpu = device->strings.type == SQA_DEVICE_CPU;
    const char *why;
    memset(config, 0, sizeof *config);
    config->value[LANES] = cpu ? 8 : 4;
    config->value[STEPS] = cpu ? 64 : 1;
    config->value[ITEMS] = cpu ? 1 : 64;
    if (!is_valid(config, problem, device, &why))
        config->value[ITEMS] = 1;
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_activating *of = &problem->of.activating;
    const uint32_t items = (uint32_t)config->value[ITEMS];
    const uint32_t stretch = (uint32_t)(config->value[LANES] * config->value[STEPS]);
    const activation_values values = {
        .dropout_below = (int32_t)sqa_dropped_numbers(of->dropout),
        .dropout_factor = (float)sqa_dropout_factor(of->dropout),
    };
    (void)device;
    sqa_launch_step *step = sqa_launch_add_step(out, "sqa_activation", 3);
    step->global[0] = (size_t)sqa_divide_up(sqa_divide_up(of->dim, stretch), items) * items;
    step->global[1] = of->length;
    step->global[2] = of->batch;
    step->local[0] = items;
    step->local[1] = step->local[2] = 1;
    sqa_arguments_fill(out, step, tables_of(problem), problem, &values);
}

#define FAMILY(of)                                                                                 \
    {                                                                                              \
        .name = "elements",                                                                        \
        .summary = "vectors of a row, one after the other; supports everything", .operation = of,  \
        .space_version = 1, .parameters = parameters,                                              \
        .parameter_count = sizeof parameters / sizeof *parameters, .fragments = fragments,         \
        .supports = sqa_family_supports_all, .is_valid = is_valid,                                 \
        .default_config = default_config, .source = source, .launch = launch,                      \
    }

const sqa_kernel_family sqa_elements_activation = FAMILY(SQA_OPERATION_ACTIVATION);
const sqa_kernel_family sqa_elements_activation_backward =
    FAMILY(SQA_OPERATION_ACTIVATION_BACKWARD);
