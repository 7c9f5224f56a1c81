/* How a scale is divided into what Q is multiplied by, and a power of two that is left to where
 * differences of scores become weights (cl/forward/score.cl) and costs nothing there. With log2 e,
 * so that exp is exp2.
 *
 * Q's part is of 1 to 2 for all but extreme scales: products keep their range, whatever they are
 * scaled to. The power is bounded by what a polynomial of degree 5 of 2^power has coefficients
 * for. Neither is subnormal, for devices that make zeros of those. */
#ifndef SQA_KERNELS_SCALE_H
#define SQA_KERNELS_SCALE_H

#define SQA_SCORE_POWER_LOW (-23)
#define SQA_SCORE_POWER_HIGH 24

typedef struct sqa_scale_parts {
    float query_factor; /* with the scale's sign */
    float score_power;  /* 2^LOW to 2^HIGH */
} sqa_scale_parts;

/* query_factor * score_power = scale * log2 e. `scale`: finite, not 0. */
sqa_scale_parts sqa_scale_divide(float scale);

#endif
