/* What kernels have to know of a class of devices and no runtime tells: figures of the
 * hardware, by which families say which configurations can run and what to use unmeasured.
 * A class is found by what a device says of itself; a table, first row that fits. */
#ifndef SQA_DEVICE_ARCHITECTURES_H
#define SQA_DEVICE_ARCHITECTURES_H

#include "device/device.h"

/* Vectors of accumulators that are kept in registers while products are added up:
 * `vectors` x `broadcasts` of them, of `lanes` floats. */
typedef struct sqa_register_tile {
    int32_t lanes, vectors, broadcasts;
    int32_t cost; /* time of a product, in percent of the first tile's */
} sqa_register_tile;

#define SQA_REGISTER_TILES 3

typedef struct sqa_architecture {
    /* Of a work-item that computes in vectors; 0 where none does. */
    int32_t vector_lanes;  /* floats of a vector register; a longer vector takes two */
    int32_t accumulators;  /* vectors of them that compilers keep in registers */
    int32_t private_bytes; /* that stay in the second-level cache and off small thread stacks */
    sqa_register_tile register_tiles[SQA_REGISTER_TILES]; /* best first */

    /* Of a work-group whose work-items compute together. */
    uint32_t item_registers; /* of 32 bits, that a work-item's own values may take, by the count of
                                families: compilers need about twice as many */
    uint32_t large_item_registers; /* built with large_file; 0: there is no such thing */
    const char *large_file;        /* a build option: fewer work-items, more registers for each */
    uint32_t least_items;          /* fewer leave lanes idle */
    uint32_t most_items;           /* more wait for each other at barriers */
    int32_t group_items;           /* enough to read at the memory's rate; 1: one does alone */
    int32_t read_floats;           /* neighbours that a work-item best reads at a time */
    int32_t compute_floats;        /* and computes with at a time */

    bool native_exp2; /* as exact as exp2(), but for results that are no normal numbers */

    bool paired_floats; /* one instruction multiplies and adds two neighbours */
    bool no_predicates; /* of instructions: one with a condition is two, a vector's one more each */
    /* The compiler gives what a loop needs at edges registers elsewhere, too. */
    bool edges_apart;

    /* Of a compute unit; 0 where it is not known. The width that a runtime tells goes before; its
     * local memory does not, which may be that of one work-group. */
    uint32_t wavefront_width;
    uint32_t least_wavefronts; /* fewer leave it idle while one waits for memory */
    uint64_t unit_local_memory_bytes;
} sqa_architecture;

/* In static storage. */
const sqa_architecture *sqa_architecture_find(const sqa_device *device);

#endif
