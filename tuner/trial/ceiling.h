/* What the device can do at most, by the library's own kernels (cl/ceiling):
 * f32 fused multiply-adds, copying and reading. Rates are only ever compared with a
 * ceiling of the same run; nothing here is stored or looked up. */
#ifndef SQA_TUNER_CEILING_H
#define SQA_TUNER_CEILING_H

#include "sqa_cl.h"

typedef enum sqa_ceiling_kind {
    SQA_CEILING_FMA = 0, /* GFLOP/s, 2 floating-point operations per multiply-add */
    SQA_CEILING_COPY,    /* 10^9 bytes/s, read plus written */
    SQA_CEILING_READ     /* 10^9 bytes/s */
} sqa_ceiling_kind;
enum { SQA_CEILING_KINDS = SQA_CEILING_READ + 1 };

typedef struct sqa_ceiling {
    double rate[SQA_CEILING_KINDS]; /* NaN: not known */
    /* Which kernel variant reached it, by its number from 1 on; 0: not known. */
    uint32_t number[SQA_CEILING_KINDS];
    char variant[SQA_CEILING_KINDS][48]; /* "float8 x 10 chains, ..." */
} sqa_ceiling;

sqa_ceiling sqa_ceiling_unknown(void);

/* Keeps the winning kernels at hand, so that they can be timed again next to
 * whatever they are compared with. */
typedef struct sqa_ceiling_probe sqa_ceiling_probe;

/* Builds and sweeps the variants: 1-4 s on a CPU. A kind whose variant `known` (may be NULL)
 * has a number for is not swept. The context must outlive the probe. */
sqa_status sqa_ceiling_probe_create(sqa_ceiling_probe **out, sqa_context *context,
                                    const sqa_ceiling *known);
void sqa_ceiling_probe_destroy(sqa_ceiling_probe *probe);

/* Takes one more sample of a kind's best variant. The ceiling itself only ever rises. */
sqa_status sqa_ceiling_probe_sample(sqa_ceiling_probe *probe, sqa_ceiling_kind kind, double *rate);

/* The best rates seen so far. */
sqa_ceiling sqa_ceiling_probe_result(const sqa_ceiling_probe *probe);

/* Create, result, destroy in one call. */
sqa_status sqa_ceiling_measure(sqa_context *context, sqa_ceiling *out);

#endif
