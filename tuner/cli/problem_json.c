#include "cli/problem_json.h"

#include <stdlib.h>

#include "operations/operations.h"
#include "operations/shape.h"

static void write_field(void *user, const char *column, sqa_shape_type type, const char *value)
{
    sqa_json *json = user;
    switch (type) {
    case SQA_VALUE_NUMBER: sqa_json_number(json, column, value ? strtod(value, NULL) : 0.0); break;
    case SQA_VALUE_FLAG: sqa_json_boolean(json, column, value != NULL); break;
    case SQA_VALUE_TEXT:
        if (value)
            sqa_json_string(json, column, value);
        break;
    }
}

void sqa_json_problem(sqa_json *json, const sqa_problem *problem)
{
    char shape[SQA_SHAPE_TEXT];
    sqa_problem_format(problem, shape, sizeof shape);
    sqa_json_string(json, "op", sqa_operation_name(problem->operation));
    sqa_json_string(json, "shape", shape);
    sqa_problem_each_field(problem, write_field, json);
}
