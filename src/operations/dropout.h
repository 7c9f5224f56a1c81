/* Dropout of attention and of activations, by its definition in include/sqa_cl/pattern.h: as a key
 * of shapes, and in fp64. */
#ifndef SQA_OPERATIONS_DROPOUT_H
#define SQA_OPERATIONS_DROPOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "operations/field.h"
#include "operations/operation.h"
#include "sqa_cl/status.h"

/* The key's value. Errors of reading: SQA_INVALID_ARGUMENT. */
sqa_status sqa_dropout_read(const char *value, float *dropout);

/* Returns whether there is something to say. */
bool sqa_dropout_write(float dropout, char value[SQA_FIELD_VALUE]);

/* Fills such a slot: two random numbers. */
void sqa_fill_seed(const sqa_problem *problem, uint64_t count, bool shuffled, sqa_random *random,
                   void *out);

/* What column `column` of a row of a head is multiplied by: 0, or a little more than 1; 1 where
 * there is no dropout. The seed is two uint32, the lower half first. */
double sqa_reference_kept(float dropout, const void *seed, uint32_t batch, uint32_t head,
                          uint32_t row, uint32_t column);

/* Philox 4x32-10: four random numbers that follow from a counter and a key. */
void sqa_reference_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
