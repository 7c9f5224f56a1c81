/* The sums of keys after the last token, a work-item for an element of them; after the kernel
 * that reads the sums of before. TOKENS keys are added up on their own, so that rounding does not
 * grow with the length. */
#if SQA_NORMALISE && SQA_STATE_OUT
#define SUM_TOKENS 64

__kernel void sqa_linear_sums(SQA_LINEAR_ARGUMENTS)
{
    const long d = get_global_id(0), head = get_global_id(1), batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    SQA_SET_DECAY(batch, head)
    __global const sqa_stored *k = SQA_KV_MATRIX(batch, head, k);
#if SQA_STATE_IN
    float sum = SQA_FIRST_SUMS(batch, head)[d];
#else
    float sum = 0.0f;
#endif
    for (int first = 0; first < kv_length; first += SUM_TOKENS) {
        float part = 0.0f, decay = 0.0f;
        for (long t = first; t < min(kv_length, first + SUM_TOKENS); t++) {
            part = sqa_weaken(part, sqa_decay_of(SQA_LOG_DECAY(t, d)));
            part += sqa_feature(SQA_LOAD(t * k_row + d, k));
            decay += SQA_LOG_DECAY(t, d);
        }
        sum = sqa_weaken(sum, sqa_decay_of(decay)) + part;
    }
    SQA_SUMS_AT(batch, head, sums)[d] = sum;
}
#endif
