/* mma: matrix units, and what of a product each lane of a wave has. A wave computes with UNIT_ROWS
 * query rows. Its products are of these rows, INNER inner elements and 16 places: keys of a tile,
 * or columns of the output. By mma.sync the rows are those of the left matrix; by the others, which
 * are given both matrices transposed and the tile on the left, they are columns of the right one:
 * so that a sum, rounded, is the row side of the next product as it is, or nearly so.
 *
 * Elements are f16 or bf16, two in a word, the lower one first, or f32 rounded to tf32.
 *
 * The row side has FACTOR_WORDS words a lane, the tile's
 * TILE_WORDS, and of the sum a lane has HELD elements, of ROWS_HELD rows. The MATES lanes that
 * share these differ in places.
 *
 *   MATE(lane)            which of them it is
 *   OWN_ROW(lane, r)      the lane's row r, of the wave's
 *   ROW_HELD(j)           which of the lane's rows element j is of
 *   OF_ROW(r, n)          the element that is the n-th of its row r
 *   PLACE(mate, j)        where element j is, of 16; 2 i + 1 follows 2 i
 *   MATE_AT(place), HELD_AT(place, r)  whose it is, and which element
 *   FACTOR_ROW(w), FACTOR_AT(mate, w)  of Q: the row of word w, and its lower inner element
 */
/* NVIDIA from sm_80 on: PTX ISA, mma.sync.m16n8k16, k8 of tf32, two side by side. */
#define UNIT_MMA 1
#define UNIT_MFMA 2 /* AMD CDNA from gfx90a on: v_mfma_f32_16x16x16f16 and bf16_1k */
#define UNIT_WMMA 3 /* AMD RDNA 3, waves of 32: v_wmma_f32_16x16x16 */
/* Intel Xe-HPG, sub-groups of 8, and Xe-HPC, of 16:
 * cl_intel_subgroup_matrix_multiply_accumulate, k16, two of 8 places. */
#define UNIT_DPAS8 4
#define UNIT_DPAS16 5
#ifndef BM
#define BM 64
#define BN 64
#define ASYNC 0
#endif
#ifndef MATRIX_UNIT
#define MATRIX_UNIT UNIT_MMA
#define SIMULATED 1
#endif

#if MATRIX_UNIT == UNIT_MMA
#define LANES 32
#define UNIT_ROWS 16
#define FACTOR_WORDS 4
#define TILE_WORDS 4
#elif MATRIX_UNIT == UNIT_MFMA
#define LANES 64
#define UNIT_ROWS 16
#define FACTOR_WORDS 2
#define TILE_WORDS 2
#elif MATRIX_UNIT == UNIT_WMMA
#define LANES 32
#define UNIT_ROWS 16
#define FACTOR_WORDS 8
#define TILE_WORDS 8
#elif MATRIX_UNIT == UNIT_DPAS8
#define LANES 8
#define UNIT_ROWS 8
#define FACTOR_WORDS 8
#define TILE_WORDS 16
#else
#define LANES 16
#define UNIT_ROWS 16
#define FACTOR_WORDS 8
#define TILE_WORDS 8
#endif

#if SQA_DTYPE == 0
#define PER_WORD 1 /* elements */
#else
#define PER_WORD 2
#endif
#define INNER (8 * PER_WORD)
#define CHUNK (4 * PER_WORD) /* elements of 16 bytes */
#define HELD (UNIT_ROWS * 16 / LANES)
#if MATRIX_UNIT == UNIT_MMA
#define TRANSPOSED 0 /* V is transposed on its way to the unit */
#define ROWS_HELD 2
#define MATES 4
#define MATE(lane) ((lane) % 4)
#define OWN_ROW(lane, r) ((lane) / 4 + 8 * (r))
#define ROW_HELD(j) ((j) / 2 % 2)
#define OF_ROW(r, n) ((n) / 2 * 4 + 2 * (r) + (n) % 2)
#define PLACE(mate, j) (8 * ((j) / 4) + 2 * (mate) + (j) % 2)
#define MATE_AT(place) ((place) % 8 / 2)
#define HELD_AT(place, r) (4 * ((place) / 8) + 2 * (r) + (place) % 2)
#define FACTOR_ROW(w) ((w) % 2)
#define FACTOR_AT(mate, w) (PER_WORD * (4 * ((w) / 2) + (mate)))
#define MATE_LANE(lane, other) ((lane) ^ (other))
#else
#define TRANSPOSED 1 /* V lies in local memory column by column */
#define ROWS_HELD 1
#define MATES (LANES / UNIT_ROWS)
#define MATE(lane) ((lane) / UNIT_ROWS)
#define OWN_ROW(lane, r) ((lane) % UNIT_ROWS)
#define ROW_HELD(j) 0
#define OF_ROW(r, n) (n)
#define PLACE(mate, j) (HELD * (mate) + (j))
#define MATE_AT(place) ((place) / HELD)
#define HELD_AT(place, r) ((place) % HELD)
#define FACTOR_ROW(w) 0
#if MATRIX_UNIT == UNIT_MFMA
#define FACTOR_AT(mate, w) (4 * (mate) + 2 * (w))
#else
#define FACTOR_AT(mate, w) (2 * (w))
#endif
#define MATE_LANE(lane, other) ((lane) ^ (other)*UNIT_ROWS)
#endif

