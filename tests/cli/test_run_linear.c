/* sqa run --op linear: the right outputs and states of tensors in files; one line and no output
 * where what is asked for makes no sense. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_inputs.h"
#include "operations/linear/slots.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "problem/storage.h"
#include "run_suite.h"

#define QKV "run --op linear --q %1$s/q.npy --k %1$s/k.npy --v %1$s/v.npy"
#define OUT " --out %1$s/o.npy"
#define DECAY " --causal --decay %1$s/decay.npy"
#define STATES " --state-in %1$s/state_in.npy --state-out %1$s/state.npy"
#define SUMS " --normalise --sums-in %1$s/sums_in.npy --sums-out %1$s/sums.npy"

#define GRADIENTS " --dout %1$s/dout.npy --dq %1$s/dq.npy --dk %1$s/dk.npy --dv %1$s/dv.npy"
#define DSTATES                                                                                    \
    " --state-in %1$s/state_in.npy --dstate %1$s/dstate.npy --dstate-in %1$s/dstate_in.npy"

static const struct {
    const char *shape, *command;
} runs[] = {
    {"op=linear,b=2,hq=4,hkv=2,n=19,d=8,causal,decay=head", QKV OUT DECAY},
    {"op=linear,b=2,hq=2,n=19,d=8,dv=5,causal,decay=token,delta,state=in_out,dtype=f16",
     QKV OUT DECAY STATES " --beta %1$s/beta.npy"},
    {"op=linear,hq=2,hkv=4,n=9,d=5,causal,decay=channel,scale=0.5,dtype=bf16",
     QKV OUT DECAY " --scale 0.5 --dtype bf16 --family naive"},
    {"op=linear,hq=2,nq=9,nk=12,d=8,feature=elu1,normalise,eps=0.01,state=in_out",
     QKV OUT STATES SUMS " --feature elu1 --epsilon 0.01"},
    {"op=linear,hq=2,nq=0,nk=3,d=4", QKV OUT},
    {"op=linear_backward,b=2,hq=4,hkv=2,n=19,d=8,dv=5,causal,decay=token,delta,state=in_out,"
     "dtype=f16",
     QKV GRADIENTS DECAY DSTATES " --beta %1$s/beta.npy --ddecay %1$s/ddecay.npy"
                                 " --dbeta %1$s/dbeta.npy"},
    {"op=linear_backward,hq=2,nq=9,nk=12,d=8,feature=elu1,normalise,eps=0.01,state=in_out",
     QKV GRADIENTS DSTATES " --feature elu1 --epsilon 0.01 --normalise --sums-in %1$s/sums_in.npy"
                           " --dsums %1$s/dsums.npy --dsums-in %1$s/dsums_in.npy"},
    {"op=linear_backward,hq=2,hkv=4,n=9,d=5,causal,decay=head,dtype=bf16",
     QKV GRADIENTS DECAY OUT " --ddecay %1$s/ddecay.npy --dtype bf16 --family naive"},
};
enum { RUNS = sizeof runs / sizeof runs[0] };

/* Dimensions that linear.h leaves out are left out: of decays, beta and sums. */
static uint32_t shape_of(const sqa_problem *problem, uint32_t slot, const sqa_tensor_shape *t,
                         uint64_t out[4])
{
    const uint64_t all[4] = {t->batch, t->heads, t->length, t->dim};
    const sqa_decay decay = problem->of.linear.decay;
    const bool head = slot == SQA_SLOT_DECAY && decay == SQA_DECAY_HEAD;
    const bool token =
        slot == SQA_SLOT_BETA || (slot == SQA_SLOT_DECAY && decay == SQA_DECAY_TOKEN);
    uint32_t rank = 0;
    for (int i = head ? 3 : 0; i < (token ? 3 : 4); i++)
        if ((slot != SQA_SLOT_SUMS_IN && slot != SQA_SLOT_LINEAR_DSUMS) || i != 2)
            out[rank++] = all[i];
    return rank;
}

