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

#ifndef NO_PREDICATES /* a condition on a multiply-add takes an instruction of its own */
#define NO_PREDICATES 0
#endif

#ifndef EDGES_APART /* tiles at edges are computed in a loop of their own */
#define EDGES_APART 0
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
