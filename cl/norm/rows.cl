/* The statistics of a row. Sums go by chunks, so that their errors do not grow with its length. */
#ifndef SQA_LAYER
#define SQA_LAYER 0
#endif
#ifndef SQA_WEIGHT
#define SQA_WEIGHT 0
#endif
#define CHUNK 256

static float mean_of(__global const sqa_stored *x, const int dim)
{
    float sum = 0.0f;
    for (int first = 0; first < dim; first += CHUNK) {
        const int end = min(dim, first + CHUNK);
        float part = 0.0f;
        for (int j = first; j < end; j++)
            part += SQA_LOAD(j, x);
        sum += part;
    }
    return sum / dim;
}

/* What the differences from the mean are multiplied by. */
static float scale_of(__global const sqa_stored *x, const int dim, const float mean,
                      const float eps)
{
    float sum = 0.0f;
    for (int first = 0; first < dim; first += CHUNK) {
        const int end = min(dim, first + CHUNK);
        float part = 0.0f;
        for (int j = first; j < end; j++) {
            const float difference = SQA_LOAD(j, x) - mean;
            part = fma(difference, difference, part);
        }
        sum += part;
    }
    return 1.0f / sqrt(sum / dim + eps);
}

#if SQA_LAYER
#define SQA_MEAN(x, dim) mean_of(x, dim)
#else
#define SQA_MEAN(x, dim) 0.0f
#endif
