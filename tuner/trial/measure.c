/* See measure.h. */
#include "trial/measure.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/status.h"
#include "device/cl_status.h"

/* How far event time may stand from wall time before it is not believed. */
#define EVENT_AGREEMENT 0.20

/* A batch must last this many clock ticks, so that the clock adds at most 1 %. */
#define CLOCK_TICKS 100.0

#define MAX_LAUNCHES (1u << 20)

static double clock_tick(void)
{
    struct timespec tick;
    if (clock_getres(CLOCK_MONOTONIC, &tick))
        return 1.0;
    return (double)tick.tv_sec + (double)tick.tv_nsec * 1e-9;
}

static sqa_status finish(cl_command_queue queue)
{
    cl_int code = clFinish(queue);
    return code == CL_SUCCESS ? SQA_OK : sqa_fail_cl(code, "clFinish");
}

sqa_status sqa_measure_warm_up(const sqa_work *work, cl_command_queue queue)
{
    sqa_status status = work->enqueue(work->user, queue, NULL);
    return status == SQA_OK ? finish(queue) : status;
}

static bool queue_profiles(cl_command_queue queue)
{
    cl_command_queue_properties properties = 0;
    cl_int code =
        clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
    return code == CL_SUCCESS && (properties & CL_QUEUE_PROFILING_ENABLE);
}

/* Device time from the start of the first launch to the end of the last, in
 * seconds; NaN where the runtime does not tell. */
static double event_span(cl_event first, cl_event last)
{
    cl_ulong start = 0, end = 0;
    if (!first || !last)
        return NAN;
    if (clGetEventProfilingInfo(first, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL) ||
        clGetEventProfilingInfo(last, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) ||
        end <= start)
        return NAN;
    return (double)(end - start) * 1e-9;
}

static sqa_status enqueue_batch(const sqa_work *work, cl_command_queue queue, uint32_t launches,
                                bool profile, cl_event *first, cl_event *last)
{
    for (uint32_t i = 0; i < launches; i++) {
        cl_event *event = NULL;
        if (profile && i == 0)
            event = first;
        else if (profile && i + 1 == launches)
            event = last;
        sqa_status status = work->enqueue(work->user, queue, event);
        if (status != SQA_OK)
            return status;
    }
    return SQA_OK;
}

sqa_status sqa_measure_sample(const sqa_work *work, cl_command_queue queue, uint32_t launches,
                              sqa_sample *out)
{
    cl_event first = NULL, last = NULL;
    sqa_status status = finish(queue);
    if (status != SQA_OK)
        return status;
    bool profile = queue_profiles(queue);
    double begin = sqa_clock_seconds();
    status = enqueue_batch(work, queue, launches, profile, &first, &last);
    sqa_status finished = finish(queue);
    double wall = sqa_clock_seconds() - begin;
    if (status == SQA_OK)
        status = finished;
    double device = event_span(first, launches > 1 ? last : first);
    if (first)
        clReleaseEvent(first);
    if (last)
        clReleaseEvent(last);
    if (status != SQA_OK)
        return status;
    bool agree = fabs(device - wall) <= EVENT_AGREEMENT * wall; /* false for NaN */
    out->wall_ms = wall * 1e3 / launches;
    out->event_ms = agree ? device * 1e3 / launches : (double)NAN;
    return SQA_OK;
}

sqa_status sqa_measure_calibrate(const sqa_work *work, cl_command_queue queue, double seconds,
                                 uint32_t *launches, sqa_sample *last)
{
    double least = fmax(seconds, CLOCK_TICKS * clock_tick());
    uint32_t count = 1;
    for (;;) {
        sqa_sample sample;
        sqa_status status = sqa_measure_sample(work, queue, count, &sample);
        if (status != SQA_OK)
            return status;
        double batch = sample.wall_ms * 1e-3 * count;
        if (last)
            *last = sample;
        if (batch >= least)
            break;
        if (count >= MAX_LAUNCHES)
            return sqa_fail(SQA_UNSUPPORTED,
                            "%u launches took %.3g ms, below the %.3g ms that can be timed", count,
                            batch * 1e3, least * 1e3);
        /* A tenth over, since the first batches tend to be the slow ones. */
        double wanted = batch > 0 ? ceil(1.1 * count * least / batch) : 64.0 * count;
        wanted = fmin(fmax(wanted, count + 1.0), 64.0 * count);
        count = wanted < MAX_LAUNCHES ? (uint32_t)wanted : MAX_LAUNCHES;
    }
    *launches = count;
    return SQA_OK;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear interpolation between the sorted values around `quantile`. */
static double quantile_of(const double *sorted, size_t count, double quantile)
{
    assert(count > 0);
    double position = quantile * (double)(count - 1);
    size_t below = (size_t)position;
    size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

bool sqa_measure_by_events(const sqa_sample *samples, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (isnan(samples[i].event_ms))
            return false;
    return true;
}

static double time_of(const sqa_sample *sample, bool by_events)
{
    return by_events ? sample->event_ms : sample->wall_ms;
}

sqa_status sqa_measure_summarise(const sqa_sample *samples, uint32_t count, sqa_timing *out)
{
    double *times = malloc(count * sizeof *times);
    if (!times)
        return sqa_fail_memory("samples");
    bool by_events = sqa_measure_by_events(samples, count);
    for (uint32_t i = 0; i < count; i++)
        times[i] = time_of(&samples[i], by_events);
    qsort(times, count, sizeof *times, compare_doubles);
    out->median_ms = quantile_of(times, count, 0.5);
    out->spread_ms = quantile_of(times, count, 0.75) - quantile_of(times, count, 0.25);
    out->minimum_ms = times[0];
    out->samples = count;
    out->by_events = by_events;
    free(times);
    return SQA_OK;
}

sqa_status sqa_measure_quotient(const sqa_sample *own, const sqa_sample *other, uint32_t count,
                                double *median, double *spread)
{
    double *quotients = malloc(count * sizeof *quotients);
    if (!quotients)
        return sqa_fail_memory("samples");
    bool by_events = sqa_measure_by_events(own, count) && sqa_measure_by_events(other, count);
    for (uint32_t i = 0; i < count; i++)
        quotients[i] = time_of(&own[i], by_events) / time_of(&other[i], by_events);
    qsort(quotients, count, sizeof *quotients, compare_doubles);
    *median = quantile_of(quotients, count, 0.5);
    *spread = quantile_of(quotients, count, 0.75) - quantile_of(quotients, count, 0.25);
    free(quotients);
    return SQA_OK;
}

#define UNDISTURBED 0.1

sqa_status sqa_measure_undisturbed(const sqa_sample *samples, uint32_t count, uint32_t first,
                                   uint32_t stride, bool by_events, double *ms)
{
    double *times = malloc(count * sizeof *times);
    if (!times)
        return sqa_fail_memory("samples");
    size_t taken = 0;
    for (uint32_t i = first; i < count; i += stride)
        times[taken++] = time_of(&samples[i], by_events);
    qsort(times, taken, sizeof *times, compare_doubles);
    *ms = taken ? quantile_of(times, taken, UNDISTURBED) : (double)NAN;
    free(times);
    return SQA_OK;
}

double sqa_measure_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return quantile_of(values, count, 0.5);
}
