/* sqa run --op backward: the right gradients, from O and LSE in files and from a forward pass
 * on the way; one line and no output where what is asked for makes no sense. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_inputs.h"
#include "operations/backward/gradient_rows.h"
#include "run_suite.h"

#define IN "run --op backward --q @/q.npy --k @/k.npy --v @/v.npy --dout @/dout.npy"
#define OUT " --dq @/dq.npy --dk @/dk.npy --dv @/dv.npy"
#define SAVED " --o @/o.npy --lse @/lse.npy"

static const struct {
    const char *shape, *options;
} runs[] = {
    {"b=2,hq=4,hkv=2,nq=33,nk=40,d=16,dv=8", OUT},
    {"hq=2,hkv=6,nq=9,nk=31,d=8,causal", OUT " --causal"},
    {"hq=2,n=17,d=21,causal,align=top-left,dtype=f16", OUT " --causal --align top-left"},
    {"hq=2,n=12,d=8,dtype=bf16,grads=k+v", " --dk @/dk.npy --dv @/dv.npy --dtype bf16"},
    {"b=2,hq=4,hkv=2,nq=9,nk=12,d=8,bias=f32/h,sinks,alibi=slopes,softcap=2,"
     "grads=q+k+v+bias+sinks+slopes",
     OUT " --dbias @/dbias.npy --bias @/bias.npy --sinks @/sinks.npy --dsinks @/dsinks.npy "
         "--alibi @/slopes.npy --dslopes @/dslopes.npy --softcap 2"},
    {"b=3,hq=2,nq=20,nk=30,d=8,causal,ragged=41:61",
     OUT " --causal --cu-seqlens-q @/cu_seqlens_q.npy --cu-seqlens-k @/cu_seqlens_kv.npy"},
    {"hq=2,nq=24,nk=30,d=8,window=5:3,mask=q,keymask,grads=q",
     " --dq @/dq.npy --window 5,3 --mask @/mask.npy --key-mask @/key_mask.npy"},
    {"hq=1,nq=0,nk=4,d=8", OUT},
    {"hq=1,nq=5,nk=0,d=8", OUT},
};
enum { RUNS = sizeof runs / sizeof runs[0] };

/* Each @ is the folder. */
static const program_result *run_words(const char *words, const char *more)
{
    char options[2048] = "";
    size_t used = 0;
    const char *const parts[] = {words, more};
    for (int part = 0; part < 2; part++)
        for (const char *at = parts[part]; *at; at++)
            used += (size_t)snprintf(options + used, sizeof options - used,
                                     *at == '@' ? "%s" : "%.1s", *at == '@' ? work_folder : at);
    ck_assert_uint_lt(used, sizeof options);
    return run_sqa("%s", options);
}

static void make_inputs(run_inputs *in, const char *shape)
{
    char text[512];
    snprintf(text, sizeof text, "op=backward,%s", shape);
    make_run_inputs(in, text, false);
}

START_TEST(right_gradients)
{
    run_inputs in;
    make_inputs(&in, runs[_i].shape);
    const program_result *result = run_words(IN SAVED, runs[_i].options);
    ck_assert_msg(result->code == 0, "%s: %.600s", runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

/* O and LSE in memory are then those of the forward pass. Most have a program of their own,
 * so that the first will do. */
enum { FORWARD_RUNS = 5 };

START_TEST(forward_on_the_way)
{
    run_inputs in;
    make_inputs(&in, runs[_i].shape);
    const program_result *result = run_words(IN, runs[_i].options);
    ck_assert_msg(result->code == 0, "%s: %.600s", runs[_i].shape, result->err);
    sqa_set_outputs(&in.tensors);
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

static const struct {
    const char *words, *named, *message;
} refused[] = {
    {"run --op backward --q @/q.npy --k @/k.npy --v @/v.npy" OUT, "--dout", "is missing"},
    {IN, "no gradient is asked for", "--dq, --dk, --dv"},
    {IN OUT " --o @/o.npy", "--o", "go together"},
    {IN OUT " --out @/out.npy", "--out", "not with --op backward"},
    {IN OUT " --dbias @/dbias.npy", "--dbias", "needs --bias"},
    {IN OUT " --dsinks @/dsinks.npy", "--dsinks", "needs --sinks"},
    {IN OUT " --dslopes @/d.npy --alibi geometric", "--dslopes", "needs --alibi FILE"},
    {IN OUT " --block-size 8,8 --top-k 2", "--top-k", "not with --op backward"},
    {IN " --dq @/q.npy", "--dq", "--q"},
    {IN " --dq @/dq.npy --dk @/dq.npy", "--dk", "--dq"},
    {IN OUT " --dropout 1", "dropout", "less than 1"},
    {"run --q @/q.npy --k @/k.npy --v @/v.npy --out @/out.npy --dout @/dout.npy", "dout",
     "needs --op backward"},
    {"run --op sideways --q @/q.npy --k @/k.npy --v @/v.npy --out @/out.npy", "--op",
     "expected forward, backward, block, layer, linear, matmul, mla_layer, merge, rope, norm"},
    {"run --op backward --q @/q.npy --k @/k.npy --v @/v.npy --dout @/q.npy" OUT, "--dout",
     "expected (1, 2, 9, 5)"},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(nonsense_is_refused)
{
    run_inputs in;
    make_inputs(&in, "hq=2,n=9,d=8,dv=5");
    const program_result *result = run_words(refused[_i].words, "");
    ck_assert_msg(result->code == 2, "exit %d: %s", result->code, result->err);
    ck_assert_msg(strstr(result->err, refused[_i].named) &&
                      strstr(result->err, refused[_i].message),
                  "%s", result->err);
    ck_assert(!work_file_exists("dq.npy") && !work_file_exists("dk.npy"));
    free_run_inputs(&in);
}
END_TEST

/* The same seed drops the same weights forward and backward, and as the reference does. */
START_TEST(dropout_goes_both_ways)
{
    run_inputs in;
    make_inputs(&in, "b=2,hq=2,n=20,d=8,dropout=0.3");
    uint32_t *seed = (uint32_t *)in.tensors.of[SQA_SLOT_DROPOUT_SEED].data +
                     in.tensors.of[SQA_SLOT_DROPOUT_SEED].guard;
    seed[0] = 5;
    seed[1] = 3;
    const program_result *result =
        run_words(IN OUT, " --dropout 0.3 --dropout-seed 12884901893"); /* 3 * 2^32 + 5 */
    ck_assert_msg(result->code == 0, "%.600s", result->err);
    sqa_set_outputs(&in.tensors);
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run backward");
    TCase *tests = tcase_create("run backward");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_gradients, 0, RUNS);
    tcase_add_loop_test(tests, forward_on_the_way, 0, FORWARD_RUNS);
    tcase_add_loop_test(tests, nonsense_is_refused, 0, REFUSED);
    tcase_add_test(tests, dropout_goes_both_ways);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
