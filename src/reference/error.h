/* How far results are from the reference: the arithmetic of errors. */
#ifndef SQA_REFERENCE_ERROR_H
#define SQA_REFERENCE_ERROR_H

typedef struct sqa_error_sum {
    double squared_difference, squared_reference;
    double largest; /* infinite once a value is NaN or infinite where the reference's is not */
} sqa_error_sum;

void sqa_error_add(sqa_error_sum *sum, double value, double reference);

/* Relative root mean square. */
double sqa_error_rms(const sqa_error_sum *sum);

/* |value - reference|; 0 for two NaNs or equal infinities, infinite when only one is. */
double sqa_difference(double value, double reference);

#endif
