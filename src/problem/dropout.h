/* What a probability of dropping means, by the definition in include/sqa_cl/pattern.h. */
#ifndef SQA_PROBLEM_DROPOUT_H
#define SQA_PROBLEM_DROPOUT_H

#include <stdint.h>

#include "sqa_cl/status.h"

/* Whether it is one. Errors: SQA_INVALID_ARGUMENT, naming the field and its range. */
sqa_status sqa_check_dropout(const char *field, float dropout);

/* Of the 2^32 random numbers, how many drop: the smaller ones. */
uint32_t sqa_dropped_numbers(float dropout);

/* What is not dropped is multiplied by it. */
double sqa_dropout_factor(float dropout);

#endif
