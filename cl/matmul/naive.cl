/* naive: a work-item per element of C. CHUNK products are added up on their own, so that the
 * errors of long sums do not grow with their length. */
#ifndef CHUNK
#define CHUNK 256
#endif

static float product_of(__global const sqa_stored *a, __global const sqa_stored *b, const long i,
                        const long j, const int k, const long a_row, const long b_row)
{
    float sum = 0.0f;
    for (int first = 0; first < k; first += CHUNK) {
        const int end = min(k, first + CHUNK);
        float part = 0.0f;
        for (long l = first; l < end; l++)
            part = fma(SQA_LOAD(SQA_A_AT(i, l), a), SQA_LOAD(SQA_B_AT(l, j), b), part);
        sum += part;
    }
    return sum;
}

__kernel void sqa_naive_matmul(SQA_MATMUL_ARGUMENTS)
{
    const long j = get_global_id(0), i = get_global_id(1), z = get_global_id(2);
    if (j >= n)
        return;
    __global const sqa_stored *a = a_buffer + a_offset + z * a_batch;
    __global sqa_stored *c = c_buffer + c_offset + z * c_batch + i * c_row;
    float x = alpha * product_of(a, b_buffer + b_offset + z * b_batch, i, j, k, a_row, b_row);
#if SQA_BETA
    x = fma(beta, SQA_LOAD(j, c), x);
#endif
#if SQA_BIAS
    x += SQA_LOAD(j, bias_buffer + bias_offset);
#endif
    x = activate(x);
#if SQA_GATED
    float gate = alpha * product_of(a, b2_buffer + b2_offset + z * b_batch, i, j, k, a_row, b_row);
#if SQA_BIAS
    gate += SQA_LOAD(j, bias2_buffer + bias2_offset);
#endif
    x *= gate;
#endif
#if SQA_RESIDUAL
    x += SQA_LOAD(j, residual_buffer + residual_offset + z * residual_batch + i * residual_row);
#endif
    SQA_STORE(x, j, c);
}
