/* tiled: where Q, K and V are read from while a thread computes. K comes in slices
 * of K_SLICE_VECS vectors of the head dimension, V in slices of V_SLICE_KEYS keys,
 * each copied to local memory first (STAGE), or read where it lies. Q is read where
 * it lies, from a copy in local memory, or kept in registers (Q_PLACE). */
#if STAGE
#define K_SLICE_VECS (DK / VEC)
#define V_SLICE_KEYS VS
#define K_SLICE_SIZE (BN * K_PITCH)
#define V_SLICE_SIZE (VS * VALUE_VECS)
#define SLICE_SIZE (K_SLICE_SIZE > V_SLICE_SIZE ? K_SLICE_SIZE : V_SLICE_SIZE)
#else /* one slice: everything */
#define K_SLICE_VECS HEAD_VECS
#define V_SLICE_KEYS BN
#endif
#define K_SLICES ((HEAD_VECS + K_SLICE_VECS - 1) / K_SLICE_VECS)
#define V_SLICES (BN / V_SLICE_KEYS)

/* Whether threads look for NaN and infinities in what they stage of V, so that slices without any
 * need no conditions where keys are hidden. */
#define CHECK_SLICES (STAGE && NO_PREDICATES)

/* Whether a loop has no tiles but those between edges, and threads fetch them in steps. */
#define APART (STAGE && EDGES_APART)

/* Registers have no index: with Q there, all loops over its vectors are unrolled, and with weights
 * there until their slice of V comes (P_SLICE), all slices of V. Without edges, two slices of a
 * loop are, so that which half of local memory one is in is no arithmetic. */
#define UNROLL_V_SLICES (P_SLICE ? V_SLICES : 1 + APART)
#if Q_PLACE == IN_REGISTERS
#define UNROLL_K_SLICES K_SLICES
#define UNROLL_VECS K_SLICE_VECS
#else
#define UNROLL_K_SLICES (1 + APART)
#define UNROLL_VECS (UNROLL / VEC)
#endif

#if STAGE
typedef __local const vec *slice;

/* A thread's vectors of the next slice, on their way from global to local memory:
 * they are fetched before and put down after the slice before is computed with, so
 * that nobody waits for global memory in between. Short of registers, compilers put a load
 * off until its value is used, but not past a barrier: it stands before one. */
#define K_PARTS ((BN * K_SLICE_VECS + THREADS - 1) / THREADS)
#define V_PARTS ((V_SLICE_SIZE + THREADS - 1) / THREADS)
typedef struct {
    vec part[K_PARTS > V_PARTS ? K_PARTS : V_PARTS];
} staged;

/* Whether a thread's vectors of a slice lie in one column of a tile, THREADS / `across` rows apart.
 */
#define IN_A_COLUMN(vecs, across, width)                                                           \
    (APART && !SQA_PAGED && (vecs) % THREADS == 0 && THREADS % (across) == 0 && (width) % VEC == 0)
#define K_IN_A_COLUMN                                                                              \
    (HEAD_VECS % K_SLICE_VECS == 0 && IN_A_COLUMN(BN * K_SLICE_VECS, K_SLICE_VECS, SQA_HEAD_DIM))
#define V_IN_A_COLUMN IN_A_COLUMN(V_SLICE_SIZE, VALUE_VECS, SQA_VALUE_DIM)

/* Fetches a thread's `parts` of a slice, which has `across` vectors of a row, from vector
 * `first_vec` of row `first` of the tile on. In a column they are one step apart. At an edge, a
 * thread repeats a row where the tile has no more of them: whoever computes with it hides its key.
 * Elsewhere rows of a column begin at multiples of a vector. */
