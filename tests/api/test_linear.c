/* Linear attention through the public interface: what is refused and how it is said, a call per
 * token from a state in place, and gradients of sums that are known. */
#include <math.h>
#include <string.h>

#include "opencl_fixture.h"
#include "run_suite.h"

enum { HEADS = 2, TOKENS = 5, DIM = 4, ELEMENTS = HEADS * TOKENS * DIM };

static sqa_attention_desc desc_of(uint32_t tokens)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = desc.kv_heads = HEADS;
    desc.q_length = desc.kv_length = tokens;
    desc.head_dim = DIM;
    desc.scale = 1.0f;
    desc.causal = SQA_CAUSAL_BOTTOM_RIGHT;
    return desc;
}

/* What a change makes of descriptor and options that are right, and the member named then. */
static void make_wrong(int which, sqa_attention_desc *desc, sqa_linear_options *linear,
                       const char **named)
{
    switch (which) {
    case 0: linear->version = 0, *named = "linear.version"; break;
    case 1: linear->feature = (sqa_feature)3, *named = "linear.feature"; break;
    case 2: linear->decay = (sqa_decay)4, *named = "linear.decay"; break;
    case 3: linear->delta = 2, *named = "linear.delta"; break;
    case 4: linear->delta = linear->normalise = 1, *named = "linear.normalise"; break;
    case 5: linear->normalise = 1, linear->epsilon = 0.0f, *named = "linear.epsilon"; break;
    case 6: linear->state = (sqa_linear_state)5, *named = "linear.state"; break;
    case 7: desc->causal = 0, linear->delta = 1, *named = "linear.delta"; break;
    case 8: desc->causal = 0, linear->decay = SQA_DECAY_HEAD, *named = "linear.decay"; break;
    case 9: desc->kv_length = 3, *named = "desc.kv_length"; break;
    case 10: desc->softcap = 2.0f, *named = "desc.softcap"; break;
    case 11: desc->write_lse = 1, *named = "desc.write_lse"; break;
    case 12: desc->window.left = 1, *named = "desc.window"; break;
    case 13: desc->key_mask = 1, *named = "desc.key_mask"; break;
    case 14: desc->causal = (sqa_causal)3, *named = "desc.causal"; break;
    case 15:
        linear->decay = SQA_DECAY_TOKEN, linear->decay_strides = (sqa_strides){0, -1, 1};
        *named = "linear.decay_strides";
        break;
    default: desc->head_dim = 1025, *named = "desc.head_dim"; break;
    }
}
enum { WRONG = 17 };

START_TEST(wrong_descriptors)
{
    sqa_attention_desc desc = desc_of(TOKENS);
    sqa_linear_options linear = SQA_LINEAR_OPTIONS_INIT;
    const char *named = NULL;
    sqa_plan *plan = NULL;
    make_wrong(_i, &desc, &linear, &named);
    ck_assert_int_eq(sqa_linear_plan_create(&plan, test_context, &desc, &linear, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), named) != NULL, "'%s' does not name %s",
                  sqa_last_error(), named);
    ck_assert_ptr_null(plan);
}
END_TEST

START_TEST(gradients_need_the_first_state)
{
    const sqa_attention_desc desc = desc_of(TOKENS);
    sqa_linear_options linear = SQA_LINEAR_OPTIONS_INIT;
    sqa_plan *plan = NULL;
    linear.state = SQA_STATE_IN_PLACE;
    ck_assert_int_eq(sqa_linear_backward_plan_create(&plan, test_context, &desc, &linear, NULL),
                     SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "linear.state"));
}
END_TEST

/* Everything is 1: the state of token t is t + 1 everywhere, and O that times DIM. A call per
 * token, each with the state that the one before it left. */
