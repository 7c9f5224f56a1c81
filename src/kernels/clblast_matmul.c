/* clblast, of the matrix product: CLBlast's GEMM with the parameters that it stores for the
 * device. What it leaves of the problem is a product of no terms, which naive's kernel does. */
#include <limits.h>
#include <stddef.h>

#include "device/cl_status.h"
#include "kernels/families.h"
#include "operations/matmul/slots.h"

#include <clblast_c.h>

/* Its kernels count elements by int, and round lengths up to tiles of at most so many. */
#define MOST_ELEMENTS INT_MAX
#define TILE 256.0

static bool counts_by_int(const sqa_problem *problem)
{
    static const uint32_t slots[] = {SQA_SLOT_MATRIX_A, SQA_SLOT_MATRIX_B, SQA_SLOT_MATRIX_C};
    const sqa_product *p = &problem->of.product;
    const double m = p->m + TILE, n = p->n + TILE, k = p->k + TILE;
    bool small = m * k + k * n + m * n <= MOST_ELEMENTS;
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        sqa_tensor_shape shape;
        small = small && sqa_tensor_shape_of(problem, slots[i], &shape) &&
                sqa_tensor_extent(&shape) <= MOST_ELEMENTS;
    }
    return small;
}

static bool rows_lie_apart(const sqa_matrix_strides *strides, uint32_t rows, uint32_t columns)
{
    return rows <= 1 || strides->row >= columns;
}

/* CLBlast adds up f16 in f16, which is not what sqa_matmul() promises. */
static bool supports(const sqa_problem *problem, const sqa_device *device, const char **why)
{
    const sqa_product *p = &problem->of.product;
    if (!device->limits.has_compiler)
        *why = "needs a device with a compiler";
    else if (p->dtype != SQA_DTYPE_F32)
        *why = "adds up f16 in f16, and is for f32 alone";
    else if (p->gated)
        *why = "has no gate";
    else if (p->k == 0)
        *why = "needs something to add up";
    else if (!rows_lie_apart(&p->a, sqa_product_a_rows(p), sqa_product_a_columns(p)) ||
             !rows_lie_apart(&p->b, sqa_product_b_rows(p), sqa_product_b_columns(p)))
        *why = "needs rows that do not overlap";
    else if (!counts_by_int(problem))
        *why = "is for matrices of less than 2^31 elements, rounded up to its tiles";
    else
        return true;
    return false;
}

/* From a row to the next, which of a single row may be anything. */
static size_t row_of(const sqa_matrix_strides *strides, uint32_t rows, uint32_t columns)
{
    return rows > 1 ? (size_t)strides->row : columns;
}

/* A GEMM's numbers as CLBlast takes them. */
typedef struct gemm {
    CLBlastTranspose transpose_a, transpose_b;
    size_t a_row, b_row, c_row;
} gemm;

static gemm gemm_of(const sqa_product *p)
{
    return (gemm){
        .transpose_a = p->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo,
        .transpose_b = p->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo,
        .a_row = row_of(&p->a, sqa_product_a_rows(p), sqa_product_a_columns(p)),
        .b_row = row_of(&p->b, sqa_product_b_rows(p), sqa_product_b_columns(p)),
        .c_row = row_of(&p->c, p->m, p->n),
    };
}

static sqa_status fail(CLBlastStatusCode code, const char *call)
{
    if ((int)code > -1000)
        return sqa_fail_cl((cl_int)code, call);
    return sqa_fail(SQA_OPENCL_ERROR, "%s failed: %d, see clblast_c.h", call, (int)code);
}

/* Of matrices that begin anywhere in their buffers: at their start, some need no copies. */
static CLBlastStatusCode ask_workspace(const sqa_product *p, cl_command_queue queue, size_t *bytes)
{
    const gemm g = gemm_of(p);
    const size_t offset = 1;
    return CLBlastSGemmTempBufferSize(CLBlastLayoutRowMajor, g.transpose_a, g.transpose_b, p->m,
                                      p->n, p->k, offset, g.a_row, offset, g.b_row, offset, g.c_row,
                                      &queue, bytes);
}

static sqa_status workspace(const sqa_problem *problem, cl_context context, cl_device_id device,
                            size_t *bytes)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateCommandQueue(CLBlast)");
    const CLBlastStatusCode asked = ask_workspace(&problem->of.product, queue, bytes);
    clReleaseCommandQueue(queue);
    return asked == CLBlastSuccess ? SQA_OK : fail(asked, "CLBlastSGemmTempBufferSize");
}

/* The tensors of a call, as far as CLBlast counts. */
static sqa_status check_offsets(const sqa_problem *problem, const sqa_tensor tensors[SQA_MAX_SLOTS])
{
    static const uint32_t slots[] = {SQA_SLOT_MATRIX_A, SQA_SLOT_MATRIX_B, SQA_SLOT_MATRIX_C};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        sqa_tensor_shape shape;
        sqa_tensor_shape_of(problem, slots[i], &shape);
        const uint64_t most = MOST_ELEMENTS - sqa_tensor_extent(&shape);
        if (tensors[slots[i]].offset > most)
            return sqa_fail(SQA_UNSUPPORTED,
                            "tensors.%s.offset: %zu is outside 0..%llu, as far as CLBlast counts",
                            sqa_tensor_name(problem, slots[i]), tensors[slots[i]].offset,
                            (unsigned long long)most);
    }
    return SQA_OK;
}

