/* How a scale is divided into what Q (or K) is multiplied by, and a power of two that is left to
 * where differences of scores become weights (cl/forward/units.cl) and costs nothing there. With
 * log2 e, so that exp is exp2.
 *
 * Q's part is of 1 to 2 for all but extreme scales: products keep their range, whatever they are
 * scaled to. The power is bounded by what a polynomial of degree 5 of 2^power has coefficients
 * for. Neither is subnormal, for devices that make zeros of those.
 *
 * And how it is divided over dQ and dK: what is added up, products of dS with K or Q, has one part,
 * in whichever of the two that costs nothing, and the sum the other, so that sums under an
 * extreme scale keep their range. An ordinary scale is all in the second. */
#ifndef SQA_KERNELS_SCALE_H
#define SQA_KERNELS_SCALE_H

#define SQA_SCORE_POWER_LOW (-23)
#define SQA_SCORE_POWER_HIGH 24

typedef struct sqa_scale_parts {
    float query_factor; /* with the scale's sign */
    float score_power;  /* 2^LOW to 2^HIGH */
    float flow_factor;  /* a power of two, the root of query_factor's */
    float sum_factor;   /* with the scale's sign */
} sqa_scale_parts;

/* query_factor * score_power = scale * log2 e, flow_factor * sum_factor = scale. `scale`: finite,
 * not 0. */
sqa_scale_parts sqa_scale_divide(float scale);

#endif
