/* columns, backward: parameters, and what a work-item has in the workspace: its states and the
 * matrices of a chunk. All of them are transposed or padded so that a row is whole vectors; what
 * lies behind the last row and column is 0.
 *
 * Register tiles are named variables, because arrays spill: the generator supplies EACH_ROW(M) and
 * its like, and the sizes that follow from the parameters. */
#ifndef LANES
#define LANES 8
#define NV 2
#define MR 2
#define CHUNK 4
#define EACH_ROW(M) M(0) M(1)
#define EACH_VECTOR(M) M(0) M(1)
#define EACH_ROW_VECTOR(M) M(0, 0) M(0, 1) M(1, 0) M(1, 1)
#define ROW_PITCH 64
#define VALUE_PITCH 64
#define TOKENS 16
#define STATE_ROWS 64
#endif

#define UP(x, to) (((x) + (to)-1) / (to) * (to))
#define NR (LANES * NV)                         /* columns of a register tile */
#define COLUMNS (SQA_VALUE_DIM + SQA_NORMALISE) /* of a state; the last is that of the sums */
#define CHANNELS (SQA_DECAY == 3)
#define STATE (STATE_ROWS * ROW_PITCH)      /* floats of a state, transposed */
#define ROW_MATRIX (TOKENS * ROW_PITCH)     /* of a chunk: tokens x head_dim, */
#define VALUE_MATRIX (TOKENS * VALUE_PITCH) /* tokens x value_dim, */
#define SQUARE (TOKENS * TOKENS)            /* tokens x tokens */

/* The matrices of a chunk, one after the other; as many as src/kernels/columns_linear_backward.c
 * asks for. Lines of `turned`, `keys_turned` and `values_turned` are those of tokens. */
enum {
    AT_KEYS = 0,
    AT_ROWS = AT_KEYS + ROW_MATRIX,
    AT_WEAK = AT_ROWS + ROW_MATRIX,
    AT_DROWS = AT_WEAK + ROW_MATRIX,
    AT_DKEYS = AT_DROWS + ROW_MATRIX,
    AT_TURNED = AT_DKEYS + ROW_MATRIX,
    AT_KEYS_TURNED = AT_TURNED + ROW_MATRIX,
    AT_ONE = AT_KEYS_TURNED + ROW_MATRIX,
    AT_BEFORE = AT_ONE + ROW_MATRIX,
    AT_BEHIND = AT_BEFORE + ROW_MATRIX,
    AT_DDECAY = AT_BEHIND + ROW_MATRIX,
    AT_LATER = AT_DDECAY + ROW_MATRIX,
    AT_EARLIER = AT_LATER + ROW_MATRIX,
    AT_VALUES = AT_EARLIER + ROW_MATRIX,
    AT_DVALUES = AT_VALUES + VALUE_MATRIX,
    AT_DOUT = AT_DVALUES + VALUE_MATRIX,
    AT_KNOWN = AT_DOUT + VALUE_MATRIX,
    AT_REST = AT_KNOWN + VALUE_MATRIX,
    AT_VALUES_TURNED = AT_REST + VALUE_MATRIX,
    AT_COLUMNS = AT_VALUES_TURNED + VALUE_MATRIX,
    AT_SCORES = AT_COLUMNS + VALUE_MATRIX,
    AT_OWN_SCORES = AT_SCORES + SQUARE,
    AT_WEIGHTS = AT_OWN_SCORES + SQUARE,
    AT_LEFT = AT_WEIGHTS + SQUARE,
    AT_PART = AT_LEFT + SQUARE,
    AT_WHOLE = AT_PART + ROW_PITCH,
    AT_CHUNK = AT_WHOLE + ROW_PITCH,
    SCRATCH = AT_CHUNK + ROW_PITCH
};

/* Of the workspace, whose parts are aligned, unlike what callers give. */
#define GET(p) (*(__global const vec *)(p))
#define PUT(v, p) (*(__global vec *)(p) = (v))
#define IN __global const float *restrict
#define OUT __global float *restrict
