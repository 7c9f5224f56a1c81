/* columns: what the tokens of a chunk weigh for each other. */

/* scores[t][s] = row t . key s, through the decays between them, of s < t + `own`; the others, up
 * to SCORES of a row, are 0. */
#define SCORES UP(CHUNK, 4)

#if CHANNELS
INLINE void set_scores(const float *restrict rows, const float *restrict keys, const int count,
                       const int own, float *restrict scores DECAY_ARGUMENTS)
{
    for (int i = 0; i < CHUNK * SCORES; i++)
        scores[i] = 0.0f;
    for (int s = 0; s < count; s++) {
        float key[PITCH] ALIGNED;
        for (int d = 0; d < VECTORS; d += LANES)
            STORE(LOAD(keys + s * PITCH + d), key + d);
        for (int t = s; t < count; t++) {
            vec sum = (vec)(0.0f);
            for (int d = 0; d < VECTORS; d += LANES) {
                const vec left = t > s ? LOAD(decay->one + t * PITCH + d) : (vec)(1.0f);
                const vec x = LOAD(key + d) * left;
                STORE(x, key + d);
                sum = fma(LOAD(rows + t * PITCH + d), x, sum);
            }
            if (s < t + own)
                scores[t * SCORES + s] = sum_of(sum);
        }
    }
}
#else
INLINE void set_scores(const float *restrict rows, const float *restrict keys, const int count,
                       const int own, float *restrict scores DECAY_ARGUMENTS)
{
    for (int t = 0; t < CHUNK; t++) {
        float left = 1.0f;
        for (int s = 0; s < SCORES; s += 4) {
            vec s0 = (vec)(0.0f), s1 = s0, s2 = s0, s3 = s0;
            for (int d = 0; d < VECTORS && s < t + own; d += LANES) {
                const vec x = LOAD(rows + t * PITCH + d);
                const float *key = keys + s * PITCH + d;
                s0 = fma(x, LOAD(key), s0);
                s1 = fma(x, LOAD(key + PITCH), s1);
                s2 = fma(x, LOAD(key + 2 * PITCH), s2);
                s3 = fma(x, LOAD(key + 3 * PITCH), s3);
            }
            scores[t * SCORES + s] = sum_of(s0);
            scores[t * SCORES + s + 1] = s + 1 < t + own ? sum_of(s1) : 0.0f;
            scores[t * SCORES + s + 2] = s + 2 < t + own ? sum_of(s2) : 0.0f;
            scores[t * SCORES + s + 3] = s + 3 < t + own ? sum_of(s3) : 0.0f;
        }
#if SQA_DECAY
        for (int s = t; s >= 0; left *= decay->one[s], s--)
            scores[t * SCORES + s] *= left;
#endif
    }
}
#endif
