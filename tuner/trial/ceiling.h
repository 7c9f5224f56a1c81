/* What the device can do at most, by the library's own kernels (cl/ceiling):
 * f32 fused multiply-adds and copying. Rates are only ever compared with a
 * ceiling of the same run; nothing here is stored or looked up. */
#ifndef SQA_TUNER_CEILING_H
#define SQA_TUNER_CEILING_H

#include "sqa_cl.h"

typedef struct sqa_ceiling {
    double fma_gflops;    /* 2 floating-point operations per multiply-add */
    double copy_gbs;      /* 10^9 bytes/s, read plus written */
    char fma_variant[48]; /* which kernel variant reached it: "width 8, 10 accumulators, ..." */
    char copy_variant[48];
} sqa_ceiling;

/* Keeps the winning kernels at hand, so that they can be timed again next to
 * whatever they are compared with. */
typedef struct sqa_ceiling_probe sqa_ceiling_probe;

/* Builds and sweeps the variants: 1-2 s on a CPU. The context must outlive the probe. */
sqa_status sqa_ceiling_probe_create(sqa_ceiling_probe **out, sqa_context *context);
void sqa_ceiling_probe_destroy(sqa_ceiling_probe *probe);

/* Takes one more sample of the best variants: rates in the units of sqa_ceiling; a
 * NULL one is not sampled. The ceiling itself only ever rises. */
sqa_status sqa_ceiling_probe_sample(sqa_ceiling_probe *probe, double *fma_gflops, double *copy_gbs);

/* The best rates seen so far. */
sqa_ceiling sqa_ceiling_probe_result(const sqa_ceiling_probe *probe);

/* Create, result, destroy in one call. */
sqa_status sqa_ceiling_measure(sqa_context *context, sqa_ceiling *out);

#endif
