/* columns, backward: products of matrices by register tiles, and transposes. */

/* Rows of memory that the next chunk needs. Products ask for a few with every tile, and so wait for
 * none. */
enum { NEXT_KEYS, NEXT_VALUES, NEXT_STATE, NEXT_ROWS, NEXT_DOUT, STREAMS, ROWS_OF_A_TILE = 3 };
typedef struct {
    __global const char *at;
    long step; /* bytes, as */
    int width;
    int rows; /* that are left */
} stream;

#define SET_STREAM(which, first, row, elements, count)                                             \
    {                                                                                              \
        streams[which].at = (__global const char *)(first);                                        \
        streams[which].step = (row) * (long)sizeof *(first);                                       \
        streams[which].width = (elements) * (int)sizeof *(first);                                  \
        streams[which].rows = (count);                                                             \
    }

INLINE void ask_ahead(stream *streams)
{
    for (int i = 0, asked = 0; i < STREAMS && asked < ROWS_OF_A_TILE; i++) {
        stream *s = streams + i;
        for (; s->rows > 0 && asked < ROWS_OF_A_TILE; s->rows--, asked++) {
            for (int b = 0; b < s->width; b += 64)
                PREFETCH(s->at + b);
            s->at += s->step;
        }
    }
}

enum {
    ALL,   /* of the depth, and of the columns */
    UP_TO, /* of row t the first t + 1: those of earlier tokens */
    FROM,  /* of row s the s-th and further: those of later tokens */
    LOWER  /* all of the depth, and columns up to t + 1, in whole tiles */
};

/* out = (`add`: out +) x y of MR rows and NR columns, over `from` <= l < `to`; and of `own` <= l <
 * `own_end`, the rows' own, as `shape` says: a factor of 0 would not hide a NaN. */
INLINE void multiply(IN x, const int row_step, const int depth_step, IN y, const int pitch,
                     const int from, const int to, const int own, const int own_end,
                     const int shape, OUT out, const int out_pitch, const int add)
{
#define START(i, j) vec c##i##_##j = (vec)(0.0f);
#define FETCH(j) const vec y##j = GET(line + j * LANES);
#define BROADCAST(i) const vec x##i = (vec)(x[i * row_step + l * depth_step]);
#define ADD(i, j) c##i##_##j = fma(x##i, y##j, c##i##_##j);
#define KEEP(i, j)                                                                                 \
    {                                                                                              \
        __global float *to_##i##_##j = out + i * out_pitch + j * LANES;                            \
        PUT(add ? GET(to_##i##_##j) + c##i##_##j : c##i##_##j, to_##i##_##j);                      \
    }
    EACH_ROW_VECTOR(START)
#pragma unroll 2
    for (int l = from; l < to; l++) {
        IN line = y + l * pitch;
        EACH_VECTOR(FETCH)
        EACH_ROW(BROADCAST)
        EACH_ROW_VECTOR(ADD)
    }
#define ADD_SEEN(i, j)                                                                             \
    if (shape == UP_TO ? (i) >= l - own : (i) <= l - own)                                          \
        ADD(i, j)
    for (int l = own; l < own_end; l++) {
        IN line = y + l * pitch;
        EACH_VECTOR(FETCH)
        EACH_ROW(BROADCAST)
        EACH_ROW_VECTOR(ADD_SEEN)
    }
    EACH_ROW_VECTOR(KEEP)
#undef START
#undef FETCH
#undef BROADCAST
#undef ADD
#undef ADD_SEEN
#undef KEEP
}

/* The same of `rows` and `columns`, rounded up to whole tiles, with what `shape` leaves. `streams`
 * may be NULL. */
INLINE void product(IN x, const int row_step, const int depth_step, const int rows, IN y,
                    const int pitch, const int columns, const int depth, const int shape, OUT out,
                    const int out_pitch, const int add, stream *streams)
{
    for (int c = 0; c < columns; c += NR)
        for (int r = 0; r < rows; r += MR) {
            if (shape == LOWER && c >= r + MR)
                continue;
            const int end = min(depth, r + MR);
            if (streams)
                ask_ahead(streams);
            const int own_end = shape == UP_TO || shape == FROM ? end : r;
            multiply(x + r * row_step, row_step, depth_step, y + c, pitch, shape == FROM ? end : 0,
                     shape == UP_TO ? r : depth, r, own_end, shape, out + r * out_pitch + c,
                     out_pitch, add);
        }
}

/* A square of LANES rows and columns: halves of two rows become every second element of one, as
 * often as halving goes. */
#define HALF (LANES / 2)
INLINE void interleave(const vec *from, vec *to)
{
#pragma unroll
    for (int i = 0; i < HALF; i++) {
        to[2 * i].even = from[i].lo;
        to[2 * i].odd = from[i + HALF].lo;
        to[2 * i + 1].even = from[i].hi;
        to[2 * i + 1].odd = from[i + HALF].hi;
    }
}

INLINE void transpose_square(IN from, const int pitch, OUT to, const int to_pitch)
{
    vec a[LANES], b[LANES];
#pragma unroll
    for (int i = 0; i < LANES; i++)
        a[i] = GET(from + i * pitch);
    interleave(a, b);
    interleave(b, a);
#if LANES == 8
    interleave(a, b);
#pragma unroll
    for (int i = 0; i < LANES; i++)
        a[i] = b[i];
#elif LANES == 16
    interleave(a, b);
    interleave(b, a);
#endif
#pragma unroll
    for (int i = 0; i < LANES; i++)
        PUT(a[i], to + i * to_pitch);
}

INLINE void transpose(IN from, const int pitch, const int rows, OUT to, const int to_pitch,
                      const int columns)
{
    for (int r = 0; r < rows; r += LANES)
        for (int c = 0; c < columns; c += LANES)
            transpose_square(from + r * pitch + c, pitch, to + c * to_pitch + r, to_pitch);
}
