#include "kernels/matmul_blocks.h"

#include "operations/matmul/slots.h"

sqa_matmul_layout sqa_matmul_layout_of(const sqa_product *p, const sqa_matmul_block *block)
{
    sqa_matmul_layout l;
    const uint32_t rows = (uint32_t)block->rows, panel = (uint32_t)block->panel;
    const int64_t depths = ((int64_t)p->k + block->depth - 1) / block->depth;
    const double matrices = p->gated ? 2 : 1;
    l.panels = (int32_t)((p->n + panel - 1) / panel);
    l.b_count = p->b.batch && p->batch > 1 ? (int32_t)p->batch : 1;
    l.part_depth = (depths + block->split - 1) / block->split * block->depth;
    l.row_blocks = (p->m + rows - 1) / rows;
    l.column_blocks = ((size_t)l.panels + (size_t)block->panels - 1) / (size_t)block->panels;
    const double width = (double)l.panels * panel;
    const double packed = block->packs ? matrices * l.b_count * width * p->k : 0.0;
    const double parts = block->split > 1 ? matrices * block->split * width * p->m * p->batch : 0.0;
    l.workspace_bytes = sizeof(float) * (packed + parts);
    l.parts_at = packed < 0x1p62 ? (int64_t)packed : 0;
    return l;
}

bool sqa_matmul_keeps_busy(const sqa_product *p, const sqa_matmul_block *block,
                           const sqa_device *device, double times)
{
    const sqa_matmul_layout l = sqa_matmul_layout_of(p, block);
    return (double)l.row_blocks * (double)l.column_blocks * p->batch * block->split >=
           times * device->strings.compute_units;
}

bool sqa_matmul_block_can_run(const sqa_product *p, const sqa_matmul_block *block,
                              const sqa_device *device, const char **why)
{
    sqa_matmul_block alone = *block;
    const uint64_t most = device->limits.max_allocation_bytes;
    alone.split = 1;
    if (block->split > 1 && sqa_matmul_keeps_busy(p, &alone, device, 8.0))
        *why = "the elements of C alone keep every core busy without SPLIT";
    else if (sqa_matmul_layout_of(p, block).workspace_bytes > (most > 0 ? (double)most : 0x1p62))
        *why = "the workspace is larger than the device's largest buffer";
    else
        return true;
    return false;
}

#define LAID_OUT(name) #name, SQA_TYPE_INT, SQA_IN_VALUES(sqa_matmul_layout, name)
#define PLACE(name) #name, SQA_TYPE_LONG, SQA_IN_VALUES(sqa_matmul_layout, name)

static const sqa_argument_row packed_rows[] = {{SQA_PACKED("float *restrict ")}, {0}};
static const sqa_argument_row layout_rows[] = {
    {SQA_WORKSPACE("float *restrict ")},
    {LAID_OUT(panels)},
    {LAID_OUT(b_count)},
    {PLACE(part_depth)},
    {PLACE(parts_at)},
    {0},
};

/* Of launches that pack, and of others. */
static const sqa_argument_row *const tables[2][4] = {
    {sqa_matmul_rows, layout_rows, NULL},
    {sqa_matmul_rows, packed_rows, layout_rows, NULL},
};

void sqa_source_matmul_blocks(sqa_text *out, const sqa_problem *problem, bool packs)
{
    sqa_source_matmul(out, problem, tables[packs]);
}

/* Adds a step of work-items that are work-groups. */
static sqa_launch_step *add_step(const char *kernel, const size_t global[3],
                                 const sqa_problem *problem, const sqa_matmul_block *block,
                                 const sqa_matmul_layout *layout, sqa_launch *launch)
{
    sqa_launch_step *step = sqa_launch_add_step(launch, kernel, 3);
    for (int i = 0; i < 3; i++) {
        step->global[i] = global[i];
        step->local[i] = 1;
    }
    sqa_arguments_fill(launch, step, tables[block->packs], problem, layout);
    return step;
}

void sqa_matmul_add_pack(const char *kernel, uint32_t rows, const sqa_problem *problem,
                         const sqa_matmul_block *block, const sqa_matmul_layout *layout,
                         sqa_launch *launch)
{
    const sqa_product *p = &problem->of.product;
    const size_t matrices = (size_t)layout->b_count * (p->gated ? 2 : 1);
    const size_t global[3] = {(size_t)layout->panels, (p->k + rows - 1) / rows, matrices};
    add_step(kernel, global, problem, block, layout, launch)->packs = true;
    launch->packing = (sqa_packing){(size_t)layout->parts_at * sizeof(float), block->panel};
}

void sqa_matmul_add_blocks(const sqa_problem *problem, const sqa_matmul_block *block,
                           const sqa_matmul_layout *layout, sqa_launch *launch)
{
    const size_t batch = problem->of.product.batch;
    size_t global[3] = {layout->row_blocks, layout->column_blocks, batch * (size_t)block->split};
    add_step("sqa_block_matmul", global, problem, block, layout, launch);
    global[2] = batch;
    if (block->split > 1)
        add_step("sqa_combine_parts", global, problem, block, layout, launch);
    launch->workspace_bytes = (size_t)layout->workspace_bytes;
}
