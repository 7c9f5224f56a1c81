/* See ceiling_kernels.h. */
#include "trial/ceiling_kernels.h"

#include <stdio.h>

#include "base/embedded.h"
#include "device/cl_status.h"

/* Work-groups per compute unit: many, so that an unlucky share of a busy machine
 * costs one small work-group and not half the device. */
#define GROUPS_PER_UNIT 32u
#define LARGEST_LOCAL 256u

/* CPUs: explicit vectors in work-groups of one; 16 lanes for AVX-512, 4 for NEON
 * and SSE. The last rows are for runtimes that vectorise across work-items. */
static const sqa_ceiling_variant cpu_fma[] = {
    {8, 10, 1, false},  {8, 12, 1, false}, {8, 8, 1, false},  {16, 4, 1, false},
    {16, 10, 1, false}, {4, 12, 1, false}, {1, 8, 32, false},
};
static const sqa_ceiling_variant gpu_fma[] = {
    {1, 8, 256, false}, {1, 16, 256, false}, {4, 4, 256, false},
    {4, 8, 64, false},  {1, 8, 64, false},   {16, 4, 64, false},
};
static const sqa_ceiling_variant cpu_copy[] = {
    {8, 0, 1, true},
    {16, 0, 1, true},
    {4, 0, 32, false},
    {16, 0, 32, false},
};
static const sqa_ceiling_variant gpu_copy[] = {
    {4, 0, 256, false},
    {1, 0, 256, false},
    {4, 0, 64, false},
    {2, 0, 128, false},
};

/* What fetches ahead does it for each of several places at a time. */
static const sqa_ceiling_variant cpu_read[] = {
    {8, 4, 1, true}, {8, 8, 1, true}, {8, 2, 1, true}, {16, 4, 1, true}, {16, 2, 32, false},
};
static const sqa_ceiling_variant gpu_read[] = {
    {4, 2, 256, false},
    {1, 4, 256, false},
    {4, 4, 64, false},
    {2, 2, 128, false},
};

#define LIST(array)                                                                                \
    {                                                                                              \
        array, sizeof array / sizeof array[0]                                                      \
    }
static const struct {
    const sqa_ceiling_variant *variants;
    size_t count;
} lists[SQA_CEILING_KINDS][2] = {
    [SQA_CEILING_FMA] = {LIST(cpu_fma), LIST(gpu_fma)},
    [SQA_CEILING_COPY] = {LIST(cpu_copy), LIST(gpu_copy)},
    [SQA_CEILING_READ] = {LIST(cpu_read), LIST(gpu_read)},
};

static const struct {
    const char *file, *kernel, *macro;
    double passes; /* over the buffer, which is read and may be written */
} kinds[SQA_CEILING_KINDS] = {
    [SQA_CEILING_FMA] = {"ceiling/fma.cl", "fma", "FMA_KERNEL", 0.0},
    [SQA_CEILING_COPY] = {"ceiling/copy.cl", "copy", "COPY_KERNEL", 2.0},
    [SQA_CEILING_READ] = {"ceiling/read.cl", "read", "READ_KERNEL", 1.0},
};

/* Vectors wider than a CPU's own only draw compiler warnings about calling
 * conventions; a runtime that does not know its width gets 8. */
static bool worth_trying(sqa_ceiling_kind kind, const sqa_device *device,
                         const sqa_ceiling_variant *variant)
{
    uint32_t native = device->limits.vector_width_float;
    uint32_t widest = native > 8 ? native : 8;
    bool cpu = device->strings.type == SQA_DEVICE_CPU;
    return variant->local <= device->limits.max_work_group_size &&
           (kind != SQA_CEILING_FMA || !cpu || variant->width <= widest);
}

size_t sqa_ceiling_variants(sqa_ceiling_kind kind, const sqa_device *device,
                            sqa_ceiling_variant out[SQA_CEILING_MOST_VARIANTS])
{
    unsigned column = device->strings.type == SQA_DEVICE_CPU ? 0 : 1;
    size_t count = 0;
    for (size_t i = 0; i < lists[kind][column].count; i++)
        if (worth_trying(kind, device, &lists[kind][column].variants[i]))
            out[count++] = lists[kind][column].variants[i];
    return count;
}

