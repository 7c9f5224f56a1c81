/* tiled: attention for GPUs without matrix units. A work-group of TX x TY threads
 * owns BM query rows and walks the keys BN at a time with the online softmax of
 * FlashAttention (arXiv 2205.14135, algorithm 1).
 *
 * Thread (x, y) computes the scores of rows y, y + TY, ... against keys
 * x, x + TX, ... and the output of those rows in columns x, x + TX, ...; weights
 * cross between the two layouts through local memory. K comes in slices of DK
 * dimensions, V in slices of VS keys, each staged in local memory while the slice
 * before it is computed with (STAGE), or read where it lies. A row's maximum goes
 * across its TX threads through local memory, or by shuffles inside a sub-group
 * (SUBGROUP). SHARE: see sharing.cl; SPLIT: see split.cl.
 *
 * Barriers stand where every thread passes the same number of times: at the top
 * of loops with uniform trip counts and between the two halves of a key tile. */
#ifndef BM
#define BM 32
#define BN 32
#define TX 8
#define TY 8
#define DK 16
#define VS 16
#define STAGE 1
#define Q_LOCAL 1
#define PAD 1
#define UNROLL 4
#define SUBGROUP 0
#endif

#define TM (BM / TY)                       /* rows of a thread */
#define TN (BN / TX)                       /* keys of a thread */
#define TD ((SQA_VALUE_DIM + TX - 1) / TX) /* columns of a thread */
#define THREADS (TX * TY)
/* PAD = 1 keeps the columns of a power of two in different banks. */
#define Q_PITCH (SQA_HEAD_DIM + PAD)
#define K_PITCH (DK + PAD)
#define P_PITCH (BN + PAD)
#if STAGE
#define K_SLICES ((SQA_HEAD_DIM + DK - 1) / DK)
#define K_SLICE_DIMS DK
#define V_SLICES (BN / VS)
#define V_SLICE_KEYS VS
#else /* one slice: everything */
#define K_SLICES 1
#define K_SLICE_DIMS SQA_HEAD_DIM
#define V_SLICES 1
#define V_SLICE_KEYS BN
#endif
#define K_SLICE_SIZE (BN * K_PITCH)
#define V_SLICE_SIZE (VS * SQA_VALUE_DIM)
#define SLICE_SIZE (K_SLICE_SIZE > V_SLICE_SIZE ? K_SLICE_SIZE : V_SLICE_SIZE)
#define INLINE static inline __attribute__((always_inline))

#if SUBGROUP
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
#pragma OPENCL EXTENSION cl_khr_subgroup_shuffle : enable
#endif
#ifndef SUBGROUP_ATTRIBUTE /* pins the size where the device has several */
#define SUBGROUP_ATTRIBUTE
#endif

/* What a thread keeps of its rows. */
typedef struct {
    int visible[TM]; /* keys the row sees, counted from the first */
    float maximum[TM];
    float sum[TM];
    float output[TM][TD]; /* not yet divided by the sum */
} thread_rows;

/* 2^x for x <= 0; NaN stays NaN and nothing becomes zero, which marks hidden keys. */
INLINE float weight_of(float x)
{
    return exp2(x < -125.0f ? -125.0f : x);
}

/* A comparison with NaN is false: NaN is never the larger one. */
INLINE float larger(float a, float b)
{
    return a > b ? a : b;
}

#if STAGE
/* Copies dimensions [d0, d0 + DK) of `keys` key rows, zeros for the rows after them. */
INLINE void stage_k(__local float *slice, __global const sqa_stored *k, const long k_row,
                    const int keys, const int d0, const int thread)
{
    for (int i = thread; i < BN * DK; i += THREADS) {
        const int key = i / DK, d = i % DK;
        slice[key * K_PITCH + d] =
            key < keys && d0 + d < SQA_HEAD_DIM ? SQA_LOAD(key * k_row + d0 + d, k) : 0.0f;
    }
}

