/* tiled, backward: what a thread has of a row of Q or K, and what a key/value head of a sequence
 * has of the workspace:
 *
 *   states before every chunk, gradients of the state behind every chunk; without causal, one of
 *   each, of all keys and all queries. They lie transposed, a row for a column of V, with whole
 *   slices of columns; normalised, that of the sums is the last. What is no row or column is 0
 *   of the delta rule, per token, what the state did not know of V, and the gradient of R
 *   normalised, per query and output head, what `divisor` names */
#define TD ((HEAD_VECS + TX - 1) / TX) /* vectors of a row of a thread */
#define OWN_VECTORS (TM * TD)
#define OWN_PAIRS (TM * TN)

#define SLICES ((SQA_VALUE_DIM + COLUMNS - 1) / COLUMNS)
#define VALUE_PITCH (SLICES * COLUMNS)
#define STATE ((long)ROWS * (VALUE_PITCH + SQA_NORMALISE))
#define SUMS_OF(state) ((state) + ROWS * VALUE_PITCH)
#define SQUARE (CHUNK * SCORE_PITCH)

#if SQA_CAUSAL
#define KEPT max((kv_longest + CHUNK - 1) / CHUNK, 1)
#define STATE_OF(chunk) (area + (chunk)*STATE)
#define GRADIENT_OF(chunk) (area + (KEPT + (chunk)) * STATE)
#else
#define KEPT 1
#define STATE_OF(chunk) area
#define GRADIENT_OF(chunk) (area + STATE)
#endif
#define SET_AREA __global float *area = workspace + (batch * kv_heads + head) * head_floats;
#define RESTS (area + 2 * KEPT * STATE)
#define DVALUES (RESTS + (long)kv_longest * VALUE_PITCH)
#define DIVISORS(h, i)                                                                             \
    (area + 2 * KEPT * STATE + (((h)-head * group) * q_longest + (i)) * DIVISOR_NUMBERS)

/* Of a row of dO: what it is multiplied by, the gradient of its divisor, and that of the weight of
 * the row's own key. */
enum divisor { DIVISOR_FACTOR, DIVISOR_LAST, DIVISOR_OWN, DIVISOR_NUMBERS };

#define EACH_OF_THREAD(i, count) _Pragma("unroll") for (int i = 0; i < (count); i++)
#if SQA_DECAY
#define SET_LOG_TILE __local float2 logs[CHUNK * LOG_COLUMNS];
#define TAKE_LOGS(first, count) SET_LOGS(first, count)
#else
#define SET_LOG_TILE
#define TAKE_LOGS(first, count)
#endif

#define OF_A_GROUP __attribute__((reqd_work_group_size(TX, TY, 1))) SUBGROUP_ATTRIBUTE
