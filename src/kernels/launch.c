#include "kernels/launch.h"

static void add(sqa_launch_step *step, sqa_argument argument)
{
    step->arguments[step->argument_count++] = argument;
}

void sqa_buffer_argument(sqa_launch_step *step, uint32_t slot)
{
    add(step, (sqa_argument){SQA_ARGUMENT_BUFFER, {.slot = slot}});
}

void sqa_int_argument(sqa_launch_step *step, int32_t value)
{
    add(step, (sqa_argument){SQA_ARGUMENT_INT, {.i = value}});
}

void sqa_long_argument(sqa_launch_step *step, int64_t value)
{
    add(step, (sqa_argument){SQA_ARGUMENT_LONG, {.l = value}});
}

void sqa_float_argument(sqa_launch_step *step, float value)
{
    add(step, (sqa_argument){SQA_ARGUMENT_FLOAT, {.f = value}});
}

void sqa_stride_arguments(sqa_launch_step *step, const sqa_strides *strides)
{
    const int64_t values[3] = {strides->batch, strides->head, strides->sequence};
    for (int i = 0; i < 3; i++)
        sqa_long_argument(step, values[i]);
}

void sqa_tensor_argument(sqa_launch_step *step, uint32_t slot)
{
    sqa_buffer_argument(step, slot);
    add(step, (sqa_argument){SQA_ARGUMENT_OFFSET, {.slot = slot}});
}

/* SQA_MASK_ARGUMENTS. */
static void mask_arguments(const sqa_attention *attention, sqa_launch_step *step)
{
    if (attention->mask & SQA_MASK_WINDOW) {
        sqa_int_argument(step, attention->window.left);
        sqa_int_argument(step, attention->window.right);
    }
    if (attention->mask & SQA_MASK_GLOBALS)
        sqa_int_argument(step, (int32_t)attention->globals.count);
    if (attention->mask & SQA_MASK_GLOBALS && attention->globals.listed)
        sqa_tensor_argument(step, SQA_SLOT_GLOBALS);
    if (attention->mask & SQA_MASK_BLOCKS) {
        sqa_tensor_argument(step, SQA_SLOT_BLOCK_OFFSETS);
        sqa_tensor_argument(step, SQA_SLOT_BLOCK_INDICES);
        sqa_int_argument(step, (int32_t)attention->blocks.query_size);
        sqa_int_argument(step, (int32_t)attention->blocks.key_size);
        sqa_int_argument(step, attention->blocks.batch > 1);
        sqa_int_argument(step, (int32_t)attention->blocks.heads);
        sqa_int_argument(step, (int32_t)attention->blocks.entries);
        sqa_int_argument(step, (int32_t)sqa_attention_query_blocks(attention));
    }
    if (attention->mask & SQA_MASK_KEY)
        sqa_tensor_argument(step, SQA_SLOT_KEY_MASK);
    if (attention->mask & SQA_MASK_PAIR) {
        sqa_tensor_argument(step, SQA_SLOT_MASK);
        sqa_stride_arguments(step, &attention->pair_mask);
    }
    if (attention->mask & SQA_MASK_RAGGED) {
        sqa_tensor_argument(step, SQA_SLOT_CU_SEQLENS_Q);
        sqa_tensor_argument(step, SQA_SLOT_CU_SEQLENS_KV);
        sqa_int_argument(step, (int32_t)attention->q_total);
        sqa_int_argument(step, (int32_t)attention->kv_total);
        sqa_int_argument(step, (int32_t)attention->bottom_right);
    }
}

/* SQA_SCORE_ARGUMENTS. */
static void score_arguments(const sqa_attention *attention, sqa_launch_step *step)
{
    if (attention->score & SQA_SCORE_SOFTCAP)
        sqa_float_argument(step, attention->softcap);
    if (attention->score & SQA_SCORE_SLOPES)
        sqa_tensor_argument(step, SQA_SLOT_SLOPES);
    if (attention->score & SQA_SCORE_BIAS) {
        sqa_tensor_argument(step, SQA_SLOT_BIAS);
        sqa_stride_arguments(step, &attention->bias);
    }
    if (attention->score & SQA_SCORE_SINKS)
        sqa_tensor_argument(step, SQA_SLOT_SINKS);
}

void sqa_forward_arguments(const sqa_attention *attention, sqa_launch_step *step)
{
    static const uint32_t slots[] = {SQA_SLOT_Q, SQA_SLOT_K, SQA_SLOT_V, SQA_SLOT_O, SQA_SLOT_LSE};
    const sqa_strides *strides[] = {&attention->q, &attention->k, &attention->v, &attention->o};
    for (int i = 0; i < 4 + (attention->write_lse ? 1 : 0); i++)
        sqa_tensor_argument(step, slots[i]);
    for (int i = 0; i < 4; i++)
        sqa_stride_arguments(step, strides[i]);
    sqa_int_argument(step, (int32_t)attention->q_heads);
    sqa_int_argument(step, (int32_t)attention->out_heads);
    sqa_int_argument(step, (int32_t)sqa_attention_group(attention));
    mask_arguments(attention, step);
    score_arguments(attention, step);
    sqa_int_argument(step, (int32_t)attention->q_length);
    sqa_int_argument(step, (int32_t)attention->kv_length);
    sqa_int_argument(step, attention->diagonal);
    sqa_float_argument(step, attention->scale);
}
