/* tiled: parameters, and what a work-group and a thread have of a chunk and of the state.
 *
 * Rows of local tiles are whole vectors, the last one filled up with zeros. With PAD those of Q and
 * K are an odd number of them, so that threads that read down a column of vectors meet different
 * banks. */
#ifndef CHUNK
#define CHUNK 16
#define COLUMNS 16
#define TX 4
#define TY 8
#define PAD 1
#endif

#ifndef SUBGROUP_ATTRIBUTE /* pins the size of sub-groups where the device has several */
#define SUBGROUP_ATTRIBUTE
#endif

#define THREADS (TX * TY)
#define HEAD_VECS ((SQA_HEAD_DIM + VEC - 1) / VEC)
#define HEAD_PITCH (HEAD_VECS | PAD)
#define ROWS (HEAD_VECS * VEC) /* of the state; those behind the last are 0 */
#define COLUMN_VECS (COLUMNS / VEC)
#define SCORE_PITCH (CHUNK | PAD)

#define TM (CHUNK / TY)       /* tokens of a thread, as rows of scores and outputs */
#define TN (CHUNK / TX)       /* tokens of a thread, as columns of scores */
#define TC (COLUMN_VECS / TX) /* vectors of columns of a thread */
#define TR 4                  /* rows of the state that a thread updates at a time */

#define CHANNELS (SQA_DECAY == 3)
#if SQA_CAUSAL
#define SCORE_ROWS CHUNK
#else
#define SCORE_ROWS 1
#endif
