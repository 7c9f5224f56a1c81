/* Sweeps the variants of the ceiling kernels, keeps the best of each kind and
 * times them again on request. */
#include "trial/ceiling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/cl_status.h"
#include "device/program.h"
#include "kernels/kernel_family.h"
#include "trial/ceiling_kernels.h"
#include "trial/measure.h"

#define SWEEP_SECONDS 0.004  /* per sample while choosing the variant */
#define REPEAT_SECONDS 0.020 /* per sample of the best one: launch cost below 1 % */
#define SWEEP_SAMPLES 3u
#define REPEAT_SAMPLES 5u
#define FIRST_ROUNDS 64u

/* Buffers to copy and to read: beyond the caches, but a modest part of the memory. */
#define STREAM_LEAST ((size_t)64 << 20)
#define STREAM_MOST ((size_t)256 << 20)

/* What is known of one kind of ceiling. */
typedef struct ceiling_side {
    cl_program program;
    sqa_ceiling_work work; /* the best variant */
    sqa_ceiling_variant variant;
    uint32_t number;   /* the variant's, from 1 on */
    uint32_t launches; /* per sample */
    double best;       /* 10^9 per second */
} ceiling_side;

struct sqa_ceiling_probe {
    sqa_device device;
    cl_context context;
    cl_command_queue queue;
    cl_mem fma_out, from, to;
    size_t stream_bytes; /* of each of the latter */
    ceiling_side sides[SQA_CEILING_KINDS];
};

