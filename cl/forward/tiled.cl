/* tiled: attention for GPUs without matrix units. A work-group of TX x TY threads
 * owns BM query rows and walks the keys BN at a time with the online softmax of
 * FlashAttention (arXiv 2205.14135, algorithm 1).
 *
 * Thread (x, y) computes the scores of rows y, y + TY, ... against keys
 * x, x + TX, ... and the output of those rows in columns x, x + TX, ...; weights
 * cross between the two layouts through local memory. K comes in slices of DK
 * dimensions, V in slices of VS keys, each staged in local memory while the slice
 * before it is computed with (STAGE), or read where it lies.
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
#endif

#define TM (BM / TY)                      /* rows of a thread */
#define TN (BN / TX)                      /* keys of a thread */
#define TD ((SQA_VALUE_DIM + TX - 1) / TX) /* columns of a thread */
#define THREADS (TX * TY)
/* One element more than a power of two keeps columns in different banks. */
#define Q_PITCH (SQA_HEAD_DIM + 1)
#define K_PITCH (DK + 1)
#define P_PITCH (BN + 1)
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

/* 2^x for x <= 0; NaN stays NaN and nothing becomes zero, which marks hidden keys. */
INLINE float weight_of(float x)
{
    return exp2(x < -125.0f ? -125.0f : x);
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

__attribute__((reqd_work_group_size(TX, TY, 1)))
__kernel void sqa_tiled_forward(SQA_FORWARD_ARGUMENTS)
{
    const int x = get_local_id(0), y = get_local_id(1);
    const int thread = y * TX + x;
    const int first_row = get_group_id(0) * BM;
    const long head = get_group_id(1);
    const long batch = get_group_id(2);
    const int rows = min(BM, q_length - first_row);
    __global const sqa_stored *q = SQA_Q_MATRIX(batch, head) + first_row * q_row;
    __global const sqa_stored *k = SQA_K_MATRIX(batch, head);
    __global const sqa_stored *v = SQA_V_MATRIX(batch, head);
    __global sqa_stored *o = SQA_O_MATRIX(batch, head) + first_row * o_row;

    __local float weights[BM * P_PITCH];
    __local float maxima[BM * TX];
#if Q_LOCAL
    __local float q_tile[BM * Q_PITCH];
    for (int i = thread; i < BM * SQA_HEAD_DIM; i += THREADS) {
        const int r = i / SQA_HEAD_DIM, d = i % SQA_HEAD_DIM;
        q_tile[r * Q_PITCH + d] = r < rows ? SQA_LOAD(r * q_row + d, q) : 0.0f;
    }
#define Q_AT(r, d) q_tile[(r) * Q_PITCH + (d)]
#else
#define Q_AT(r, d) SQA_LOAD(min((r), rows - 1) * q_row + (d), q)
#endif
#if STAGE
    __local float slices[2][SLICE_SIZE];
#endif

    float maximum[TM], sum[TM], accumulator[TM][TD];
    int visible[TM];
#pragma unroll
    for (int i = 0; i < TM; i++) {
        visible[i] = SQA_VISIBLE_KEYS(min(first_row + y + TY * i, q_length - 1));
        maximum[i] = -FLT_MAX;
        sum[i] = 0.0f;
#pragma unroll
        for (int j = 0; j < TD; j++)
            accumulator[i][j] = 0.0f;
    }

    /* Rows see more keys the further down they are. */
    const int all_see = SQA_VISIBLE_KEYS(first_row);
    const int end = SQA_VISIBLE_KEYS(first_row + rows - 1);
    const float log2_scale = scale * M_LOG2E_F;
    for (int first_key = 0; first_key < end; first_key += BN) {
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
#define K_AT(key, d) slice[(key) * K_PITCH + (d)]
#else
#define K_AT(key, d) SQA_LOAD(min((key), keys - 1) * k_row + d0 + (d), k_tile)
#endif
            const int dims = min(K_SLICE_DIMS, SQA_HEAD_DIM - d0);
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

        /* A comparison with NaN is false: a NaN score is never a maximum and
         * reaches the row's sum as a weight. */
#pragma unroll
        for (int i = 0; i < TM; i++) {
            float largest = -FLT_MAX;
#pragma unroll
            for (int j = 0; j < TN; j++) {
                const float scaled = score[i][j] * log2_scale;
                score[i][j] = first_key + x + TX * j < visible[i] ? scaled : -FLT_MAX;
                largest = score[i][j] > largest ? score[i][j] : largest;
            }
            maxima[(y + TY * i) * TX + x] = largest;
        }
        barrier(CLK_LOCAL_MEM_FENCE); /* maxima are there; no thread computes scores any more */
#if STAGE
        stage_v(slices[0], v_tile, v_row, keys, 0, thread);
#endif
#pragma unroll
        for (int i = 0; i < TM; i++) {
            const int r = y + TY * i;
            float largest = maximum[i];
            for (int t = 0; t < TX; t++)
                largest = maxima[r * TX + t] > largest ? maxima[r * TX + t] : largest;
            const float rescale = weight_of(maximum[i] - largest);
            maximum[i] = largest;
            sum[i] *= rescale;
#pragma unroll
            for (int j = 0; j < TD; j++)
                accumulator[i][j] *= rescale;
#pragma unroll
            for (int j = 0; j < TN; j++) {
                const bool hidden = first_key + x + TX * j >= visible[i];
                weights[r * P_PITCH + x + TX * j] =
                    hidden ? 0.0f : weight_of(score[i][j] - largest);
            }
        }

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
#define V_AT(c, d) slice[(c) * SQA_VALUE_DIM + (d)]
#else
#define V_AT(c, d) SQA_LOAD((c0 + (c)) * v_row + (d), v_tile)
#endif
            const int present = min(V_SLICE_KEYS, keys - c0);
            for (int c = 0; c < present; c++) {
                float weight[TM], value[TD];
#pragma unroll
                for (int i = 0; i < TM; i++) {
                    weight[i] = weights[(y + TY * i) * P_PITCH + c0 + c];
                    sum[i] += weight[i];
                }
#pragma unroll
                for (int j = 0; j < TD; j++)
                    value[j] = V_AT(c, min(x + TX * j, SQA_VALUE_DIM - 1));
                /* In tiles that hide keys, a zero weight must not meet a NaN. */
#pragma unroll
                for (int i = 0; i < TM; i++)
#pragma unroll
                    for (int j = 0; j < TD; j++)
                        accumulator[i][j] = edge && weight[i] == 0.0f
                                                ? accumulator[i][j]
                                                : fma(weight[i], value[j], accumulator[i][j]);
            }
        }
    }

#pragma unroll
    for (int i = 0; i < TM; i++) {
        const int r = y + TY * i;
        const float inverse = visible[i] > 0 ? 1.0f / sum[i] : 0.0f;
#pragma unroll
        for (int j = 0; j < TD; j++)
            if (r < rows && x + TX * j < SQA_VALUE_DIM)
                SQA_STORE(accumulator[i][j] * inverse, r * o_row + x + TX * j, o);
#if SQA_WRITE_LSE
        if (r < rows && x == 0)
            SQA_LSE_ROW(batch, head)[first_row + r] =
                visible[i] > 0 ? (maximum[i] + log2(sum[i])) * M_LN2_F : -INFINITY;
#endif
    }
}
