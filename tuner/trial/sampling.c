/* See sampling.h. */
#include "trial/sampling.h"

#include <math.h>

/* How well a candidate's time is known, as a part of it, for it to be ranked, */
#define NOISE_LIMIT 0.20

/* and for no more samples to be taken. */
#define PRECISE 0.03
#define MOST_BATCHES 5u
#define MOST_SAMPLES (MOST_BATCHES * SQA_SAMPLES)

/* Slow kernels get fewer samples, so that a trial's timing stays near this long; what
 * samples long enough show in so few is precise. A launch that long is behind for certain when
 * it seems to be. */
#define TIMING_SECONDS 0.2
#define FEWEST_SAMPLES 2u
#define BEHIND 1.08

/* Samples at first, by how many times slower than the best the candidate seems to be: one
 * that is far behind needs no second look, one that is behind no precise time. */
static const struct {
    double lag;
    uint32_t samples;
} worth[] = {{2.0, 1}, {1.25, 2}, {BEHIND, 3}, {0.0, SQA_SAMPLES}};

/* A sample of the yardstick counts for a candidate that comes so soon after it, or within so
 * many times of what it took. */
#define FRESH_SECONDS 0.5
#define FRESH_TIMES 3.0

typedef struct sampling {
    const sqa_work *work;
    sqa_yardstick *yardstick; /* NULL: none */
    cl_command_queue queue;
    sqa_sample_fault fault;
    uint32_t launches;
    sqa_sample own[MOST_SAMPLES], other[MOST_SAMPLES];
    uint32_t count;
} sampling;

static sqa_status take_yardstick(const sampling *self)
{
    sqa_yardstick *yardstick = self->yardstick;
    sqa_status status =
        sqa_measure_sample(&yardstick->work, self->queue, yardstick->launches, &yardstick->latest);
    yardstick->taken_s = status == SQA_OK ? sqa_clock_seconds() : 0.0;
    return status;
}

/* The second half of a pair whose first half is there. */
static sqa_status take_other(sampling *self, double since_s)
{
    sqa_status status = SQA_OK;
    if (self->yardstick && !(self->yardstick->taken_s >= since_s))
        status = take_yardstick(self);
    if (status == SQA_OK && self->yardstick)
        self->other[self->count] = self->yardstick->latest;
    if (status == SQA_OK && self->fault)
        self->fault(&self->own[self->count], &self->other[self->count], self->count);
    self->count += status == SQA_OK;
    return status;
}

static sqa_status take_pair(sampling *self)
{
    sqa_status status =
        sqa_measure_sample(self->work, self->queue, self->launches, &self->own[self->count]);
    return status == SQA_OK ? take_other(self, (double)INFINITY) : status;
}

static double freshness(const sampling *self)
{
    const sqa_yardstick *yardstick = self->yardstick;
    const double took_s = yardstick ? 1e-3 * yardstick->latest.wall_ms * yardstick->launches : 0.0;
    return fmax(FRESH_SECONDS, FRESH_TIMES * took_s);
}

/* The launch that showed the result to be right, or the sample that showed how many launches
 * a sample takes, is as good as any. */
static sqa_status take_first(sampling *self, const sqa_sample *first)
{
    sqa_status status = SQA_OK;
    self->launches = 1;
    if (first && first->wall_ms >= 1e3 * SQA_SAMPLE_SECONDS)
        self->own[0] = *first;
    else
        status = sqa_measure_calibrate(self->work, self->queue, SQA_SAMPLE_SECONDS, &self->launches,
                                       &self->own[0]);
    return status == SQA_OK ? take_other(self, sqa_clock_seconds() - freshness(self)) : status;
}

/* Undisturbed time over the yardstick's, of every `stride`-th pair from `first` on;
 * the bare time without a yardstick. */
