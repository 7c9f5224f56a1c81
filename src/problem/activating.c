#include "problem/activating.h"

#include <string.h>

#include "base/status.h"
#include "problem/checks.h"
#include "problem/dropout.h"
#include "problem/names.h"

typedef struct range {
    const char *name;
    uint32_t value, most;
} range;

static sqa_status check_ranges(const range *ranges, size_t count)
{
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < count && status == SQA_OK; i++)
        status = sqa_check_range(ranges[i].name, ranges[i].value, 0, ranges[i].most);
    return status;
}

static sqa_status check_desc(const sqa_activation_desc *desc)
{
    const range ranges[] = {
        {"desc.batch", desc->batch, SQA_MAX_MATRIX_LENGTH},
        {"desc.length", desc->length, SQA_MAX_MATRIX_LENGTH},
        {"desc.dim", desc->dim, SQA_MAX_MATRIX_LENGTH},
        {"desc.activation", (uint32_t)desc->activation, SQA_ACTIVATION_LAST},
        {"desc.gated", desc->gated, 1},
        {"desc.add_residual", desc->add_residual, 1},
        {"desc.wide", desc->wide, 1},
    };
    sqa_status status =
        sqa_check_version("desc.version", desc->version, SQA_ACTIVATION_DESC_VERSION);
    if (status == SQA_OK)
        status = check_ranges(ranges, sizeof ranges / sizeof *ranges);
    if (status == SQA_OK)
        status = sqa_check_dropout("desc.dropout", desc->dropout);
    if (status == SQA_OK && !sqa_dtype_name(desc->dtype))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "desc.dtype: %d is outside 0..2", (int)desc->dtype);
    return status;
}

static sqa_status check_backward(const sqa_activation_desc *desc,
                                 const sqa_activation_backward_options *backward)
{
    const range ranges[] = {
        {"backward.da", backward->da, 1},
        {"backward.db", backward->db, 1},
        {"backward.accumulate", backward->accumulate, 1},
    };
    sqa_status status = sqa_check_version("backward.version", backward->version,
                                          SQA_ACTIVATION_BACKWARD_OPTIONS_VERSION);
    if (status == SQA_OK)
        status = check_ranges(ranges, sizeof ranges / sizeof *ranges);
    if (status == SQA_OK && !backward->da && !(backward->db && desc->gated))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "backward.da: must be 1%s",
                          desc->gated ? ", or backward.db" : "");
    return status;
}

static sqa_status set_views(sqa_activating *out, const sqa_activation_desc *desc)
{
    const sqa_matrix_strides packed = {0, 0};
    const struct {
        const char *field;
        const sqa_matrix_strides *asked;
        sqa_matrix_strides *out;
        bool written;
    } views[] = {
        {"desc.a", &desc->a, &out->a, out->da},
        {"desc.b", out->gated ? &desc->b : &packed, &out->b, out->db},
        {"desc.y", &desc->y, &out->y, !out->da && !out->db},
        {"desc.residual", out->add_residual ? &desc->residual : &packed, &out->residual, false},
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        sqa_status status = sqa_matrix_view(views[i].out, views[i].field, views[i].asked,
                                            out->batch, out->length, out->dim);
        if (status == SQA_OK && views[i].written)
            status = sqa_matrix_check_no_overlap(views[i].field, views[i].out, out->batch,
                                                 out->length, out->dim);
        if (status != SQA_OK)
            return status;
    }
    return SQA_OK;
}

sqa_status sqa_activating_from_desc(sqa_activating *out, const sqa_activation_desc *desc,
                                    const sqa_activation_backward_options *backward)
{
    sqa_activating problem;
    if (!desc)
        return sqa_fail(SQA_INVALID_ARGUMENT, "desc: must not be NULL");
    sqa_status status = check_desc(desc);
    if (status == SQA_OK && backward)
        status = check_backward(desc, backward);
    if (status != SQA_OK)
        return status;
    memset(&problem, 0, sizeof problem);
    problem.dtype = desc->dtype;
    problem.batch = desc->batch;
    problem.length = desc->length;
    problem.dim = desc->dim;
    problem.activation = desc->activation;
    problem.gated = desc->gated;
    problem.add_residual = backward ? 0 : desc->add_residual;
    problem.dropout = desc->dropout;
    problem.wide = desc->wide && desc->dtype != SQA_DTYPE_F32;
    if (backward) {
        problem.da = backward->da;
        problem.db = desc->gated && backward->db;
        problem.accumulate = backward->accumulate;
    }
    status = set_views(&problem, desc);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

void sqa_activating_to_desc(const sqa_activating *problem, sqa_activation_desc *desc,
                            sqa_activation_backward_options *backward)
{
    *desc = (sqa_activation_desc)SQA_ACTIVATION_DESC_INIT;
    *backward = (sqa_activation_backward_options)SQA_ACTIVATION_BACKWARD_OPTIONS_INIT;
    desc->dtype = problem->dtype;
    desc->batch = problem->batch;
    desc->length = problem->length;
    desc->dim = problem->dim;
    desc->activation = problem->activation;
    desc->gated = problem->gated;
    desc->add_residual = problem->add_residual;
    desc->wide = problem->wide;
    desc->a = problem->a;
    desc->b = problem->b;
    desc->y = problem->y;
    desc->residual = problem->residual;
    desc->dropout = problem->dropout;
    backward->da = problem->da;
    backward->db = problem->db || !problem->gated;
    backward->accumulate = problem->accumulate;
}

void sqa_activating_pack(sqa_activating *problem)
{
    problem->a = problem->b = problem->y = problem->residual =
        sqa_matrix_packed(problem->length, problem->dim);
}
