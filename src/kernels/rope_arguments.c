#include "kernels/rope_arguments.h"

#include "kernels/source.h"
#include "operations/rope/slots.h"

static bool has_positions(const sqa_problem *problem)
{
    return problem->of.rotation.positions;
}

static bool has_strided_positions(const sqa_problem *problem)
{
    return problem->of.rotation.positions == 1;
}

static bool is_ragged(const sqa_problem *problem)
{
    return problem->of.rotation.sequences;
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
    {INT(rows, length)},
    {SQA_READ(positions, "int", SQA_SLOT_POSITIONS), .when = has_positions},
    {"position_batch", SQA_TYPE_LONG, SQA_IN_PROBLEM(rotation.position_batch),
     .when = has_strided_positions},
    {SQA_READ(starts, "int", SQA_SLOT_ROPE_STARTS), .when = is_ragged},
    {INT(sequences, sequences), .when = is_ragged},
    {INT(first_position, offset), .when = has_offset},
    {0},
};

const sqa_argument_row *const sqa_rope_tables[] = {rows, NULL};

void sqa_source_rope(sqa_text *out, const sqa_problem *problem)
{
    const sqa_rotation *r = &problem->of.rotation;
    sqa_text_format(out,
                    "#define SQA_DTYPE %d\n#define SQA_DIM %u\n#define SQA_ROTARY %u\n"
                    "#define SQA_HALF %u\n#define SQA_INVERSE %u\n#define SQA_POSITIONS %u\n"
                    "#define SQA_RAGGED %d\n#define SQA_HADAMARD %u\n",
                    (int)r->dtype, r->dim, r->rotary, (uint32_t)r->pairs, r->inverse, r->positions,
                    r->sequences > 0, r->hadamard ? sqa_hadamard_block(r->dim) : 0);
    if (r->rotary > 0)
        sqa_source_turns(out, r->rotary, r->base);
    sqa_arguments_print(out, "SQA_ROPE_ARGUMENTS", sqa_rope_tables, problem);
}
