/* How far from the oracle an output may be, as promised to users, and the sums
 * that tell how far it is. */
#ifndef SQA_REFERENCE_TOLERANCE_H
#define SQA_REFERENCE_TOLERANCE_H

#include <stdbool.h>

#include "sqa_cl/attention.h"

typedef struct sqa_tolerance {
    double rms;          /* relative root mean square of the output */
    double max;          /* largest difference over max |V| */
    double lse_absolute; /* LSE: this, or ... */
    double lse_relative; /* ... this times the oracle's */
} sqa_tolerance;

sqa_tolerance sqa_tolerance_of(sqa_operation operation, sqa_dtype dtype);

typedef struct sqa_error_sum {
    double squared_difference, squared_reference;
    double largest; /* infinite once a value is NaN or infinite where the oracle's is not */
} sqa_error_sum;

void sqa_error_add(sqa_error_sum *sum, double value, double reference);
double sqa_error_rms(const sqa_error_sum *sum);

/* |value - reference|; 0 for two NaNs or equal infinities, infinite when only one is. */
double sqa_difference(double value, double reference);

bool sqa_lse_within(const sqa_tolerance *tolerance, double value, double reference);

#endif
