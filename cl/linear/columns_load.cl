/* columns: tokens of a chunk from memory, mapped. */
/* `count` rows of q or k, mapped, times `factor`; the others of the chunk are 0. */
INLINE void load_rows(__global const sqa_stored *restrict from, const long row, const int count,
                      const float factor, float *restrict to)
{
    for (int t = 0; t < TOKENS; t++)
        for (int d = 0; d < PITCH; d += LANES) {
            const int left = t < count ? SQA_HEAD_DIM - d : 0;
            vec x = (vec)(0.0f);
            if (left > 0)
                x = load_mapped(from + t * row + d, left) * (vec)(factor);
            STORE(x, to + t * PITCH + d);
        }
}

/* Rows of v, a panel after the other; of the last panel what there is. */
INLINE void load_values(__global const sqa_stored *restrict from, const long row, const int count,
                        const int columns, float *restrict to)
{
    for (int p = 0; p < PANELS; p++)
        for (int t = 0; t < CHUNK; t++)
            for (int j = 0; j < NR; j += LANES) {
                const int left = t < count ? columns - p * NR - j : 0;
                STORE(left > 0 ? load_vector(from + t * row + p * NR + j, left) : (vec)(0.0f),
                      to + (p * CHUNK + t) * NR + j);
            }
}
