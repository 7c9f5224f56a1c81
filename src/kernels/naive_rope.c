/* naive, of rotary position embedding: one work-item per pair, or element that is copied. */
#include "kernels/arguments.h"
#include "kernels/elements.h"
#include "kernels/families.h"
#include "kernels/source.h"
#include "operations/rope/slots.h"

static bool has_positions(const sqa_problem *problem)
{
    return problem->of.rotation.positions;
}

static bool has_offset(const sqa_problem *problem)
{
    return !problem->of.rotation.positions;
}

#define STRIDES(name) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(rotation.name)
#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(rotation.member)

static const sqa_argument_row rows[] = {
    {SQA_READ_HERE(x, "sqa_stored", SQA_SLOT_ROPE_X)},
    {SQA_WRITTEN_HERE(y, "sqa_stored", SQA_SLOT_ROPE_Y)},
    {STRIDES(x)},
    {STRIDES(y)},
    {INT(heads, heads)},
    {SQA_READ(positions, "int", SQA_SLOT_POSITIONS), .when = has_positions},
    {"position_batch", SQA_TYPE_LONG, SQA_IN_PROBLEM(rotation.position_batch),
     .when = has_positions},
    {INT(first_position, offset), .when = has_offset},
    {0},
};
static const sqa_argument_row *const tables[] = {rows, NULL};
static const char *const fragments[] = {"common/types.cl", "rope/turn.cl", "rope/naive.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const sqa_rotation *r = &problem->of.rotation;
    (void)config, (void)device;
    sqa_text_format(out,
                    "#define SQA_DTYPE %d\n#define SQA_DIM %u\n#define SQA_ROTARY %u\n"
                    "#define SQA_HALF %u\n#define SQA_INVERSE %u\n#define SQA_POSITIONS %u\n",
                    (int)r->dtype, r->dim, r->rotary, (uint32_t)r->pairs, r->inverse, r->positions);
    if (r->rotary > 0)
        sqa_source_turns(out, r->rotary, r->base);
    sqa_arguments_print(out, "SQA_ROPE_ARGUMENTS", tables, problem);
    sqa_source_fragments(out, &sqa_naive_rope);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_rotation *r = &problem->of.rotation;
    (void)config;
    sqa_launch_step *step =
        sqa_elements_add_step(out, device, "sqa_naive_rope", r->dim - r->rotary / 2, r->length,
                              (size_t)r->batch * r->heads);
    sqa_arguments_fill(out, step, tables, problem, NULL);
}

const sqa_kernel_family sqa_naive_rope = {
    .name = "naive",
    .summary = "one work-item per pair",
    .operation = SQA_OPERATION_ROPE,
    .space_version = 1,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = source,
    .launch = launch,
};