/* Copies value rows [first, first + VS) of `keys`, zeros for the rows after them. */
INLINE void stage_v(__local float *slice, __global const sqa_stored *v, const long v_row,
                    const int keys, const int first, const int thread)
{
    for (int i = thread; i < VS * SQA_VALUE_DIM; i += THREADS) {
        const int key = first + i / SQA_VALUE_DIM, d = i % SQA_VALUE_DIM;
        slice[i] = key < keys ? SQA_LOAD(key * v_row + d, v) : 0.0f;
    }
}
#endif

/* The largest of a row's values over its TX threads. */
#if SUBGROUP
INLINE float row_maximum(float value)
{
#pragma unroll
    for (int distance = TX / 2; distance > 0; distance /= 2)
        value = larger(sub_group_shuffle_xor(value, (uint)distance), value);
    return value;
}
#else
INLINE float row_maximum(__local const float *maxima, float value)
{
    for (int t = 0; t < TX; t++)
        value = larger(maxima[t], value);
    return value;
}
#endif

/* Scales the scores to log2 units and hides what the rows do not see; leaves the
 * largest of each row's in `largest`. */
INLINE void finish_scores(float score[TM][TN], float largest[TM], const thread_rows *rows,
                          const int first_key, const float log2_scale)
{
#pragma unroll
    for (int i = 0; i < TM; i++) {
        largest[i] = -FLT_MAX;
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const bool seen = first_key + TX * j < rows->visible[i];
            score[i][j] = seen ? score[i][j] * log2_scale : -FLT_MAX;
            largest[i] = larger(score[i][j], largest[i]);
        }
    }
}

/* The online softmax's step: rescales what the rows have to the new maxima, and
 * writes the weights of the thread's keys. `first_key` is the thread's first. */
INLINE void update_rows(thread_rows *rows, float score[TM][TN], const float largest[TM],
                        __local float *weights, const int first_key)
{
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const float maximum = larger(largest[i], rows->maximum[i]);
        const float rescale = weight_of(rows->maximum[i] - maximum);
        rows->maximum[i] = maximum;
        rows->sum[i] *= rescale;
#pragma unroll
        for (int j = 0; j < TD; j++)
            rows->output[i][j] *= rescale;
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const bool seen = first_key + TX * j < rows->visible[i];
            weights[TY * i * P_PITCH + TX * j] = seen ? weight_of(score[i][j] - maximum) : 0.0f;
        }
    }
}

/* Adds one key's value to the rows. In tiles that hide keys (edge), a zero weight
 * must not meet a NaN. */
INLINE void add_value(thread_rows *rows, const bool edge, const float weight[TM],
                      const float value[TD])
{
#pragma unroll
    for (int i = 0; i < TM; i++) {
        rows->sum[i] += weight[i];
#pragma unroll
        for (int j = 0; j < TD; j++)
            rows->output[i][j] = edge && weight[i] == 0.0f
                                     ? rows->output[i][j]
                                     : fma(weight[i], value[j], rows->output[i][j]);
    }
}

__attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE
__kernel void sqa_tiled_forward(SQA_FORWARD_ARGUMENTS SQA_SPLIT_ARGUMENTS)
{
    const int x = get_local_id(0), y = get_local_id(1);
    const int thread = y * TX + x;
    const int first_row = get_group_id(0) * BM;
    const long first_head = FIRST_HEAD(get_group_id(1));
    const long batch = get_group_id(2) / SPLIT;
    const int last_row = min(first_row + BM, ROW_COUNT) - 1;
    __global const sqa_stored *k = SQA_K_MATRIX(batch, first_head);
    __global const sqa_stored *v = SQA_V_MATRIX(batch, first_head);
/* Query row r of the work-group; rows past the last repeat it and are not stored. */
#define Q_ROW(r)                                                                                   \
    (SQA_Q_MATRIX(batch, ROW_HEAD(first_head, min(first_row + (r), last_row))) +                   \
     ROW_QUERY(min(first_row + (r), last_row)) * q_row)

    __local float weights[BM * P_PITCH];
#if !SUBGROUP
    __local float maxima[BM * TX];
#endif
#if STAGE
    __local float slices[2][SLICE_SIZE];
#endif
    thread_rows rows;
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const int row = min(first_row + y + TY * i, last_row);
        rows.visible[i] = SQA_VISIBLE_KEYS(ROW_QUERY(row));
        rows.maximum[i] = -FLT_MAX;
        rows.sum[i] = 0.0f;
#pragma unroll
        for (int j = 0; j < TD; j++)
            rows.output[i][j] = 0.0f;
    }

    /* Rows see more keys the further down they are. */
    const int all_see = SQA_VISIBLE_KEYS(ROW_QUERY(first_row));
#if SPLIT == 1
    const int begin = 0;
    const int end = SQA_VISIBLE_KEYS(ROW_QUERY(last_row));
#else
    const int split = get_group_id(2) % SPLIT;
    const int begin = SQA_SPLIT_BEGIN(split);
    const int end = min(SQA_VISIBLE_KEYS(ROW_QUERY(last_row)), SQA_SPLIT_BEGIN(split + 1));
#endif
#if Q_LOCAL
    __local float q_tile[BM * Q_PITCH];
    for (int i = begin < end ? thread : BM * SQA_HEAD_DIM; i < BM * SQA_HEAD_DIM; i += THREADS) {
        const int r = i / SQA_HEAD_DIM, d = i % SQA_HEAD_DIM;
        q_tile[r * Q_PITCH + d] = SQA_LOAD(d, Q_ROW(r));
    }
