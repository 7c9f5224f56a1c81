/* The outcome of a tuning run, for people and as JSON. */
#ifndef SQA_TUNER_TUNE_REPORT_H
#define SQA_TUNER_TUNE_REPORT_H

#include "search/session.h"

void sqa_tune_report_print(const sqa_tuning_options *options, const sqa_tuning_report *report,
                           bool wide);
void sqa_tune_report_json(const sqa_tuning_options *options, const sqa_tuning_report *report);

#endif