INLINE void fetch(const bool in_a_column, const bool edge, staged *next, const int parts,
                  const matrix from, const int keys, const int first, const int first_vec,
                  const int across, const int width, const int thread)
{
    if (in_a_column) {
        int row = first + thread / across;
        __global const sqa_stored *at =
            matrix_row(from, edge ? min(row, keys - 1) : row) + VEC * (first_vec + thread % across);
#pragma unroll
        for (int p = 0; p < parts; p++) {
            next->part[p] = !edge || from.aligned ? LOAD_VEC_ALIGNED(0, at) : LOAD_VEC(0, at);
            row += THREADS / across;
            if (!edge || row < keys)
                at += THREADS / across * from.row;
        }
        return;
    }
#pragma unroll
    for (int p = 0; p < parts; p++) {
        const int i = thread + p * THREADS;
        const int row = first + i / across;
        next->part[p] = row_vec(matrix_row(from, edge ? min(row, keys - 1) : row), from.aligned,
                                first_vec + i % across, width);
    }
}

/* Vectors [first, first + DK / VEC) of the tile's key rows. */
INLINE void fetch_k(const bool edge, staged *next, const matrix k, const int keys, const int first,
                    const int thread)
{
    fetch(K_IN_A_COLUMN, edge, next, K_PARTS, k, keys, 0, first, K_SLICE_VECS, SQA_HEAD_DIM,
          thread);
}

/* Value rows [first, first + VS) of the tile. */
INLINE void fetch_v(const bool edge, staged *next, const matrix v, const int keys, const int first,
                    const int thread)
{
    fetch(V_IN_A_COLUMN, edge, next, V_PARTS, v, keys, first, 0, VALUE_VECS, SQA_VALUE_DIM, thread);
}

INLINE void put_k(__local vec *to, const staged *next, const int thread)
{
#pragma unroll
    for (int p = 0; p < K_PARTS; p++) {
        const int i = thread + p * THREADS;
        if (BN * K_SLICE_VECS % THREADS == 0 || i < BN * K_SLICE_VECS)
            to[i / K_SLICE_VECS * K_PITCH + i % K_SLICE_VECS] = next->part[p];
    }
}

INLINE void put_v(__local vec *to, const staged *next, const int thread)
{
#pragma unroll
    for (int p = 0; p < V_PARTS; p++) {
        const int i = thread + p * THREADS;
        if (V_SLICE_SIZE % THREADS == 0 || i < V_SLICE_SIZE)
            to[i] = next->part[p];
    }
}

/* Leaves the slice's first key in `wild` if the thread's part of it has a NaN or an infinity. */
INLINE void mark_wild(__local int *wild, const staged *next, const int first_key)
{
    float zero = 0.0f;
#pragma unroll
    for (int p = 0; p < V_PARTS; p++)
        zero = multiply_add(next->part[p], (vec)(0.0f), zero);
    if (zero != 0.0f)
        *wild = first_key;
}

INLINE vec key_vec(const slice from, const int key, const int d)
{
    return from[key * K_PITCH + d];
}

INLINE vec value_vec(const slice from, const int key, const int column)
{
    return from[key * VALUE_VECS + column];
}
#else
typedef matrix slice;

INLINE vec key_vec(const slice from, const int key, const int d)
{
    return row_vec(matrix_row(from, key), from.aligned, d, SQA_HEAD_DIM);
}

INLINE vec value_vec(const slice from, const int key, const int column)
{
    return row_vec(matrix_row(from, key), from.aligned, column, SQA_VALUE_DIM);
}
#endif

/* The queries of a thread's rows, times query_factor. */
typedef struct {
#if Q_PLACE == IN_GLOBAL
    __global const sqa_stored *row[TM];
    bool aligned;
    float factor;
#elif Q_PLACE == IN_LOCAL
    __local const vec *first; /* the thread's first row */
#else
    vec row[TM][HEAD_VECS];
#endif
} thread_queries;

/* Vector d of the thread's row i. */
INLINE vec query_vec(const thread_queries *queries, const int i, const int d)
{
#if Q_PLACE == IN_GLOBAL
    return row_vec(queries->row[i], queries->aligned, d, SQA_HEAD_DIM) * queries->factor;
#elif Q_PLACE == IN_LOCAL
    return queries->first[TY * i * Q_PITCH + d];
#else
    return queries->row[i][d];
#endif
}
