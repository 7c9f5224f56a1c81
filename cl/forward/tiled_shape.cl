/* tiled: the shape of a work-group's tiles and of a thread's part of them, all
 * counted in vectors of VEC elements.
 *
 * Rows of local tiles are whole vectors, the last one filled up with zeros. With PAD
 * they are an odd number of them, so that threads that read down a column of vectors
 * meet different banks. */
#ifndef BM
#define BM 32
#define BN 32
#define TX 8
#define TY 8
#define VEC 4
#define DK 16
#define VS 8
#define STAGE 1
#define Q_PLACE 1
#define PAD 1
#define UNROLL 8
#define SUBGROUP 0
#endif

#ifndef SUBGROUP_ATTRIBUTE /* pins the size of sub-groups where the device has several */
#define SUBGROUP_ATTRIBUTE
#endif

#ifndef P_SLICE /* a parameter of the forward family alone */
#define P_SLICE 0
#endif

#define IN_GLOBAL 0 /* values of Q_PLACE */
#define IN_LOCAL 1
#define IN_REGISTERS 2

#define HEAD_VECS ((SQA_HEAD_DIM + VEC - 1) / VEC)
#define VALUE_VECS ((SQA_VALUE_DIM + VEC - 1) / VEC)
#define THREADS (TX * TY)
#define TM (BM / TY)                    /* rows of a thread */
#define TN (BN / TX)                    /* keys of a thread */
#define TD ((VALUE_VECS + TX - 1) / TX) /* vectors of columns of a thread */

/* A thread's vector j of columns; threads that have none repeat the last. */
#define COLUMN_VEC(x, j) (VALUE_VECS % TX ? min((x) + TX * (j), VALUE_VECS - 1) : (x) + TX * (j))

#define PITCH(vecs) ((vecs) | PAD)
#define Q_PITCH PITCH(HEAD_VECS)
#define K_PITCH PITCH(DK / VEC)
#if P_SLICE
#define P_KEYS VS /* whose weights are in local memory at a time */
#else
#define P_KEYS BN
#endif
#define P_PITCH PITCH(P_KEYS / VEC)
#define P_SIZE (BM * P_PITCH)

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* LANE(v, n): element n of a vector. EACH_LANE(M): M(0) ... M(VEC - 1). LOAD_VEC(i, p):
 * elements i .. i + VEC - 1 of p, stored as the tensors are; STORE_VEC_ALIGNED(x, i, p)
 * stores them. */
#if VEC == 1
typedef float vec;
#define LANE(v, n) (v)
#define EACH_LANE(M) M(0)
#define LOAD_VEC(i, p) SQA_LOAD(i, p)
#define LOAD_VEC_ALIGNED(i, p) SQA_LOAD(i, p)
#define STORE_VEC_ALIGNED(x, i, p) SQA_STORE(x, i, p)
#else
typedef JOIN(float, VEC) vec;
#define LOAD_VEC(i, p) SQA_LOADN(VEC, i, p)
#define LOAD_VEC_ALIGNED(i, p) SQA_LOADN_ALIGNED(VEC, i, p)
#define STORE_VEC_ALIGNED(x, i, p) SQA_STOREN_ALIGNED(VEC, x, i, p)
#define LANE(v, n) (v).s##n
#if VEC == 2
#define EACH_LANE(M) M(0) M(1)
#else
#define EACH_LANE(M) M(0) M(1) M(2) M(3)
#endif
#endif

/* sum + a[0] b[0] + ... */
INLINE float multiply_add(const vec a, const vec b, float sum)
{
#define ADD_LANE(n) sum = fma(LANE(a, n), LANE(b, n), sum);
    EACH_LANE(ADD_LANE)
#undef ADD_LANE
    return sum;
}

/* The keys or values of a tile where they lie. `aligned`: every row begins at a multiple of VEC
 * elements. */
typedef struct {
    __global const sqa_stored *first;
    long row; /* elements from one row to the next */
    bool aligned;
#if SQA_PAGED
    sqa_pages pages;
    long page; /* elements from one page to the next, of which `first` is the first */
    int key;   /* the tile's first */
#endif
} matrix;

/* Row r >= 0. Counted in bytes, its address is two multiply-adds of GPUs. */
INLINE __global const sqa_stored *matrix_row(const matrix m, const int r)
{
#if SQA_PAGED
    return m.first + sqa_key_at(m.pages, m.key + r, m.page, m.row);
#else
    const ulong bytes = (ulong)(uint)r * (ulong)(m.row * (long)sizeof(sqa_stored));
    return (__global const sqa_stored *)((__global const uchar *)m.first + bytes);
#endif
}

INLINE bool is_aligned(__global const sqa_stored *first, const long stride)
{
    return (size_t)first % (VEC * sizeof(sqa_stored)) == 0 && stride % VEC == 0;
}

/* Vector i of a row of `width` elements; zeros past its end, where nothing is read. */
INLINE vec row_vec(__global const sqa_stored *row, const bool aligned, const int i, const int width)
{
    if (width % VEC == 0 ? VEC * i < width : VEC * i + VEC <= width)
        return aligned ? LOAD_VEC_ALIGNED(VEC * i, row) : LOAD_VEC(VEC * i, row);
    vec rest = (vec)(0.0f);
#define LOAD_LANE(n)                                                                               \
    if (width % VEC > n && VEC * i + n < width)                                                    \
        LANE(rest, n) = SQA_LOAD(VEC * i + n, row);
    EACH_LANE(LOAD_LANE)
#undef LOAD_LANE
    return rest;
}

/* How many tiles of up to `size` keys the walk takes. They are counted first, since a loop
 * around barriers has to be a plain one. */
INLINE int walk_tiles(sqa_walk walk, const int size)
{
    int tiles = 0;
    while (sqa_walk_next(&walk))
        tiles += (walk.end - walk.begin + size - 1) / size;
    return tiles;
}
