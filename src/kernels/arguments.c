#include "kernels/arguments.h"

#include <string.h>

/* A row as OpenCL C. */
static void print_row(sqa_text *out, const sqa_argument_row *row)
{
    const char *name = row->name;
    switch (row->type) {
    case SQA_TYPE_READ:
        sqa_text_format(out, "__global const %s *restrict %s_buffer, long %s_offset", row->element,
                        name, name);
        break;
    case SQA_TYPE_WRITTEN:
        sqa_text_format(out, "__global %s *restrict %s_buffer, long %s_offset", row->element, name,
                        name);
        break;
    case SQA_TYPE_READ_HERE:
    case SQA_TYPE_WRITTEN_HERE:
        sqa_text_format(out, "__global %s%s *%s_buffer, long %s_offset",
                        row->type == SQA_TYPE_READ_HERE ? "const " : "", row->element, name, name);
        break;
    case SQA_TYPE_WORKSPACE: sqa_text_format(out, "__global %s%s", row->element, name); break;
    case SQA_TYPE_STRIDES:
    case SQA_TYPE_STRIDES_OF:
        sqa_text_format(out, "long %s_batch, long %s_head, long %s_row", name, name, name);
        break;
    case SQA_TYPE_INT: sqa_text_format(out, "int %s", name); break;
    case SQA_TYPE_LONG: sqa_text_format(out, "long %s", name); break;
    case SQA_TYPE_FLOAT: sqa_text_format(out, "float %s", name); break;
    }
}

static bool is_there(const sqa_argument_row *row, const sqa_problem *problem)
{
    return !row->when || row->when(problem);
}

void sqa_arguments_print(sqa_text *out, const char *macro, const sqa_argument_row *const *tables,
                         const sqa_problem *problem)
{
    const char *separator = "";
    sqa_text_format(out, "#define %s ", macro);
    for (; *tables; tables++)
        for (const sqa_argument_row *row = *tables; row->name; row++) {
            if (!is_there(row, problem))
                continue;
            sqa_text_append(out, separator);
            print_row(out, row);
            separator = ", ";
        }
    sqa_text_append(out, "\n");
}

static uint32_t parameters_of(sqa_argument_type type)
{
    switch (type) {
    case SQA_TYPE_READ:
    case SQA_TYPE_WRITTEN:
    case SQA_TYPE_READ_HERE:
    case SQA_TYPE_WRITTEN_HERE: return 2;
    case SQA_TYPE_STRIDES:
    case SQA_TYPE_STRIDES_OF: return 3;
    default: return 1;
    }
}

static uint32_t count_parameters(const sqa_argument_row *const *tables, const sqa_problem *problem)
{
    uint32_t count = 0;
    for (; *tables; tables++)
        for (const sqa_argument_row *row = *tables; row->name; row++)
            count += is_there(row, problem) ? parameters_of(row->type) : 0;
    return count;
}

static void fill_strides(const sqa_strides *strides, sqa_element element, sqa_argument *out)
{
    const int64_t values[3] = {strides->batch, strides->head, strides->sequence};
    for (int i = 0; i < 3; i++)
        out[i] = (sqa_argument){.kind = SQA_ARGUMENT_LONG,
                                .value = {.l = sqa_element_places(element, values[i])}};
}

static void fill_row(const sqa_argument_row *row, const sqa_problem *problem, const void *values,
                     sqa_argument *out)
{
    const void *base = row->from == SQA_FROM_PROBLEM ? (const void *)problem : values;
    const void *at = (const char *)base + row->offset;
    sqa_tensor_shape shape;
    sqa_strides strides;
    switch (row->type) {
    case SQA_TYPE_READ:
    case SQA_TYPE_WRITTEN:
    case SQA_TYPE_READ_HERE:
    case SQA_TYPE_WRITTEN_HERE:
        (void)sqa_tensor_shape_of(problem, row->slot, &shape);
        out[0] = (sqa_argument){.kind = SQA_ARGUMENT_BUFFER, .value = {.slot = row->slot}};
        out[1] = (sqa_argument){SQA_ARGUMENT_OFFSET, shape.element, {.slot = row->slot}};
        return;
    case SQA_TYPE_WORKSPACE:
        out[0] = (sqa_argument){.kind = SQA_ARGUMENT_BUFFER, .value = {.slot = row->slot}};
        return;
    case SQA_TYPE_STRIDES:
        memcpy(&strides, at, sizeof strides);
        fill_strides(&strides, SQA_ELEMENT_F32, out);
        return;
    case SQA_TYPE_STRIDES_OF:
        (void)sqa_tensor_shape_of(problem, row->slot, &shape);
        fill_strides(&shape.strides, shape.element, out);
        return;
    case SQA_TYPE_INT:
        out->kind = SQA_ARGUMENT_INT;
        memcpy(&out->value.i, at, sizeof out->value.i);
        return;
    case SQA_TYPE_LONG:
        out->kind = SQA_ARGUMENT_LONG;
        memcpy(&out->value.l, at, sizeof out->value.l);
        return;
    case SQA_TYPE_FLOAT:
        out->kind = SQA_ARGUMENT_FLOAT;
        memcpy(&out->value.f, at, sizeof out->value.f);
        return;
    }
}

void sqa_arguments_fill(sqa_launch *launch, sqa_launch_step *step,
                        const sqa_argument_row *const *tables, const sqa_problem *problem,
                        const void *values)
{
    sqa_argument *next = sqa_launch_arguments(launch, step, count_parameters(tables, problem));
    if (!next)
        return;
    for (; *tables; tables++)
        for (const sqa_argument_row *row = *tables; row->name; row++) {
            if (!is_there(row, problem))
                continue;
            fill_row(row, problem, values, next);
            next += parameters_of(row->type);
        }
}
