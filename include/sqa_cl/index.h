/* Index tensors from host arrays, checked: block lists, sequence starts, block tables, global
 * tokens. Kernels never read outside the buffers whatever an index tensor says;
 * these functions see to it that it says what it should. */
#ifndef SQA_CL_INDEX_H
#define SQA_CL_INDEX_H

#include "attention.h"
#include "context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Block lists as desc->blocks describes them: `offsets` has a number per row and
 * one more, from 0 to desc->blocks.entries, `indices` that many. Copies both; the
 * buffers belong to the caller, who releases them (clReleaseMemObject).
 * Errors: SQA_INVALID_ARGUMENT naming the row: offsets that decrease or do not end
 * at entries, an index outside the key blocks, one twice in a row; nothing is made
 * then. SQA_OUT_OF_MEMORY, SQA_OPENCL_ERROR. */
SQA_API sqa_status sqa_block_list_create(sqa_context *context, const sqa_attention_desc *desc,
                                         const int32_t *offsets, const int32_t *indices,
                                         cl_mem *offsets_buffer, cl_mem *indices_buffer);

/* Starts of the sequences of a ragged batch, desc->batch + 1 numbers each. Same
 * ownership. Errors: SQA_INVALID_ARGUMENT naming the sequence: starts that decrease,
 * do not begin at 0 or not end at the total, a sequence longer than the
 * descriptor's q_length or kv_length. With desc->paged there are none of keys, and cu_seqlens_kv
 * and kv_buffer are not looked at. */
SQA_API sqa_status sqa_sequences_create(sqa_context *context, const sqa_attention_desc *desc,
                                        const int32_t *cu_seqlens_q, const int32_t *cu_seqlens_kv,
                                        cl_mem *q_buffer, cl_mem *kv_buffer);

/* The block table and the lengths of a batch in pages, as desc->paged describes them: a row of
 * pages and a number for each of desc->batch sequences. Same ownership. Errors:
 * SQA_INVALID_ARGUMENT naming the sequence: a length outside 0..kv_length, a page within its length
 * that does not exist; what lies behind that is not looked at. */
SQA_API sqa_status sqa_block_table_create(sqa_context *context, const sqa_attention_desc *desc,
                                          const int32_t *block_table, const int32_t *kv_lengths,
                                          cl_mem *table_buffer, cl_mem *lengths_buffer);

/* Positions of global tokens, desc->globals.count of them. Same ownership.
 * Errors: SQA_INVALID_ARGUMENT: not ascending, or outside 0..kv_length - 1. */
SQA_API sqa_status sqa_globals_create(sqa_context *context, const sqa_attention_desc *desc,
                                      const int32_t *positions, cl_mem *buffer);

#ifdef __cplusplus
}
#endif

#endif
