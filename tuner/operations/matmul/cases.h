/* The matrix product's cases. */
#ifndef SQA_TUNER_MATMUL_CASES_H
#define SQA_TUNER_MATMUL_CASES_H

#include "operations/tuner_operation.h"

extern const sqa_case_grid sqa_matmul_grids[];

#endif