void sqa_ceiling_describe(sqa_ceiling_kind kind, const sqa_ceiling_variant *variant, char *text,
                          size_t size)
{
    char chains[16] = "";
    if (variant->chains)
        snprintf(chains, sizeof chains, " x %u", variant->chains);
    if (kind == SQA_CEILING_FMA)
        snprintf(text, size, "float%u%s chains, work-group %u", variant->width, chains,
                 variant->local);
    else
        snprintf(text, size, "float%u%s, %s, work-group %u", variant->width, chains,
                 variant->stretch ? "stretches" : "side by side", variant->local);
}

const char *sqa_ceiling_kernel(sqa_ceiling_kind kind)
{
    return kinds[kind].kernel;
}

void sqa_ceiling_source(sqa_ceiling_kind kind, const sqa_ceiling_variant *variants, size_t count,
                        sqa_text *out)
{
    const char *text = sqa_embedded_text(sqa_embedded_kernels, kinds[kind].file);
    for (size_t i = 0; i < count && text; i++) {
        sqa_text_format(out, "#define WIDTH %u\n#define CHAINS %u\n", variants[i].width,
                        variants[i].chains);
        sqa_text_format(out, "#define %s %s_%zu\n", kinds[kind].macro, kinds[kind].kernel, i);
        sqa_text_append(out, text);
        sqa_text_format(out, "\n#undef WIDTH\n#undef CHAINS\n#undef %s\n", kinds[kind].macro);
    }
}

sqa_status sqa_ceiling_enqueue(void *user, cl_command_queue queue, cl_event *event)
{
    const sqa_ceiling_work *work = user;
    cl_int code = clEnqueueNDRangeKernel(queue, work->kernel, 1, NULL, &work->global, &work->local,
                                         0, NULL, event);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueNDRangeKernel");
}

static size_t work_items(const sqa_device *device, size_t local)
{
    uint32_t units = device->strings.compute_units ? device->strings.compute_units : 1;
    return local * units * GROUPS_PER_UNIT;
}

size_t sqa_ceiling_fma_bytes(const sqa_device *device)
{
    return work_items(device, LARGEST_LOCAL) * sizeof(float);
}

typedef struct argument {
    size_t size;
    const void *value;
} argument;

static sqa_status set_arguments(cl_kernel kernel, const argument *arguments, cl_uint count)
{
    for (cl_uint i = 0; i < count; i++) {
        cl_int code = clSetKernelArg(kernel, i, arguments[i].size, arguments[i].value);
        if (code != CL_SUCCESS)
            return sqa_fail_cl(code, "clSetKernelArg");
    }
    return SQA_OK;
}

sqa_status sqa_ceiling_set_fma(sqa_ceiling_work *work, const sqa_ceiling_variant *variant,
                               const sqa_device *device, cl_mem out, uint32_t rounds)
{
    /* The chains settle at 1: neither infinite nor denormal, however long. */
    const cl_float multiplicand = 0.999f, addend = 0.001f;
    const cl_int count = (cl_int)rounds;
    const argument arguments[] = {{sizeof out, &out},
                                  {sizeof count, &count},
                                  {sizeof multiplicand, &multiplicand},
                                  {sizeof addend, &addend}};
    work->local = variant->local;
    work->global = work_items(device, variant->local);
    work->amount = 2.0 * variant->width * variant->chains * 4.0 * rounds * (double)work->global;
    return set_arguments(work->kernel, arguments, 4);
}

sqa_status sqa_ceiling_set_stream(sqa_ceiling_work *work, sqa_ceiling_kind kind,
                                  const sqa_ceiling_variant *variant, const sqa_device *device,
                                  cl_mem from, cl_mem to, size_t bytes)
{
    size_t vectors = bytes / (variant->width * sizeof(float));
    work->local = variant->local;
    work->global = work_items(device, variant->local);
    const size_t chains = variant->chains ? variant->chains : 1;
    const cl_uint each = (cl_uint)(vectors / work->global / chains);
    const cl_uint spacing = variant->stretch ? each * (cl_uint)chains : 1;
    const cl_uint step = variant->stretch ? 1 : (cl_uint)work->global;
    const argument arguments[] = {{sizeof from, &from},
                                  {sizeof to, &to},
                                  {sizeof spacing, &spacing},
                                  {sizeof step, &step},
                                  {sizeof each, &each}};
    work->amount = kinds[kind].passes * (double)(work->global * chains) * each * variant->width *
                   sizeof(float);
    return set_arguments(work->kernel, arguments, 5);
}
