/* Gradients that are written or added to what is there; sums over parts of the rows. */
#ifndef PARTS
#define PARTS 8
#endif
#if SQA_ADD_X
#define PUT_X(v, j, p) SQA_STORE((v) + SQA_LOAD(j, p), j, p)
#else
#define PUT_X(v, j, p) SQA_STORE(v, j, p)
#endif
#if SQA_ADD_WEIGHT
#define PUT_WEIGHT(v, j, p) SQA_STORE((v) + SQA_LOAD(j, p), j, p)
#else
#define PUT_WEIGHT(v, j, p) SQA_STORE(v, j, p)
#endif
#if SQA_ADD_BIAS
#define PUT_BIAS(v, j, p) SQA_STORE((v) + SQA_LOAD(j, p), j, p)
#else
#define PUT_BIAS(v, j, p) SQA_STORE(v, j, p)
#endif

#if SQA_GRADIENT_WEIGHT || SQA_GRADIENT_BIAS
/* Sums of parts: of dWeight, then of dBias, (part, column) each. */
#define WEIGHT_SUMS(part) (workspace + sums_at + (part) * (long)dim)
#define BIAS_SUMS(part)                                                                            \
    (workspace + sums_at + ((SQA_GRADIENT_WEIGHT ? PARTS : 0) + (part)) * (long)dim)

/* A work-item per column adds up the parts in order. */
__kernel void sqa_norm_sums(SQA_NORM_ARGUMENTS)
{
    const int j = (int)get_global_id(0);
    if (j >= dim)
        return;
    float weight_sum = 0.0f, bias_sum = 0.0f;
    for (int part = 0; part < PARTS; part++) {
#if SQA_GRADIENT_WEIGHT
        weight_sum += WEIGHT_SUMS(part)[j];
#endif
#if SQA_GRADIENT_BIAS
        bias_sum += BIAS_SUMS(part)[j];
#endif
    }
#if SQA_GRADIENT_WEIGHT
    PUT_WEIGHT(weight_sum, j, dweight_buffer + dweight_offset);
#endif
#if SQA_GRADIENT_BIAS
    PUT_BIAS(bias_sum, j, dbias_buffer + dbias_offset);
#endif
}
#endif