static void save_input(const sqa_host_tensors *tensors, uint32_t slot)
{
    sqa_tensor_shape t;
    char name[32];
    uint64_t shape[4];
    uint16_t stored[4096];
    if (!sqa_tensor_shape_of(&tensors->problem, slot, &t) ||
        sqa_tensor_is_output(&tensors->problem, slot))
        return;
    const uint32_t rank = shape_of(&tensors->problem, slot, &t, shape);
    const size_t count = (size_t)sqa_tensor_extent(&t);
    const float *data = sqa_host_tensor_view(&tensors->of[slot]);
    ck_assert_uint_lt(count, 4096);
    snprintf(name, sizeof name, "%s.npy", sqa_tensor_name(&tensors->problem, slot));
    if (t.element == SQA_ELEMENT_F16)
        sqa_storage_encode(SQA_DTYPE_F16, data, stored, count);
    if (t.element == SQA_ELEMENT_F16)
        save_array(name, "<f2", rank, shape, stored, sizeof *stored);
    else
        save_array(name, "<f4", rank, shape, data, sizeof *data);
}

static void make_inputs(run_inputs *in, const char *shape)
{
    sqa_problem problem;
    ck_assert_msg(sqa_problem_parse(shape, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&in->tensors, &problem, 7, false), SQA_OK);
    for (uint32_t slot = 0; slot < sqa_operation_of(&problem)->slot_count; slot++)
        save_input(&in->tensors, slot);
}

START_TEST(right_outputs)
{
    run_inputs in;
    make_inputs(&in, runs[_i].shape);
    const program_result *result = run_with_folder(runs[_i].command);
    ck_assert_msg(result->code == 0, "%s: %.600s", runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

static const struct {
    const char *command, *named, *message;
} refused[] = {
    {"run --op linear --q %1$s/q.npy --k %1$s/k.npy" OUT, "--v", "is missing"},
    {QKV, "--out", "is missing"},
    {QKV OUT " --decay %1$s/decay.npy", "--decay", "needs --causal"},
    {QKV OUT " --beta %1$s/beta.npy --causal --normalise", "--beta", "--normalise"},
    {QKV OUT " --causal --decay %1$s/v.npy", "v.npy", "expected (1, 2, 9, 4)"},
    {QKV OUT " --state-in %1$s/q.npy", "q.npy", "expected (1, 2, 4, 3)"},
    {QKV OUT " --normalise --state-out %1$s/state.npy", "--sums-out", "is missing"},
    {QKV OUT " --state-in %1$s/none.npy --sums-in %1$s/none.npy", "--sums-in", "needs --normalise"},
    {QKV OUT " --epsilon 1", "--epsilon", "needs --normalise"},
    {QKV OUT " --feature gelu", "--feature", "expected identity, elu1 or relu"},
    {QKV OUT " --family stream", "stream", "is not one of"},
    {QKV OUT " --window 4,4", "--window", "is not an option"},
    {QKV " --out %1$s/q.npy", "--out", "--q"},
    {QKV OUT " --state-out %1$s/o.npy", "--state-out", "--out"},
    {QKV OUT " --dq %1$s/dq.npy", "--dq", "needs --dout"},
    {QKV OUT " --dout %1$s/q.npy --dq %1$s/dq.npy --dk %1$s/dk.npy", "--dout", "needs --dv"},
    {QKV " --dout %1$s/q.npy --dq %1$s/dq.npy --dk %1$s/dk.npy --dv %1$s/dv.npy", "q.npy",
     "expected (1, 2, 9, 3)"},
    {QKV " --dout %1$s/q.npy --dq %1$s/dq.npy --dk %1$s/dq.npy --dv %1$s/dv.npy", "--dk", "--dq"},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(nonsense_is_refused)
{
    run_inputs in;
    make_inputs(&in, "op=linear,hq=2,n=9,d=4,dv=3,causal,delta,decay=token");
    const program_result *result = run_with_folder(refused[_i].command);
    ck_assert_msg(result->code == 2, "exit %d: %s", result->code, result->err);
    ck_assert_msg(strstr(result->err, refused[_i].named) &&
                      strstr(result->err, refused[_i].message),
                  "%s", result->err);
    ck_assert(!work_file_exists("o.npy"));
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run linear");
    TCase *tests = tcase_create("run linear");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_outputs, 0, RUNS);
    tcase_add_loop_test(tests, nonsense_is_refused, 0, REFUSED);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
