/* Timing one enqueueable piece of work: calibration, samples, median and spread.
 *
 * A sample is a batch of launches between two clFinish calls, long enough for
 * the clock. Event times are used in its place only where they make sense (END
 * after START) and agree with the wall clock. Knows nothing of attention. */
#ifndef SQA_TUNER_MEASURE_H
#define SQA_TUNER_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "sqa_cl/export.h"
#include "sqa_cl/status.h"

/* The work: enqueues itself once. `event` may be NULL. */
typedef struct sqa_work {
    sqa_status (*enqueue)(void *user, cl_command_queue queue, cl_event *event);
    void *user;
} sqa_work;

#define SQA_SAMPLE_SECONDS 0.005 /* a sample lasts at least this long */
#define SQA_SAMPLES 7u           /* where nothing else is asked for */

/* The time of one launch, from one batch. */
typedef struct sqa_sample {
    double wall_ms;
    double event_ms; /* NaN where events were no use */
} sqa_sample;

typedef struct sqa_timing {
    double median_ms;
    double spread_ms; /* interquartile range */
    double minimum_ms;
    uint32_t samples;
    bool by_events; /* false: by wall clock */
} sqa_timing;

/* Runs the work once and waits: the slow first launch. */
sqa_status sqa_measure_warm_up(const sqa_work *work, cl_command_queue queue);

/* Finds the launches per sample that take at least `seconds`; *last (may be NULL)
 * gets the sample that showed it.
 * Errors: SQA_UNSUPPORTED when so many launches are still too fast for the clock. */
sqa_status sqa_measure_calibrate(const sqa_work *work, cl_command_queue queue, double seconds,
                                 uint32_t *launches, sqa_sample *last);

/* Takes one sample. */
sqa_status sqa_measure_sample(const sqa_work *work, cl_command_queue queue, uint32_t launches,
                              sqa_sample *out);

/* Events are used when every sample has them. `count` is at least 1; `samples`
 * is left as it is. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_measure_summarise(const sqa_sample *samples, uint32_t count, sqa_timing *out);

/* The median of own[i] / other[i], and the quotients' interquartile range: by events
 * where every sample has them, else by wall clock. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_measure_quotient(const sqa_sample *own, const sqa_sample *other, uint32_t count,
                                double *median, double *spread);

/* Whether every sample has an event's time. */
bool sqa_measure_by_events(const sqa_sample *samples, uint32_t count);

/* The time that one sample in ten stays below, of every `stride`-th from `first` on: what
 * the work takes undisturbed, as far as the samples show. NaN of none.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_measure_undisturbed(const sqa_sample *samples, uint32_t count, uint32_t first,
                                   uint32_t stride, bool by_events, double *ms);

/* The median of `count` numbers, at least 1; sorts them. */
double sqa_measure_median(double *values, size_t count);

#endif