static sqa_status create_queue(sqa_ceiling_probe *probe)
{
    cl_int code = CL_SUCCESS;
    probe->queue =
        clCreateCommandQueue(probe->context, probe->device.id, CL_QUEUE_PROFILING_ENABLE, &code);
    if (code != CL_SUCCESS) /* not every runtime profiles; the wall clock always works */
        probe->queue = clCreateCommandQueue(probe->context, probe->device.id, 0, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateCommandQueue");
}

static sqa_status create_buffer(const sqa_ceiling_probe *probe, size_t bytes, cl_mem *out)
{
    cl_int code = CL_SUCCESS;
    *out = clCreateBuffer(probe->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clCreateBuffer");
}

static size_t stream_size(const sqa_device *device)
{
    cl_ulong cache = 0;
    if (clGetDeviceInfo(device->id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof cache, &cache, NULL))
        cache = 0;
    size_t bytes = 4 * (size_t)cache;
    bytes = bytes < STREAM_LEAST ? STREAM_LEAST : bytes > STREAM_MOST ? STREAM_MOST : bytes;
    while (bytes > device->limits.max_allocation_bytes / 2 ||
           bytes > device->limits.global_memory_bytes / 8)
        bytes /= 2;
    return bytes;
}

/* Tests that build kernels without the optimiser ask for no real rates. */
static bool has_tests_to_do(void)
{
#ifdef SQA_CL_TEST_SWITCHES
    return getenv("SQA_CL_TEST_UNOPTIMISED") != NULL;
#else
    return false;
#endif
}

static size_t variants_of(const sqa_ceiling_probe *probe, sqa_ceiling_kind kind,
                          sqa_ceiling_variant variants[SQA_CEILING_MOST_VARIANTS])
{
    const size_t count = sqa_ceiling_variants(kind, &probe->device, variants);
    return has_tests_to_do() && count ? 1 : count;
}

static sqa_status build(sqa_ceiling_probe *probe, sqa_ceiling_kind kind)
{
    sqa_ceiling_variant variants[SQA_CEILING_MOST_VARIANTS];
    if (!probe->device.limits.has_compiler)
        return sqa_fail(SQA_UNSUPPORTED, "without an OpenCL compiler the ceiling is not known");
    size_t count = variants_of(probe, kind, variants);
    sqa_text source = SQA_TEXT_INIT;
    sqa_ceiling_source(kind, variants, count, &source);
    sqa_status status = sqa_text_status(&source);
    if (status == SQA_OK)
        status = sqa_program_build(&probe->sides[kind].program, probe->context, probe->device.id,
                                   sqa_text_get(&source), sqa_build_options);
    sqa_text_free(&source);
    return status;
}

/* Sets the arguments of a variant's kernel; rounds matter to fma alone. */
static sqa_status set_arguments(const sqa_ceiling_probe *probe, sqa_ceiling_kind kind,
                                const sqa_ceiling_variant *variant, uint32_t rounds,
                                sqa_ceiling_work *work)
{
    return kind == SQA_CEILING_FMA
               ? sqa_ceiling_set_fma(work, variant, &probe->device, probe->fma_out, rounds)
               : sqa_ceiling_set_stream(work, kind, variant, &probe->device, probe->from, probe->to,
                                        probe->stream_bytes);
}

/* Takes samples and gives the best rate among them: whatever else runs on the
 * machine can only lower it. */
static sqa_status best_rate(const sqa_ceiling_probe *probe, sqa_ceiling_work *work,
                            uint32_t launches, uint32_t samples, double *best)
{
    sqa_work enqueue = {sqa_ceiling_enqueue, work};
    for (uint32_t i = 0; i < samples; i++) {
        sqa_sample sample;
        sqa_status status = sqa_measure_sample(&enqueue, probe->queue, launches, &sample);
        if (status != SQA_OK)
            return status;
        double ms = isnan(sample.event_ms) ? sample.wall_ms : sample.event_ms;
        *best = fmax(*best, work->amount / (ms * 1e6));
    }
    return SQA_OK;
}

/* Makes a launch of a fma variant last about `seconds`: one long launch a sample. */
static sqa_status stretch_fma(const sqa_ceiling_probe *probe, const sqa_ceiling_variant *variant,
                              double seconds, sqa_ceiling_work *work)
{
    sqa_work enqueue = {sqa_ceiling_enqueue, work};
    double rounds = FIRST_ROUNDS;
    for (int attempt = 0; attempt < 8; attempt++) {
        sqa_sample sample;
        sqa_status status = set_arguments(probe, SQA_CEILING_FMA, variant, (uint32_t)rounds, work);
        if (status == SQA_OK)
            status = sqa_measure_sample(&enqueue, probe->queue, 1, &sample);
        if (status != SQA_OK)
            return status;
        double ratio = seconds * 1e3 / fmax(sample.wall_ms, 1e-3);
        if (ratio < 1.25 || rounds >= 1e8)
            break;
        rounds = fmin(rounds * fmin(ratio, 16.0), 1e8);
    }
    return SQA_OK;
}

/* Readies a kernel for samples of `seconds`. */
static sqa_status prepare(const sqa_ceiling_probe *probe, sqa_ceiling_kind kind,
                          const sqa_ceiling_variant *variant, double seconds,
                          sqa_ceiling_work *work, uint32_t *launches)
{
    sqa_work enqueue = {sqa_ceiling_enqueue, work};
    sqa_status status = set_arguments(probe, kind, variant, 1, work);
    if (status == SQA_OK)
        status = sqa_measure_warm_up(&enqueue, probe->queue);
    *launches = 1;
    if (status == SQA_OK)
        status = kind == SQA_CEILING_FMA
                     ? stretch_fma(probe, variant, seconds, work)
                     : sqa_measure_calibrate(&enqueue, probe->queue, seconds, launches, NULL);
    return status;
}

/* Tries variant `number`; it becomes the side's own when it is the fastest so far. */
static sqa_status try_variant(sqa_ceiling_probe *probe, sqa_ceiling_kind kind,
                              const sqa_ceiling_variant *variant, size_t number)
{
    ceiling_side *side = &probe->sides[kind];
    sqa_ceiling_work work = {NULL, 0, 0, 0.0};
    char name[32];
    snprintf(name, sizeof name, "%s_%zu", sqa_ceiling_kernel(kind), number);
    cl_int code = CL_SUCCESS;
    work.kernel = clCreateKernel(side->program, name, &code);
    if (code != CL_SUCCESS)
        return sqa_fail_cl(code, "clCreateKernel");
    double rate = 0.0;
    uint32_t launches = 1;
    sqa_status status = prepare(probe, kind, variant, SWEEP_SECONDS, &work, &launches);
    if (status == SQA_OK)
        status = best_rate(probe, &work, launches, SWEEP_SAMPLES, &rate);
    if (status != SQA_OK || rate <= side->best) {
        clReleaseKernel(work.kernel);
        return status;
    }
    if (side->work.kernel)
        clReleaseKernel(side->work.kernel);
    side->work = work;
    side->variant = *variant;
    side->number = (uint32_t)number + 1;
    side->best = rate;
    return SQA_OK;
}

/* `number`: of the variant that is known to be the best; 0: none is. */
static sqa_status sweep(sqa_ceiling_probe *probe, sqa_ceiling_kind kind, uint32_t number)
{
    ceiling_side *side = &probe->sides[kind];
    sqa_ceiling_variant variants[SQA_CEILING_MOST_VARIANTS];
    const size_t count = variants_of(probe, kind, variants);
    const bool is_known = number && number <= count;
    const size_t first = is_known ? number - 1 : 0, end = is_known ? number : count;
    sqa_status status = SQA_OK;
    for (size_t i = first; i < end; i++)
        status = try_variant(probe, kind, &variants[i], i);
    if (side->best <= 0.0) /* a variant may fail on an odd device; all of them may not */
        return status != SQA_OK ? status : sqa_fail(SQA_UNSUPPORTED, "no ceiling kernel runs here");
    status = prepare(probe, kind, &side->variant, REPEAT_SECONDS, &side->work, &side->launches);
    if (status == SQA_OK)
        status = best_rate(probe, &side->work, side->launches, REPEAT_SAMPLES, &side->best);
    return status;
}

/* Touches every page once, so that no sample pays for it. */
static sqa_status fill(const sqa_ceiling_probe *probe, cl_mem buffer)
{
    const cl_float one = 1.0f;
    cl_int code = clEnqueueFillBuffer(probe->queue, buffer, &one, sizeof one, 0,
                                      probe->stream_bytes, 0, NULL, NULL);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clEnqueueFillBuffer");
}

static sqa_status create_buffers(sqa_ceiling_probe *probe)
{
    probe->stream_bytes = stream_size(&probe->device);
    sqa_status status =
        create_buffer(probe, sqa_ceiling_fma_bytes(&probe->device), &probe->fma_out);
    if (status == SQA_OK)
        status = create_buffer(probe, probe->stream_bytes, &probe->from);
    if (status == SQA_OK)
        status = create_buffer(probe, probe->stream_bytes, &probe->to);
    if (status == SQA_OK)
        status = fill(probe, probe->from);
    if (status == SQA_OK)
        status = fill(probe, probe->to);
    return status;
}

sqa_status sqa_ceiling_probe_create(sqa_ceiling_probe **out, sqa_context *context,
                                    const sqa_ceiling *known)
{
    sqa_ceiling_probe *probe = calloc(1, sizeof *probe);
    if (!probe)
        return sqa_fail_memory("the ceiling's state");
    probe->context = sqa_context_cl(context);
    sqa_status status = sqa_device_query(&probe->device, sqa_context_cl_device(context));
    if (status == SQA_OK)
        status = create_queue(probe);
    if (status == SQA_OK)
        status = create_buffers(probe);
    for (int kind = 0; kind < SQA_CEILING_KINDS && status == SQA_OK; kind++) {
        status = build(probe, (sqa_ceiling_kind)kind);
        if (status == SQA_OK)
            status = sweep(probe, (sqa_ceiling_kind)kind, known ? known->number[kind] : 0);
    }
    if (status != SQA_OK) {
        sqa_ceiling_probe_destroy(probe);
        return status;
    }
    *out = probe;
    return SQA_OK;
}

void sqa_ceiling_probe_destroy(sqa_ceiling_probe *probe)
{
    if (!probe)
        return;
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++) {
        if (probe->sides[kind].work.kernel)
            clReleaseKernel(probe->sides[kind].work.kernel);
        if (probe->sides[kind].program)
            clReleaseProgram(probe->sides[kind].program);
    }
    cl_mem buffers[] = {probe->fma_out, probe->from, probe->to};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (buffers[i])
            clReleaseMemObject(buffers[i]);
    if (probe->queue)
        clReleaseCommandQueue(probe->queue);
    free(probe);
}

sqa_status sqa_ceiling_probe_sample(sqa_ceiling_probe *probe, sqa_ceiling_kind kind, double *rate)
{
    ceiling_side *side = &probe->sides[kind];
    *rate = 0.0;
    sqa_status status = best_rate(probe, &side->work, side->launches, 1, rate);
    if (status == SQA_OK)
        side->best = fmax(side->best, *rate);
    return status;
}

sqa_ceiling sqa_ceiling_probe_result(const sqa_ceiling_probe *probe)
{
    sqa_ceiling result;
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++) {
        const ceiling_side *side = &probe->sides[kind];
        result.rate[kind] = side->best;
        result.number[kind] = side->number;
        sqa_ceiling_describe((sqa_ceiling_kind)kind, &side->variant, result.variant[kind],
                             sizeof result.variant[kind]);
    }
    return result;
}

sqa_ceiling sqa_ceiling_unknown(void)
{
    sqa_ceiling result;
    memset(&result, 0, sizeof result);
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        result.rate[kind] = (double)NAN;
    return result;
}

sqa_status sqa_ceiling_measure(sqa_context *context, sqa_ceiling *out)
{
    sqa_ceiling_probe *probe = NULL;
    sqa_status status = sqa_ceiling_probe_create(&probe, context, NULL);
    if (status != SQA_OK)
        return status;
    *out = sqa_ceiling_probe_result(probe);
    sqa_ceiling_probe_destroy(probe);
    return SQA_OK;
}
