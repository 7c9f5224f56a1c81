/* The family for few queries: what a row computes depends on its own sequence alone, bit for bit,
 * wherever it is in a batch and however its keys are divided among splits; and keys in several
 * splits keep to the reference under every kind of mask and score. */
#include <stdio.h>
#include <string.h>

#include "conformance/check.h"
#include "kernels/registry.h"
#include "opencl_fixture.h"
#include "operations/case_shapes.h"
#include "operations/forward/case.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "runtime/plan.h"

#define SPLITS "SPLIT_KEYS=256"

static sqa_plan *new_plan(const sqa_problem *problem, const char *config)
{
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    options.family = "decode";
    options.config = config;
    ck_assert_msg(sqa_plan_build(&plan, test_context, problem, &options) == SQA_OK, "%s",
                  sqa_last_error());
    return plan;
}

static void run(sqa_host_tensors *test, const char *config)
{
    char finding[SQA_FINDING_TEXT];
    sqa_plan *plan = new_plan(&test->problem, config);
    ck_assert_msg(sqa_check_run(plan, test, test_queue, finding) == SQA_OK, "%s", sqa_last_error());
    ck_assert_str_eq(finding, "");
    sqa_plan_destroy(plan);
}

static void open_shape(sqa_host_tensors *test, const char *shape, sqa_dtype dtype)
{
    const sqa_problem problem = sqa_case_shape_problem(shape, dtype);
    ck_assert_msg(sqa_host_tensors_create(test, &problem, 5, true) == SQA_OK, "%s",
                  sqa_last_error());
}

/* A sequence's tensors from where they are in a batch. */
static void copy_sequence(sqa_host_tensors *alone, const sqa_host_tensors *batch, uint32_t number)
{
    const sqa_attention *a = &alone->problem.of.attention;
    const sqa_sequence from = sqa_forward_case_sequence(batch, number);
    const bool ragged = batch->problem.of.attention.mask & SQA_MASK_RAGGED;
    for (uint32_t h = 0; h < a->q_heads; h++)
        for (uint32_t i = 0; i < a->q_length; i++)
            memcpy(sqa_host_tensor_at(&alone->of[SQA_SLOT_Q], 0, h, i),
                   sqa_host_tensor_at(&batch->of[SQA_SLOT_Q], ragged ? 0 : number, h,
                                      from.q_begin + i),
                   a->head_dim * sizeof(float));
    for (uint32_t h = 0; h < a->kv_heads; h++)
        for (uint32_t j = 0; j < a->kv_length; j++) {
            memcpy(sqa_host_tensor_at(&alone->of[SQA_SLOT_K], 0, h, j),
                   sqa_forward_case_key(batch, &batch->of[SQA_SLOT_K], number, h, j),
                   a->head_dim * sizeof(float));
            memcpy(sqa_host_tensor_at(&alone->of[SQA_SLOT_V], 0, h, j),
                   sqa_forward_case_key(batch, &batch->of[SQA_SLOT_V], number, h, j),
                   a->value_dim * sizeof(float));
        }
}

/* How many rows were compared. */
static uint32_t expect_same_rows(const sqa_host_tensors *alone, const sqa_host_tensors *batch,
                                 uint32_t number)
{
    const sqa_attention *a = &alone->problem.of.attention;
    for (uint32_t h = 0; h < a->out_heads; h++)
        for (uint32_t i = 0; i < a->q_length; i++) {
            ck_assert_msg(!memcmp(sqa_forward_case_output(alone, 0, h, i),
                                  sqa_forward_case_output(batch, number, h, i),
                                  a->value_dim * sizeof(float)),
                          "O of sequence %u, head %u, query %u", number, h, i);
            ck_assert_msg(!memcmp(sqa_forward_case_lse(alone, 0, h, i),
                                  sqa_forward_case_lse(batch, number, h, i), sizeof(float)),
                          "LSE of sequence %u, head %u, query %u", number, h, i);
        }
    return a->out_heads * a->q_length;
}

/* Every sequence of the batch by itself, of the lengths that it has there. */
static void expect_same_alone(const char *shape, const char *pattern, sqa_dtype dtype,
                              const char *config)
{
    sqa_host_tensors batch;
    uint32_t compared = 0;
    open_shape(&batch, shape, dtype);
    run(&batch, config);
    for (uint32_t b = 0; b < batch.problem.of.attention.batch; b++) {
        const sqa_attention *a = &batch.problem.of.attention;
        const sqa_sequence sequence = sqa_forward_case_sequence(&batch, b);
        sqa_host_tensors alone;
        char text[SQA_SHAPE_TEXT];
        snprintf(text, sizeof text, "b=1,hq=%u,hkv=%u,nq=%u,nk=%u,d=%u,dv=%u,lse%s", a->q_heads,
                 a->kv_heads, (unsigned)sequence.q_length, (unsigned)sequence.kv_length,
                 a->head_dim, a->value_dim, pattern);
        open_shape(&alone, text, dtype);
        copy_sequence(&alone, &batch, b);
        run(&alone, config);
        compared += expect_same_rows(&alone, &batch, b);
        sqa_host_tensors_free(&alone);
    }
    ck_assert_uint_gt(compared, 0);
    sqa_host_tensors_free(&batch);
}

