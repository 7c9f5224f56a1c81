/* A block of SQA_HADAMARD numbers, a power of two, times the Hadamard matrix of that size, by the
 * fast Walsh-Hadamard transform; and a row of such blocks. */
#ifndef SQA_HADAMARD
#define SQA_HADAMARD 0
#endif

#if SQA_HADAMARD
INLINE void multiply_block(float *x)
{
    for (int apart = 1; apart < SQA_HADAMARD; apart *= 2)
        for (int i = 0; i < SQA_HADAMARD; i++)
            if (!(i & apart)) {
                const float a = x[i], b = x[i + apart];
                x[i] = a + b;
                x[i + apart] = a - b;
            }
    const float scale = 1.0f / sqrt((float)SQA_HADAMARD);
    for (int i = 0; i < SQA_HADAMARD; i++)
        x[i] *= scale;
}
#endif
