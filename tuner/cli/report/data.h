/* What a report is about: trials, put in relation. */
#ifndef SQA_TUNER_REPORT_DATA_H
#define SQA_TUNER_REPORT_DATA_H

#include "cli/db/rank.h"
#include "cli/db/sources.h"

/* The search for one problem: the trials of one environment and exact shape, in the
 * order they were made, and the points where the best so far rose. */
typedef struct sqa_trace {
    const sqa_stored_trial *best;     /* the winner; else the fastest; NULL: none was timed */
    const sqa_stored_trial *modelled; /* what a model gives most; NULL: none was asked */
    const sqa_stored_trial *fallback; /* what runs untuned, from the same final; NULL: unknown */
    uint32_t trials, ok, failed;      /* of the search, without finals */
    struct sqa_trace_point {
        uint32_t trial; /* from 1 */
        double gflops;  /* the best so far */
    } * points;
    size_t point_count;
} sqa_trace;

/* One device, driver and library version. */
typedef struct sqa_report_part {
    const sqa_stored_trial *sample; /* one of its trials: the device's names */
    double ceiling_gflops;          /* the highest that was measured; NaN: unknown */
    uint32_t by_status[8];          /* trials, by how they ended */
    sqa_trace *traces;
    size_t trace_count;
} sqa_report_part;

typedef struct sqa_report_data {
    sqa_trial_list all;     /* in the order they were made */
    sqa_trial_list ranking; /* the best per environment and problem */
    sqa_report_part *parts;
    size_t part_count;
} sqa_report_data;

#define SQA_REPORT_DATA_INIT                                                                       \
    {                                                                                              \
        SQA_TRIAL_LIST_INIT, SQA_TRIAL_LIST_INIT, 0, 0                                             \
    }

sqa_status sqa_report_data_read(sqa_report_data *out, const sqa_db_sources *sources,
                                const sqa_store_filter *filter);
void sqa_report_data_free(sqa_report_data *data);

/* Times as fast as untuned, by the yardstick of its own rounds, or by a trial of the same kind;
 * NaN: unknown. */
double sqa_trace_speedup(const sqa_trace *trace);

#endif
