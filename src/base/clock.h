/* Time that passes, whatever the date is set to. */
#ifndef SQA_BASE_CLOCK_H
#define SQA_BASE_CLOCK_H

/* Seconds of the monotonic clock; NaN where there is none. */
double sqa_clock_seconds(void);

#endif
