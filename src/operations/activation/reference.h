/* Activations in fp64. */
#ifndef SQA_OPERATIONS_ACTIVATION_REFERENCE_H
#define SQA_OPERATIONS_ACTIVATION_REFERENCE_H

#include "sqa_cl/matmul.h"

double sqa_reference_activation(sqa_activation activation, double x);

/* Its derivative; ReLU's at 0 is 0. */
double sqa_reference_activation_slope(sqa_activation activation, double x);

#endif
