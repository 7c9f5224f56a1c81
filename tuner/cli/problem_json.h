/* A problem as members of a JSON object. */
#ifndef SQA_TUNER_PROBLEM_JSON_H
#define SQA_TUNER_PROBLEM_JSON_H

#include "problem/problem.h"
#include "text/json.h"

/* "op", "shape" and every field by its long name; text that is not there is left out. */
void sqa_json_problem(sqa_json *json, const sqa_problem *problem);

#endif
