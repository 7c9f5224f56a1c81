/* Linear attention's cases. */
#ifndef SQA_TUNER_LINEAR_CASES_H
#define SQA_TUNER_LINEAR_CASES_H

#include "operations/tuner_operation.h"

extern const sqa_case_grid sqa_linear_grids[], sqa_linear_backward_grids[];

#endif