#define Q_AT(r, d) q_tile[(r)*Q_PITCH + (d)]
#else
#define Q_AT(r, d) SQA_LOAD((d), Q_ROW(r))
#endif
    for (int first_key = begin; first_key < end; first_key += BN) {
        barrier(CLK_LOCAL_MEM_FENCE); /* Q is there; the slices of the tile before are free */
        const int keys = min(BN, end - first_key);
        const bool edge = first_key + BN > all_see;
        __global const sqa_stored *k_tile = k + first_key * k_row;
        __global const sqa_stored *v_tile = v + first_key * v_row;

        float score[TM][TN];
#pragma unroll
        for (int i = 0; i < TM; i++)
#pragma unroll
            for (int j = 0; j < TN; j++)
                score[i][j] = 0.0f;
#if STAGE
        stage_k(slices[0], k_tile, k_row, keys, 0, thread);
#endif
        for (int s = 0; s < K_SLICES; s++) {
            const int d0 = s * K_SLICE_DIMS;
#if STAGE
            barrier(CLK_LOCAL_MEM_FENCE); /* slice s is there, slice s - 1 no longer used */
            if (s + 1 < K_SLICES)
                stage_k(slices[(s + 1) & 1], k_tile, k_row, keys, d0 + DK, thread);
            __local const float *slice = slices[s & 1];
#define K_AT(key, d) slice[(key)*K_PITCH + (d)]
#else
#define K_AT(key, d) SQA_LOAD(min((key), keys - 1) * k_row + d0 + (d), k_tile)
#endif
            const int dims = min(K_SLICE_DIMS, SQA_HEAD_DIM - d0);
#pragma unroll UNROLL
            for (int d = 0; d < dims; d++) {
                float query[TM], key[TN];
#pragma unroll
                for (int i = 0; i < TM; i++)
                    query[i] = Q_AT(y + TY * i, d0 + d);
#pragma unroll
                for (int j = 0; j < TN; j++)
                    key[j] = K_AT(x + TX * j, d);
#pragma unroll
                for (int i = 0; i < TM; i++)
#pragma unroll
                    for (int j = 0; j < TN; j++)
                        score[i][j] = fma(query[i], key[j], score[i][j]);
            }
        }

        float largest[TM];
        finish_scores(score, largest, &rows, first_key + x, scale * M_LOG2E_F);
#if SUBGROUP
#pragma unroll
        for (int i = 0; i < TM; i++)
            largest[i] = row_maximum(largest[i]);
#if STAGE
        barrier(CLK_LOCAL_MEM_FENCE); /* no thread computes scores any more */
#endif
#else
#pragma unroll
        for (int i = 0; i < TM; i++)
            maxima[(y + TY * i) * TX + x] = largest[i];
        barrier(CLK_LOCAL_MEM_FENCE); /* maxima are there; no thread computes scores any more */
#pragma unroll
        for (int i = 0; i < TM; i++)
            largest[i] = row_maximum(maxima + (y + TY * i) * TX, largest[i]);
#endif
#if STAGE
        stage_v(slices[0], v_tile, v_row, keys, 0, thread);
#endif
        update_rows(&rows, score, largest, weights + y * P_PITCH + x, first_key + x);
#if !STAGE
        barrier(CLK_LOCAL_MEM_FENCE); /* weights are there */
#endif
        for (int s = 0; s < V_SLICES; s++) {
            const int c0 = s * V_SLICE_KEYS;
#if STAGE
            barrier(CLK_LOCAL_MEM_FENCE); /* weights and slice s are there, slice s - 1 is free */
            if (s + 1 < V_SLICES)
                stage_v(slices[(s + 1) & 1], v_tile, v_row, keys, c0 + VS, thread);
            __local const float *slice = slices[s & 1];
#define V_AT(c, d) slice[(c)*SQA_VALUE_DIM + (d)]
#else
#define V_AT(c, d) SQA_LOAD((c0 + (c)) * v_row + (d), v_tile)
#endif
            const int present = min(V_SLICE_KEYS, keys - c0);
#pragma unroll UNROLL
            for (int c = 0; c < present; c++) {
                float weight[TM], value[TD];
#pragma unroll
                for (int i = 0; i < TM; i++)
                    weight[i] = weights[(y + TY * i) * P_PITCH + c0 + c];
#pragma unroll
                for (int j = 0; j < TD; j++)
                    value[j] = V_AT(c, min(x + TX * j, SQA_VALUE_DIM - 1));
                add_value(&rows, edge, weight, value);
            }
        }
    }

#pragma unroll
    for (int i = 0; i < TM; i++) {
        const int row = first_row + y + TY * i;
        if (row > last_row)
            continue;
        const long head = ROW_HEAD(first_head, row);
        const long query = ROW_QUERY(row);
        const bool any = rows.visible[i] > begin && begin < end;
        const float inverse = any ? 1.0f / rows.sum[i] : 0.0f;
#if SPLIT == 1
        __global sqa_stored *o = SQA_O_MATRIX(batch, head) + query * o_row;
#define STORE_OUTPUT(value, d) SQA_STORE((value), (d), o)
#else
        const long part = SQA_SPLIT_PART(split, batch, head, query);
        __global float *o = SQA_SPLIT_OUTPUT(part);
#define STORE_OUTPUT(value, d) (o[d] = (value))
#endif
#pragma unroll
        for (int j = 0; j < TD; j++)
            if (x + TX * j < SQA_VALUE_DIM)
                STORE_OUTPUT(rows.output[i][j] * inverse, x + TX * j);
#if SPLIT > 1
        if (x == 0)
            *SQA_SPLIT_LSE(part) = any ? rows.maximum[i] + log2(rows.sum[i]) : -INFINITY;
#elif SQA_WRITE_LSE
        if (x == 0)
            SQA_LSE_ROW(batch, head)[query] =
                any ? (rows.maximum[i] + log2(rows.sum[i])) * M_LN2_F : -INFINITY;
#endif
    }
}
