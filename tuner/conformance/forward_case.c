/* Making and running a forward call among guards. What the output should be is
 * not known here (check.c, properties.c). */
#include "conformance/forward_case.h"

#include <stdio.h>
#include <string.h>

#include "device/cl_status.h"

static sqa_status create_tensors(sqa_forward_case *test, size_t guard)
{
    const sqa_problem *p = &test->problem;
    sqa_strides rows = {(int64_t)p->out_heads * p->q_length, p->q_length, 1};
    sqa_status status = sqa_host_tensor_create(&test->q, p->dtype, &p->q, p->batch, p->q_heads,
                                               p->q_length, p->head_dim, guard);
    if (status == SQA_OK)
        status = sqa_host_tensor_create(&test->k, p->dtype, &p->k, p->batch, p->kv_heads,
                                        p->kv_length, p->head_dim, guard + 1);
    if (status == SQA_OK)
        status = sqa_host_tensor_create(&test->v, p->dtype, &p->v, p->batch, p->kv_heads,
                                        p->kv_length, p->value_dim, guard + 2);
    if (status == SQA_OK)
        status = sqa_host_tensor_create(&test->o, p->dtype, &p->o, p->batch, p->out_heads,
                                        p->q_length, p->value_dim, guard + 3);
    if (status == SQA_OK)
        status =
            sqa_host_tensor_create(&test->lse, SQA_DTYPE_F32, &rows, p->write_lse ? p->batch : 0,
                                   p->out_heads, p->q_length, 1, guard);
    return status;
}

sqa_status sqa_forward_case_create(sqa_forward_case *out, const sqa_attention_desc *desc,
                                   uint64_t seed)
{
    memset(out, 0, sizeof *out);
    sqa_status status = sqa_problem_from_desc(&out->problem, desc);
    if (status != SQA_OK)
        return status;
    /* Aligned starts and odd ones alike: a view may start at any element. */
    status = create_tensors(out, 64 + (size_t)(seed % 4));
    if (status != SQA_OK) {
        sqa_forward_case_free(out);
        return status;
    }
    sqa_random random = {seed};
    sqa_host_tensor_fill_random(&out->q, &random, -1.0f, 1.0f);
    sqa_host_tensor_fill_random(&out->k, &random, -1.0f, 1.0f);
    sqa_host_tensor_fill_random(&out->v, &random, -1.0f, 1.0f);
    return SQA_OK;
}

void sqa_forward_case_free(sqa_forward_case *test)
{
    sqa_host_tensor_free(&test->q);
    sqa_host_tensor_free(&test->k);
    sqa_host_tensor_free(&test->v);
    sqa_host_tensor_free(&test->o);
    sqa_host_tensor_free(&test->lse);
}

bool sqa_row_sees_key(const sqa_problem *problem, uint32_t row, uint32_t key)
{
    return !(problem->mask & SQA_MASK_CAUSAL) ||
           (int64_t)key <= (int64_t)row + (int64_t)problem->diagonal;
}

static sqa_status upload(sqa_forward_case *test, cl_context context)
{
    sqa_host_tensor *tensors[] = {&test->q, &test->k, &test->v, &test->o, &test->lse};
    sqa_status status = SQA_OK;
    sqa_host_tensor_poison(&test->o);
    sqa_host_tensor_poison(&test->lse);
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && status == SQA_OK; i++)
        status = sqa_host_tensor_upload(tensors[i], context);
    return status;
}

static sqa_status wait_for(cl_event event)
{
    cl_int error = clWaitForEvents(1, &event);
    clReleaseEvent(event);
    return error == CL_SUCCESS ? SQA_OK : sqa_fail_cl(error, "clWaitForEvents");
}

static sqa_status execute(sqa_forward_case *test, sqa_plan *plan, cl_command_queue queue)
{
    sqa_tensors tensors = SQA_TENSORS_INIT;
    tensors.q = (sqa_tensor){test->q.buffer, test->q.guard};
    tensors.k = (sqa_tensor){test->k.buffer, test->k.guard};
    tensors.v = (sqa_tensor){test->v.buffer, test->v.guard};
    tensors.o = (sqa_tensor){test->o.buffer, test->o.guard};
    if (test->problem.write_lse)
        tensors.lse = (sqa_tensor){test->lse.buffer, test->lse.guard};
    cl_event event = NULL;
    sqa_status status = sqa_forward(plan, queue, &tensors, 0, NULL, &event);
    return status == SQA_OK ? wait_for(event) : status;
}

static sqa_status look_over_inputs(const sqa_forward_case *test, cl_command_queue queue,
                                   char *message)
{
    const sqa_host_tensor *tensors[] = {&test->q, &test->k, &test->v};
    for (size_t i = 0; i < 3; i++) {
        bool same = true;
        sqa_status status = sqa_host_tensor_unchanged(tensors[i], queue, &same);
        if (status != SQA_OK)
            return status;
        if (!same)
            snprintf(message, SQA_CASE_MESSAGE, "the input %c was written to", "QKV"[i]);
    }
    return SQA_OK;
}

static sqa_status look_over_output(sqa_host_tensor *tensor, const char *name,
                                   cl_command_queue queue, char *message)
{
    int64_t where = 0;
    sqa_status status = sqa_host_tensor_download(tensor, queue);
    if (status != SQA_OK)
        return status;
    if (sqa_host_tensor_broken_guard(tensor, &where))
        snprintf(message, SQA_CASE_MESSAGE,
                 "%s was written outside its view, %lld elements from its start", name,
                 (long long)where);
    else if (sqa_host_tensor_unwritten(tensor, &where))
        snprintf(message, SQA_CASE_MESSAGE, "%s was not written, %lld elements from its start",
                 name, (long long)where);
    return SQA_OK;
}

sqa_status sqa_forward_case_run(sqa_forward_case *test, sqa_plan *plan, cl_context context,
                                cl_command_queue queue, char message[SQA_CASE_MESSAGE])
{
    message[0] = '\0';
    sqa_status status = upload(test, context);
    if (status == SQA_OK)
        status = execute(test, plan, queue);
    if (status == SQA_OK)
        status = look_over_inputs(test, queue, message);
    if (status == SQA_OK)
        status = look_over_output(&test->o, "O", queue, message);
    if (status == SQA_OK)
        status = look_over_output(&test->lse, "LSE", queue, message);
    return status;
}
