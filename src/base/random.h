/* Reproducible random numbers (SplitMix64): the same seed gives the same tensors
 * and the same search on every machine. Not for secrets. */
#ifndef SQA_BASE_RANDOM_H
#define SQA_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Any value of `state` is a good seed, 0 included. */
typedef struct sqa_random {
    uint64_t state;
} sqa_random;

uint64_t sqa_random_next(sqa_random *random);

/* Evenly in 0..bound-1; 0 for a bound of 0. */
uint64_t sqa_random_below(sqa_random *random, uint64_t bound);

/* Evenly in [0, 1). */
double sqa_random_unit(sqa_random *random);

/* Evenly in [low, high). */
float sqa_random_float(sqa_random *random, float low, float high);
void sqa_random_floats(sqa_random *random, float *out, size_t count, float low, float high);

#endif
