/* The matrix product as the tuner knows it. */
#ifndef SQA_TUNER_MATMUL_H
#define SQA_TUNER_MATMUL_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_matmul;

#endif
