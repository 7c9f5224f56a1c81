#include "operations/case_shapes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "operations/shape.h"
#include "problem/names.h"

#define NAMED "dtype="

static sqa_status read_shape(const char *operation, const char *shape, sqa_dtype dtype,
                             sqa_problem *out)
{
    char text[SQA_SHAPE_TEXT];
    const char *named = strstr(shape, NAMED) ? "" : sqa_dtype_name(dtype);
    snprintf(text, sizeof text, "%s,%s%s%s", operation, shape, *named ? "," NAMED : "", named);
    return sqa_problem_parse(text, out);
}

/* Of a shape that names its storage: whether it is another. */
static bool is_of_another(const char *shape, sqa_dtype dtype)
{
    const char *at = strstr(shape, NAMED), *name = sqa_dtype_name(dtype);
    return at && strncmp(at + strlen(NAMED), name, strlen(name)) != 0;
}

sqa_status sqa_case_shapes_list(const sqa_case_shape *shapes, const char *operation,
                                sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (; shapes->shape && status == SQA_OK; shapes++) {
        sqa_problem problem;
        if (shapes->least > size || is_of_another(shapes->shape, dtype))
            continue;
        status = read_shape(operation, shapes->shape, dtype, &problem);
        if (status == SQA_OK)
            status = sqa_case_list_add(out, &problem);
    }
    return status;
}

sqa_status sqa_named_shapes_list(const sqa_named_shape *shapes, const char *name,
                                 sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (; shapes->name && status == SQA_OK; shapes++) {
        sqa_problem problem;
        if (strcmp(name, shapes->name) != 0)
            continue;
        status = sqa_problem_parse(shapes->shape, &problem);
        if (status == SQA_OK)
            status = sqa_case_list_add(out, &problem);
    }
    return status;
}

sqa_problem sqa_case_shape_problem(const char *shape, sqa_dtype dtype)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    const size_t name = strcspn(shape, ",");
    char operation[64];
    snprintf(operation, sizeof operation, "%.*s", (int)name, shape);
    const sqa_status status = read_shape(operation, shape + name + 1, dtype, &problem);
    assert(status == SQA_OK);
    (void)status;
    return problem;
}
