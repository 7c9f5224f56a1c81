#include "operations/forward/case.h"

sqa_status sqa_forward_case_create(sqa_host_tensors *out, const sqa_attention_desc *desc,
                                   uint64_t seed)
{
    sqa_problem problem;
    sqa_status status = sqa_problem_from_desc(&problem, desc);
    return status == SQA_OK ? sqa_host_tensors_create(out, &problem, seed, true) : status;
}

sqa_sequence sqa_forward_case_sequence(const sqa_host_tensors *test, uint32_t batch)
{
    const sqa_reference_inputs inputs = sqa_host_tensors_views(test);
    return sqa_reference_sequence(&test->problem.of.attention, &inputs, batch);
}

/* Row `at` of a tensor: of the batch entry, or of the one packed tensor when ragged. */
static float *row_at(const sqa_host_tensors *test, const sqa_host_tensor *tensor, uint32_t batch,
                     uint32_t head, uint32_t at)
{
    const bool ragged = test->problem.of.attention.mask & SQA_MASK_RAGGED;
    return sqa_host_tensor_at(tensor, ragged ? 0 : batch, head, at);
}

float *sqa_forward_case_output(const sqa_host_tensors *test, uint32_t batch, uint32_t head,
                               uint32_t row)
{
    return row_at(test, &test->of[SQA_SLOT_O], batch, head,
                  sqa_forward_case_sequence(test, batch).q_begin + row);
}

float *sqa_forward_case_lse(const sqa_host_tensors *test, uint32_t batch, uint32_t head,
                            uint32_t row)
{
    return row_at(test, &test->of[SQA_SLOT_LSE], batch, head,
                  sqa_forward_case_sequence(test, batch).q_begin + row);
}

float *sqa_forward_case_key(const sqa_host_tensors *test, const sqa_host_tensor *tensor,
                            uint32_t batch, uint32_t kv_head, uint32_t key)
{
    const sqa_attention *a = &test->problem.of.attention;
    if (a->mask & SQA_MASK_PAGED) {
        const int32_t *table = sqa_host_tensor_view(&test->of[SQA_SLOT_BLOCK_TABLE]);
        const uint32_t entry = batch * sqa_attention_table_row(a) + key / a->paged.page_size;
        return sqa_host_tensor_at(tensor, (uint32_t)table[entry], kv_head,
                                  key % a->paged.page_size);
    }
    return row_at(test, tensor, batch, kv_head,
                  sqa_forward_case_sequence(test, batch).kv_begin + key);
}

bool sqa_forward_case_sees(const sqa_host_tensors *test, uint32_t batch, uint32_t head,
                           uint32_t row, uint32_t key)
{
    const sqa_reference_inputs inputs = sqa_host_tensors_views(test);
    return sqa_reference_sees(&test->problem.of.attention, &inputs, batch, head, row, key);
}
