/* Block selection: learnable sparsity. From Q and K the device makes the block
 * lists (sqa_blocks in pattern.h) that a forward call on the same queue then uses;
 * the host sees none of it.
 *
 * Blocks of keys, and of queries, are represented by their means (the last block's
 * over the rows it has); a block pair scores as its queries and keys do on average:
 *
 *   score[r][c] = scale * mean of Q over block r . mean of K over block c
 *
 * as in MoBA (arXiv 2502.13189, section 2.2) and the selection branch of NSA (arXiv
 * 2502.11089, section 3.3.2). blocks.heads says what a list is for: each output
 * head; each key/value head, the scores of the output heads that read it added up;
 * or 1, those of all heads added up. blocks.batch is the batch: every entry has
 * lists of its own.
 *
 * Of the key blocks that some query of block r may see by position (the causal mask;
 * without one, all), row r gets the top_k of
 *   - the first sink_blocks,
 *   - the local_blocks that end with the one in which the block's last query
 *     stands (the last candidate, if it stands beyond),
 *   - those with the best scores; of equal ones the first, NaN behind all others,
 * in this order of preference, listed ascending; all of them where there are no more.
 * The result is the same, bit for bit, every time.
 *
 * Means of finite rows are finite. Scores are compared in f32, without the magnitude of
 * scale: any finite one will do, and no sum of the means' products, times 2^-96 or |scale|,
 * whichever is larger, but at most 1, may be beyond FLT_MAX.
 *
 * The descriptor is that of the forward call. Softcap, ALiBi, bias and sinks do not
 * enter the scores, and V, O and LSE are not used. Windows, masks and ragged batches
 * are not supported: leave them out here. */
#ifndef SQA_CL_SELECT_H
#define SQA_CL_SELECT_H

#include <stdint.h>

#include "attention.h"
#include "context.h"
#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Start from SQA_SELECT_OPTIONS_INIT and set at least top_k. MoBA has local_blocks 1,
 * NSA sink_blocks 1 and local_blocks 2. */
typedef struct sqa_select_options {
    uint32_t version;      /* SQA_SELECT_OPTIONS_VERSION */
    uint32_t top_k;        /* 1..2^30; key blocks of a row, the next two included */
    uint32_t sink_blocks;  /* sink_blocks + local_blocks at most top_k */
    uint32_t local_blocks; /* without a causal mask, desc->align says where queries stand */
} sqa_select_options;

#define SQA_SELECT_OPTIONS_VERSION 1u
#define SQA_SELECT_OPTIONS_INIT                                                                    \
    {                                                                                              \
        SQA_SELECT_OPTIONS_VERSION, 0u, 0u, 0u                                                     \
    }

/* How many entries the lists will have, all together: what desc->blocks.entries, here
 * not looked at, has to be at least. It follows from the descriptor alone.
 * Errors: those of sqa_select_plan_create() but for the plan. */
SQA_API sqa_status sqa_select_entries(const sqa_attention_desc *desc,
                                      const sqa_select_options *select, uint32_t *entries);

/* A plan for sqa_select_blocks(), as sqa_plan_create() makes one for sqa_forward(),
 * and with the same options (may be NULL), which name families of this operation.
 * desc->operation is not looked at; everything is copied.
 * Errors: besides those of sqa_plan_create(), SQA_INVALID_ARGUMENT for top_k 0, for
 * sink_blocks + local_blocks beyond top_k, without desc->blocks, for lists that
 * several batch entries share, and for fewer desc->blocks.entries than the lists
 * will have; SQA_UNSUPPORTED for windows, masks and ragged batches. */
SQA_API sqa_status sqa_select_plan_create(sqa_plan **out, sqa_context *context,
                                          const sqa_attention_desc *desc,
                                          const sqa_select_options *select,
                                          const sqa_plan_options *options);

/* Reads tensors->q and k, writes block_offsets (a number per list and one more) and
 * block_indices (sqa_select_entries() of them; what lies behind is left alone).
 * Enqueues, waits, and may be called from several threads, as sqa_forward(). With an
 * empty batch or no queries nothing is written, and no tensor needed.
 * Errors: as sqa_forward(). */
SQA_API sqa_status sqa_select_blocks(sqa_plan *plan, cl_command_queue queue,
                                     const sqa_tensors *tensors, cl_uint wait_count,
                                     const cl_event *wait_list, cl_event *event);

/* sqa_select_blocks() with a plan that the context keeps for equal descriptors and
 * options, as sqa_attention_forward(). */
SQA_API sqa_status sqa_attention_select_blocks(sqa_context *context, cl_command_queue queue,
                                               const sqa_attention_desc *desc,
                                               const sqa_select_options *select,
                                               const sqa_tensors *tensors, cl_uint wait_count,
                                               const cl_event *wait_list, cl_event *event);

/* Selection and the forward pass over the blocks selected, as one plan: what
 * sqa_select_blocks() and sqa_forward() do one after the other, bit for bit, with the lists in
 * the plan's workspace. The selection looks at the descriptor as above, but for windows and
 * masks, which here hold for the forward pass alone; desc->blocks.entries is not looked at.
 * Of the options only skip_database applies, to both: families belong to operations.
 * Errors: those of sqa_select_plan_create() and sqa_plan_create(); SQA_UNSUPPORTED for ragged
 * batches. */
SQA_API sqa_status sqa_selected_plan_create(sqa_plan **out, sqa_context *context,
                                            const sqa_attention_desc *desc,
                                            const sqa_select_options *select,
                                            const sqa_plan_options *options);

/* Enqueues such a plan: reads and writes the tensors that sqa_forward() would, but for the
 * block lists. Waits, threads and errors as sqa_forward(). */
SQA_API sqa_status sqa_selected_forward(sqa_plan *plan, cl_command_queue queue,
                                        const sqa_tensors *tensors, cl_uint wait_count,
                                        const cl_event *wait_list, cl_event *event);

/* sqa_selected_forward() with a plan that the context keeps for equal descriptors and
 * options, as sqa_attention_forward(). */
SQA_API sqa_status sqa_attention_selected_forward(sqa_context *context, cl_command_queue queue,
                                                  const sqa_attention_desc *desc,
                                                  const sqa_select_options *select,
                                                  const sqa_tensors *tensors, cl_uint wait_count,
                                                  const cl_event *wait_list, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
