#include "kernels/launch.h"

static void add(sqa_launch_step *step, sqa_argument argument)
{
    step->arguments[step->argument_count++] = argument;
}

static void add_role(sqa_launch_step *step, sqa_argument_kind kind, sqa_role role)
{
    add(step, (sqa_argument){kind, {.role = role}});
}

static void add_int(sqa_launch_step *step, uint32_t value)
{
    add(step, (sqa_argument){SQA_ARGUMENT_INT, {.i = (int32_t)value}});
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
        add_role(step, SQA_ARGUMENT_BUFFER, roles[i]);
        add_role(step, SQA_ARGUMENT_OFFSET, roles[i]);
    }
    for (int i = 0; i < 4; i++)
        add_strides(step, strides[i]);
    add_int(step, problem->q_heads);
    add_int(step, problem->out_heads);
    add_int(step, sqa_problem_group(problem));
    add_int(step, problem->q_length);
    add_int(step, problem->kv_length);
    add_int(step, (uint32_t)problem->diagonal);
    add(step, (sqa_argument){SQA_ARGUMENT_FLOAT, {.f = problem->scale}});
}