static sqa_status compare(const sampling *self, uint32_t first, uint32_t stride, double *relative,
                          double *yardstick_ms)
{
    double own = 0;
    bool by_events = sqa_measure_by_events(self->own, self->count);
    if (self->yardstick)
        by_events = by_events && sqa_measure_by_events(self->other, self->count);
    *yardstick_ms = (double)NAN;
    sqa_status status =
        sqa_measure_undisturbed(self->own, self->count, first, stride, by_events, &own);
    if (status == SQA_OK && self->yardstick)
        status = sqa_measure_undisturbed(self->other, self->count, first, stride, by_events,
                                         yardstick_ms);
    *relative = self->yardstick ? own / *yardstick_ms : own;
    return status;
}

/* Two halves of the samples that tell the same are to be trusted, whatever the pace. */
static sqa_status summarise(const sampling *self, sqa_comparison *out)
{
    double even = 0, odd = 0, unused;
    sqa_status status = sqa_measure_summarise(self->own, self->count, &out->timing);
    if (status == SQA_OK)
        status = compare(self, 0, 1, &out->relative, &out->yardstick_ms);
    if (status == SQA_OK)
        status = compare(self, 0, 2, &even, &unused);
    if (status == SQA_OK)
        status = compare(self, 1, 2, &odd, &unused);
    out->relative_spread = self->count > 1 ? fabs(even - odd) : 0.0;
    out->uncertainty = out->relative_spread / out->relative;
    if (!self->yardstick)
        out->relative = out->relative_spread = (double)NAN;
    return status;
}

/* How many times slower than the best the first sample was; NaN: there is no best. */
static double first_lag(const sampling *self, const sqa_pace *pace)
{
    double own = self->own[0].wall_ms;
    return self->yardstick ? own / self->other[0].wall_ms / pace->best_relative
                           : own / pace->best_ms;
}

/* Samples to take at first, after one of them. */
static uint32_t samples_for(const sampling *self, const sqa_pace *pace)
{
    const double lag = first_lag(self, pace);
    const double pair_s = 1e-3 * self->launches *
                          (self->own[0].wall_ms + (self->yardstick ? self->other[0].wall_ms : 0.0));
    uint32_t wanted = SQA_SAMPLES;
    for (size_t i = sizeof worth / sizeof worth[0]; i-- > 0;)
        if (lag > worth[i].lag) /* false for NaN */
            wanted = worth[i].samples;
    const double affordable =
        fmax(floor(TIMING_SECONDS / pair_s), lag > BEHIND ? 1 : FEWEST_SAMPLES);
    return affordable < wanted ? (uint32_t)affordable : wanted;
}

bool sqa_comparison_is_noisy(const sqa_comparison *comparison)
{
    return comparison->uncertainty > NOISE_LIMIT;
}

/* One batch of samples, and more as long as they disagree: what was taken stays,
 * so that a slow moment is outvoted rather than begun anew in. */
static sqa_status take_all(sampling *self, const sqa_sample *first, const sqa_pace *pace,
                           sqa_comparison *out)
{
    sqa_status status = take_first(self, first);
    if (status != SQA_OK)
        return status;
    const uint32_t batch = samples_for(self, pace), most = batch > 1 ? MOST_BATCHES * batch : 1;
    const double enough = batch < SQA_SAMPLES ? NOISE_LIMIT : PRECISE;
    for (uint32_t wanted = batch; wanted <= most; wanted += batch) {
        while (self->count < wanted && status == SQA_OK)
            status = take_pair(self);
        if (status == SQA_OK)
            status = summarise(self, out);
        if (status != SQA_OK || out->uncertainty <= enough)
            break;
    }
    return status;
}

sqa_status sqa_sampling_run(const sqa_work *work, const sqa_sample *first, sqa_yardstick *yardstick,
                            const sqa_pace *pace, cl_command_queue queue, sqa_sample_fault fault,
                            sqa_comparison *out)
{
    sampling self = {.work = work,
                     .yardstick = yardstick->work.enqueue ? yardstick : NULL,
                     .queue = queue,
                     .fault = fault};
    return take_all(&self, first, pace, out);
}
