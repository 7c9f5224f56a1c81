/* tiled: what a thread knows of its rows, and the online softmax over them. Which
 * keys a row sees is decided here and where the kernel chooses its key tiles. */
#if SUBGROUP
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
#pragma OPENCL EXTENSION cl_khr_subgroup_shuffle : enable
#endif

/* What is asked of a row only where keys are hidden, scores shaped or weights dropped. It lies
 * in local memory: a thread has no registers to spare for it. */
typedef struct {
    int start, end; /* keys the row sees by position: start .. end - 1 */
#if SQA_GLOBALS
    int limit; /* and the global tokens before this one */
#endif
#if SQA_ALIBI
    int position;
    float slope;
#endif
#if SQA_DROPOUT
    uint head, query;
#endif
} row_facts;

/* The online softmax of row i is at STATE(i). Where weights wait in registers (P_SLICE), there are
 * none for it, and each thread has its own in local memory. */
#if P_SLICE
#define STATE(i) (TY * TX * (i))
#else
#define STATE(i) (i)
#endif

/* What a thread keeps of its rows. */
typedef struct {
    __local const row_facts *facts; /* of the thread's first row */
#if SQA_DROPOUT
    sqa_dropout dropout;
    int first_key; /* the thread's first of the key tile at hand */
#endif
#if SQA_EXTRA
    sqa_extra_row extra[TM];
#endif
    sqa_shaping shaping;
    sqa_weighing weighing;
    /* Of the scores so far, and of the weights of the thread's own keys, at most SQA_SUM_KEYS. */
#if P_SLICE
    __local float *maximum, *sum;
#else
    float maximum[TM], sum[TM];
#endif
    vec output[TM][TD]; /* not yet divided by the sum */
} thread_rows;

/* The same of all keys before. Volatile: it is not needed often enough for registers. */
typedef struct {
    float maximum[TM], sum[TM];
    vec output[TM][TD];
} row_totals;

/* Whether row i sees the key by position; `shown` as in sqa_walk. */
INLINE bool sees(const thread_rows *rows, const int i, const int key, const int shown)
{
    __local const row_facts *facts = rows->facts + TY * i;
    const bool near = key >= facts->start & key < facts->end;
#if SQA_GLOBALS
    return near != (shown != 0) & key < facts->limit;
#else
    return near;
#endif
}

/* NaN is never the larger one. One instruction of GPUs, which a comparison and a choice are not. */
INLINE float larger(float a, float b)
{
    return fmax(a, b);
}

/* Makes each value of a thread's rows the largest, or the sum, over the row's TX
 * threads: by shuffles where those are in one sub-group, else through of_threads,
 * which has a number of each thread for each of its rows and is free by then. Every
 * thread calls these; row_maxima is a barrier for what came before in any case. */
#if SUBGROUP
INLINE void row_maxima(float value[TM], __local vec *of_threads, const int x, const int y)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int distance = TX / 2; distance > 0; distance /= 2)
            value[i] = larger(sub_group_shuffle_xor(value[i], (uint)distance), value[i]);
    barrier(CLK_LOCAL_MEM_FENCE);
}

INLINE void row_sums(float value[TM], __local vec *of_threads, const int x, const int y)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int distance = TX / 2; distance > 0; distance /= 2)
            value[i] += sub_group_shuffle_xor(value[i], (uint)distance);
}
#else
INLINE void tell_threads(const float value[TM], __local vec *of_threads, const int x, const int y)
{
    __local float *own = (__local float *)of_threads + y * TX + x;
#pragma unroll
    for (int i = 0; i < TM; i++)
        own[TY * i * TX] = value[i];
    barrier(CLK_LOCAL_MEM_FENCE);
}

INLINE void row_maxima(float value[TM], __local vec *of_threads, const int x, const int y)
{
    tell_threads(value, of_threads, x, y);
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int t = 0; t < TX / VEC; t++) {
            const vec told = of_threads[(y + TY * i) * (TX / VEC) + t];
#define LARGER_LANE(n) value[i] = larger(LANE(told, n), value[i]);
            EACH_LANE(LARGER_LANE)
#undef LARGER_LANE
        }
}

INLINE void row_sums(float value[TM], __local vec *of_threads, const int x, const int y)
{
    tell_threads(value, of_threads, x, y);
#pragma unroll
    for (int i = 0; i < TM; i++) {
        value[i] = 0.0f;
#pragma unroll
        for (int t = 0; t < TX / VEC; t++) {
            const vec told = of_threads[(y + TY * i) * (TX / VEC) + t];
#define ADD_LANE(n) value[i] += LANE(told, n);
            EACH_LANE(ADD_LANE)
#undef ADD_LANE
        }
    }
}
#endif

