#include "kernels/norm_arguments.h"

#include "operations/norm/slots.h"

static bool has_weight(const sqa_problem *problem)
{
    return problem->of.norm.weight;
}

static bool has_bias(const sqa_problem *problem)
{
    return problem->of.norm.bias;
}

static bool wants_x(const sqa_problem *problem)
{
    return problem->of.norm.gradients & SQA_NORM_GRADIENT_X;
}

static bool wants_weight(const sqa_problem *problem)
{
    return problem->of.norm.gradients & SQA_NORM_GRADIENT_WEIGHT;
}

static bool wants_sums(const sqa_problem *problem)
{
    return problem->of.norm.gradients & (SQA_NORM_GRADIENT_WEIGHT | SQA_NORM_GRADIENT_BIAS);
}

static bool weighs(const sqa_problem *problem)
{
    return has_weight(problem) && wants_x(problem);
}

static bool reads_x(const sqa_problem *problem)
{
    return problem->of.norm.gradients != SQA_NORM_GRADIENT_BIAS;
}

#define STRIDES(name) #name, SQA_TYPE_STRIDES, SQA_IN_PROBLEM(norm.name)
#define INT(name, member) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(norm.member)
#define EPS "eps", SQA_TYPE_FLOAT, SQA_IN_PROBLEM(norm.eps)
#define PART(name) #name, SQA_TYPE_LONG, SQA_IN_VALUES(sqa_norm_parts, name)

static const sqa_argument_row common_rows[] = {
    {INT(batches, batch)}, {INT(heads, heads)}, {INT(rows, length)}, {INT(dim, dim)}, {EPS}, {0},
};

static const sqa_argument_row forward_rows[] = {
    {SQA_READ_HERE(x, "sqa_stored", SQA_SLOT_NORM_X)},
    {SQA_WRITTEN_HERE(y, "sqa_stored", SQA_SLOT_NORM_Y)},
    {STRIDES(x)},
    {STRIDES(y)},
    {SQA_READ(weight, "sqa_stored", SQA_SLOT_NORM_WEIGHT), .when = has_weight},
    {SQA_READ(bias, "sqa_stored", SQA_SLOT_NORM_BIAS), .when = has_bias},
    {0},
};

static const sqa_argument_row backward_rows[] = {
    {SQA_READ(x, "sqa_stored", SQA_SLOT_NORM_X), .when = reads_x},
    {SQA_READ(dy, "sqa_stored", SQA_SLOT_NORM_DY)},
    {STRIDES(x)},
    {STRIDES(dy)},
    {SQA_READ(weight, "sqa_stored", SQA_SLOT_NORM_WEIGHT), .when = weighs},
    {SQA_WRITTEN(dx, "sqa_stored", SQA_SLOT_NORM_DX), .when = wants_x},
    {STRIDES(dx), .when = wants_x},
    {SQA_WRITTEN(dweight, "sqa_stored", SQA_SLOT_NORM_DWEIGHT), .when = wants_weight},
    {SQA_WRITTEN(dbias, "sqa_stored", SQA_SLOT_NORM_DBIAS), .when = has_bias},
    {SQA_WORKSPACE("float *restrict "), .when = wants_sums},
    {PART(part_rows)},
    {PART(sums_at), .when = wants_sums},
    {0},
};

const sqa_argument_row *const sqa_norm_tables[] = {common_rows, forward_rows, NULL};
const sqa_argument_row *const sqa_norm_backward_tables[] = {common_rows, backward_rows, NULL};

sqa_norm_parts sqa_norm_parts_of(const sqa_normalisation *n, int32_t parts, bool statistics)
{
    const uint64_t rows = sqa_normalisation_rows(n);
    const uint32_t sums = (n->gradients & SQA_NORM_GRADIENT_WEIGHT ? 1u : 0u) +
                          (n->gradients & SQA_NORM_GRADIENT_BIAS ? 1u : 0u);
    const uint64_t kept = statistics && n->gradients & SQA_NORM_GRADIENT_WEIGHT ? 2 * rows : 0;
    sqa_norm_parts out;
    out.part_rows = (int64_t)((rows + (uint64_t)parts - 1) / (uint64_t)parts);
    out.sums_at = (int64_t)kept;
    out.workspace_bytes = sizeof(float) * ((double)kept + (double)sums * (double)parts * n->dim);
    return out;
}

bool sqa_norm_parts_fit(const sqa_norm_parts *parts, const sqa_device *device, const char **why)
{
    const uint64_t most = device->limits.max_allocation_bytes;
    *why = "the workspace is larger than the device's largest buffer";
    return parts->workspace_bytes <= (most > 0 ? (double)most : 0x1p62);
}

void sqa_source_norm(sqa_text *out, const sqa_problem *problem)
{
    const sqa_normalisation *n = &problem->of.norm;
    const bool backward = problem->operation == SQA_OPERATION_NORM_BACKWARD;
    const struct {
        const char *macro;
        uint32_t value;
    } facts[] = {
        {"SQA_DTYPE", (uint32_t)n->dtype},
        {"SQA_LAYER", n->kind == SQA_NORM_LAYER},
        {"SQA_WEIGHT", n->weight},
        {"SQA_BIAS", n->bias},
        {"SQA_GRADIENT_X", (n->gradients & SQA_NORM_GRADIENT_X) != 0},
        {"SQA_GRADIENT_WEIGHT", (n->gradients & SQA_NORM_GRADIENT_WEIGHT) != 0},
        {"SQA_GRADIENT_BIAS", (n->gradients & SQA_NORM_GRADIENT_BIAS) != 0},
        {"SQA_ADD_X", (n->accumulate & SQA_NORM_GRADIENT_X) != 0},
        {"SQA_ADD_WEIGHT", (n->accumulate & SQA_NORM_GRADIENT_WEIGHT) != 0},
        {"SQA_ADD_BIAS", (n->accumulate & SQA_NORM_GRADIENT_BIAS) != 0},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        sqa_text_format(out, "#define %s %u\n", facts[i].macro, facts[i].value);
    sqa_arguments_print(out, "SQA_NORM_ARGUMENTS",
                        backward ? sqa_norm_backward_tables : sqa_norm_tables, problem);
}
