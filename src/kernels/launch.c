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

static void add_strides(sqa_launch_step *step, const sqa_strides *strides)
{
    const int64_t values[3] = {strides->batch, strides->head, strides->sequence};
    for (int i = 0; i < 3; i++)
        add(step, (sqa_argument){SQA_ARGUMENT_LONG, {.l = values[i]}});
}

void sqa_forward_arguments(const sqa_problem *problem, sqa_launch_step *step)
{
    static const sqa_role roles[] = {SQA_ROLE_Q, SQA_ROLE_K, SQA_ROLE_V, SQA_ROLE_O, SQA_ROLE_LSE};
    const sqa_strides *strides[] = {&problem->q, &problem->k, &problem->v, &problem->o};
    for (int i = 0; i < 4 + (problem->write_lse ? 1 : 0); i++) {
        sqa_buffer_argument(step, roles[i]);
        add(step, (sqa_argument){SQA_ARGUMENT_OFFSET, {.role = roles[i]}});
    }
    for (int i = 0; i < 4; i++)
        add_strides(step, strides[i]);
    sqa_int_argument(step, (int32_t)problem->q_heads);
    sqa_int_argument(step, (int32_t)problem->out_heads);
    sqa_int_argument(step, (int32_t)sqa_problem_group(problem));
    sqa_int_argument(step, (int32_t)problem->q_length);
    sqa_int_argument(step, (int32_t)problem->kv_length);
    sqa_int_argument(step, problem->diagonal);
    add(step, (sqa_argument){SQA_ARGUMENT_FLOAT, {.f = problem->scale}});
}
