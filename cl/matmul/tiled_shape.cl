/* tiled, of the matrix product: parameters, and what a thread has of C. Rows and columns are
 * counted in vectors of LANES of them. */
#ifndef BM
#define BM 32
#define BN 32
#define TX 8
#define TY 8
#define DK 8
#define PAD 1
#define UNROLL 4
#define BUFFERS 2
#endif

#ifndef SUBGROUP_ATTRIBUTE /* pins the size of sub-groups where the device has several */
#define SUBGROUP_ATTRIBUTE
#endif

#define LANES 4
#define THREADS (TX * TY)
#define TM (BM / TY / LANES) /* vectors of rows of a thread */
#define TN (BN / TX / LANES) /* and of columns */

/* Vectors from one product of a slice to the next: an odd number where they are padded. */
#define PITCH(size) ((size) / LANES | PAD)
#define A_PITCH PITCH(BM)
#define B_PITCH PITCH(BN)
#define A_SLICE (DK * A_PITCH)
#define B_SLICE (DK * B_PITCH)

/* The sum of so many products at most is added to that of the products before: one f32 sum of
 * 200,000 loses more than is promised. */
#define SUM_PRODUCTS 2048