/* Where totals are, which are seldom needed: in private memory, and on Intel in registers, since
 * its compiler makes spills of more than they are. */
#if MATRIX_UNIT == UNIT_DPAS8 || MATRIX_UNIT == UNIT_DPAS16
#define ASIDE
#else
#define ASIDE volatile
#endif

#define THREADS (BM / UNIT_ROWS * LANES)
/* Where each lane needs all of a row of Q, it lies in local memory: registers would not do. */
#define Q_IN_LOCAL (FACTOR_WORDS == 8)
/* Rows of the tiles, in chunks: odd, so that 8 rows meet no bank twice. */
#define K_PITCH (SQA_HEAD_DIM / CHUNK | 1)
#if TRANSPOSED
#define V_PITCH (BN / CHUNK | 1)
#define V_CHUNKS (SQA_VALUE_DIM * V_PITCH)
#else
#define V_PITCH (SQA_VALUE_DIM / CHUNK | 1)
#define V_CHUNKS (BN * V_PITCH)
#endif

#if SQA_DTYPE == 2
#define ELEMENTS "bf16"
#define EXPONENT 0x7f80u
#elif SQA_DTYPE == 1
#define ELEMENTS "f16"
#define EXPONENT 0x7c00u
#else
#define ELEMENTS "tf32"
#define EXPONENT 0x7f800000u
#endif

#if PER_WORD == 1
/* To 11 bits, the nearest and away from zero from halfway (PTX ISA, cvt.rna.tf32), but no number to
 * infinity. */
INLINE uint to_unit(const uint word)
{
    const uint size = word & 0x7fffffffu;
    const uint kept = size > EXPONENT ? 0x7fc00000u : word;
    return (size < EXPONENT - 0x1000u ? word + 0x1000u : kept) & 0xffffe000u;
}

INLINE uint4 chunk_to_unit(const uint4 chunk)
{
    return (uint4)(to_unit(chunk.s0), to_unit(chunk.s1), to_unit(chunk.s2), to_unit(chunk.s3));
}
#else
#define chunk_to_unit(chunk) (chunk)
#endif

/* The lower element of a word, or the upper one. */
INLINE float element_of(const uint word, const int which)
{
#if PER_WORD == 1
    return as_float(word);
#else
    const ushort bits = (ushort)(word >> 16 * which);
#if SQA_DTYPE == 2
    return as_float((uint)bits << 16);
#else
    return vload_half(0, (const half *)&bits);
#endif
#endif
}

#if SIMULATED
#define EACH 1
#else
#define EACH 128 /* times a loop is unrolled: to its end */
#endif

#if TRANSPOSED
/* The tile's rows `row` and on, at 16 inner elements from chunk `chunk`; and, since V lies column
 * by column, its columns `column` and on, at keys. */
INLINE void read_rows(const int lane, uint words[TILE_WORDS], __local const uint4 *tile,
                      const int pitch, const int row, const int chunk)
{
#if MATRIX_UNIT == UNIT_MFMA
    const uint2 read =
        ((__local const uint2 *)(tile + (row + lane % 16) * pitch + chunk))[lane / 16];
    words[0] = read.s0;
    words[1] = read.s1;
#elif MATRIX_UNIT == UNIT_WMMA
    /* Lanes of the lower half have even rows of a sum, the others odd ones: this order makes of
     * them the first 8 places and the others. */
    __local const uint4 *from = tile + (row + lane % 2 * 8 + lane % 16 / 2) * pitch + chunk;
    vstore4(from[0], 0, words);
    vstore4(from[1], 1, words);
#elif MATRIX_UNIT == UNIT_DPAS8
#pragma unroll EACH
    for (int w = 0; w < TILE_WORDS; w++)
        words[w] = ((__local const uint *)(tile + (row + w) * pitch + chunk))[lane];
#else
#pragma unroll EACH
    for (int w = 0; w < TILE_WORDS; w++) {
        __local const ushort *from =
            (__local const ushort *)(tile + (row + 2 * w) * pitch + chunk) + lane;
        words[w] = from[0] | (uint)from[8 * pitch] << 16;
    }
#endif
}
#define READ_COLUMNS(lane, words, tile, key, column)                                               \
    read_rows(lane, words, tile, V_PITCH, column, (key) / 8)
#else
#define READ_COLUMNS(lane, words, tile, key, column)                                               \
    read_columns(lane, words, tile, V_PITCH, key, (column) / CHUNK)
#if PER_WORD == 1
/* Inner elements i and i + 4 are keys 2 i and 2 i + 1, as a lane has them of a sum. */
INLINE void read_columns(const int lane, uint words[4], __local const uint4 *tile, const int pitch,
                         const int row, const int chunk)
{
    __local const uint *at =
        (__local const uint *)(tile + (row + 2 * (lane % 4)) * pitch + chunk) + lane / 4;
    words[0] = at[0];
    words[1] = at[4 * pitch];
    words[2] = at[8];
    words[3] = at[4 * pitch + 8];
}
#endif
#endif