START_TEST(a_batch_changes_no_bit)
{
    expect_same_alone("b=8,hq=6,hkv=2,nq=1,nk=700,d=21,dv=13,lse", "", SQA_DTYPE_F32, SPLITS);
    expect_same_alone("b=8,hq=4,hkv=4,nq=3,nk=513,d=16,dv=16,lse,causal", ",causal", SQA_DTYPE_F16,
                      SPLITS);
    expect_same_alone("b=3,hq=2,hkv=6,nq=2,nk=1030,d=16,dv=16,lse,causal", ",causal", SQA_DTYPE_F32,
                      NULL);
}
END_TEST

/* Splits are those of a sequence's own length, not of the longest one's. */
START_TEST(a_ragged_batch_changes_no_bit)
{
    expect_same_alone("b=8,hq=6,hkv=2,nq=4,nk=900,d=16,dv=16,lse,causal,ragged=20:2600", ",causal",
                      SQA_DTYPE_F32, SPLITS);
    expect_same_alone("b=8,hq=4,hkv=1,nq=2,nk=600,d=21,dv=13,lse,ragged=9:1500", "", SQA_DTYPE_BF16,
                      SPLITS);
}
END_TEST

/* Register tiles and key tiles of all sizes; two programs of masks and scores that meet. */
START_TEST(several_splits_keep_to_the_reference)
{
    static const struct {
        const char *config, *shape;
    } cases[] = {
        {"LANES=4,MR=1,WIDE=8,KEYS=16,TILES=4", "b=2,hq=6,hkv=2,nq=3,nk=770,d=21,dv=13,lse"},
        {"LANES=8,MR=2,WIDE=6,KEYS=64,TILES=2", "hq=6,hkv=2,nq=16,nk=600,d=40,dv=21,lse,causal"},
        {"LANES=8,MR=8,WIDE=1,KEYS=32,TILES=1",
         "hq=9,hkv=3,nq=5,nk=513,d=16,causal,window=300:0,sinks"},
        {"LANES=4,MR=4,WIDE=3,KEYS=128,TILES=16,AHEAD=0",
         "hq=8,hkv=1,nq=7,nk=1025,d=24,dv=8,causal,window=40:0,globals=3,softcap=3"},
        {"LANES=8,MR=4,WIDE=2,KEYS=32",
         "hq=4,hkv=1,nq=8,nk=600,d=16,mask=q,bias=f16/hq,alibi=slopes"},
        {"LANES=8,MR=1,WIDE=4,KEYS=64",
         "b=2,hq=2,hkv=2,nq=1,nk=521,d=7,keymask,dropout=0.25,lse,kv=f16"},
        {"LANES=8,MR=2,WIDE=4,KEYS=16,EXP=1", "b=2,hq=4,hkv=2,nq=9,nk=530,d=8,blocks=7x5@0.3/bk"},
        {"LANES=8,MR=4,WIDE=3,KEYS=64", "b=5,hq=4,hkv=2,nq=6,nk=700,d=16,lse,ragged=17:1900"},
    };
    char config[SQA_CONFIG_TEXT];
    sqa_plan_options options = SQA_PLAN_OPTIONS_INIT;
    const sqa_dtype dtype = (sqa_dtype)(_i % 3);
    const sqa_problem problem = sqa_case_shape_problem(cases[_i].shape, dtype);
    sqa_judgement judgement;
    snprintf(config, sizeof config, "%s,%s", cases[_i].config, SPLITS);
    options.family = "decode";
    options.config = config;
    ck_assert_msg(sqa_check(test_context, test_queue, &problem, &options, 3, true, &judgement) ==
                      SQA_OK,
                  "%s: %s", cases[_i].shape, sqa_last_error());
    ck_assert_msg(judgement.passed, "%s: %s", cases[_i].shape, judgement.message);
}
END_TEST

enum { REFERENCE_CASES = 8 };

static sqa_config default_of(const char *shape)
{
    const sqa_problem problem = sqa_case_shape_problem(shape, SQA_DTYPE_F32);
    sqa_config config;
    const char *why = "";
    const sqa_kernel_family *decode = sqa_family_find(SQA_OPERATION_FORWARD, "decode");
    decode->default_config(&problem, &test_device, &config);
    ck_assert_msg(sqa_family_accepts(decode, &config, &problem, &test_device, &why), "%s: %s",
                  shape, why);
    return config;
}

/* Nor may what is chosen unmeasured follow from the batch, or results would. */
START_TEST(the_default_is_that_of_any_batch)
{
    const sqa_config one = default_of("hq=32,hkv=8,nq=1,nk=16384,d=128");
    const sqa_config many = default_of("b=64,hq=32,hkv=8,nq=1,nk=300,d=128");
    ck_assert_mem_eq(&one, &many, sizeof one);
    /* The largest there is fits. */
    (void)default_of("hq=64,hkv=1,nq=16,nk=100,d=1024");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode");
    TCase *tests = tcase_create("decode");
    tcase_add_unchecked_fixture(tests, open_device, close_device);
    tcase_add_test(tests, a_batch_changes_no_bit);
    tcase_add_test(tests, a_ragged_batch_changes_no_bit);
    tcase_add_loop_test(tests, several_splits_keep_to_the_reference, 0, REFERENCE_CASES);
    tcase_add_test(tests, the_default_is_that_of_any_batch);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
