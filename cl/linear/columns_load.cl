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

/* Rows of v, a panel after the other; of the last panel what there is. They are read in the order
 * of memory, which is what caches ask ahead of. */
INLINE void load_values(__global const sqa_stored *restrict from, const long row, const int count,
                        const int columns, float *restrict to)
{
    for (int t = 0; t < CHUNK; t++)
        for (int p = 0; p < PANELS; p++)
            for (int j = 0; j < NR; j += LANES) {
                const int left = t < count ? columns - p * NR - j : 0;
                STORE(left > 0 ? load_vector(from + t * row + p * NR + j, left) : (vec)(0.0f),
                      to + (p * CHUNK + t) * NR + j);
            }
}

/* Asks for the rows from `first` to before `end`, of `width` elements, ahead of their turn. */
#define LINE (64 / (int)sizeof(sqa_stored))
INLINE void ask_ahead(__global const sqa_stored *from, const long row, const int width,
                      const int first, const int end)
{
    for (int t = first; t < end; t++)
        for (int d = 0; d < width; d += LINE)
            PREFETCH(from + t * row + d);
}
