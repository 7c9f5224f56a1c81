#include "kernels/launch.h"

static void add(sqa_launch_step *step, sqa_argument argument)
{
    step->arguments[step->argument_count++] = argument;
}

void sqa_buffer_argument(sqa_launch_step *step, sqa_role role)
{
    add(step, (sqa_argument){SQA_ARGUMENT_BUFFER, {.role = role}});
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

void sqa_tensor_argument(sqa_launch_step *step, sqa_role role)
{
    sqa_buffer_argument(step, role);
    add(step, (sqa_argument){SQA_ARGUMENT_OFFSET, {.role = role}});
}

/* SQA_MASK_ARGUMENTS. */
static void mask_arguments(const sqa_problem *problem, sqa_launch_step *step)
{
    if (problem->mask & SQA_MASK_WINDOW) {
        sqa_int_argument(step, problem->window.left);
        sqa_int_argument(step, problem->window.right);
    }
    if (problem->mask & SQA_MASK_GLOBALS)
        sqa_int_argument(step, (int32_t)problem->globals.count);
    if (problem->mask & SQA_MASK_GLOBALS && problem->globals.listed)
        sqa_tensor_argument(step, SQA_ROLE_GLOBALS);
    if (problem->mask & SQA_MASK_BLOCKS) {
        sqa_tensor_argument(step, SQA_ROLE_BLOCK_OFFSETS);
        sqa_tensor_argument(step, SQA_ROLE_BLOCK_INDICES);
        sqa_int_argument(step, (int32_t)problem->blocks.query_size);
        sqa_int_argument(step, (int32_t)problem->blocks.key_size);
        sqa_int_argument(step, problem->blocks.batch > 1);
        sqa_int_argument(step, (int32_t)problem->blocks.heads);
        sqa_int_argument(step, (int32_t)problem->blocks.entries);
        sqa_int_argument(step, (int32_t)sqa_problem_query_blocks(problem));
    }
    if (problem->mask & SQA_MASK_KEY)
        sqa_tensor_argument(step, SQA_ROLE_KEY_MASK);
    if (problem->mask & SQA_MASK_PAIR) {
        sqa_tensor_argument(step, SQA_ROLE_MASK);
        sqa_stride_arguments(step, &problem->pair_mask);
    }
    if (problem->mask & SQA_MASK_RAGGED) {
        sqa_tensor_argument(step, SQA_ROLE_CU_SEQLENS_Q);
        sqa_tensor_argument(step, SQA_ROLE_CU_SEQLENS_KV);
        sqa_int_argument(step, (int32_t)problem->q_total);
        sqa_int_argument(step, (int32_t)problem->kv_total);
        sqa_int_argument(step, (int32_t)problem->bottom_right);
    }
}

/* SQA_SCORE_ARGUMENTS. */
static void score_arguments(const sqa_problem *problem, sqa_launch_step *step)
{
    if (problem->score & SQA_SCORE_SOFTCAP)
        sqa_float_argument(step, problem->softcap);
    if (problem->score & SQA_SCORE_SLOPES)
        sqa_tensor_argument(step, SQA_ROLE_SLOPES);
    if (problem->score & SQA_SCORE_BIAS) {
        sqa_tensor_argument(step, SQA_ROLE_BIAS);
        sqa_stride_arguments(step, &problem->bias);
    }
    if (problem->score & SQA_SCORE_SINKS)
        sqa_tensor_argument(step, SQA_ROLE_SINKS);
}

void sqa_forward_arguments(const sqa_problem *problem, sqa_launch_step *step)
{
    static const sqa_role roles[] = {SQA_ROLE_Q, SQA_ROLE_K, SQA_ROLE_V, SQA_ROLE_O, SQA_ROLE_LSE};
    const sqa_strides *strides[] = {&problem->q, &problem->k, &problem->v, &problem->o};
    for (int i = 0; i < 4 + (problem->write_lse ? 1 : 0); i++)
        sqa_tensor_argument(step, roles[i]);
    for (int i = 0; i < 4; i++)
        sqa_stride_arguments(step, strides[i]);
    sqa_int_argument(step, (int32_t)problem->q_heads);
    sqa_int_argument(step, (int32_t)problem->out_heads);
    sqa_int_argument(step, (int32_t)sqa_problem_group(problem));
    mask_arguments(problem, step);
    score_arguments(problem, step);
    sqa_int_argument(step, (int32_t)problem->q_length);
    sqa_int_argument(step, (int32_t)problem->kv_length);
    sqa_int_argument(step, problem->diagonal);
    sqa_float_argument(step, problem->scale);
}