START_TEST(a_call_per_token)
{
    const sqa_attention_desc desc = desc_of(1);
    sqa_linear_options linear = SQA_LINEAR_OPTIONS_INIT;
    sqa_linear_tensors tensors = SQA_LINEAR_TENSORS_INIT;
    float o[HEADS * DIM], state[HEADS * DIM * DIM];
    cl_event done = NULL;
    linear.state = SQA_STATE_IN_PLACE;
    tensors.q.buffer = tensors.k.buffer = tensors.v.buffer = new_buffer(HEADS * DIM, 1.0f);
    tensors.o.buffer = new_buffer(HEADS * DIM, 0.0f);
    tensors.state.buffer = new_buffer(HEADS * DIM * DIM, 0.0f);
    for (int t = 0; t < TOKENS; t++) {
        ck_assert_msg(sqa_linear_attention(test_context, test_queue, &desc, &linear, &tensors, 0,
                                           NULL, &done) == SQA_OK,
                      "%s", sqa_last_error());
        clEnqueueReadBuffer(test_queue, tensors.o.buffer, CL_TRUE, 0, sizeof o, o, 1, &done, NULL);
        clReleaseEvent(done);
        for (int i = 0; i < HEADS * DIM; i++)
            ck_assert_float_eq(o[i], (float)(DIM * (t + 1)));
    }
    clEnqueueReadBuffer(test_queue, tensors.state.buffer, CL_TRUE, 0, sizeof state, state, 0, NULL,
                        NULL);
    for (int i = 0; i < HEADS * DIM * DIM; i++)
        ck_assert_float_eq(state[i], (float)TOKENS);
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.o.buffer);
    clReleaseMemObject(tensors.state.buffer);
}
END_TEST

/* Everything is 1: a query's gradient is DIM for every key it sees, a value's for every query that
 * sees it. */
START_TEST(gradients_of_ones)
{
    const sqa_attention_desc desc = desc_of(TOKENS);
    sqa_linear_backward_tensors tensors = SQA_LINEAR_BACKWARD_TENSORS_INIT;
    float dq[ELEMENTS], dv[ELEMENTS];
    cl_event done = NULL;
    tensors.q.buffer = tensors.k.buffer = tensors.v.buffer = tensors.dout.buffer =
        new_buffer(ELEMENTS, 1.0f);
    tensors.dq.buffer = new_buffer(ELEMENTS, 0.0f);
    tensors.dk.buffer = new_buffer(ELEMENTS, 0.0f);
    tensors.dv.buffer = new_buffer(ELEMENTS, 0.0f);
    ck_assert_msg(sqa_linear_attention_backward(test_context, test_queue, &desc, NULL, &tensors, 0,
                                                NULL, &done) == SQA_OK,
                  "%s", sqa_last_error());
    clWaitForEvents(1, &done);
    clReleaseEvent(done);
    clEnqueueReadBuffer(test_queue, tensors.dq.buffer, CL_TRUE, 0, sizeof dq, dq, 0, NULL, NULL);
    clEnqueueReadBuffer(test_queue, tensors.dv.buffer, CL_TRUE, 0, sizeof dv, dv, 0, NULL, NULL);
    for (int i = 0; i < ELEMENTS; i++) {
        const int t = i / DIM % TOKENS;
        ck_assert_float_eq(dq[i], (float)(DIM * (t + 1)));
        ck_assert_float_eq(dv[i], (float)(DIM * (TOKENS - t)));
    }
    clReleaseMemObject(tensors.q.buffer);
    clReleaseMemObject(tensors.dq.buffer);
    clReleaseMemObject(tensors.dk.buffer);
    clReleaseMemObject(tensors.dv.buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("linear attention");
    TCase *refused = tcase_create("refused"), *calls = tcase_create("calls");
    tcase_add_unchecked_fixture(refused, open_device, close_device);
    tcase_add_loop_test(refused, wrong_descriptors, 0, WRONG);
    tcase_add_test(refused, gradients_need_the_first_state);
    suite_add_tcase(suite, refused);
    tcase_add_unchecked_fixture(calls, open_device, close_device);
    tcase_add_test(calls, a_call_per_token);
    tcase_add_test(calls, gradients_of_ones);
    suite_add_tcase(suite, calls);
    return sqa_run_suite(suite);
}