/* The score of a key that row i sees, from the product of Q and K. */
INLINE float finish_score(const thread_rows *rows, const int i, const int key, const float product)
{
    float score = sqa_shape(rows->shaping, product);
#if SQA_ALIBI
    __local const row_facts *facts = rows->facts + TY * i;
    score = fma(-facts->slope, (float)abs(facts->position - key), score);
#endif
#if SQA_EXTRA
    const float extra = sqa_extra(rows->extra[i], key);
    score = extra == -INFINITY ? SQA_HIDDEN_SCORE : score + extra;
#endif
    return score;
}

/* Turns products into scores; leaves the largest of each row's in `largest`. In tiles that
 * hide keys (edge), SQA_HIDDEN_SCORE where the rows do not see the key or it is not before
 * `end`. `first_key` is the thread's first. */
INLINE void finish_scores(const bool edge, float score[TM][TN], float largest[TM],
                          const thread_rows *rows, const int first_key, const int end,
                          const int shown)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const int key = first_key + TX * j;
            score[i][j] = !edge || (key < end && sees(rows, i, key, shown))
                              ? finish_score(rows, i, key, score[i][j])
                              : SQA_HIDDEN_SCORE;
            largest[i] = j ? larger(score[i][j], largest[i]) : score[i][j];
        }
}

/* The online softmax's step: rescales what the rows have to the new maxima, and makes the
 * thread's scores weights. Where no key is hidden, a score is no SQA_HIDDEN_SCORE but by an
 * infinity in Q or K, whose weight is zero as well. */
INLINE void update_rows(const bool edge, thread_rows *rows, float score[TM][TN],
                        const float largest[TM])
{
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const float maximum = larger(largest[i], rows->maximum[STATE(i)]);
        const float rescale = sqa_rescale(rows->weighing, rows->maximum[STATE(i)] - maximum);
        rows->maximum[STATE(i)] = maximum;
        rows->sum[STATE(i)] *= rescale;
#pragma unroll
        for (int j = 0; j < TD; j++)
            rows->output[i][j] *= rescale;
#pragma unroll
        for (int j = 0; j < TN; j++) {
            const float weight = edge && score[i][j] == SQA_HIDDEN_SCORE
                                     ? SQA_HIDDEN_WEIGHT
                                     : sqa_weight(rows->weighing, score[i][j] - maximum);
            rows->sum[STATE(i)] += weight;
#if SQA_DROPOUT
            /* -0 times what is not negative is -0, which stays hidden. */
            score[i][j] =
                weight * sqa_kept(rows->dropout, rows->facts[TY * i].head,
                                  rows->facts[TY * i].query, (uint)(rows->first_key + TX * j));
#else
            score[i][j] = weight;
#endif
        }
    }
}

/* Puts down part s of the weights of the thread's keys; `to`: of its first row and key. */
INLINE void put_weights(__local float *to, const float weight[TM][TN], const int s)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < P_KEYS / TX; j++)
            to[TY * i * P_PITCH * VEC + TX * j] = weight[i][P_KEYS / TX * s + j];
}

/* Adds what the rows have to the totals, and leaves them empty. */
INLINE void add_totals(volatile row_totals *totals, thread_rows *rows)
{
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const float maximum = rows->maximum[STATE(i)];
        const float rescale = sqa_rescale(rows->weighing, totals->maximum[i] - maximum);
        totals->maximum[i] = maximum;
        totals->sum[i] = fma(totals->sum[i], rescale, rows->sum[STATE(i)]);
        rows->sum[STATE(i)] = 0.0f;
#pragma unroll
        for (int j = 0; j < TD; j++) {
            totals->output[i][j] = fma(totals->output[i][j], (vec)(rescale), rows->output[i][j]);
            rows->output[i][j] = (vec)(0.0f);
        }
    }
}

/* Adds vector j of a key's value to the rows. In tiles that hide keys (edge), those must not
 * bring a NaN. */
INLINE void add_value(const bool edge, thread_rows *rows, const float weight[TM], const int j,
                      const vec value)
{
#pragma unroll
    for (int i = 0; i < TM; i++)
        if (!edge || as_int(weight[i]) != SQA_HIDDEN_BITS)
            rows->output[i][j] = fma((vec)(weight[i]), value, rows->output[i][j]);
}
