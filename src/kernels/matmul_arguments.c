#include "kernels/matmul_arguments.h"

#include "operations/matmul/slots.h"

static bool is_gated(const sqa_problem *problem)
{
    return problem->of.product.gated;
}

static bool has_bias(const sqa_problem *problem)
{
    return problem->of.product.bias;
}

static bool has_two_biases(const sqa_problem *problem)
{
    return is_gated(problem) && has_bias(problem);
}

static bool has_residual(const sqa_problem *problem)
{
    return problem->of.product.add_residual;
}

static bool has_beta(const sqa_problem *problem)
{
    return problem->of.product.beta != 0.0f;
}

#define INT(name) #name, SQA_TYPE_INT, SQA_IN_PROBLEM(product.name)
#define LONG(name, member) #name, SQA_TYPE_LONG, SQA_IN_PROBLEM(product.member)
#define FLOAT(name) #name, SQA_TYPE_FLOAT, SQA_IN_PROBLEM(product.name)

const sqa_argument_row sqa_matmul_rows[] = {
    {SQA_READ(a, "sqa_stored", SQA_SLOT_MATRIX_A)},
    {SQA_READ(b, "sqa_stored", SQA_SLOT_MATRIX_B)},
    {SQA_READ(b2, "sqa_stored", SQA_SLOT_MATRIX_B2), .when = is_gated},
    {SQA_READ(bias, "sqa_stored", SQA_SLOT_COLUMN_BIAS), .when = has_bias},
    {SQA_READ(bias2, "sqa_stored", SQA_SLOT_COLUMN_BIAS2), .when = has_two_biases},
    {SQA_READ(residual, "sqa_stored", SQA_SLOT_RESIDUAL), .when = has_residual},
    {SQA_WRITTEN(c, "sqa_stored", SQA_SLOT_MATRIX_C)},
    {INT(m)},
    {INT(n)},
    {INT(k)},
    {LONG(a_batch, a.batch)},
    {LONG(a_row, a.row)},
    {LONG(b_batch, b.batch)},
    {LONG(b_row, b.row)},
    {LONG(c_batch, c.batch)},
    {LONG(c_row, c.row)},
    {LONG(residual_batch, residual.batch), .when = has_residual},
    {LONG(residual_row, residual.row), .when = has_residual},
    {FLOAT(alpha)},
    {FLOAT(beta), .when = has_beta},
    {0},
};

void sqa_source_matmul(sqa_text *out, const sqa_problem *problem,
                       const sqa_argument_row *const *tables)
{
    const sqa_product *p = &problem->of.product;
    const struct {
        const char *macro;
        uint32_t value;
    } facts[] = {
        {"SQA_DTYPE", (uint32_t)p->dtype},           {"SQA_TRANSPOSE_A", p->transpose_a},
        {"SQA_TRANSPOSE_B", p->transpose_b},         {"SQA_BIAS", p->bias},
        {"SQA_ACTIVATION", (uint32_t)p->activation}, {"SQA_GATED", p->gated},
        {"SQA_RESIDUAL", p->add_residual},           {"SQA_BETA", p->beta != 0.0f},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        sqa_text_format(out, "#define %s %u\n", facts[i].macro, facts[i].value);
    sqa_arguments_print(out, "SQA_MATMUL_ARGUMENTS", tables, problem);
    sqa_text_append(out, "\n");
}
