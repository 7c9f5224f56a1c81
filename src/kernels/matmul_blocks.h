/* Matrix products in blocks of C, a work-item each, which several may share by dividing the
 * products among them (cl/matmul/block.cl): what rows and stream have in common. */
#ifndef SQA_KERNELS_MATMUL_BLOCKS_H
#define SQA_KERNELS_MATMUL_BLOCKS_H

#include "kernels/matmul_arguments.h"

/* How a family divides C. */
typedef struct sqa_matmul_block {
    int32_t rows;   /* of a block */
    int32_t panel;  /* columns of a panel */
    int32_t panels; /* of a block */
    int32_t depth;  /* products that are added up at a time */
    int32_t split;  /* work-items that divide the products of a block */
    bool packs;     /* B is copied to panels first */
} sqa_matmul_block;

/* How the work is divided, and where everything is in the workspace: packed B, then packed
 * B2, then the sums of parts. */
typedef struct sqa_matmul_layout {
    int32_t panels;     /* of a matrix B */
    int32_t b_count;    /* matrices B: one, or as many as the batch */
    int64_t part_depth; /* products of a part, a multiple of the depth */
    int64_t parts_at;   /* elements of f32, and as many are packed */
    size_t row_blocks, column_blocks;
    double workspace_bytes; /* which may be more than any memory */
} sqa_matmul_layout;

sqa_matmul_layout sqa_matmul_layout_of(const sqa_product *product, const sqa_matmul_block *block);

/* Whether there are `times` as many work-items as cores, with or without those that divide the
 * products. */
bool sqa_matmul_keeps_busy(const sqa_product *product, const sqa_matmul_block *block,
                           const sqa_device *device, double times);

/* Whether dividing the products, if it does, can pay, and the workspace be had; if not, *why. */
bool sqa_matmul_block_can_run(const sqa_product *product, const sqa_matmul_block *block,
                              const sqa_device *device, const char **why);

/* The program's definitions (sqa_source_matmul()), with what these launches need. `packs`: as in
 * the block. */
void sqa_source_matmul_blocks(sqa_text *out, const sqa_problem *problem, bool packs);

/* Adds the step that packs B, in pieces of so many rows, a work-item each. */
void sqa_matmul_add_pack(const char *kernel, uint32_t rows, const sqa_problem *problem,
                         const sqa_matmul_block *block, const sqa_matmul_layout *layout,
                         sqa_launch *launch);

/* Adds the steps that multiply and add up, and asks for the workspace. */
void sqa_matmul_add_blocks(const sqa_problem *problem, const sqa_matmul_block *block,
                           const sqa_matmul_layout *layout, sqa_launch *launch);

#endif
