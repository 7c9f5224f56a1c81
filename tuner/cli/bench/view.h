/* What the writers of `sqa bench` are given: the question, the answer, the device. */
#ifndef SQA_TUNER_BENCH_VIEW_H
#define SQA_TUNER_BENCH_VIEW_H

#include "device/device.h"
#include "trial/bench.h"

typedef struct sqa_bench_view {
    const sqa_bench_options *options;
    const sqa_bench_report *report;
    const sqa_device *device;
    unsigned platform, index; /* of the device */
    bool wide;                /* a table of all columns */
} sqa_bench_view;

#endif
