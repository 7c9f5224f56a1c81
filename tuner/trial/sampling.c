/* See sampling.h. */
#include "trial/sampling.h"

#include <math.h>

/* How well the median is known, as a part of it (its spread over the root of the
 * number of samples), for the candidate to be ranked by it, */
#define NOISE_LIMIT 0.12

/* and for no more samples to be taken. */
#define PRECISE 0.02
/* A pair is from the machine's full pace when its yardstick took at most this many
 * times as long as ever. With so many of them the others do not count. */
#define FULL_PACE 1.15
#define ENOUGH_PAIRS 3u
#define MOST_BATCHES 5u
#define MOST_SAMPLES (MOST_BATCHES * SQA_SAMPLES)

/* A candidate this much slower than the best needs no precise time. */
#define HOPELESS 1.5
#define HOPELESS_SAMPLES 3u

/* And one this much slower needs no second look at all. */
#define ABSURD 3.0

/* Slow kernels get fewer samples, so that a trial's timing stays near this long. */
#define TIMING_SECONDS 0.5

typedef struct sampling {
    const sqa_work *work;
    sqa_yardstick *yardstick; /* NULL: none */
    cl_command_queue queue;
    sqa_sample_fault fault;
    uint32_t launches;
    sqa_sample own[MOST_SAMPLES], other[MOST_SAMPLES];
    uint32_t count;
} sampling;

static void note_pace(sampling *self)
{
    double took = self->other[self->count].wall_ms, *best = &self->yardstick->best_ms;
    if (!*best || took < *best)
        *best = took;
}

/* The second half of a pair whose first half is there. */
static sqa_status take_other(sampling *self)
{
    sqa_status status = SQA_OK;
    if (self->yardstick)
        status = sqa_measure_sample(&self->yardstick->work, self->queue, self->yardstick->launches,
                                    &self->other[self->count]);
    if (status == SQA_OK && self->yardstick)
        note_pace(self);
    if (status == SQA_OK && self->fault)
        self->fault(&self->own[self->count], self->count);
    self->count += status == SQA_OK;
    return status;
}

static sqa_status take_pair(sampling *self)
{
    sqa_status status =
        sqa_measure_sample(self->work, self->queue, self->launches, &self->own[self->count]);
    return status == SQA_OK ? take_other(self) : status;
}

/* The sample that showed how many launches it takes is as good as any. */
static sqa_status take_first(sampling *self)
{
    sqa_status status = sqa_measure_calibrate(self->work, self->queue, SQA_SAMPLE_SECONDS,
                                              &self->launches, &self->own[0]);
    return status == SQA_OK ? take_other(self) : status;
}

/* Moves the pairs from the machine's full pace to the front; how many they are. */
static uint32_t sort_pairs(sampling *self)
{
    uint32_t front = 0;
    for (uint32_t i = 0; i < self->count && self->yardstick; i++) {
        if (self->other[i].wall_ms > FULL_PACE * self->yardstick->best_ms)
            continue;
        const sqa_sample own = self->own[i], other = self->other[i];
        self->own[i] = self->own[front];
        self->other[i] = self->other[front];
        self->own[front] = own;
        self->other[front++] = other;
    }
    return front;
}

static sqa_status summarise(sampling *self, sqa_comparison *out)
{
    uint32_t full_pace = sort_pairs(self);
    uint32_t count = full_pace >= ENOUGH_PAIRS ? full_pace : self->count;
    out->relative = out->relative_spread = (double)NAN;
    sqa_status status = sqa_measure_summarise(self->own, count, &out->timing);
    if (status == SQA_OK && self->yardstick)
        status = sqa_measure_quotient(self->own, self->other, count, &out->relative,
                                      &out->relative_spread);
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
    double lag = first_lag(self, pace);
    if (lag > ABSURD) /* false for NaN */
        return 1;
    double seconds = 1e-3 * self->own[0].wall_ms * self->launches;
    bool affordable = TIMING_SECONDS / seconds >= SQA_SAMPLES;
    return lag > HOPELESS || !affordable ? HOPELESS_SAMPLES : SQA_SAMPLES;
}

static double uncertainty_of(const sqa_comparison *comparison)
{
    double spread = isnan(comparison->relative)
                        ? comparison->timing.spread_ms / comparison->timing.median_ms
                        : comparison->relative_spread / comparison->relative;
    return spread / sqrt(comparison->timing.samples);
}

bool sqa_comparison_is_noisy(const sqa_comparison *comparison)
{
    return uncertainty_of(comparison) > NOISE_LIMIT;
}

/* One batch of samples, and more as long as they disagree: what was taken stays,
 * so that a slow moment is outvoted rather than begun anew in. */
static sqa_status take_all(sampling *self, const sqa_pace *pace, sqa_comparison *out)
{
    sqa_status status = take_first(self);
    if (status != SQA_OK)
        return status;
    const uint32_t batch = samples_for(self, pace), most = batch > 1 ? MOST_BATCHES * batch : 1;
    const double enough = batch < SQA_SAMPLES ? NOISE_LIMIT : PRECISE;
    for (uint32_t wanted = batch; wanted <= most; wanted += batch) {
        while (self->count < wanted && status == SQA_OK)
            status = take_pair(self);
        if (status == SQA_OK)
            status = summarise(self, out);
        bool at_full_pace = !self->yardstick || sort_pairs(self) >= ENOUGH_PAIRS;
        if (status != SQA_OK || (uncertainty_of(out) <= enough && at_full_pace))
            break;
    }
    return status;
}

sqa_status sqa_sampling_run(const sqa_work *work, sqa_yardstick *yardstick, const sqa_pace *pace,
                            cl_command_queue queue, sqa_sample_fault fault, sqa_comparison *out)
{
    sampling self = {.work = work,
                     .yardstick = yardstick->work.enqueue ? yardstick : NULL,
                     .queue = queue,
                     .fault = fault};
    return take_all(&self, pace, out);
}