/* Entries `first` .. `first` + `count` - 1 of the batch, several in one call only where it uses
 * no workspace: elsewhere its batches would allocate, and mistake where matrices begin. */
static CLBlastStatusCode enqueue_entries(const sqa_product *p,
                                         const sqa_tensor tensors[SQA_MAX_SLOTS], uint32_t first,
                                         uint32_t count, cl_command_queue queue, cl_event *event)
{
    const gemm g = gemm_of(p);
    const sqa_tensor a = tensors[SQA_SLOT_MATRIX_A], b = tensors[SQA_SLOT_MATRIX_B];
    const sqa_tensor c = tensors[SQA_SLOT_MATRIX_C];
    const size_t a_offset = a.offset + first * (size_t)p->a.batch;
    const size_t b_offset = b.offset + first * (size_t)p->b.batch;
    const size_t c_offset = c.offset + first * (size_t)p->c.batch;
    if (count == 1)
        return CLBlastSgemmWithTempBuffer(
            CLBlastLayoutRowMajor, g.transpose_a, g.transpose_b, p->m, p->n, p->k, p->alpha,
            a.buffer, a_offset, g.a_row, b.buffer, b_offset, g.b_row, p->beta, c.buffer, c_offset,
            g.c_row, &queue, event, tensors[SQA_SLOT_WORKSPACE].buffer);
    return CLBlastSgemmStridedBatched(
        CLBlastLayoutRowMajor, g.transpose_a, g.transpose_b, p->m, p->n, p->k, p->alpha, a.buffer,
        a_offset, g.a_row, (size_t)p->a.batch, b.buffer, b_offset, g.b_row, (size_t)p->b.batch,
        p->beta, c.buffer, c_offset, g.c_row, (size_t)p->c.batch, count, &queue, event);
}

static bool is_in_order(cl_command_queue queue)
{
    cl_command_queue_properties properties = 0;
    return clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties,
                                 NULL) == CL_SUCCESS &&
           !(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
}

/* CLBlast takes no wait list, and entries of a batch share the workspace. */
static sqa_status wait_for_earlier(cl_command_queue queue, bool first, cl_uint wait_count,
                                   const cl_event *wait_list)
{
    if (first ? wait_count == 0 : is_in_order(queue))
        return SQA_OK;
    const cl_int code =
        clEnqueueBarrierWithWaitList(queue, first ? wait_count : 0, first ? wait_list : NULL, NULL);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueBarrierWithWaitList");
}

static sqa_status enqueue(const sqa_problem *problem, const sqa_tensor tensors[SQA_MAX_SLOTS],
                          cl_command_queue queue, cl_uint wait_count, const cl_event *wait_list,
                          cl_event *event, bool *refused)
{
    const sqa_product *p = &problem->of.product;
    size_t bytes = 1;
    sqa_status status = check_offsets(problem, tensors);
    if (status != SQA_OK) {
        *refused = true;
        return status;
    }
    if (p->batch > 1 && ask_workspace(p, queue, &bytes) != CLBlastSuccess)
        bytes = 1;
    const uint32_t at_once = bytes ? 1 : p->batch;
    for (uint32_t first = 0; first < p->batch; first += at_once) {
        const bool last = first + at_once == p->batch;
        status = wait_for_earlier(queue, first == 0, wait_count, wait_list);
        if (status != SQA_OK)
            return status;
        const CLBlastStatusCode code =
            enqueue_entries(p, tensors, first, at_once, queue, last ? event : NULL);
        if (code != CLBlastSuccess) {
            *refused = first == 0;
            return fail(code,
                        at_once == 1 ? "CLBlastSgemmWithTempBuffer" : "CLBlastSgemmStridedBatched");
        }
    }
    return SQA_OK;
}

static const sqa_library_call gemm_call = {"CLBlastSgemm", workspace, enqueue};

static bool leaves_something(const sqa_product *p)
{
    return p->bias || p->activation != SQA_ACTIVATION_NONE || p->add_residual;
}

/* What is left when C is alpha A B + beta C: C = act(C + bias) + residual. */
static sqa_problem rest_of(const sqa_problem *problem)
{
    sqa_problem rest = *problem;
    sqa_product *p = &rest.of.product;
    p->k = p->transpose_a = p->transpose_b = 0;
    p->alpha = p->beta = 1.0f;
    return rest;
}

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    const sqa_problem rest = rest_of(problem);
    if (leaves_something(&problem->of.product))
        sqa_naive_matmul.source(config, &rest, device, out);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_problem rest = rest_of(problem);
    sqa_launch_add_call(out, &gemm_call, problem);
    if (leaves_something(&problem->of.product))
        sqa_naive_matmul.launch(config, &rest, device, out);
}

/* As naive's, which begins with them. */
static const char *const fragments[] = {"common/types.cl", "matmul/arguments.cl",
                                        "common/activation.cl", "matmul/naive.cl", NULL};

const sqa_kernel_family sqa_clblast_matmul = {
    .name = "clblast",
    .summary = "CLBlast's GEMM, with the parameters it stores for the device",
    .library = "CLBlast " SQA_CLBLAST_VERSION,
    .operation = SQA_OPERATION_MATMUL,
    .space_version = 1,
    .fragments = fragments,
    .supports = supports,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = source,
    .launch = launch,
};
